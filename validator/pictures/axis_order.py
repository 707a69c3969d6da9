"""Slices along either axis side by side: the eye sees which of them are frames."""

from __future__ import annotations

from typing import Final

from ..words import axes
from . import second_read
from .making import ends_of, image, shrunk
from .sight import Shown, Sight

CODES: Final = ("FORMAT-001", "FORMAT-002")
SHOWN: Final = 3
SIDE: Final = 160
LONGEST: Final = 512
"""Items of a slice along one axis; longer slices are cut off."""


def gather(sight: Sight) -> Shown | str | None:
    reading = sight.patterns
    if not sight.found(CODES):
        return None
    if (why := sight.without(sight.scan.frames)) or reading is None:
        return why
    header = reading.header
    if len(header.shape) != 3 or header.dtype.kind not in "fiu" or not header.count:
        return "the patterns are no real array of three axes"
    decided = sight.case.scan_axis(reading)
    stated = reading.spec.dims[0].index(sight.scan.dimension)
    candidates = [stated, *(one for one in reading.possible_axes(sight.scan.dimension) if one != stated)]
    if decided is not None:
        candidates = list(dict.fromkeys((decided, stated)))
    planned = [(axis, place) for axis in candidates for place in _places(header.shape[axis])]
    cuts = [tuple(place if at == axis else slice(0, LONGEST) for at in range(3)) for axis, place in planned]
    planes = second_read.cuts(sight.dataset, header, cuts)
    small = [shrunk(plane, "max", SIDE) for plane in planes]
    ends = ends_of(small, "log")
    panels = []
    for (axis, place), plane, shown in zip(planned, planes, small, strict=True):
        role = _role(axis, decided)
        panels.append(
            image(
                shown,
                title=f"Axis {axis}, slice {place:,}{': ' + role if role else ''}",
                about=f"Slice {place:,} along axis {axis} of {header.shape[axis]:,}"
                f"{', ' + role if role else ''}, on a logarithmic scale.",
                size=(plane.shape[0], plane.shape[1]),
                scale="log",
                ends=ends,
                unit=sight.quantity(),
            )
        )
    if decided is None:
        told = "Nothing decides which axis counts frames: look for the row that shows whole patterns."
    else:
        told = (
            "All are brought to similar outlines. "
            f"Along axis {decided} slices are whole patterns: that is the scan axis. The contract has it as axis "
            f"{stated}, where slices are cuts through all patterns."
        )
    layout = f" Stored as {axes(reading.layout.dims)}." if reading.layout and decided is not None else ""
    return Shown(
        caption=told + layout,
        codes={sight.scan.frames: CODES},
        panels=tuple(panels),
        columns=SHOWN if len(panels) % SHOWN == 0 else 0,
    )


def _role(axis: int, decided: int | None) -> str:
    if decided is None:
        return ""
    return "a frame" if axis == decided else "not a frame"


def _places(length: int) -> list[int]:
    return list(dict.fromkeys((at + 1) * length // (SHOWN + 1) for at in range(SHOWN)))
