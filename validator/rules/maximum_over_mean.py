"""``values.maximumOverMean``: a largest value far above the mean (NORM-002)."""

from __future__ import annotations

from collections.abc import Iterator

from npzschema.contracts import ArraySpec

from ..case import Case
from ..findings import Deviation


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    facts = case.facts_of(reading)
    bound = spec.values.maximum_over_mean
    # The mean of square roots is not the root of the mean: counts are judged once they are mended.
    if bound is None or reading is None or facts is None or case.other_quantity(reading):
        return
    mean = facts.range.mean
    if mean > 0 and facts.range.maximum >= bound * mean:
        ratio = facts.range.maximum / mean
        yield Deviation(
            code="NORM-002",
            array=spec.name,
            message=f"the largest value, {facts.range.maximum:.4g}, is {ratio:,.0f} times the mean; "
            f"the contract says less than {bound:g} times",
            expected=f"less than {bound:g}",
            found=f"{ratio:.6g}",
            at=("maximumOverMean",),
        )
