"""Frames that fit the position beside their own from somewhere on: one was lost on the way, or is there twice.

Where steps are small beside the probe, such frames fit their own positions nearly as well, and no other reading of the
whole scan fits any better.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from .places import each
from .scene import Scene
from .score import centred

Array = np.ndarray[Any, Any]

PIXELS: Final = 1 << 12
"""Pixels of a frame that are looked at, at most."""

TAIL: Final = 8
"""Frames at the end of the scan that are looked at first: whatever was lost before, they are out of step."""

FRAMES: Final = 12
"""Frames that must fit the position beside their own, one after the other."""

BEFORE: Final = 4
"""Frames before them that must fit their own better: all of them out of step are another reading."""

MOST: Final = 0.9
"""Part of either that must."""

GAIN: Final = 0.02
"""Correlation that they gain by it, in the median."""

HOLDS: Final = 0.5
"""Part of the correlation there that the frames before them must reach at their own positions."""

STEPS: Final = (1, -1, 2, -2, 3, -3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """From which frame on, of those looked at, positions are ``step`` off; correlations at their own and beside."""

    frame: int
    step: int
    own: float
    beside: float


def slips(scene: Scene) -> bool:
    """Whether the last frames fit the next position, or the one before, better than their own: a quick look."""
    some = scene.within(PIXELS)
    count = len(some.index)
    tail = some.taken(np.arange(max(0, count - TAIL), count))
    return count >= BEFORE + FRAMES and any(
        _fit(beside - own) for own, beside, _ in map(partial(_correlations, tail), (1, -1))
    )


def slip(scene: Scene) -> Slip | None:
    """The step by which the later part of a scan is off, if it is."""
    found = filter(None, map(partial(_from, scene.within(PIXELS)), STEPS))
    return max(found, key=lambda one: one.beside, default=None)


def _from(scene: Scene, step: int) -> Slip | None:
    """The end of the scan that is off by a step, where it begins most clearly."""
    own, beside, index = _correlations(scene, step)
    gains = beside - own
    first = max(
        range(BEFORE, len(gains) - FRAMES + 1),
        key=lambda at: (gains[:at] < 0).sum() + (gains[at:] > 0).sum(),
        default=0,
    )
    if not first or not (_fit(-gains[:first]) and _fit(gains[first:])):
        return None
    before, after, reached = (float(np.median(one)) for one in (own[:first], own[first:], beside[first:]))
    return Slip(frame=int(index[first]), step=step, own=after, beside=reached) if before > HOLDS * reached else None


def _fit(gains: Array) -> bool:
    return bool((gains > 0).sum() >= MOST * len(gains) and np.median(gains) > GAIN)


def _correlations(scene: Scene, step: int) -> tuple[Array, Array, Array]:
    """Of frames with their own positions and with those ``step`` further on, (n,) each; and which frames."""
    partners = scene.index + step
    rows = np.flatnonzero((partners >= 0) & (partners < len(scene.x)))
    some, partners = scene.taken(rows), partners[rows]
    stated, data = some.predicted(some.x, some.y), centred(some.measured)
    middle = stated.mean(axis=0)
    return each(stated - middle, data), each(some.at(some.x[partners], some.y[partners]) - middle, data), some.index
