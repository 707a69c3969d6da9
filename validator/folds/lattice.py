"""Counts or amplitudes? Told from the lattice that values lie on, at any scale.

Counts scaled by a factor ``s`` are ``s * k`` with integers ``k``; amplitudes of counts are ``s * sqrt(k)``, so
their squares are. The ratio of maximum to mean says nothing: measured raw counts give 11 to 34, as amplitudes
may. Values quantised in powers of two (dyadic fractions, float16, bfloat16) lie on a lattice for a reason that
has nothing to do with counting, and are no evidence.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ..dataset import ArrayHeader
from .facts import Lattice

Array = np.ndarray[Any, Any]

MAX_SAMPLE: Final = 1 << 16
MAX_LEVELS: Final = 1 << 12
CONFIDENCE: Final = 9.0
"""Decades by which chance must be excluded: the probability that values off any lattice fit this well."""


class SampleFold:
    """Evenly spaced finite values, at most :data:`MAX_SAMPLE`."""

    def __init__(self, header: ArrayHeader) -> None:
        step = max(1, -(-header.count // MAX_SAMPLE))
        row = header.storage[-1] if header.storage else 1
        # A step that shares a factor with the row length would sample only some of its columns.
        while step > 1 and math.gcd(step, row) > 1:
            step += 1
        self._step = step
        self._parts: list[Array] = []

    def add(self, chunk: Array, start: int) -> None:
        self._parts.append(chunk[-start % self._step :: self._step].astype(np.float64))

    def values(self) -> Array:
        sample = np.concatenate(self._parts) if self._parts else np.empty(0)
        finite: Array = sample[np.isfinite(sample)]
        return finite


def lattice_of(sample: Array, dtype: np.dtype[Any]) -> Lattice | None:
    """``intensity`` where values lie on a lattice, ``amplitude`` where their squares do, None where neither is sure.

    Args:
        sample: finite values, float64.
        dtype: in which they are stored, which bounds how well they can fit.
    """
    precision = float(np.finfo(dtype).eps)
    levels = np.unique(np.abs(sample[sample != 0]))
    step, fits = _step(levels, precision)
    if fits:
        return "intensity" if _counted(step, levels) else None
    squares = levels * levels
    if np.isfinite(squares).all():
        step, fits = _step(squares[squares > 0], 2 * precision)
        if fits:
            return "amplitude"
    return None


def _step(levels: Array, precision: float) -> tuple[float, bool]:
    """The lattice's step, and whether levels fit it beyond chance."""
    levels = _distinct(levels, precision)[:MAX_LEVELS]
    if levels.size < 3:
        return 0.0, False
    step = float(min(np.diff(levels).min(), levels[0]))
    reach = 4.0
    # The step is known only as well as the first levels; each longer run of levels makes it known better.
    while reach < 0.02 / precision:
        near = levels[levels < step * reach]
        if near.size:
            counts = np.maximum(np.rint(near / step), 1)
            step = float((near @ counts) / (counts @ counts))
        if near.size == levels.size:
            break
        reach *= 2
    counts = levels / step
    usable = counts[counts < 0.02 / precision]
    if usable.size < 3 or usable.size < levels.size / 4:
        return step, False
    off = np.abs(usable - np.rint(usable))
    tolerance = 8 * precision * usable + 1e-9
    good = off <= np.maximum(tolerance, 1e-6)
    if np.count_nonzero(good) < 0.99 * usable.size:
        return step, False
    chance = -np.log10(np.minimum(1.0, 2 * np.maximum(tolerance, 1e-6)))[good & (np.rint(usable) > 1)].sum()
    return step, bool(chance > CONFIDENCE)


def _distinct(levels: Array, precision: float) -> Array:
    """Levels that differ by more than rounding."""
    if levels.size < 2:
        return levels
    apart = np.diff(levels) > 4 * precision * levels[1:]
    distinct: Array = levels[np.concatenate(([True], apart))]
    return distinct


def _counted(step: float, levels: Array) -> bool:
    """Whether a lattice comes from counting, not from rounding to a power of two or to a few mantissa bits."""
    mantissa, exponent = math.frexp(step)
    if abs(mantissa - 0.5) < 1e-6 * mantissa and exponent != 1:
        return False
    if abs(mantissa - 1.0) < 1e-6 and exponent != 0:
        return False
    counts = np.rint(levels / step)
    high = counts[counts >= counts[-1] / 4]
    # Floating-point rounding leaves only even multiples of its finest step among the large values.
    return bool(counts[-1] < 64 or (high % 2).any())
