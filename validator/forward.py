"""The file tested against itself: patterns predicted from probe, object and positions, compared with those measured.

Significance alone accepts nothing: neighbouring patches overlap, so a wrong reading may correlate too. The stated
reading is compared with others that are known to be confused with it; a wider search follows where it does not
clearly stand out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .readings import Affine, Reading, Trial, far, leans, near, shift, strides, turned
from .score import ALIKE, LEAST, MARGIN, SIGNIFICANT, Scene, Score, centred, correlation, residual, score, surpasses

Array = np.ndarray[Any, Any]

QUICK: Final = 10
"""Frames with which other readings are compared at first."""

SURE: Final = 16
"""Frames that decide between orders of axes."""

WIDE: Final = 32
"""Frames with which the wider search compares."""

CLEAR: Final = 0.5
"""Correlation below which the stated reading is poor enough to search wider."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The stated reading, the best of the others, and whether that one is to be believed instead."""

    stated: Score
    best: Reading | None
    tried: int
    frames: int

    @property
    def other_fits(self) -> bool:
        return self.best is not None and surpasses(self.best.score, self.stated)

    def placed(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Positions as the reading that is to be believed has them."""
        if self.best is None or not self.other_fits or self.best.kind != "positions":
            return x, y
        return Affine(**dict(self.best.values)).apply(x, y)

    @property
    def supported(self) -> bool:
        """Whether the stated reading is borne out at all."""
        return self.stated.z >= SIGNIFICANT / 2 and not self.other_fits


def judge(scene: Scene) -> Verdict:
    """Compare the stated reading with the others; search wider where it does not clearly stand out."""
    every = scene.thinned(len(scene.index))
    predicted = every.predicted(every.x, every.y)
    stated = score(predicted, every.measured)
    rows = every.scattered(QUICK)
    quick, at_first = every.taken(rows), predicted[rows]
    best, tried = _best(near(quick, at_first))
    fits = correlation(at_first, centred(quick.measured))
    rival = best.correlation if best else 0.0
    clear = stated.z >= SIGNIFICANT and min(stated.correlation, fits) > max(CLEAR, 1.25 * rival + MARGIN)
    if clear and not leans(quick, fits):
        return Verdict(stated=stated, best=best.reading() if best else None, tried=1 + tried, frames=len(every.index))
    wide = scene.thinned(WIDE)
    predicted = wide.predicted(wide.x, wide.y)
    stated = score(predicted, wide.measured)
    found = [_best(near(wide, predicted)), _best(far(wide)), _best(strides(scene))]
    tried = sum(count for _, count in found)
    best = max((one for one, _ in found if one), key=lambda one: one.correlation, default=None)
    if (
        best is None
        or best.kind == "pairing"
        or best.correlation < CLEAR
        or not surpasses(best.reading().score, stated)
    ):
        # On a raster, a wrong pairing resembles a shift by one step: the better of both counts.
        shifted = shift(wide)
        tried += 1
        best = shifted if best is None or shifted.correlation > best.correlation else best
    return Verdict(stated=stated, best=best.reading(), tried=1 + tried, frames=len(wide.index))


def plain(scene: Scene) -> Score:
    """The best of the stated reading and those always compared with it: whether the frames are frames at all."""
    quick = scene.thinned(SURE)
    predicted = quick.predicted(quick.x, quick.y)
    stated = score(predicted, quick.measured)
    best, _ = _best(near(quick, predicted))
    return best.reading().score if best and best.correlation > stated.correlation else stated


def _best(trials: Iterable[Trial]) -> tuple[Trial | None, int]:
    """The trial that correlates best, and how many there were; no other is kept in memory."""
    best, count = None, 0
    for count, one in enumerate(trials, start=1):  # noqa: B007 - the last count is the answer
        if best is None or one.correlation > best.correlation:
            best = one
    return best, count


def residuals(scene: Scene, held: Array) -> tuple[float, float]:
    """Residuals of what a file holds, (n, H, W) like ``scene.measured``, read as amplitudes and as intensities."""
    quick = replace(scene, measured=held).thinned(QUICK)
    predicted = quick.predicted(quick.x, quick.y)
    return residual(predicted, quick.measured), residual(predicted, np.sqrt(quick.measured))


__all__ = [
    "ALIKE",
    "LEAST",
    "SIGNIFICANT",
    "Affine",
    "Reading",
    "Scene",
    "Score",
    "Verdict",
    "judge",
    "plain",
    "residual",
    "residuals",
    "score",
    "surpasses",
    "turned",
]
