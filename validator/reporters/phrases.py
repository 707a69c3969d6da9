"""Wording that reporters share. Nothing here escapes: each reporter does, for its own format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ..findings import ArrayFacts, Finding, Report, Verdict
from ..remedy import is_command
from ..words import axes, indices, plural, shape

_VERDICTS: Final[dict[Verdict, str]] = {
    "valid": "valid",
    "violations": "with violations",
    "unreadable": "unreadable",
}


def counts(findings: Iterable[Finding]) -> list[str]:
    """``4 errors``, ``1 warning``, ``2 known`` to the baseline; infos are not counted."""
    told = list(findings)
    levels = Counter(finding.level for finding in told)
    known = sum(finding.known is not None for finding in told)
    parts = [plural(levels[level], level) for level in ("error", "warning") if levels[level]]
    return [*parts, f"{known} known"] if known else parts


def context(report: Report) -> list[str]:
    """What the file was checked against, and what that told of it."""
    parts = []
    if report.contract:
        parts.append(f"{report.contract} {report.contract_version}")
    others = [name for name in report.recognised if name != report.contract]
    if others:
        parts.append("recognised as " + ", ".join(others))
    if report.binding:
        parts.append(" ".join(f"{symbol}={size}" for symbol, size in report.binding.items()))
    if report.headers_only:
        parts.append("headers only, values not read: a mend may need more")
    return parts


def total(reports: Sequence[Report]) -> str:
    """``3 files: 1 valid, 2 with violations; 4 errors``. Holds nothing that comes from a file."""
    verdicts = Counter(report.verdict for report in reports)
    files = ", ".join(f"{verdicts[verdict]} {name}" for verdict, name in _VERDICTS.items() if verdicts[verdict])
    found = counts(finding for report in reports for finding in report.findings)
    return f"{plural(len(reports), 'file')}: {files}" + (f"; {', '.join(found)}" if found else "")


def frames(finding: Finding) -> str:
    """``frames 3, 17, 40-45``, cut after some; nothing where it is not about frames."""
    if not finding.frames:
        return ""
    count = f"; {len(finding.frames):,} in all" if len(finding.frames) > 8 else ""
    return f"frames {indices(finding.frames)}{count}"


def remedy(finding: Finding) -> str:
    return f"{'Mend: ' if is_command(finding) else ''}{finding.remedy}"


def details(finding: Finding) -> list[str]:
    """What is told after the message, a line each: frames, evidence, what to do."""
    evidence = f"evidence: {finding.evidence}" if finding.evidence else ""
    what_to_do = remedy(finding) if is_command(finding) else f"What to do: {finding.remedy}"
    return [part for part in (known(finding), frames(finding), evidence, what_to_do) if part]


def known(finding: Finding) -> str:
    """Why the baseline accepts a finding; nothing where it does not."""
    return "" if finding.known is None else f"known: {(finding.known or 'the baseline gives no reason').rstrip('.')}."


def numbers(facts: ArrayFacts) -> list[tuple[str, str]]:
    """Minimum, maximum and mean, where values were read."""
    return [
        (name, f"{facts.statistics[name]:.4g}") for name in ("minimum", "maximum", "mean") if name in facts.statistics
    ]


def array(facts: ArrayFacts) -> str:
    """``diffraction: float32 (5, 16, 16) (N, H, W); minimum 0, maximum 7.1, mean 0.3``."""
    named = f" {axes(facts.axes)}" if facts.axes else ""
    order = ", Fortran order" if facts.order == "F" else ""
    values = ", ".join(f"{name} {value}" for name, value in numbers(facts))
    return f"{facts.name}: {facts.dtype} {shape(facts.shape)}{named}{order}{'; ' + values if values else ''}"
