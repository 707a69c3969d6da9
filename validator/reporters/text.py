"""Plain text: a line a finding and what to do about it, one line for a file that passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..escape import escape
from ..findings import Finding, Report
from .phrases import array, context, counts, frames, known, remedy
from .style import Style

_INDENT = " " * 12


def render(reports: Sequence[Report], style: Style) -> str:
    if style.columns is not None:
        # It draws with rich, which is slow to import and of no use elsewhere.
        from . import terminal

        return terminal.render(reports, style, style.columns)
    return "".join(line + "\n" for report in reports for line in _report(report, style))


def _report(report: Report, style: Style) -> Iterator[str]:
    path = escape(report.path)
    told: set[str] = set()
    for finding in report.findings:
        if style.shows(finding):
            yield from _finding(path, finding, style, told)
    if style.verbosity > 0:
        yield from _facts(report)
    if report.verdict != "unreadable" and style.verbosity < 0 and not any(map(style.fails, report.findings)):
        return
    yield f"{path}  {style.paint(report.verdict, report.verdict)}{_summary(report)}"


def _finding(path: str, finding: Finding, style: Style, told: set[str]) -> Iterator[str]:
    yield f"{path}  {finding.code} {style.paint(finding.level, finding.level)}  {escape(finding.message)}"
    parts = [known(finding)] if finding.known is not None else []
    if finding.frames:
        parts.append(f"{frames(finding)}.")
    if finding.evidence:
        parts.append(f"evidence: {finding.evidence}.")
    # One command mends all that can be mended: it is told once for a file.
    if finding.remedy not in told:
        told.add(finding.remedy)
        parts.append(remedy(finding))
    if parts:
        yield _INDENT + escape(" ".join(parts))


def _summary(report: Report) -> str:
    parts = [*counts(report.findings), *context(report)]
    return "  " + escape("; ".join(parts)) if parts else ""


def _facts(report: Report) -> Iterator[str]:
    if report.contract_reason:
        yield _INDENT + escape(f"contract {report.contract}: {report.contract_reason}")
    for facts in report.arrays.values():
        yield _INDENT + escape(array(facts))
    for note in report.notes:
        yield _INDENT + escape(note)
