"""Whole numbers: were they counted, or are they amplitudes written on a grid, such as two decimals?

Both lie on a lattice; what counting leaves behind, and rounding does not, tells them apart. Two inequalities hold for
Poisson counts whatever the intensities are, since they hold for each intensity:

- the histogram ``n_k`` of mixed Poisson counts obeys ``k n_k**2 <= (k + 1) n_(k-1) n_(k+1)`` (``k! p_k`` are the
  moments of a distribution, and those are log-convex). Roots of counts on a finer grid leave gaps, which break it;
- of two counts with the sum ``s``, the difference squared is ``s`` on average, or more. Rounded amplitudes of
  neighbouring pixels, whose noise is half a photon's worth or less, differ by less.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

SURE: Final = 5.0
"""Standard deviations by which an inequality must be broken."""

CLEAR: Final = 1.5
"""Factor by which the histogram must break its own: smooth intensities rounded to whole photons do by 1.3."""

NARROW: Final = 0.85
"""Part of a Poisson pair's spread below which pairs are too much alike."""

KNOWN: Final = 0.12
"""Relative error with which the spread of pairs must be known before it speaks for counts."""

TINY: Final = 10
"""Fewer levels than this are what nobody rounds amplitudes to, beyond one decimal."""

DIM: Final = 0.05
"""Values that stay below this nobody rounds to three decimals or more: little would be left of them."""

FULL_SCALES: Final = (100, 1000, 10_000, *(2**bits - 1 for bits in (8, 10, 12, 14, 16)))
"""Largest levels of values that were scaled to a range of levels."""


def counted(numbers: Array, pairs: Array, step: float) -> bool:
    """Whether whole numbers were counted, as far as that is known: False where it is undecided.

    Args:
        numbers: whole numbers, (n,), zeros included.
        pairs: whole numbers that are neighbours in the array, (n, 2).
        step: what they are multiples of. Only a step that people round to needs evidence for counts.
    """
    if _gaps(numbers):
        return False
    spread = _spread(pairs)
    if spread < 0:
        return False
    largest = float(numbers.max())
    written = _decimals(step)
    if written is None and largest not in FULL_SCALES:
        return True
    return spread > 0 or (written is not None and written >= 2 and largest <= max(TINY, DIM / step))


def _decimals(step: float) -> int | None:
    """Decimals that a step is of; 2 for levels of a full scale, such as 1/255; None where it is neither."""
    for decimals in range(1, 10):
        if math.isclose(step, 10.0**-decimals, rel_tol=1e-5):
            return decimals
    return 2 if any(math.isclose(step * scale, 1.0, rel_tol=1e-5) for scale in FULL_SCALES) else None


def _gaps(numbers: Array) -> bool:
    """Whether the histogram is one that counts cannot have: at one number, or over an octave where each is rare."""
    levels, times = np.unique(numbers[numbers >= 0], return_counts=True)
    held = times.astype(np.float64)
    # Pairs of equal values, and of values one below and one above some number: both without bias.
    equal = held * (held - 1) * levels / (levels + 1)
    spread = 4 * held**3 + 2 * held**2
    below, above = _times(levels, held, -1), _times(levels, held, 1)
    if _broken(equal, below * above, spread + CLEAR**2 * below * above * (below + above))[levels >= 1].any():
        return True
    two = _times(levels, held, 2)
    middle, owned = _octave(levels + 1), _octave(levels)
    size = int(middle.max()) + 1
    equals, variances = (np.bincount(owned[levels >= 1], of[levels >= 1], size) for of in (equal, spread))
    around, more = (np.bincount(middle, of, size) for of in (held * two, held * two * (held + two)))
    return bool(_broken(equals, around, variances + CLEAR**2 * (around + more)).any())


def _times(levels: Array, held: Array, by: int) -> Array:
    """How often each level plus ``by`` is there."""
    at = np.minimum(np.searchsorted(levels, levels + by), levels.size - 1)
    found: Array = np.where(levels[at] == levels + by, held[at], 0.0)
    return found


def _octave(levels: Array) -> Array:
    found: Array = np.floor(np.log2(np.maximum(levels, 1))).astype(np.int64)
    return found


def _broken(equal: Array, around: Array, variance: Array) -> Array:
    beyond: Array = equal - CLEAR * around > SURE * np.sqrt(variance) + SURE**2
    return beyond


def _spread(pairs: Array) -> int:
    """What the spread of neighbours says: -1 against counts, 1 for them, 0 nothing."""
    total = pairs.sum(axis=1)
    some = total >= 2
    total, apart = total[some], np.square(np.diff(pairs[some], axis=1)[:, 0])
    if not total.size:
        return 0
    # Sums of 2 to 7 one by one, then four groups an octave.
    groups = np.where(total < 8, total, np.floor(4 * np.log2(total)) - 4).astype(np.int64)
    size = max(int(groups.max()) + 1, 8)
    expected = np.bincount(groups, total, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.bincount(groups, apart, size) / expected
        # Of Poisson pairs with one sum s, the difference squared has the variance 2 s (s - 1).
        error = np.sqrt(np.bincount(groups, 2 * total * (total - 1), size)) / expected
    if (ratio + SURE * error < NARROW).any():
        return -1
    # At one sum rounded amplitudes may spread as counts do; at the lowest three, and oftenest so low, they do not.
    low, n = slice(2, 5), np.bincount(groups, minlength=size)
    return int(bool(((error[low] < KNOWN) & (ratio[low] > NARROW)).all()) and n[2] > n[4])
