"""The scan positions, in the frame of the object."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..picture import Plot
from ..spaced import spaced
from .making import POINTS, series
from .sight import Shown, Sight

OFFENDERS: Final = ("SCAN-001", "SCAN-002", "SCAN-008", "VALUE-001", "SCAN-005", "SCAN-006", "SCAN-007")
CODES: Final = (
    "SCAN-001", "SCAN-002", "SCAN-003", "SCAN-004", "SCAN-008", "PHYS-001", "PHYS-002", "VALUE-001", "VALUE-004",
)  # fmt: skip
FRAMES: Final = ("SCAN-005", "SCAN-006", "SCAN-007", "VALUE-001")


def gather(sight: Sight) -> Shown | str:
    placed = sight.coordinates()
    if isinstance(placed, str):
        return placed
    x, y = placed
    scan = sight.scan
    metres = bool(sight.found(("SCAN-003",)))
    some = spaced(len(x), POINTS)
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        return f"no position in {scan.x} and {scan.y} is finite"
    drawn = [series("path", "scan path", x[some], y[some]), series("points", "positions", x[some], y[some])]
    caption = f"{len(x):,} positions in scan order; rows grow downwards, as in the object."
    reading = sight.case.binding.reading(scan.object)
    edges = reading.sizes() if reading else {}
    if len(edges) >= 2 and not metres:
        rows, columns = list(edges.values())[-2:]
        outline = [0, columns, columns, 0, 0], [0, 0, rows, rows, 0]
        drawn.insert(0, series("bound", f"edge of {scan.object}", *outline))
        caption += " The dashed frame is the edge of the object."
    if better := sight.as_they_fit():
        drawn.append(series("fit", "as they fit", better[0][some], better[1][some]))
        caption += " The other line has the positions as they fit the patterns."
    offending = sight.offending(OFFENDERS, (scan.x, scan.y, scan.frames))
    drawn += sight.marks(offending, x, y)
    if offending:
        caption += " Rings mark the frames named by " + ", ".join(offending) + "."
    if not finite.all():
        caption += f" {np.count_nonzero(~finite):,} that are not finite are left out."
    unit = "as stored; not pixels" if metres else "object pixel"
    ranges = "; ".join(
        f"{name} from {values[finite].min():.4g} to {values[finite].max():.4g}"
        for name, values in ((scan.x, x), (scan.y, y))
    )
    return Shown(
        caption=caption,
        codes={scan.x: CODES, scan.y: CODES, scan.frames: FRAMES},
        panels=(
            Plot(
                title="Where each frame was taken",
                alt=f"{len(x):,} scan positions: {ranges}.",
                x_label=f"{scan.x} ({unit})",
                y_label=f"{scan.y} ({unit})",
                series=tuple(drawn),
                alike=True,
                down=True,
            ),
        ),
    )
