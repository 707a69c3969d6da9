"""How well predicted patterns fit measured ones: a correlation, and how surely it is one.

From predictions and from measured amplitudes their mean over frames is taken away, since it is the same for any
pairing; what is left is correlated. The spread of that correlation under random pairings of frames and positions is
known in closed form (the variance of a sum over a random permutation; Hoeffding, Ann. Math. Stat. 22, 558, 1951), so
nothing here is drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from .scene import LEAST

Array = np.ndarray[Any, Any]

ALIKE: Final = 0.88
"""Correlation of mean patterns that another reading must reach. Right files of reasonable quality give above 0.93;
near-field data, which some readings resemble frame by frame, up to 0.84."""

SIGNIFICANT: Final = 6.0
"""Standard deviations of the null that a reading must reach to be believed."""

PAIRED: Final = 5.0
"""Standard errors by which frames must on average fit another reading better."""

LEADING: Final = 3.0
"""The same for a reading that makes the stated one doubtful without being believed itself."""

MARGIN: Final = 0.1
"""Correlation by which another reading must surpass the stated one."""

EXPLAINED: Final = 0.6
"""Correlation without noise that another reading must reach: less may be a likeness, not an explanation."""

POORLY: Final = 0.35
"""The same for a reading that stands alone: probe or object may be poor. Likenesses come in numbers."""

LITTLE: Final = 0.25
"""What the stated reading must explain: less, however significant, bears nothing out."""

RESEMBLING: Final = 0.5
"""The same for one that was fitted, and so may resemble more."""

ALONE: Final = 0.5
"""Part of a reading's correlation that no other reading reaches, in either sense, where that one stands alone."""

SURE: Final = 9.0
"""Standard deviations of the null that such a reading must reach."""

FITTING: Final = 0.9
"""Part of the frames that at most fit less well than those that surely do."""

BEYOND: Final = 3.0
"""Times chance that these must correlate, each by itself."""

ASTRAY: Final = 0.2
"""Part of the frames from which on those that do not fit are told."""

FAR: Final = 2.5
"""Times what is predicted for a pixel, from which on it is taken for a stuck one."""

HEAVY: Final = 1e-3
"""Part of all energy that such a pixel holds at least: others do not matter."""

