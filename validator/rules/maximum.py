"""``values.maximum`` and ``values.exclusiveMaximum`` (VALUE-003)."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from npzschema.contracts import ArraySpec

from ..binding import Reading
from ..bounds import offending_frames, reached
from ..case import Case
from ..findings import Deviation
from ..scan_table import hot_frames
from .maximum_over_mean import far_above_mean


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    facts = case.facts_of(reading)
    if reading is None or facts is None:
        return
    most = case.as_meant(reading, facts.range.maximum)
    under = "" if case.other_quantity(reading) is None else f" as {spec.quantity}s"
    for keyword, bound, broken in (
        ("maximum", spec.values.maximum, operator.gt),
        ("exclusiveMaximum", spec.values.exclusive_maximum, operator.ge),
    ):
        if bound is not None and broken(most, limit := reached(case, reading, keyword, bound)):
            frames = offending_frames(case, reading, "maximum", broken, limit)
            yield Deviation(
                code="VALUE-003",
                array=spec.name,
                message=f"values reach {most:.4g}{under}, the contract says "
                f"{'less than' if 'excl' in keyword else 'at most'} {bound:g}",
                expected=f"{keyword} {bound:g}",
                found=f"{most:.6g}",
                frames=frames,
                at=(keyword,),
                fix=_division(case, reading, most),
                about="hot" if frames and _hot(case, reading, frames) else "",
            )


def _hot(case: Case, reading: Reading, frames: tuple[int, ...]) -> bool:
    """Whether all of them are told as hot, or the largest values as far above the mean."""
    if far_above_mean(case, reading) is not None:
        return True
    return set(frames) <= set(np.flatnonzero(hot_frames(case, reading)).tolist())


def _division(case: Case, reading: Reading, most: float) -> dict[str, Any] | None:
    """For patterns of floats, or of what a root makes floats: integers, divided, are no longer counts."""
    spec = reading.spec
    floats = reading.header.dtype.kind == "f" or case.other_quantity(reading) is not None
    # Divided by the largest value, that is 1.
    if spec.quantity is None or not floats or not math.isfinite(most) or not spec.values.holds(1.0):
        return None
    return {"step": "normalise", "array": spec.name, "divisor": most}
