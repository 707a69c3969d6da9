"""How well predicted patterns fit measured ones: a correlation, and how surely it is one.

From predictions and from measured amplitudes their mean over frames is taken away, since it is the same for any
pairing; what is left is correlated. The spread of that correlation under random pairings of frames and positions is
known in closed form (the variance of a sum over a random permutation; Hoeffding, Ann. Math. Stat. 22, 558, 1951), so
nothing here is drawn at random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from npzschema.contracts.forward_model import amplitudes

Array = np.ndarray[Any, Any]

PIXELS: Final = 1 << 19
"""Pixels of all frames of one prediction: what bounds the time."""

GOLDEN: Final = (math.sqrt(5) - 1) / 2

LEAST: Final = 8
"""Fewer frames say nothing."""

ALIKE: Final = 0.88
"""Correlation of mean patterns that another reading must reach. Right files of reasonable quality give above 0.93;
near-field data, which some readings resemble frame by frame, up to 0.84."""

SIGNIFICANT: Final = 6.0
"""Standard deviations of the null that a reading must reach to be believed."""

PAIRED: Final = 5.0
"""Standard errors by which frames must on average fit another reading better."""

MARGIN: Final = 0.1
"""Correlation by which another reading must surpass the stated one."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """Probe complex (P, H, W), object complex (HO, WO), positions of all frames (N,), a sample of frames (n, H, W).

    ``index``: which frames the sample holds; ``measured``: their amplitudes.
    """

    probe: Array
    object: Array
    x: Array
    y: Array
    index: Array
    measured: Array

    def predicted(self, x: Array, y: Array) -> Array:
        """Amplitudes at the sampled frames, float32, for positions of all frames."""
        return amplitudes(self.probe, self.object, x[self.index], y[self.index], precise=False)

    def thinned(self, frames: int) -> Scene:
        """The same with fewer frames, evenly spaced, and few enough for the pixel budget."""
        count = min(frames, max(LEAST + 2, PIXELS // self.measured[0].size), len(self.index))
        return self.taken(np.unique(np.linspace(0, len(self.index) - 1, count).round().astype(int)))

    def taken(self, rows: Array) -> Scene:
        """The same with those rows of the sample only."""
        return replace(self, index=self.index[rows], measured=self.measured[rows])

    def scattered(self, frames: int) -> Array:
        """A few rows of the sample, in steps of the golden ratio.

        A few evenly spaced positions of a raster lie on a line, and a line is its own mirror image.
        """
        return np.unique((np.arange(frames) * GOLDEN % 1 * len(self.index)).astype(int))


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Correlation of a reading, the null's deviation, and what each frame adds to the correlation, (n,).

    ``likeness``: correlation of the mean patterns, which hardly depends on positions: whether the model holds at all.
    """

    correlation: float
    sigma: float
    likeness: float = 0.0
    parts: Array = field(compare=False, repr=False, default_factory=lambda: np.zeros(0))

    @property
    def z(self) -> float:
        return self.correlation / self.sigma if self.sigma > 0 else 0.0

    def __str__(self) -> str:
        return f"{self.correlation:.2f} ({self.z:.0f} sigma)"


def surpasses(score: Score, other: Score) -> bool:
    """Whether a reading is significant, and better than another by a margin and, frame by frame, beyond chance."""
    ahead = score.correlation - max(other.correlation, 0.0)
    if score.z < SIGNIFICANT or ahead <= MARGIN or score.likeness < ALIKE:
        return False
    if len(score.parts) != len(other.parts):
        return ahead > 4 * math.hypot(score.sigma, other.sigma)
    # The same frames under two readings: a paired comparison is far sharper than that of two sums.
    difference = score.parts - other.parts
    spread = float(difference.std(ddof=1)) * math.sqrt(len(difference))
    return spread == 0 or float(difference.sum()) > PAIRED * spread


def centred(frames: Array) -> Array:
    """Frames (n, H, W) without their mean over frames, of norm one; zeros where all are the same."""
    apart: Array = frames - frames.mean(axis=0)
    norm = math.sqrt(_dot(apart, apart))
    return np.multiply(apart, 1 / norm if norm > 0 else 0.0, out=apart)


def correlation(predicted: Array, data: Array) -> float:
    """Correlation alone of patterns with ``centred`` data, (n, H, W) each: cheap, for finding the best of many."""
    apart = predicted - predicted.mean(axis=0)
    norm = math.sqrt(_dot(apart, apart))
    return _dot(apart, data) / norm if norm > 0 else 0.0


def score(predicted: Array, measured: Array) -> Score:
    """Correlation of predictions and measurements, frame by frame, (n, H, W) each, and its null's deviation."""
    n = len(predicted)
    means = predicted.mean(axis=0), measured.mean(axis=0)
    model, data = (predicted - means[0]).reshape(n, -1), (measured - means[1]).reshape(n, -1)
    norm = math.sqrt(_dot(model, model) * _dot(data, data))
    if norm == 0 or n < 2:
        # A reading that predicts nothing, or the same for all frames, is as bad as any.
        return Score(correlation=0.0, sigma=0.0, parts=np.zeros(n))
    # In products so small that BLAS takes one thread: many, on a busy machine, mostly wait for each other.
    width = max(1, (1 << 18) // n**2)
    products = sum(
        (model[:, at : at + width] @ data[:, at : at + width].T for at in range(0, model.shape[1], width)),
        start=np.zeros((n, n), dtype=model.dtype),
    )
    # Rows and columns sum to zero already, up to rounding: the null's mean is zero.
    sigma = math.sqrt(float((products**2).sum()) / (n - 1))
    return Score(
        correlation=float(np.trace(products)) / norm,
        sigma=sigma / norm,
        likeness=_alike(*means),
        parts=np.diagonal(products) / norm,
    )


def _dot(one: Array, other: Array) -> float:
    # Not by BLAS, for the same reason as in score().
    return float(np.einsum("i,i->", one.reshape(-1), other.reshape(-1)))


def _alike(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = math.sqrt(_dot(one, one) * _dot(other, other))
    return _dot(one, other) / norm if norm > 0 else 0.0


def residual(predicted: Array, measured: Array) -> float:
    """Part of the measured amplitudes that no scale of the predicted ones explains, 0 to 1."""
    product = _dot(predicted, measured) ** 2
    norm = _dot(predicted, predicted) * _dot(measured, measured)
    return math.sqrt(max(0.0, 1 - product / norm)) if norm > 0 else 1.0
