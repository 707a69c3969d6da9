"""Total and largest value of every frame, in scan order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..picture import Plot, Series
from ..words import share
from .making import envelope, series
from .sight import Shown, Sight

Array = np.ndarray[Any, Any]

OFFENDERS: Final = ("VALUE-001", "VALUE-002", "VALUE-003", "SCAN-005", "SCAN-006", "SCAN-007")
CODES: Final = (*OFFENDERS, "NORM-002", "VALUE-004")


def gather(sight: Sight) -> Shown | str:
    reading = sight.patterns
    if (why := sight.without(sight.scan.frames)) or reading is None:
        return why
    if sight.case.scan_axis(reading) is None:
        return "the axis order of the patterns is undecided"
    facts = sight.case.frames_of(reading)
    if facts is None:
        return "the patterns are no stack of real planes that one pass can take apart"
    offending = sight.offending(OFFENDERS, (sight.scan.frames,))
    index = np.arange(len(facts.total))
    frames_word = f"{len(index):,} frame{'s' * (len(index) != 1)}"
    panels = []
    for title, label, values in (
        ("Total of each frame", f"total {sight.quantity()}", facts.total),
        ("Largest value of each frame", f"largest {sight.quantity()}", facts.maximum),
    ):
        some = envelope(values)
        finite = values[np.isfinite(values)]
        limit = [] if values is facts.total else _limit(sight, values)
        told = f" from {finite.min():.4g} to {finite.max():.4g}, median {np.median(finite):.4g}" if finite.size else ""
        panels.append(
            Plot(
                title=title,
                alt=f"{title}, in scan order: {frames_word},{told or ' none finite'}.",
                x_label="frame",
                y_label=label,
                series=(
                    series("line", label, index[some], values[some]),
                    *limit,
                    *sight.marks(offending, index, values),
                ),
            )
        )
    marked = len({frame for frames in offending.values() for frame in frames})
    caption = "Pixels that are not finite are left out."
    if marked:
        caption += f" {share(marked, len(index), 'frame')} named by {', '.join(offending)}"
        caption += ", and ringed." if any(2 * len(frames) <= len(index) for frames in offending.values()) else "."
    return Shown(
        caption=caption,
        codes={sight.scan.frames: CODES},
        panels=tuple(panels),
    )


def _limit(sight: Sight, values: Array) -> list[Series]:
    """The contract's bound, where the values come near it."""
    bound = sight.bound()
    finite = values[np.isfinite(values)]
    if bound is None or not finite.size or finite.max() < bound / 2:
        return []
    return [series("bound", f"bound {bound:g}", [0, max(1, len(values) - 1)], [bound, bound])]
