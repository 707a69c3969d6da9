"""``values.finite``: no NaN, no infinity (VALUE-001)."""

from __future__ import annotations

from collections.abc import Iterator

from npzschema.contracts import ArraySpec

from ..case import Case
from ..findings import Deviation
from ..words import share


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    facts = case.facts_of(reading)
    if not spec.values.finite or reading is None or facts is None or not facts.range.nonfinite:
        return
    axis = case.scan_axis(reading)
    yield Deviation(
        code="VALUE-001",
        array=spec.name,
        message=f"{share(facts.range.nonfinite, facts.range.count, 'value')} not finite (NaN or infinity)",
        expected="finite values",
        found=f"{facts.range.nonfinite:,} not finite",
        frames=facts.range.nonfinite_at.get(axis, ()) if axis is not None else (),
        at=("finite",),
    )
