"""What a report is made of: findings, each with its rule's level and remedy, and the facts of each array."""

from __future__ import annotations

import numpy as np

from npzschema.contracts import Contract, rules

from .case import Case
from .faults import Fault
from .findings import ArrayFacts, Deviation, Finding, Report
from .folds import Facts
from .remedy import remedy_of
from .threads import ThreadsError


def finding_of(deviation: Deviation, where: str = "") -> Finding:
    rule = rules()[deviation.code]
    return Finding(
        code=deviation.code,
        level=deviation.level or rule.level,
        array=deviation.array,
        pointer=where,
        place=deviation.place,
        message=f"{deviation.array}: {deviation.message}" if deviation.array else deviation.message,
        expected=deviation.expected,
        found=deviation.found,
        evidence=deviation.evidence,
        frames=deviation.frames,
        remedy=remedy_of(deviation),
        fix=deviation.fix,
    )


def fault_finding(fault: Fault) -> Finding:
    message = f"{fault.member}: {fault.what}" if fault.member is not None else fault.what
    return finding_of(
        Deviation(
            code=fault.code,
            message=message,
            place=fault.member or "",
            expected=fault.expected,
            found=fault.found,
            about=fault.about,
        )
    )


def crashed(where: str, error: Exception) -> Deviation:
    """A check that failed by itself is not a pass; one that the system gave no threads is no check."""
    if isinstance(error, ThreadsError):
        raise error
    return Deviation(code="INTERNAL-001", message=f"the check of {where} failed: {type(error).__name__}: {error}")


def internal(path: str, what: str) -> Report:
    """The report of a file whose check failed by itself: never a pass."""
    finding = finding_of(Deviation(code="INTERNAL-001", message=what))
    return Report(path=path, verdict="unreadable", findings=(finding,))


def unreadable(path: str, contract: Contract | None, fault: Fault, *, pictures: bool) -> Report:
    """The report of a file that cannot be opened."""
    return Report(
        path=path,
        verdict="unreadable",
        contract=contract.id if contract else None,
        contract_version=contract.version if contract else None,
        findings=(fault_finding(fault),),
        pictures=() if pictures else None,
    )


def array_facts(case: Case) -> dict[str, ArrayFacts]:
    """The facts of every array of the file, by member."""
    by_member = {reading.header.name: reading for reading in case.binding.readings.values()}
    facts = {}
    for name, header in case.headers.items():
        reading = by_member.get(name)
        dims = reading.stored_axes(len(header.shape)) if reading and reading.decided else None
        facts[name] = ArrayFacts(
            name=name,
            dtype="object" if header.pickled else header.dtype.str if header.dtype.kind in "USV" else header.dtype.name,
            shape=header.shape,
            axes=tuple(map(str, dims)) if dims else None,
            reads_as=reading.spec.name if reading else None,
            quantity=(case.quantity(reading) or reading.spec.quantity) if reading else None,
            order="F" if header.fortran else "C",
            statistics=_statistics(case.facts.get(name)),
        )
    return facts


def _statistics(facts: Facts | None) -> dict[str, float | int | bool]:
    if facts is None:
        return {}
    told: dict[str, float | int | bool] = {
        "count": facts.range.count,
        "nonfinite": facts.range.nonfinite,
        "constant": facts.range.constant,
    }
    for name in ("minimum", "maximum", "mean"):
        value = getattr(facts.range, name)
        if np.isfinite(value):
            told[name] = value
    return told
