"""The file tested against itself: patterns predicted from probe, object and positions, compared with those measured.

Significance alone accepts nothing: neighbouring patches overlap, so a wrong reading may correlate too. The stated
reading is compared with others that are known to be confused with it; a wider search follows where it does not
clearly stand out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np

from .pairing import Matches, hanging, matches, pairings, repaired, strides
from .pairs import pairs
from .places import WANTING, Places, around
from .readings import far, near, probes, turned
from .scene import GLANCED, PIXELS, Scene, flickers, levelled
from .score import (
    ALIKE,
    LITTLE,
    MARGIN,
    SIGNIFICANT,
    Score,
    centred,
    correlation,
    holds,
    leads,
    outstanding,
    residual,
    score,
    surpasses,
)
from .shifts import leans, refined, rescaled, shift
from .slip import Slip, slip, slips
from .trial import FITTED, Affine, Reading, Trial

Array = np.ndarray[Any, Any]

GLANCE: Final = 5
"""Frames with which other readings are compared at first: enough where the stated one is far ahead."""

QUICK: Final = 10
"""Frames with which they are compared then."""

SURE: Final = 16
"""Frames that decide between orders of axes."""

WIDE: Final = 32
"""Frames with which the wider search compares."""

CLEAR: Final = 0.5
"""Correlation below which the stated reading is poor enough to search wider."""


TURNED: Final = 0.1
"""Correlation that the probe seen from another side must gain over the best shift of positions or of the centre."""

EXPLAINS: Final = 0.8
"""What it explains below which the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The stated reading, the best of the others, and whether that one is to be believed instead.

    ``rival``: the best correlation of further readings, of another family than the best one's. ``sampled``: which
    frames were compared, of as many as there are ``positions``. ``places``: how well frames fit elsewhere, where that
    was looked at; ``wanting``: a fitted reading after which they still do. ``slip``: how the later part of the
    scan is out of step. ``coarse``: at how many pixels frames were compared, in words, where not at all; ``level``:
    whether each at the same energy.
    """

    stated: Score
    best: Reading | None
    tried: int
    frames: int
    rival: float = 0.0
    positions: int = 0
    sampled: Array = field(compare=False, repr=False, default_factory=lambda: np.zeros(0, dtype=int))
    places: Places | None = field(compare=False, repr=False, default=None)
    wanting: bool = False
    slip: Slip | None = field(compare=False, default=None)
    coarse: str = ""
    level: bool = False

    @property
    def compared(self) -> str:
        """How frames are compared, in words, where not as they are."""
        level = "frames compared at one energy, since theirs changes more than predicted" if self.level else ""
        return "; ".join(filter(None, (self.coarse, level)))

    @property
    def other_fits(self) -> bool:
        best = self.best
        return best is not None and not self.wanting and surpasses(best.score, self.stated, self.rival, best.least)

    def placed(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Positions as the reading that is to be believed has them."""
        if self.best is None or not self.other_fits or self.best.kind != "positions":
            return x, y
        return Affine(**dict(self.best.values)).apply(x, y)

    @property
    def contested(self) -> bool:
        """Whether the other is ahead, yet not surely enough to be believed."""
        best = self.best
        return (
            best is not None
            and not (self.other_fits or self.wanting)
            and leads(best.score, self.stated, self.rival, best.least, best.beyond)
        )

    @property
    def hanging(self) -> bool:
        """Whether the other reading leaves frames without a position of their own."""
        return self.best is not None and self.best.name != "stride" and hanging(self.best, self.sampled, self.positions)

    @property
    def astray(self) -> tuple[int, ...]:
        """Frames that do not fit their positions, where the others do."""
        return tuple(self.sampled[self.stated.astray].tolist()) if len(self.sampled) else ()

    @property
    def strays(self) -> tuple[int, ...]:
        """Frames that fit other places clearly better than their own."""
        return tuple(self.places.strays(self.stated.attainable).tolist()) if self.places else ()

    @property
    def supported(self) -> bool:
        """Whether the stated reading is borne out for all frames, and no other one ahead."""
        if not holds(self.stated) or self.stated.explained < LITTLE:
            return False
        return not (self.other_fits or self.contested or self.slip or self.astray or self.strays)


