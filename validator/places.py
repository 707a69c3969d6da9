"""Whether frames fit other places better than their own: what shows a wrong scan that no reading mends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .scene import Scene
from .score import centred

Array = np.ndarray[Any, Any]

FRAMES: Final = 16
"""Frames that are compared with other places."""

RINGS: Final = (3.0, 6.0, 12.0, 24.0)
"""Pixels from its own position at which a frame is tried, in eight directions."""

APART: Final = 0.1
"""Correlation by which a frame fits elsewhere better."""

SHARE: Final = 0.2
"""Part of the frames that must."""

GAIN: Final = 0.08
"""Correlation that all frames must gain on the mean. Right files of reasonable quality give 0.05 at most."""

CLEARLY: Final = (0.6, 0.15, 0.4)
"""Part of the attainable correlation that is reached elsewhere; the part of it that must be gained there where it is,
and where it is not: with a poor object, the best of many places is better by chance."""

WANTING: Final[Mapping[str, float]] = {"shift": 0.03, "roll": 0.2, "reverse": 0.2}
"""The same under the best of many shifts or steps that is not the right one. Under the right shift it is 0.018 at most,
under the right step, since noise fits the best of all positions, 0.12."""

AUDIBLE: Final = 0.25
"""Correlation that must be attainable: below it, the best of many places is chance."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Places:
    """Each frame's own correlation, (n,), at its own position and at the best of all places tried.

    ``index``: which frames.
    """

    index: Array
    own: Array
    best: Array

    @property
    def gain(self) -> float:
        """What the frames would gain elsewhere, on the mean."""
        return float((self.best - self.own).mean())

    def strays(self, attainable: float) -> Array:
        """Frames that fit elsewhere, where enough of them do; none otherwise."""
        out, best = self.best - self.own > APART, float(self.best.mean())
        reached, surely, hardly = CLEARLY
        least = max(GAIN, (surely if best >= reached * attainable else hardly) * best)
        if attainable < AUDIBLE or self.gain < least or out.mean() < SHARE:
            return np.zeros(0, dtype=int)
        return self.index[out]


def chosen(scene: Scene) -> Scene:
    """The frames that are compared."""
    return scene.taken(scene.scattered(FRAMES))


def around(scene: Scene, x: Array, y: Array, listed: Array | None = None) -> Places:
    """Frames at their own positions, beside these, and at others.

    Args:
        scene: the frames, and what predicts them.
        x, y: positions of all frames.
        listed: the best correlation of each frame at further places, (n,).
    """
    some = chosen(scene)
    x, y = x[some.index], y[some.index]
    stated, data = some.at(x, y), centred(some.measured)
    middle = stated.mean(axis=0)
    own = each(stated - middle, data)
    best = own if listed is None else np.maximum(own, listed)
    for radius in RINGS:
        for angle in np.arange(8) * (np.pi / 4):
            moved = some.at(x + radius * np.cos(angle), y + radius * np.sin(angle))
            best = np.maximum(best, each(moved - middle, data))
    return Places(index=some.index, own=own, best=best)


def each(model: Array, data: Array) -> Array:
    """Correlation of each frame of two sets, (n,)."""
    norms = np.sqrt(np.einsum("nij,nij->n", model, model) * np.einsum("nij,nij->n", data, data))
    products = np.einsum("nij,nij->n", model, data)
    each: Array = np.divide(products, norms, out=np.zeros(len(norms)), where=norms > 0)
    return each
