"""What the forward model needs of a file, and the patterns that it predicts for any positions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from npzschema.contracts.forward_model import amplitudes

from .coarse import halved, middle, thinned
from .spaced import spaced

Array = np.ndarray[Any, Any]

PIXELS: Final = 1 << 19
"""Pixels of all frames and probe modes of one prediction: what bounds the time."""

GLANCED: Final = 1 << 12
"""Pixels of a frame that are looked at first, as many as small detectors have, and the window of the probe they see."""

TOGETHER: Final = 1 << 18
"""Pixels of all frames that are predicted at once for several readings: of larger ones that saves nothing."""

GOLDEN: Final = (math.sqrt(5) - 1) / 2

LEAST: Final = 8
"""Fewer frames say nothing."""

FLICKER: Final = 1.25
"""Times the spread that is predicted for the norms of frames, from which on they do not bear it out."""

STEADY: Final = 0.015
"""Part of the mean norm by which they may differ in any case."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """Probe complex (P, H, W), object complex (HO, WO), positions of all frames (N,), a sample of frames (n, H, W).

    ``index``: which frames the sample holds; ``measured``: their amplitudes; ``dead``: pixels (H, W) that tell
    nothing, zero in ``measured`` and in what is predicted. ``whole``: pixels that a frame has, where it is compared at
    fewer; the probe is cut to its middle then. ``level``: frames, measured and predicted, all have the same energy.
    """

    probe: Array
    object: Array
    x: Array
    y: Array
    index: Array
    measured: Array
    dead: Array | None = None
    whole: tuple[int, int] | None = None
    level: bool = False

    @property
    def step(self) -> tuple[float, float]:
        """Detector pixels from one that is compared to the next, by axis; 1 where all are."""
        sampled = self.measured.shape[1:]
        rows, columns = (one / part for one, part in zip(self.whole or sampled, sampled, strict=True))
        return rows, columns

    def predicted(self, x: Array, y: Array) -> Array:
        """Amplitudes at the sampled frames, float32, for positions of all frames."""
        return self.at(x[self.index], y[self.index])

    def at(self, x: Array, y: Array) -> Array:
        """Amplitudes at some positions, float32, (n, H, W)."""
        return self._as_compared(amplitudes(self.probe, self.object, x, y, precise=False))

    def predicted_each(self, places: Sequence[tuple[Array, Array]]) -> Iterator[Array]:
        """The same as :meth:`predicted` for each of several positions of all frames: of small frames many at a time."""
        count = max(1, TOGETHER // self.measured.size)
        for at in range(0, len(places), count):
            some = places[at : at + count]
            x, y = (np.concatenate([one[self.index] for one in axis]) for axis in zip(*some, strict=True))
            found = amplitudes(self.probe, self.object, x, y, precise=False)
            yield from map(self._as_compared, found.reshape(len(some), *self.measured.shape))

    def _as_compared(self, found: Array) -> Array:
        """Predicted frames with what is done to the measured ones."""
        if self.dead is not None:
            found[:, self.dead] = 0
        return levelled(found) if self.level else found

    def levelled(self) -> Scene:
        """The same, with frames of one energy: where the beam changes from one to the next."""
        return self if self.level else replace(self, measured=levelled(self.measured), level=True)

    def spread(self, frames: int) -> Array:
        """So many rows of the sample, evenly spaced, and few enough for the pixel budget."""
        return spaced(len(self.index), self.affordable(frames))

    def affordable(self, frames: int, pixels: int = PIXELS) -> int:
        """So many frames, or as many as there are, or as fit a budget of pixels."""
        each: int = self.measured[0].size * len(self.probe)
        return min(frames, max(LEAST + 2, pixels // each), len(self.index))

    def thinned(self, frames: int) -> Scene:
        """The same with the frames of ``spread`` only."""
        return self.taken(self.spread(frames))

    def taken(self, rows: Array) -> Scene:
        """The same with those rows of the sample only."""
        return replace(self, index=self.index[rows], measured=self.measured[rows])

    def within(self, most: int) -> Scene:
        """The same with no more pixels of each frame, and that window of the probe: to find the best of many."""
        whole = self.measured.shape[1], self.measured.shape[2]
        if whole[0] * whole[1] <= most:
            return self
        shape = halved(whole, most)
        measured = thinned(self.measured, shape)
        return replace(
            self,
            probe=middle(self.probe, shape),
            measured=levelled(measured) if self.level else measured,
            dead=None if self.dead is None else thinned(self.dead, shape),
            whole=self.whole or whole,
        )

    def scattered(self, frames: int) -> Array:
        """A few rows of the sample, in steps of the golden ratio.

        A few evenly spaced positions of a raster lie on a line, and a line is its own mirror image.
        """
        return np.array(sorted({int(at * GOLDEN % 1 * len(self.index)) for at in range(frames)}))


def levelled(frames: Array) -> Array:
    """Frames (n, H, W), each with the mean of their norms for its own."""
    own = norms(frames)
    factors = np.divide(own.mean(), own, out=np.zeros_like(own), where=own > 0)
    return np.asarray(frames * factors[:, None, None].astype(frames.dtype))


def norms(frames: Array) -> Array:
    """The square root of each frame's energy, (n,)."""
    energies: Array = np.einsum("nij,nij->n", frames, frames)
    return np.sqrt(energies.astype(np.float64))


def flickers(measured: Array, predicted: Array) -> bool:
    """Whether the energy of frames changes by much more than is predicted: then the beam's does."""
    found, meant = (
        float(one.std() / one.mean()) if one.mean() > 0 else 0.0 for one in map(norms, (measured, predicted))
    )
    return found > FLICKER * meant + STEADY
