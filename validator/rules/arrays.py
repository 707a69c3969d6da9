"""``arrays``: what the contract does not know is told, and does no harm (KEY-003)."""

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case
from ..findings import Deviation


def check(case: Case) -> Iterator[Deviation]:
    for name in sorted(set(case.headers) - case.contract.known_names()):
        # An object array is told as FILE-006 already.
        if not case.headers[name].pickled:
            yield Deviation(code="KEY-003", array=name, message="is not known to the contract", found=name)
