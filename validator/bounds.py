"""Which frames break a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .binding import Reading
from .case import Case
from .numbered import numbered


def reached(case: Case, reading: Reading, keyword: str, bound: float) -> float:
    """A bound as values are compared with it.

    Single precision has no 0.1: what was clipped to that is the nearest number, and keeps the bound.
    """
    dtype = reading.header.dtype
    if keyword.startswith("exclusive") or dtype.kind != "f" or dtype.itemsize >= 8 or case.other_quantity(reading):
        return bound
    with np.errstate(over="ignore"):
        held = float(dtype.type(bound))
    return (max if keyword == "maximum" else min)(held, bound)


def offending_frames(
    case: Case,
    reading: Reading,
    extreme: Literal["minimum", "maximum"],
    broken: Callable[[Any, float], Any],
    bound: float,
) -> tuple[int, ...]:
    """Frames whose extreme value, as meant by the contract, breaks the bound; none where the scan axis is undecided."""
    frames = case.frames_of(reading)
    if frames is None:
        facts = case.facts_of(reading)
        values = facts.values if facts else None
        if values is None or values.ndim != 1 or case.scan_axis(reading) is None:
            return ()
        per_frame = values
    else:
        per_frame = getattr(frames, extreme)
    per_frame = np.asarray(per_frame, dtype=np.float64)
    return numbered(np.isfinite(per_frame) & broken(case.as_meant(reading, per_frame), bound))
