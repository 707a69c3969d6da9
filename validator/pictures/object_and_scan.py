"""The object: amplitude and phase, with the scan path and the offending positions over it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..picture import Image, Series
from ..spaced import spaced
from .making import POINTS, ends_of, image, series, shrunk
from .probe import size_words
from .sight import Shown, Sight

Array = np.ndarray[Any, Any]

SIDE: Final = 320
TRIM: Final = 0.005
"""Part of the pixels at either end of the scale that may lie beyond it: reconstructions have wild edges."""

OFFENDERS: Final = ("SCAN-001", "SCAN-002", "SCAN-005", "SCAN-006", "SCAN-007", "SCAN-008", "VALUE-001")
WIDE: Final = 2.0
"""Radians that a phase must span to be plain to see on cyclic colours."""

CODES: Final = ("VALUE-001", "VALUE-004", "SHAPE-001", "SHAPE-002", "SHAPE-003")
PLACES: Final = ("SCAN-001", "SCAN-002", "SCAN-008", "PHYS-001", "PHYS-002")
FRAMES: Final = ("SCAN-005", "SCAN-006", "SCAN-007", "VALUE-001")


def gather(sight: Sight) -> Shown | str:
    plane = sight.plane(sight.scan.object)
    if isinstance(plane, str):
        return plane
    header = sight.case.binding.readings[str(sight.scan.object)].header
    size = tuple(length for length in header.shape if length > 1)[-2:] if plane.size < header.count else plane.shape
    rows, columns = size if len(size) == 2 else plane.shape
    small = shrunk(plane, side=SIDE)
    amplitude = np.abs(small)
    over, path_words = _path(sight)
    own: tuple[str, ...] = CODES
    name = str(sight.scan.object)
    panels = [
        image(
            amplitude,
            title="Amplitude, with the scan path",
            about=f"Amplitude of the object, {size_words(plane)}. {path_words}",
            size=(rows, columns),
            ends=ends_of([amplitude], "linear", trim=TRIM),
            over=over,
        )
    ]
    caption = f"{name}, {rows:,} rows by {columns:,} columns. {path_words}"
    if np.iscomplexobj(small):
        panels.append(
            image(
                np.angle(small),
                title="Phase",
                about="Phase of the object from minus pi to pi, on cyclic colours.",
                size=(rows, columns),
                scale="phase",
                unit="rad",
                masked=amplitude == 0,
            )
        )
        panels += _stretched(small, (rows, columns))
    else:
        caption += " It is real: there is no phase to show."
        own = (*CODES, "DTYPE-001")
    return Shown(
        caption=caption,
        codes={name: own, sight.scan.x: PLACES, sight.scan.y: PLACES, sight.scan.frames: FRAMES},
        panels=tuple(panels),
    )


def _stretched(plane: Array, size: tuple[int, int]) -> list[Image]:
    """The phase about its mean, where it varies so little that cyclic colours hide it."""
    usable = np.isfinite(plane) & (plane != 0)
    middle = np.angle(plane[usable].sum()) if usable.any() else 0.0
    phase = np.angle(plane * np.exp(-1j * middle))
    low, high = ends_of([phase[usable]], "linear", trim=TRIM)
    if not usable.any() or high - low > WIDE:
        return []
    told = image(
        phase,
        title="Phase about its mean, contrast stretched",
        about="The same phase about its mean, in grey, over the narrow range that it covers.",
        size=size,
        ends=(low, high),
        unit="rad",
        masked=plane == 0,
    )
    return [told]


def _path(sight: Sight) -> tuple[list[Series], str]:
    placed = sight.coordinates()
    if isinstance(placed, str):
        return [], f"No scan path: {placed}."
    if sight.found(("SCAN-003",)):
        return [], "No scan path: the positions are not in pixels."
    x, y = placed
    some = spaced(len(x), POINTS)
    over = [series("path", "scan path", x[some], y[some]), series("start", "first position", x[:1], y[:1])]
    offending = sight.offending(OFFENDERS, (sight.scan.x, sight.scan.y, sight.scan.frames))
    over += sight.marks(offending, x, y)
    words = f"The line joins the {len(x):,} positions in scan order"
    if len(some) < len(x):
        words += f" ({len(some):,} of them are drawn)"
    words += "; the dot is the first."
    if better := sight.as_they_fit():
        over.insert(1, series("fit", "as they fit", better[0][some], better[1][some]))
        words += " The dashed line has them as they fit the patterns."
    if offending:
        words += (
            " Rings mark positions named by " + ", ".join(offending) + "; outside the object they stand at its edge."
        )
    return over, words