STRUCTURED: Final = 0.04
"""What neighbouring pixels must share, in variances, to be told from noise; or four standard errors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Correlation of a reading, the null's deviation, and what each frame adds to the correlation, (n,).

    ``own``: each frame's own correlation, (n,); ``chance``: what that is with positions of other frames, root mean
    square. ``likeness``: correlation of the mean patterns, which hardly depends
    on positions: whether the model holds at all. ``attainable``: the correlation that a right reading
    would reach for the noise of the patterns; 0 where that drowns in it, and nothing can be said.
    """

    correlation: float
    sigma: float
    likeness: float = 0.0
    attainable: float = 1.0
    chance: float = 0.0
    parts: Array = field(compare=False, repr=False, default_factory=lambda: np.zeros(0))
    own: Array = field(compare=False, repr=False, default_factory=lambda: np.zeros(0))

    @property
    def astray(self) -> Array:
        """Rows of frames that do not fit, where many do not and the best of the others do; none otherwise."""
        last = len(self.own) - 1
        # As np.quantile has it, which imports numpy's masked arrays.
        best = float(np.interp(FITTING * last, np.arange(last + 1), np.sort(self.own))) if last >= 0 else 0.0
        out = np.flatnonzero(self.own < best / 3)
        if len(out) < max(LEAST // 2, ASTRAY * len(self.own)) or not best > BEYOND * self.chance > 0:
            return np.zeros(0, dtype=int)
        # Frames with little in them, as beside the sample, fit poorly too; yet on the whole they are not against it.
        return out if self.own[out].mean() < self.chance else np.zeros(0, dtype=int)

    @property
    def z(self) -> float:
        return self.correlation / self.sigma if self.sigma > 0 else 0.0

    @property
    def explained(self) -> float:
        """The correlation as it were without noise: near 1 for the right reading of a good reconstruction."""
        # Of patterns that overflow the correlation is no number, and explains nothing.
        reach = max(self.attainable, abs(self.correlation))
        return self.correlation / reach if reach > 0 else 0.0

    def __str__(self) -> str:
        return f"{self.correlation:.2f} ({self.z:.0f} sigma)"


def surpasses(score: Score, other: Score, rival: float = math.inf, least: float = POORLY) -> bool:
    """Whether a reading is to be believed in place of another.

    It must be significant, explain the patterns, and be better by a margin and, frame by frame, beyond chance. One
    that explains them poorly must stand alone: ``rival`` is the best correlation of all further readings, and ``least``
    what it must explain then.
    """
    return (
        score.z >= (SIGNIFICANT if score.explained >= EXPLAINED else SURE)
        and score.likeness >= ALIKE
        and _explains(score, other, rival, least)
        and _ahead(score, other, PAIRED)
    )


def leads(score: Score, other: Score, rival: float, least: float, beyond: float) -> bool:
    """Whether a reading makes another one doubtful: it may lack frames or photons to be believed itself.

    ``beyond``: standard deviations of the null that it must reach.
    """
    return score.z >= beyond and _explains(score, other, rival, least) and _ahead(score, other, LEADING)


def holds(score: Score) -> bool:
    """Whether a reading is borne out at all: beyond doubt, or beyond chance where it explains what there is."""
    return score.z >= SIGNIFICANT or (score.z >= SIGNIFICANT / 2 and score.explained >= POORLY)


def _explains(score: Score, other: Score, rival: float, least: float) -> bool:
    if score.explained >= EXPLAINED:
        return True
    return score.explained >= least and max(rival, abs(other.correlation)) <= ALONE * score.correlation


def _ahead(score: Score, other: Score, errors: float) -> bool:
    """Ahead by the margin, and by so many standard errors of the mean difference over frames."""
    ahead = score.correlation - max(other.correlation, 0.0)
    if ahead <= MARGIN * max(score.attainable, score.correlation, abs(other.correlation)):
        return False
    if len(score.parts) != len(other.parts):
        return ahead > 4 * math.hypot(score.sigma, other.sigma)
    # The same frames under two readings: a paired comparison is far sharper than that of two sums. What a frame adds
    # depends on how much happens in it, its own correlation does not; where few frames hold most, the latter tells.
    return any(_beyond(mine - theirs, errors) for mine, theirs in ((score.parts, other.parts), (score.own, other.own)))


def _beyond(difference: Array, errors: float) -> bool:
    spread = float(difference.std(ddof=1)) * math.sqrt(len(difference)) if len(difference) > 1 else math.inf
    return float(difference.sum()) > errors * spread


def centred(frames: Array) -> Array:
    """Frames (n, H, W) without their mean over frames, of norm one; zeros where all are the same."""
    apart: Array = frames - frames.mean(axis=0)
    norm = math.sqrt(_dot(apart, apart))
    return np.multiply(apart, 1 / norm if norm > 0 else 0.0, out=apart)


def correlation(predicted: Array, data: Array) -> float:
    """Correlation alone of patterns with ``centred`` data, (n, H, W) each: cheap, for finding the best of many."""
    return correlating(predicted)(data)


def correlating(predicted: Array) -> Callable[[Array], float]:
    """The same of one prediction with data in several orders."""
    apart = predicted - predicted.mean(axis=0)
    norm = math.sqrt(_dot(apart, apart))
    return lambda data: _dot(apart, data) / norm if norm > 0 else 0.0


def score(predicted: Array, measured: Array) -> Score:
    """Correlation of predictions and measurements, frame by frame, (n, H, W) each, and its null's deviation."""
    n = len(predicted)
    means = predicted.mean(axis=0), measured.mean(axis=0)
    model, data = (predicted - means[0]).reshape(n, -1), (measured - means[1]).reshape(n, -1)
    energies = [np.einsum("ij,ij->i", one, one) for one in (model, data)]
    totals = [float(one.sum()) for one in energies]
    norm = math.sqrt(totals[0] * totals[1])
    if not 0 < norm < math.inf or n < 2:
        # A reading that predicts nothing, the same for all frames, or what overflows, is as bad as any.
        return Score(correlation=0.0, sigma=0.0, parts=np.zeros(n), own=np.zeros(n))
    # In products so small that BLAS takes one thread: many, on a busy machine, mostly wait for each other.
    width = max(1, (1 << 18) // n**2)
    products = sum(
        (model[:, at : at + width] @ data[:, at : at + width].T for at in range(0, model.shape[1], width)),
        start=np.zeros((n, n), dtype=model.dtype),
    )
    # Rows and columns sum to zero already, up to rounding: the null's mean is zero.
    sigma = math.sqrt(float((products**2).sum()) / (n - 1))
    found = float(np.trace(products)) / norm
    norms = np.outer(*map(np.sqrt, energies))
    mine, theirs = (
        _shared(one.reshape(predicted.shape)) / total for one, total in zip((model, data), totals, strict=True)
    )
    own = np.divide(products, norms, out=np.zeros((n, n)), where=norms > 0)
    return Score(
        correlation=found,
        sigma=sigma / norm,
        likeness=_alike(*means),
        attainable=_attainable(mine, theirs, data.size),
        parts=np.diagonal(products) / norm,
        chance=math.sqrt(float((own**2).sum() - (np.diagonal(own) ** 2).sum()) / (n * (n - 1))),
        own=np.diagonal(own),
    )


def _attainable(model: float, data: float, count: int) -> float:
    """The correlation with a right model: the root of the part of the variance of the data that is no noise; or 0.

    Neighbouring pixels share what is no noise, and how much of it, the model tells: ``model`` and ``data`` are what
    they share, in variances, of ``count`` pixels each.
    """
    if min(model, data) <= max(STRUCTURED, 16 / math.sqrt(2 * count)):
        return 0.0
    return math.sqrt(min(1.0, data / model))


def _shared(frames: Array) -> float:
    """Sum of products of each pixel with its four neighbours, whose noise is not its own."""
    # Two of them: each pair counts for both.
    beside = (frames[:, 1:], frames[:, :-1]), (frames[:, :, 1:], frames[:, :, :-1])
    return 2 * sum(float(np.einsum("nij,nij->", one, other)) for one, other in beside)


def _dot(one: Array, other: Array) -> float:
    # Not by BLAS, for the same reason as in score().
    return float(np.einsum("i,i->", one.reshape(-1), other.reshape(-1)))


def _alike(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = math.sqrt(_dot(one, one) * _dot(other, other))
    return _dot(one, other) / norm if norm > 0 else 0.0


def outstanding(predicted: Array, measured: Array) -> Array:
    """Pixels (H, W) that hold a part of all energy, and on average far more than is predicted for them."""
    meant, found = predicted.mean(axis=0), measured.mean(axis=0)
    norm, energy = _dot(meant, meant), found * found
    scale = _dot(meant, found) / norm if norm > 0 else 0.0
    return np.asarray((energy > HEAVY * energy.sum()) & (found > FAR * scale * meant))


def residual(predicted: Array, measured: Array) -> float:
    """Part of the measured amplitudes that no scale of the predicted ones explains, 0 to 1."""
    product = _dot(predicted, measured) ** 2
    norm = _dot(predicted, predicted) * _dot(measured, measured)
    return math.sqrt(max(0.0, 1 - product / norm)) if norm > 0 else 1.0
