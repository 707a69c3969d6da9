"""Large frames, sampled at fewer pixels: what bounds the time and the memory of the forward model.

A far field at every k-th pixel is that of the same wave in a window k times as small, if the wave lies within it. So
frames are compared at fewer pixels, and the probe is cut to its middle, where it lies there; positions and object
stay as they are.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

SIDE: Final = 512
"""Pixels of a detector axis that are sampled at most."""

WAVES: Final = 1 << 17
"""Pixels of a frame, times probe modes, beyond which fewer are compared."""

LARGEST: Final = 1 << 18
"""The same where the probe fills the frame, beyond which the model is not asked."""

SMALLEST: Final = 64
"""Pixels of a detector axis that are always left: then rather the weakest probe modes go."""

MODES: Final = 64
"""Probe modes of which the strongest can be found in no time."""

WITHIN: Final = 0.95
"""Part of the probe's intensity that must lie in a window."""


def picked(length: int, most: int = SIDE) -> Array:
    """At most so many pixels of a detector axis, evenly spaced about the zero frequency: int64, ascending."""
    if length <= most:
        return np.arange(length)
    # Both even or both odd: else a window would lie half a pixel beside the middle.
    most -= (length - most) % 2
    steps = np.arange(most) - most // 2
    found: Array = length // 2 + np.rint(steps * (length / most)).astype(np.int64)
    return found


def thinned(frames: Array, shape: tuple[int, int]) -> Array:
    """Frames (..., H, W) at so many of their pixels."""
    rows, columns = (picked(*sides) for sides in zip(frames.shape[-2:], shape, strict=True))
    return frames[..., rows[:, None], columns]


def middle(probe: Array, shape: tuple[int, int]) -> Array:
    """The window of a probe (P, H, W) about its middle."""
    top, left = ((side - part) // 2 for side, part in zip(probe.shape[1:], shape, strict=True))
    return probe[:, top : top + shape[0], left : left + shape[1]]


def halved(shape: tuple[int, int], most: int) -> tuple[int, int]:
    """The longer side halved, or both that are equal, until there are no more pixels, or both are short."""
    rows, columns = shape
    while rows * columns > most and max(rows, columns) > SMALLEST + 1:
        longer = max(rows, columns)
        half = max(SMALLEST, longer // 2)
        half += (longer - half) % 2
        rows, columns = (half if side == longer else side for side in (rows, columns))
    return rows, columns


def shape_for(probe: Array, sampled: tuple[int, int]) -> tuple[int, int] | None:
    """Pixels at which frames are compared, of those sampled; None where the probe fills too large a frame."""
    pixels, least = sampled[0] * sampled[1], WITHIN * _power(probe)
    most = WAVES // len(probe)
    while True:
        shape = halved(sampled, most)
        if shape[0] * shape[1] > max(LARGEST, most):
            return None
        if shape == probe.shape[1:] or _power(middle(probe, shape)) >= least:
            return shape
        if most >= pixels:
            return None
        most *= 2


def fitted(probe: Array, frames: Array) -> tuple[Array, Array] | None:
    """A probe (P, H, W) and frames, all their pixels or evenly spaced ones, as they are compared; None as above."""
    if probe.shape[1:] == frames.shape[1:] and len(probe) * frames[0].size <= WAVES:
        return probe, frames
    if len(probe) > MODES:
        return None
    shape = shape_for(probe, (frames.shape[1], frames.shape[2]))
    if shape is None:
        return None
    return strongest(middle(probe, shape), max(1, WAVES // (shape[0] * shape[1]))), thinned(frames, shape)


def strongest(probe: Array, most: int) -> Array:
    """The same with few modes: the strongest of those orthogonal ones that make the same patterns."""
    count, *shape = probe.shape
    if count <= most:
        return probe
    flat = probe.reshape(count, -1)
    _, mixing = np.linalg.eigh(flat @ flat.conj().T)
    kept: Array = (mixing[:, -most:].conj().T @ flat).reshape(most, *shape)
    return kept


def _power(probe: Array) -> float:
    return sum(float(np.square(part, dtype=np.float64).sum()) for mode in probe for part in (mode.real, mode.imag))