@dataclass(kw_only=True, slots=True)
class _Trials:
    """What has been tried: the best is kept, of the others only what the best of their family weighs."""

    best: Trial | None = None
    count: int = 0
    families: dict[str, float] = field(default_factory=dict)

    def add(self, trials: Iterable[Trial]) -> None:
        for one in trials:
            self.count += 1
            self.families[one.family] = max(one.weight, self.families.get(one.family, 0.0))
            if self.best is None or one.weight > self.best.weight:
                self.best = one

    def verdict(self, stated: Score, scene: Scene) -> Verdict:
        best = self.best
        others = [fits for name, fits in self.families.items() if best and name != best.family]
        return Verdict(
            stated=stated,
            best=best.reading() if best else None,
            tried=1 + self.count,
            frames=len(stated.parts),
            positions=len(scene.x),
            sampled=scene.index,
            coarse=_coarse(scene),
            level=scene.level,
            rival=max(others, default=0.0),
        )


def _coarse(scene: Scene) -> str:
    """That frames are compared at some of their pixels only."""
    if max(scene.step) == 1 or scene.whole is None:
        return ""
    rows, columns = scene.measured.shape[1:]
    return f"frames of {scene.whole[0]}x{scene.whole[1]} pixels compared at {rows}x{columns} of them"


class Stated(NamedTuple):
    """Everything that there is, as many frames as are affordable, and what their positions as stated predict for these.

    ``predicted``: (n, H, W).
    """

    whole: Scene
    scene: Scene
    predicted: Array


def stated_of(scene: Scene, frames: int | None = None) -> Stated:
    """What the stated reading predicts for some frames, or all; frames are level where their energies tell nothing."""
    every = scene.thinned(frames or len(scene.index))
    predicted = every.predicted(every.x, every.y)
    if flickers(every.measured, predicted):
        return Stated(scene.levelled(), every.levelled(), levelled(predicted))
    return Stated(scene, every, predicted)


def judge(scene: Scene, known: Stated | None = None) -> Verdict:
    """Compare the stated reading with the others; search wider where it does not clearly stand out.

    ``known``: what ``stated_of`` gives, where that was asked already.
    """
    scene, every, predicted = known or stated_of(scene)
    stated = score(predicted, every.measured)
    if stated.z >= SIGNIFICANT and stated.correlation > CLEAR and stated.explained > EXPLAINS:
        for frames, pixels, margin in ((GLANCE, GLANCED, 2 * MARGIN), (QUICK, PIXELS, MARGIN)):
            quick, trials = every.taken(every.scattered(frames)).within(pixels), _Trials()
            first, data = quick.predicted(quick.x, quick.y), centred(quick.measured)
            fits = correlation(first, data)
            trials.add(near(quick, first, data))
            other = trials.best.correlation if trials.best else 0.0
            if fits > max(CLEAR, 1.25 * other + margin) and not (leans(quick, data, fits) or slips(scene)):
                return trials.verdict(stated, every)
    rows = every.spread(WIDE)
    return _searched(scene, every.taken(rows), predicted[rows])


