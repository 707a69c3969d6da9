"""``relations``: two names of one array must hold the same values (KEY-004)."""

from __future__ import annotations

from collections.abc import Iterator

from ..binding import order_of, reading_of_member
from ..case import Case
from ..dataset import ArrayHeader
from ..findings import Deviation
from ..words import shape


def check(case: Case) -> Iterator[Deviation]:
    for index, (first, second) in enumerate(case.contract.identical):
        one, other = case.headers.get(first), case.headers.get(second)
        if one is None or other is None or one.pickled or other.pickled:
            continue
        difference = _difference(_forms(case, one), _forms(case, other))
        if difference is None:
            continue
        yield Deviation(
            code="KEY-004",
            array=first,
            message=f"{first} and {second} are two names of one array, but have {difference}",
            expected="identical arrays",
            found=difference,
            at=(index, "identical"),
        )


Form = tuple[tuple[int, ...], int | None]
"""Shape and fingerprint of an array in the contract's order of axes; no fingerprint where no values were read."""


def _forms(case: Case, header: ArrayHeader) -> set[Form]:
    """The array under each reading that fits: one, where its axes are decided."""
    reading = reading_of_member(case.contract, case.binding, case.headers, header.name)
    facts = case.facts.get(header.name)
    if reading is None or not reading.layouts:
        orders, lengths = {tuple(range(len(header.shape)))}, header.shape
    else:
        orders, lengths = {order_of(reading.spec, layout) for layout in reading.layouts}, reading.header.shape
    return {
        (tuple(lengths[axis] for axis in order), facts.fingerprints.get(order) if facts else None) for order in orders
    }


def _difference(first: set[Form], second: set[Form]) -> str | None:
    """In what two arrays differ under all their readings, or None."""
    pairs = [(one, other) for one in first for other in second]
    alike = [(one[1], other[1]) for one, other in pairs if one[0] == other[0]]
    if not alike:
        (one, _), (other, _) = min(pairs)
        return f"the shapes {shape(one)} and {shape(other)}"
    return "different values" if all(None not in both and both[0] != both[1] for both in alike) else None
