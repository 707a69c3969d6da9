"""``values.minimum`` and ``values.exclusiveMinimum`` (VALUE-002)."""

from __future__ import annotations

import operator
from collections.abc import Iterator

from npzschema.contracts import ArraySpec

from ..bounds import offending_frames, reached
from ..case import Case
from ..findings import Deviation


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    facts = case.facts_of(reading)
    if reading is None or facts is None:
        return
    least = case.as_meant(reading, facts.range.minimum)
    under = "" if case.other_quantity(reading) is None else f" as {spec.quantity}s"
    for keyword, bound, broken in (
        ("minimum", spec.values.minimum, operator.lt),
        ("exclusiveMinimum", spec.values.exclusive_minimum, operator.le),
    ):
        if bound is not None and broken(least, limit := reached(case, reading, keyword, bound)):
            yield Deviation(
                code="VALUE-002",
                array=spec.name,
                message=f"values go down to {least:.4g}{under}, the contract says "
                f"{'more than' if 'excl' in keyword else 'at least'} {bound:g}",
                expected=f"{keyword} {bound:g}",
                found=f"{least:.6g}",
                frames=offending_frames(case, reading, "minimum", broken, limit),
                at=(keyword,),
            )
