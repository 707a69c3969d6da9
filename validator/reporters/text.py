"""Plain text: a line a finding and what to do about it, one line for a file that passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..escape import escape
from ..findings import Finding, Report
from ..words import indices, shape
from .style import Style

_INDENT = " " * 12


def render(reports: Sequence[Report], style: Style) -> str:
    return "".join(line + "\n" for report in reports for line in _report(report, style))


def _report(report: Report, style: Style) -> Iterator[str]:
    path = escape(report.path)
    told: set[str] = set()
    for finding in report.findings:
        # What the baseline knows is counted in the last line; it is told in full only where all is asked for.
        if style.shows(finding.level) and (finding.known is None or style.verbosity > 0):
            yield from _finding(path, finding, style, told)
    if style.verbosity > 0:
        yield from _facts(report)
    if style.verbosity < 0 and all(
        finding.known is not None for finding in report.findings if finding.level == "error"
    ):
        return
    yield f"{path}  {style.paint(report.verdict, report.verdict)}{_summary(report)}"


def _finding(path: str, finding: Finding, style: Style, told: set[str]) -> Iterator[str]:
    yield f"{path}  {finding.code} {style.paint(finding.level, finding.level)}  {escape(finding.message)}"
    parts = []
    if finding.known is not None:
        parts.append(f"known: {finding.known or 'the baseline gives no reason'}.")
    if finding.frames:
        count = f"; {len(finding.frames):,} in all" if len(finding.frames) > 8 else ""
        parts.append(f"frames {indices(finding.frames)}{count}.")
    if finding.evidence:
        parts.append(f"evidence: {finding.evidence}.")
    # One command mends all that can be mended: it is told once for a file.
    if finding.remedy not in told:
        told.add(finding.remedy)
        parts.append(
            f"{'Mend: ' if finding.remedy.startswith('generate-npz convert ') and finding.fix else ''}{finding.remedy}"
        )
    if parts:
        yield _INDENT + escape(" ".join(parts))


def _summary(report: Report) -> str:
    counts = Counter(finding.level for finding in report.findings)
    parts = [f"{counts[level]} {level}{'s' * (counts[level] != 1)}" for level in ("error", "warning") if counts[level]]
    known = sum(finding.known is not None for finding in report.findings)
    if known:
        parts.append(f"{known} known")
    if report.contract:
        parts.append(f"{report.contract} {report.contract_version}")
    others = [name for name in report.recognised if name != report.contract]
    if others:
        parts.append("recognised as " + ", ".join(others))
    if report.binding:
        parts.append(" ".join(f"{symbol}={size}" for symbol, size in report.binding.items()))
    if report.headers_only:
        parts.append("headers only, values not read")
    return "  " + "; ".join(parts) if parts else ""


def _facts(report: Report) -> Iterator[str]:
    if report.contract_reason:
        yield f"{_INDENT}contract {report.contract}: {escape(report.contract_reason)}"
    for facts in report.arrays.values():
        axes = f" ({', '.join(facts.axes)})" if facts.axes else ""
        numbers = ", ".join(
            f"{name} {facts.statistics[name]:.4g}"
            for name in ("minimum", "maximum", "mean")
            if name in facts.statistics
        )
        order = ", Fortran order" if facts.order == "F" else ""
        yield _INDENT + escape(
            f"{facts.name}: {facts.dtype} {shape(facts.shape)}{axes}{order}{'; ' + numbers if numbers else ''}"
        )
    for note in report.notes:
        yield _INDENT + escape(note)
