"""``dtype``: what is neither the contract's nor a known legacy dtype (DTYPE-001)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from npzschema.contracts import ArraySpec, expand_dtypes

from ..binding import Reading
from ..case import Case
from ..casts import cast_loss
from ..findings import Deviation


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    if reading is None or case.other_quantity(reading):
        return
    name = reading.header.dtype_name
    allowed = expand_dtypes(spec.dtype)
    if name in allowed or any(name in expand_dtypes(entry.dtype) for entry in spec.legacy_dtypes()):
        return
    phase = all(one.startswith("complex") for one in allowed) and reading.header.dtype.kind in "fiub"
    yield Deviation(
        code="DTYPE-001",
        array=spec.name,
        message=f"is {name}, the contract says {' or '.join(spec.dtype)}"
        + ("; a real array has lost its phase, no cast brings it back" if phase else ""),
        expected=" or ".join(spec.dtype),
        found=name,
        about="wider" if _wider(reading.header.dtype, allowed) else "whole" if _whole(case, reading, allowed) else "",
    )


def _whole(case: Case, reading: Reading, allowed: Iterable[str]) -> bool:
    """Whether floats are counts that an integer dtype of the contract holds, every one."""
    facts, stored = case.facts_of(reading), reading.header.dtype
    targets = [np.dtype(name) for name in allowed if name != "str"]
    return (
        facts is not None
        and stored.kind == "f"
        and any(one.kind in "iu" and cast_loss(stored, one, facts.range) is None for one in targets)
    )


def _wider(stored: np.dtype[Any], allowed: Iterable[str]) -> bool:
    """Whether it holds all that the contract asks for, and more of the same: as long doubles do."""
    return any(
        stored.kind == one.kind and stored.itemsize > one.itemsize
        for one in (np.dtype(name) for name in allowed if name != "str")
        if one.kind in "fc"
    )
