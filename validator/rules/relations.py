"""``relations``: two names of one array must hold the same values (KEY-004)."""

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case
from ..findings import Deviation
from ..words import shape


def check(case: Case) -> Iterator[Deviation]:
    for index, (first, second) in enumerate(case.contract.identical):
        one, other = case.headers.get(first), case.headers.get(second)
        if one is None or other is None or one.pickled or other.pickled:
            continue
        if one.shape != other.shape:
            difference = f"the shapes {shape(one.shape)} and {shape(other.shape)}"
        else:
            prints = [case.facts[name].fingerprint for name in (first, second) if name in case.facts]
            if len(prints) < 2 or prints[0] == prints[1]:
                continue
            difference = "different values"
        yield Deviation(
            code="KEY-004",
            array=first,
            message=f"{first} and {second} are two names of one array, but have {difference}",
            expected="identical arrays",
            found=difference,
            at=(index, "identical"),
        )