def _searched(scene: Scene, wide: Scene, predicted: Array) -> Verdict:
    """Every reading there is, on some frames of a scene and the patterns predicted for them."""
    stated, data, trials = score(predicted, wide.measured), centred(wide.measured), _Trials()
    trials.add(near(wide, predicted, data))
    trials.add(far(wide, data))
    beside = matches(wide)
    trials.add(pairings(wide, beside, data))
    trials.add(strides(scene))
    best, verdict = trials.best, trials.verdict(stated, wide)
    if (
        best is None
        or verdict.best is None
        or best.kind == "pairing"
        or best.name == "offset"
        or best.correlation < CLEAR
        or verdict.best.score.explained < EXPLAINS
        or not verdict.other_fits
    ):
        # On a raster, a wrong pairing resembles a shift by one step, and a small shift a zero frequency off the centre:
        # the better of both counts.
        trials.add([shift(wide, data)])
    if best is not None and best.kind == "positions" and best.correlation > stated.correlation:
        trials.add(refined(wide, best, data))
    verdict = trials.verdict(stated, wide)
    if trials.best and verdict.other_fits and verdict.best and verdict.best.name in FITTED and not verdict.best.slight:
        # What fits best of very many may fit because something like it is wrong.
        if verdict.best.name == "shift":
            trials.add(rescaled(wide, trials.best, data))
        # A probe that is much the same from another side is moved by a pixel at most.
        least = trials.best.correlation + TURNED
        trials.add(one for one in probes(wide, data) if one.correlation > least)
        verdict = trials.verdict(stated, wide)
    found = [stated, *([verdict.best.score] if verdict.best else [])]
    if all(one.explained < EXPLAINS for one in found):
        trials.add(pairs(wide, data, max(one.correlation for one in found)))
        verdict = trials.verdict(stated, wide)
    if not verdict.other_fits or (verdict.best and verdict.best.name in WANTING):
        verdict = replace(verdict, slip=slip(scene, _instead(verdict, scene) if verdict.other_fits else None))
    if verdict.other_fits:
        # What was lost on the way leaves frames to which the best shift or step does not apply.
        verdict = replace(verdict, wanting=verdict.slip is not None or _wanting(wide, beside, verdict))
    if not verdict.other_fits:
        verdict = replace(verdict, places=around(wide, wide.x, wide.y, beside.best))
    return verdict


def _instead(verdict: Verdict, scene: Scene) -> tuple[Array, Array]:
    """The positions of all frames under another reading that fits, in step with them."""
    best = verdict.best
    if best is None or best.name not in ("roll", "reverse"):
        return verdict.placed(scene.x, scene.y)
    step = int(dict(best.values)["step"])
    return repaired(scene.x, best.name, step), repaired(scene.y, best.name, step)


def _wanting(wide: Scene, beside: Matches, verdict: Verdict) -> bool:
    """Whether frames still fit elsewhere under the best of many shifts or steps: then it is not the right one."""
    best = verdict.best
    if best is None or best.name not in WANTING:
        return False
    gain = around(wide, *verdict.placed(wide.x, wide.y)).gain if best.name == "shift" else beside.gain(best)
    return gain > WANTING[best.name]


def plain(scene: Scene) -> Score:
    """The best of the stated reading and those always compared with it: whether the frames are frames at all."""
    _, quick, predicted = stated_of(scene, SURE)
    trials = _Trials()
    stated = score(predicted, quick.measured)
    trials.add(near(quick, predicted, centred(quick.measured)))
    best = trials.best
    return best.reading().score if best and best.correlation > stated.correlation else stated


def residuals(known: Stated, *, counts: bool) -> tuple[float, float]:
    """Residuals of a few frames as they are stored, read as amplitudes and as intensities; ``counts``: they are."""
    rows = known.scene.spread(QUICK)
    predicted, measured = known.predicted[rows], known.scene.measured[rows]
    held = measured**2 if counts else measured
    readings = [held, np.sqrt(held)]
    # Pixels that are stuck say nothing of the others, but may hold more than these.
    stuck = np.logical_and(*(outstanding(predicted, one) for one in readings))
    if stuck.any():
        predicted, *readings = (one[:, ~stuck] for one in (predicted, *readings))
    amplitude, intensity = (residual(predicted, one) for one in readings)
    return amplitude, intensity


__all__ = [
    "ALIKE",
    "SIGNIFICANT",
    "Affine",
    "Reading",
    "Scene",
    "Score",
    "Verdict",
    "holds",
    "judge",
    "plain",
    "repaired",
    "residual",
    "residuals",
    "score",
    "surpasses",
    "turned",
]
