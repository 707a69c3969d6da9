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
from .counting import counted
from .facts import Lattice

Array = np.ndarray[Any, Any]

MAX_SAMPLE: Final = 1 << 16
MAX_LEVELS: Final = 1 << 12
CONFIDENCE: Final = 9.0
"""Decades by which chance must be excluded: the probability that values off any lattice fit this well."""

SHORT: Final = 512
"""Values that are sorted at once where many are alike."""

MANTISSAS: Final = (8, 11, 24)
"""Significant bits of bfloat16, float16 and float32."""


_NONE: Final = np.array([np.nan])


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
        self._next: list[Array] = []

    def add(self, chunk: Array, start: int) -> None:
        first = -start % self._step
        here, after = chunk[first :: self._step], chunk[first + 1 :: self._step]
        self._parts.append(here.copy())
        self._next.append(after.copy())
        if after.size < here.size:
            # The last item of a chunk has no neighbour in it.
            self._next.append(_NONE)

    def values(self) -> Array:
        """As precise as they are stored, (n,)."""
        sample = np.concatenate(self._parts) if self._parts else np.empty(0)
        finite: Array = sample[np.isfinite(sample)]
        return finite

    def pairs(self) -> Array:
        """Finite values beside each other in storage, float64, (n, 2)."""
        sides = (self._parts, self._next) if self._parts else ([_NONE], [_NONE])
        both = np.stack([np.concatenate(side, dtype=np.float64) for side in sides], axis=1)
        finite: Array = both[np.isfinite(both).all(axis=1)]
        return finite


def lattice_of(sample: SampleFold, dtype: np.dtype[Any]) -> Lattice | None:
    """``intensity`` where values lie on a lattice, ``amplitude`` where their squares do, None where neither is sure.

    Args:
        sample: some of the values.
        dtype: in which they are stored, which bounds how well they can fit.
    """
    values = sample.values()
    levels = _levels(np.abs(values))
    # Values far apart overflow a count or a square; what overflows fits no lattice.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        decided, step = _lattice(levels, float(np.finfo(dtype).eps))
        if decided is None and dtype.itemsize == 8 and (levels.astype(np.float32) == levels).all():
            # Written in double precision, computed in single: the values fit only as well as that.
            decided, step = _lattice(levels, float(np.finfo(np.float32).eps))
        if decided == "intensity" and step != 1.0:
            # Plain integers need no more evidence.
            numbers, beside = (np.rint(np.abs(some) / step) for some in (values.astype(np.float64), sample.pairs()))
            return decided if counted(numbers, beside, step) else None
    return decided


def _levels(magnitudes: Array) -> Array:
    """Those above zero, each once, in order, float64."""
    whole = magnitudes.size // SHORT * SHORT
    rows = np.sort(magnitudes[:whole].reshape(-1, SHORT), axis=1)
    # Of counts most recur: what is left of short rows, which are sorted in no time, is little.
    left = rows[:, 1:][rows[:, 1:] > rows[:, :-1]]
    # Not by np.unique, which imports numpy's masked arrays: a twentieth of what a small file costs.
    ordered = np.sort(np.concatenate([rows[:, 0], left, magnitudes[whole:]]))
    levels: Array = ordered[np.diff(ordered, prepend=ordered.dtype.type(0)) > 0].astype(np.float64)
    return levels


def _lattice(levels: Array, precision: float) -> tuple[Lattice | None, float]:
    """What the levels say, and the step of their lattice."""
    step, fits = _step(levels, precision)
    if not fits and not (levels % 1).any():
        # Plain integers, also where they are too large or too far apart for the general search. It says nothing
        # of values so large that their format has no fractions.
        small = np.count_nonzero(levels < 0.1 / precision)
        step, fits = 1.0, bool(small > max(2, levels.size // 2))
    if fits:
        return ("intensity" if _counted(step, levels, precision) else None), step
    squares = levels * levels
    if np.isfinite(squares).all():
        _, fits = _step(squares[squares > 0], 2 * precision)
        if fits:
            return "amplitude", step
    return None, step


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


def _counted(step: float, levels: Array, precision: float) -> bool:
    """Whether a lattice comes from counting, not from rounding to a power of two or to a few mantissa bits."""
    mantissa, exponent = math.frexp(step)
    if abs(mantissa - 0.5) < 1e-6 * mantissa and exponent != 1:
        return False
    if abs(mantissa - 1.0) < 1e-6 and exponent != 0:
        return False
    # Beyond this the parity of a count is not known.
    counts = np.rint(levels[levels < 0.02 / precision * step] / step).astype(np.int64)
    if step == 1.0:
        counts = levels[levels < 2.0**53].astype(np.int64)
        if not (counts % 2).any():
            return False
    counts = counts[counts > 0]
    # The format that the values are stored in has rounded them already: precision stands for it.
    narrower = [bits for bits in MANTISSAS if 2.0 ** (1 - bits) > precision]
    return counts.size > 0 and not any(_rounded(counts, bits) for bits in narrower)


def _rounded(counts: Array, bits: int) -> bool:
    """Whether a floating-point format explains the lattice: no count has more significant bits than its mantissa.

    That alone is true of all small counts. A format shows by large steps among large counts, or, within one or two
    binades, by the absence of counts below half its range.
    """
    odd = counts // (counts & -counts)
    if int(odd.max()) >= 1 << bits:
        return False
    return int(counts[0]) >= 1 << (bits - 1) or int(np.count_nonzero(counts >= 1 << bits)) > 3
