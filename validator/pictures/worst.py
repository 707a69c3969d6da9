"""The worst frames beside a typical one, all on one scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ..folds import FrameFacts
from ..picture import Series
from .making import ends_of, image, series, shrunk
from .sight import Shown, Sight

Array = np.ndarray[Any, Any]

MOST: Final = 5
SIDE: Final = 192
RINGED: Final = 12
"""Bad pixels of a frame that are ringed; more are plain to see."""

CODES: Final = ("VALUE-001", "VALUE-002", "VALUE-003", "SCAN-005", "SCAN-006", "SCAN-007", "NORM-002")

_WORDS: Final = {
    "VALUE-001": "not finite",
    "VALUE-002": "below the minimum",
    "VALUE-003": "above the maximum",
    "SCAN-005": "blank",
    "SCAN-006": "hot",
    "SCAN-007": "a copy",
}


def gather(sight: Sight) -> Shown | str:
    reading = sight.patterns
    if (why := sight.without(sight.scan.frames)) or reading is None:
        return why
    axis, facts = sight.case.scan_axis(reading), sight.case.frames_of(reading)
    if axis is None:
        return "the axis order of the patterns is undecided"
    if facts is None:
        return "the patterns are no stack of real planes that one pass can take apart"
    named = list(_named(sight, facts))
    typical = _typical(facts, {frame for frame, _ in named})
    chosen = dict(named or _extreme(facts, typical))
    frames = sight.frames(axis, [typical, *chosen], lambda plane: shrunk(plane, "max", SIDE))
    if isinstance(frames, str):
        return frames
    size = _size(sight, axis)
    ends = ends_of(list(frames.values()), "log")
    hot = sight.offending(("SCAN-006",), (sight.scan.frames,)).get("SCAN-006", ())
    panels = [
        image(
            frames[frame],
            title=f"Frame {frame:,}: {words}",
            about=f"Frame {frame:,}, {words}, on the logarithmic scale that all these frames share. "
            f"Its total is {facts.total[frame]:.4g}.",
            size=size,
            scale="log",
            ends=ends,
            unit=sight.quantity(),
            over=_pixels(frames[frame], size, hot=frame in hot),
        )
        for frame, words in ((typical, "typical"), *chosen.items())
    ]
    rings = " Rings mark pixels that are not finite, negative or hot." if any(one.over for one in panels) else ""
    told = "Frames that findings name" if named else "No finding names a frame; these are the extremes"
    return Shown(
        caption=f"{told}, beside the one whose total is nearest to the median; all on one logarithmic scale.{rings}",
        codes={sight.scan.frames: CODES},
        panels=tuple(panels),
        columns=len(panels) if len(panels) < 5 else 3,
    )


def _named(sight: Sight, facts: FrameFacts) -> Iterator[tuple[int, str]]:
    """Frames that findings name, the worst of each code in turn, so that one with many frames hides no other."""
    offending = sight.offending(CODES, (sight.scan.frames,))
    ranked = {code: _worst_first(facts, code, frames) for code, frames in offending.items()}
    chosen: list[int] = []
    for turn in range(MOST):
        for frames in ranked.values():
            if turn < len(frames) and frames[turn] not in chosen and len(chosen) < MOST:
                chosen.append(frames[turn])
    for frame in chosen:
        codes = [code for code, frames in offending.items() if frame in frames]
        yield frame, ", ".join(f"{_WORDS.get(code, 'named')} ({code})" for code in codes)


def _worst_first(facts: FrameFacts, code: str, frames: tuple[int, ...]) -> list[int]:
    badness = {
        "VALUE-001": facts.nonfinite,
        "VALUE-002": -facts.minimum,
        "VALUE-003": facts.maximum,
        "SCAN-005": -facts.total,
        "SCAN-006": facts.maximum,
    }.get(code)
    inside = [frame for frame in frames if frame < len(facts.total)]
    return inside if badness is None else sorted(inside, key=lambda frame: -float(badness[frame]))


def _pixels(plane: Array, size: tuple[int, int], *, hot: bool) -> list[Series]:
    """Rings round single pixels that the eye would miss."""
    bad = ~np.isfinite(plane) | (plane < 0)
    if hot:
        bad |= plane >= np.max(plane, where=np.isfinite(plane), initial=-np.inf)
    rows, columns = np.nonzero(bad)
    if not 0 < len(rows) <= RINGED:
        return []
    # Blocks are of equal sides: see shrunk.
    factor = max(1, round(max(size) / max(plane.shape)))
    return [series("marks", "single pixels", (columns + 0.5) * factor, (rows + 0.5) * factor)]


def _typical(facts: FrameFacts, named: set[int]) -> int:
    usable = (facts.nonfinite == 0) & np.isfinite(facts.total)
    usable[[frame for frame in named if frame < len(usable)]] = False
    if not usable.any():
        usable[:] = True
    away = np.abs(facts.total - np.median(facts.total[usable]))
    return int(np.argmin(np.where(usable & np.isfinite(away), away, np.inf)))


def _extreme(facts: FrameFacts, typical: int) -> Iterator[tuple[int, str]]:
    told = {typical}
    for values, pick, words in (
        (facts.total, np.argmin, "lowest total"),
        (facts.total, np.argmax, "highest total"),
        (facts.maximum, np.argmax, "highest pixel"),
    ):
        frame = int(pick(np.nan_to_num(values)))
        if frame not in told:
            told.add(frame)
            yield frame, words


def _size(sight: Sight, axis: int) -> tuple[int, int]:
    reading = sight.patterns
    lengths = [length for at, length in enumerate(reading.header.shape) if at != axis] if reading else []
    plane = sight.rows_first(np.empty((lengths[0], lengths[1]), dtype=np.bool_), axis) if len(lengths) >= 2 else None
    return (plane.shape[0], plane.shape[1]) if plane is not None else (1, 1)
