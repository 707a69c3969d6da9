"""Frames that fit the position beside their own from somewhere on: one was lost on the way, or is there twice.

Where steps are small beside the probe, such frames fit their own positions nearly as well, and no other reading of the
whole scan fits any better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .places import each
from .scene import GLANCED, Scene, levelled
from .score import centred

Array = np.ndarray[Any, Any]

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

REACHED: Final = 0.2
"""Correlation that those after them must reach there: a little less wrong is not right."""

STEPS: Final = (1, -1, 2, -2, 3, -3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """From which frame on, of those looked at, positions are ``step`` off; correlations at their own and beside.

    ``whole``: the mean correlation of all frames, those before at their own positions.
    """

    frame: int
    step: int
    own: float
    beside: float
    whole: float


def slips(scene: Scene) -> bool:
    """Whether the last frames fit the next position, or the one before, better than their own: a quick look."""
    count = len(scene.index)
    if count < BEFORE + FRAMES:
        return False
    tail = _Fits(scene.taken(np.arange(count - TAIL, count)).within(GLANCED))
    return any(_fit(tail.beside(step) - tail.own[tail.rows(step)]) for step in (1, -1))


def slip(scene: Scene, other: tuple[Array, Array] | None = None) -> Slip | None:
    """The step by which the later part of a scan is off, if it is.

    ``other``: positions of all frames, (N,) each, that explain the scan too. Where they do as well, nothing slipped.
    """
    fits = _Fits(scene.within(GLANCED))
    found = max((one for step in STEPS if (one := _from(fits, step))), key=lambda one: one.beside, default=None)
    if found and other and fits.elsewhere(*other)[fits.rows(found.step)].mean() >= found.whole:
        return None
    return found


def _from(fits: _Fits, step: int) -> Slip | None:
    """The end of the scan that is off by a step, where it begins most clearly."""
    rows = fits.rows(step)
    if len(rows) < BEFORE + FRAMES:
        return None
    tail = rows[-FRAMES:]
    if np.median(fits.beside(step, tail) - fits.own[tail]) <= GAIN:
        # Most scans end here: nothing else need be predicted.
        return None
    own, beside = fits.own[rows], fits.beside(step, rows)
    gains = beside - own
    first = max(
        range(BEFORE, len(gains) - FRAMES + 1),
        key=lambda at: (gains[:at] < 0).sum() + (gains[at:] > 0).sum(),
    )
    if not (_fit(-gains[:first]) and _fit(gains[first:])):
        return None
    before, after, reached = (float(np.median(one)) for one in (own[:first], own[first:], beside[first:]))
    if reached < REACHED or before <= HOLDS * reached:
        return None
    whole = float(np.concatenate([own[:first], beside[first:]]).mean())
    return Slip(frame=int(fits.index[rows[first]]), step=step, own=after, beside=reached, whole=whole)


def _fit(gains: Array) -> bool:
    return bool((gains > 0).sum() >= MOST * len(gains) and np.median(gains) > GAIN)


class _Fits:
    """How well frames fit positions. ``index``: which frames; ``own``: correlation at their own positions, (n,)."""

    def __init__(self, scene: Scene) -> None:
        self.index, self._data = scene.index, centred(scene.measured)
        self._scene, self._level = replace(scene, level=False), scene.level
        # By position; frames that are beside each other share most of theirs.
        self._predicted: dict[int, Array] = {}
        stated = self._at(scene.index)
        self._middle = stated.mean(axis=0)
        self.own = each(stated - self._middle, self._data)

    def rows(self, step: int) -> Array:
        """The frames that have a position so far beside their own."""
        partners = self.index + step
        return np.flatnonzero((partners >= 0) & (partners < len(self._scene.x)))

    def beside(self, step: int, rows: Array | None = None) -> Array:
        """Their correlations there, (n,); of all of them, or of some."""
        rows = self.rows(step) if rows is None else rows
        return each(self._at(self.index[rows] + step) - self._middle, self._data[rows])

    def elsewhere(self, x: Array, y: Array) -> Array:
        """The same at other positions of all frames, (N,) each."""
        return each(self._compared(self._scene.predicted(x, y)) - self._middle, self._data)

    def _at(self, positions: Array) -> Array:
        """What is predicted there, each once, (n, H, W)."""
        places = positions.tolist()
        new = [place for place in places if place not in self._predicted]
        if new:
            self._predicted.update(zip(new, self._scene.at(self._scene.x[new], self._scene.y[new]), strict=True))
        return self._compared(np.stack([self._predicted[place] for place in places]))

    def _compared(self, found: Array) -> Array:
        return levelled(found) if self._level else found
