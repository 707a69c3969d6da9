"""What a check says: findings, and the report that holds them. Frozen values; nothing here reads or prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from npzschema.contracts import Level, rules

from .escape import escape

if TYPE_CHECKING:
    # Few reports carry any.
    from .picture import Picture

Verdict = Literal["valid", "violations", "unreadable"]

LEVELS: Final[tuple[Level, ...]] = ("info", "warning", "error")


@dataclass(frozen=True, kw_only=True, slots=True)
class Deviation:
    """What a rule yields: a fact. The engine adds level, pointer and remedy.

    ``at`` continues the pointer of the keyword; ``place`` is the finding's; ``fix`` is the step that mends it, as data;
    ``level`` is given where the evidence is weaker than the catalogue's level asks for; ``about`` chooses one of the
    rule's other remedies.
    """

    code: str
    message: str
    array: str | None = None
    expected: str = ""
    found: str = ""
    evidence: str = ""
    frames: tuple[int, ...] = ()
    at: tuple[str | int, ...] = ()
    place: str = ""
    fix: Mapping[str, Any] | None = None
    level: Level | None = None
    about: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One violation.

    Attributes:
        code: rule code, such as ``FORMAT-001``.
        level: ``error``, ``warning`` or ``info``.
        array: name of the array as the contract knows it; None for the file as a whole.
        pointer: JSON pointer into the contract (after ``extends``).
        place: where in the file, where the array does not say it: a member of the archive, or a JSON pointer into the
            metadata.
        message: one line: what, where, expected, found.
        expected, found: the two sides, where there are two.
        evidence: what the conclusion rests on.
        frames: indices of the offending frames, from 0, ascending; empty where it is not about frames.
        remedy: what to do.
        fix: the step of ``generate-npz convert`` that mends it, as data, or None.
        known: the reason that the baseline gives, perhaps empty; None where it is new. A known finding never fails.
    """

    code: str
    level: Level
    message: str
    pointer: str
    remedy: str
    array: str | None = None
    place: str = ""
    expected: str = ""
    found: str = ""
    evidence: str = ""
    frames: tuple[int, ...] = ()
    fix: Mapping[str, Any] | None = None
    known: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayFacts:
    """What the report tells of one array. ``statistics``: of its values, empty where they were not read."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    axes: tuple[str, ...] | None = None
    reads_as: str | None = None
    quantity: str | None = None
    order: str = "C"
    statistics: Mapping[str, float | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Verdict, findings and facts of one file.

    Attributes:
        path: the file as it was named, or a word for a mapping in memory.
        verdict: ``valid`` (no finding at error level), ``violations``, or ``unreadable``.
        contract, contract_version: what it was checked against; None where it was unreadable before.
        contract_reason: why this contract.
        recognised: ids of the contracts that the file keeps, of those that ship with the tool and of the caller's own.
        binding: sizes of the solved dimension symbols.
        arrays: facts of each array, by name in the file.
        findings: everything that deviates, the gravest first.
        headers_only: whether values were left unread.
        notes: what was not checked, and why.
        pictures: what the file looks like, or None where nobody asked for pictures.
    """

    path: str
    verdict: Verdict
    contract: str | None = None
    contract_version: str | None = None
    contract_reason: str = ""
    recognised: tuple[str, ...] = ()
    binding: Mapping[str, int] = field(default_factory=dict)
    arrays: Mapping[str, ArrayFacts] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    headers_only: bool = False
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] | None = None

    @property
    def ok(self) -> bool:
        """Whether the file keeps the contract: no finding at error level."""
        return self.verdict == "valid"

    @property
    def codes(self) -> frozenset[str]:
        """Codes of the findings at error level."""
        return frozenset(finding.code for finding in self.findings if finding.level == "error")

    def raise_for_errors(self) -> None:
        """Raise :class:`ValidationError` unless :attr:`ok`."""
        if not self.ok:
            raise ValidationError(self)


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """What the findings come to."""
    if any(rules()[finding.code].unreadable for finding in findings):
        return "unreadable"
    return "violations" if any(finding.level == "error" for finding in findings) else "valid"


class ValidationError(ValueError):
    """A dataset does not keep its contract. ``report`` says how; ``text`` says it in other words than the findings'."""

    def __init__(self, report: Report, text: str | None = None) -> None:
        if text is None:
            errors = [finding for finding in report.findings if finding.level == "error"]
            lines = [f"{report.path}: {len(errors)} error{'s' * (len(errors) != 1)}"]
            lines += (f"  {finding.code} {finding.message}" for finding in errors)
            text = "\n".join(map(escape, lines))
        super().__init__(text)
        self.report = report

    def __reduce__(self) -> tuple[type[ValidationError], tuple[Report, str]]:
        # Raised in worker processes, which hand their errors on as pickles.
        return type(self), (self.report, str(self))
