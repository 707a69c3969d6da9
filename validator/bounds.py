"""Which frames break a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .binding import Reading
from .case import Case
from .numbered import numbered


def as_held(case: Case, reading: Reading, bound: float) -> float:
    """A bound as the dtype holds it: single precision has no 0.1, and what was clipped to that is another number."""
    dtype = reading.header.dtype
    if dtype.kind != "f" or dtype.itemsize >= 8 or case.other_quantity(reading):
        return bound
    with np.errstate(over="ignore"):
        return float(dtype.type(bound))


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
    return numbered(np.isfinite(per_frame) & broken(case.as_meant(reading, per_frame), as_held(case, reading, bound)))
