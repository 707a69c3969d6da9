"""``values.varies``: not a placeholder (VALUE-004)."""

from __future__ import annotations

from collections.abc import Iterator

from npzschema.contracts import ArraySpec

from ..case import Case
from ..findings import Deviation


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    facts = case.facts_of(case.reading(spec))
    if spec.values.varies and facts is not None and facts.range.constant and facts.range.count > 1:
        zero = facts.range.largest == 0
        yield Deviation(
            code="VALUE-004",
            array=spec.name,
            message="is all zero"
            if zero
            else f"has one value throughout, of size {facts.range.largest:.4g}"
            + ("" if spec.quantity else "; a placeholder"),
            expected="values that vary",
            found="constant",
            at=("varies",),
            about="patterns" if spec.quantity else "",
        )
