"""What is asked of one file, and what that makes of its report: findings left out, other levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from npzschema.contracts import Contract, Level, rules
from npzschema.contracts.model import Dims

from .findings import LEVELS, Finding, Report, verdict_of

NamedLevel = Literal["error", "warning", "info", "off"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What is asked of one file.

    Attributes:
        contract: a contract, ``auto`` (what the file declares), or None where nothing is said.
        reason: who asks for this contract, for the report.
        select, ignore: beginnings of codes; an empty ``select`` takes all.
        levels: level by code, or ``off``.
        axes: the axes of arrays whose order is known.
    """

    contract: Contract | Literal["auto"] | None = None
    reason: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    levels: Mapping[str, NamedLevel] = field(default_factory=dict)
    axes: Mapping[str, Dims] = field(default_factory=dict)

    def with_nearer(self, nearer: Settings) -> Settings:
        """These, with others on top: what is nearer wins, but both ignore."""
        return replace(self.with_winning(nearer), ignore=tuple(dict.fromkeys((*self.ignore, *nearer.ignore))))

    def with_winning(self, winner: Settings) -> Settings:
        """These, with others that win wherever they say anything. What they select, nobody else ignores."""
        said = winner if winner.contract is not None else self
        return Settings(
            contract=said.contract,
            reason=said.reason,
            select=winner.select or self.select,
            ignore=winner.ignore or (() if winner.select else self.ignore),
            levels={**self.levels, **winner.levels},
            axes={**self.axes, **winner.axes},
        )

    def applied(self, report: Report) -> Report:
        """The report with its findings chosen and levelled. What makes a file unreadable stays as it is."""
        kept = [finding for each in report.findings if (finding := self._levelled(each)) is not None]
        kept.sort(key=lambda finding: -LEVELS.index(finding.level))
        left_out = len(report.findings) - len(kept)
        notes = report.notes
        if left_out:
            findings = f"{left_out} finding{'s' * (left_out != 1)}"
            notes = (*notes, f"{findings} left out, as select, ignore or levels ask for")
        return replace(
            report,
            findings=tuple(kept),
            verdict=verdict_of(tuple(kept)),
            contract_reason=self.reason if self._chose(report) else report.contract_reason,
            notes=notes,
        )

    def _chose(self, report: Report) -> bool:
        """Whether these say what it was checked against; a saved report may have been asked for by others."""
        named = isinstance(self.contract, Contract) and self.contract.id == report.contract
        return bool(self.reason and named and report.contract_reason)

    def _levelled(self, finding: Finding) -> Finding | None:
        if rules()[finding.code].unreadable:
            return finding
        if self.select and not finding.code.startswith(self.select):
            return None
        level = self.levels.get(finding.code, finding.level)
        if level == "off" or finding.code.startswith(self.ignore):
            return None
        return replace(finding, level=level)


def failing(report: Report, fail_on: Level) -> Sequence[Finding]:
    """The findings at or above a level that no baseline knows."""
    least = LEVELS.index(fail_on)
    return [finding for finding in report.findings if LEVELS.index(finding.level) >= least and finding.known is None]
