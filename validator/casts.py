"""What a cast would lose: one answer, for the finding that offers it and for the step that does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .folds.facts import RangeFacts
from .folds.ranges import smallest_magnitude


def cast_loss(dtype: np.dtype[Any], target: np.dtype[Any], facts: RangeFacts) -> str | None:
    """Why a cast loses something, or None.

    Rounding to the nearest float32 (within half a unit in the last place) counts as lossless; overflow,
    underflow to subnormal numbers, and dropped fractions or phases do not. An imaginary part of zeros is none.
    """
    # To numpy an integer of 64 bits is safe in a float that holds 53.
    if np.can_cast(dtype, target, "safe") and not (dtype.kind in "iu" and target.kind in "fc"):
        return None
    if dtype.kind == "c" and target.kind != "c" and (facts.phase or facts.nonfinite or target.kind != "f"):
        return "the imaginary part would be dropped"
    if dtype.kind not in "fciu" or target.kind not in "fciub":
        return "there is no cast between them"
    if target.kind == "b":
        told = facts.count and (facts.nonfinite or facts.fractional or not 0 <= facts.minimum <= facts.maximum <= 1)
        return "values other than 0 and 1 would be lost" if told else None
    if target.kind in "iu":
        if dtype.kind in "fc" and facts.fractional:
            return "fractions would be dropped"
        if dtype.kind in "fc" and facts.nonfinite:
            return "no integer stands for NaN or infinity"
        info = np.iinfo(target)
        inside = info.min <= facts.minimum and facts.maximum <= info.max
        reach = facts.minimum if facts.minimum < info.min else facts.maximum
        return None if inside or not facts.count else f"values reach {reach:g}, beyond {target}"
    limits = np.finfo(target)
    if dtype.kind in "iu":
        exact = _exact(target)
        # The largest value is told as a double, which may have been rounded down to the last exact one.
        above = facts.largest > exact or facts.largest == exact == _exact(np.dtype(np.float64))
        return f"integers above {exact:,} are rounded" if above else None
    if facts.largest > float(limits.max):
        return f"values reach {facts.largest:g}, beyond {target}"
    if facts.smallest < float(limits.tiny):
        return f"values as small as {facts.smallest:g} are lost to underflow"
    return None


def _exact(dtype: np.dtype[Any]) -> int:
    """The number up to which a float holds every integer."""
    return int(2 ** (int(np.finfo(dtype).nmant) + 1))


def wraps(target: np.dtype[Any], facts: RangeFacts) -> bool:
    """Whether a cast would give values that have nothing to do with those stored: integers wrap, NaN becomes any."""
    if target.kind not in "iu" or not facts.count:
        return False
    info = np.iinfo(target)
    # As Python's numbers: numpy would round the limit of 64 bits up to a double.
    return bool(facts.nonfinite) or not (info.min <= float(facts.minimum) and float(facts.maximum) <= info.max)


def loses(values: np.ndarray[Any, Any], cast: np.ndarray[Any, Any]) -> bool:
    """The same question of values in hand: does ``cast`` hold less than ``values``, by the same measure?"""
    if values.dtype.kind in "iu" and cast.dtype.kind in "fc":
        # Compared with floats, integers are rounded first.
        return bool(values.size) and max(-int(values.min()), int(values.max())) > _exact(cast.dtype)
    if values.dtype.kind == "c" and cast.dtype.kind == "f" and not values.imag.any():
        values = values.real
    if values.dtype.kind not in "fc" or cast.dtype.kind != values.dtype.kind:
        return not bool((cast == values).all())
    parts, limits = np.ascontiguousarray(values).view(values.real.dtype), np.finfo(cast.dtype)
    if not parts.size:
        return False
    # NaN and infinity come through to the extremes, and are in no range.
    low, high = parts.min(), parts.max()
    if not max(-low, high) <= limits.max:
        return True
    return smallest_magnitude(parts, nonnegative=bool(low >= 0)) < float(limits.tiny)
