"""``legacy``: the file is read as what it is; each other form is one deviation with its mend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from npzschema.contracts import ArraySpec, Legacy, expand_dtypes, preferred_dtype

from ..binding import Layout, Reading, meant_by, order_of
from ..case import Case
from ..casts import cast_loss, wraps
from ..findings import Deviation
from ..folds.facts import RangeFacts
from ..witnesses import witnesses
from ..words import axes, shape

ROUNDED: Final = {
    ("f", "float32"): "rounds to single precision, no more",
    ("c", "complex64"): "rounds to single precision, no more",
    ("f", "float16"): "rounds to half precision, no more",
}
"""What a cast of floats to a smaller float does at least."""


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    if reading is None:
        return
    if reading.renamed:
        yield from _name(reading, reading.renamed)
    if reading.layout and reading.layout.legacy and reading.decided:
        yield from _dims(case, reading, reading.layout, reading.layout.legacy)
    other = case.other_quantity(reading)
    if other:
        yield from _quantity(case, reading, other)
        return
    for entry in spec.legacy_dtypes():
        if reading.header.dtype_name in expand_dtypes(entry.dtype):
            yield from _dtype(case, reading, entry)


def _fix(entry: Legacy, spec: ArraySpec, **more: Any) -> dict[str, Any] | None:
    return {"step": entry.fix, "array": spec.name, **more} if entry.fix else None


def _name(reading: Reading, entry: Legacy) -> Iterator[Deviation]:
    spec = reading.spec
    yield Deviation(
        code=entry.rule,
        array=spec.name,
        message=f"is stored as {entry.name}, the contract says {spec.name}",
        expected=spec.name,
        found=str(entry.name),
        at=(entry.index,),
        fix=_fix(entry, spec, source=entry.name),
    )


def _dims(case: Case, reading: Reading, layout: Layout, entry: Legacy) -> Iterator[Deviation]:
    spec = reading.spec
    meant = meant_by(spec, layout)
    yield Deviation(
        code=entry.rule,
        array=spec.name,
        message=f"axes are {axes(layout.dims)} = {shape(reading.header.shape)}, the contract says {axes(meant)}",
        expected=axes(meant),
        found=axes(layout.dims),
        evidence=reading.evidence or witnesses(case, reading),
        at=(entry.index,),
        fix=_fix(entry, spec, axes=list(order_of(spec, layout))),
    )


def _dtype(case: Case, reading: Reading, entry: Legacy) -> Iterator[Deviation]:
    spec, stored = reading.spec, reading.header.dtype
    facts = case.facts_of(reading)
    target, loss = _target(spec, stored, facts.range if facts else None)
    rounds = None if np.can_cast(stored, target, "safe") else ROUNDED.get((stored.kind, target.name))
    kept = f"; the cast {rounds or 'loses nothing'}"
    tail = "" if facts is None or not entry.fix else f"; the cast loses something: {loss}" if loss else kept
    yield Deviation(
        code=entry.rule,
        array=spec.name,
        message=f"is {reading.header.dtype_name}, the contract says {' or '.join(spec.dtype)}{tail}",
        expected=" or ".join(spec.dtype),
        found=reading.header.dtype_name,
        at=(entry.index,),
        fix=None
        if facts and wraps(target, facts.range)
        else _fix(entry, spec, dtype=target.name, lossless=loss is None),
    )


def _target(spec: ArraySpec, stored: np.dtype[Any], facts: RangeFacts | None) -> tuple[np.dtype[Any], str | None]:
    """The first dtype of the contract in which a cast loses nothing, else the widest, and what is lost there."""
    targets = [np.dtype(preferred_dtype((name,))) for name in spec.dtype]
    if facts is None:
        return targets[0], None
    whole = next((one for one in targets if cast_loss(stored, one, facts) is None), None)
    if whole is not None:
        return whole, None
    widest = max(targets, key=lambda one: one.itemsize)
    return widest, cast_loss(stored, widest, facts)


def _holding(spec: ArraySpec, largest: float) -> str | None:
    """The first dtype of the contract that reaches so far."""
    for name in spec.dtype:
        preferred = np.dtype(preferred_dtype((name,)))
        if preferred.kind not in "iu" or not largest > np.iinfo(preferred).max:
            return preferred.name
    return None


def _quantity(case: Case, reading: Reading, entry: Legacy) -> Iterator[Deviation]:
    spec = reading.spec
    evidence, mixed = _quantity_evidence(case, reading, str(entry.quantity))
    held = "counts or intensities" if entry.quantity == "intensity" else "amplitudes"
    facts = case.facts_of(reading)
    target = _holding(spec, case.as_meant(reading, facts.range.maximum) if facts else 0.0)
    yield Deviation(
        code=entry.rule,
        array=spec.name,
        message=f"holds {held}, the contract says {'amplitudes' if spec.quantity == 'amplitude' else 'intensities'}",
        expected=str(spec.quantity),
        found=str(entry.quantity),
        evidence=evidence,
        at=(entry.index,),
        fix=_fix(entry, spec, dtype=target, **({"lossless": False} if mixed else {})) if target else None,
        about="mixed" if mixed else "",
    )


def _quantity_evidence(case: Case, reading: Reading, quantity: str) -> tuple[str, bool]:
    """What says so, each kind of evidence by name, and whether they do not agree."""
    facts = case.facts_of(reading)
    told, mixed = [], False
    if reading.header.dtype.kind in "iu":
        told.append(f"the dtype is {reading.header.dtype_name}, which cannot hold square roots")
    elif facts and facts.lattice == "intensity":
        told.append("all values are whole multiples of one step, as counts are")
    elif facts and facts.lattice == "amplitude":
        told.append("the squares of all values are whole multiples of one step, as those of amplitudes of counts are")
    test = case.forward
    if (
        test
        and test.residuals
        and test.quantity
        and case.contract.scan
        and reading.spec.name == case.contract.scan.frames
    ):
        amplitude, intensity = test.residuals
        mixed = test.quantity != quantity
        told.append(
            f"{'the evidence is mixed: ' if mixed else ''}predicted patterns fit as amplitudes "
            f"with a residual of {amplitude:.2f}, as intensities with {intensity:.2f}"
        )
    return "; ".join(told), mixed
