"""Markdown as GitHub and GitLab read it, for comments and wikis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..escape import escape
from ..findings import Finding, Report
from ..remedy import is_command
from .phrases import context, counts, frames, total
from .style import Style

# What Markdown, tables, HTML, formulas, links, mentions, issues and emoji begin with.
_MARKS: Final = re.compile(r"([\\`*_\[\]<>#|~&@$!]|:(?=\S)|(?<=www)\.)", re.IGNORECASE)


def render(reports: Sequence[Report], style: Style) -> str:
    lines = ["# npzschema", "", total(reports), ""]
    if len(reports) > 1:
        lines += ["| File | Verdict | Findings | Contract |", "| --- | --- | --- | --- |"]
        lines += [_row(_cell(report.path), report.verdict, *_columns(report)) for report in reports]
        lines.append("")
    for report in reports:
        lines += _report(report, style)
    return "\n".join(lines).rstrip("\n") + "\n"


def text(untrusted: str) -> str:
    r"""Text that stays text: each mark that could mean anything is escaped, and ``@name`` calls nobody."""
    escaped = _MARKS.sub(r"\\\1", escape(untrusted))
    return escaped.replace(r"\@", r"\@<!-- -->")


def code(untrusted: str) -> str:
    """Text as code. The fence is longer than any run of backticks in it."""
    shown = escape(untrusted)
    if not shown:
        return r"\"\""
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _columns(report: Report) -> tuple[str, str]:
    return ", ".join(counts(report.findings)), _cell(report.contract) if report.contract else ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(untrusted: str) -> str:
    """Text as code, where it can be: in a table a bar ends the cell, even within code."""
    return text(untrusted) if "|" in untrusted else code(untrusted)


def _report(report: Report, style: Style) -> Iterator[str]:
    shown = [finding for finding in report.findings if style.shows(finding)]
    if not shown and report.verdict != "unreadable" and style.verbosity < 0:
        return
    parts = [*counts(report.findings), *context(report)]
    yield from (f"## {code(report.path)}", "", f"**{report.verdict}**: {text('; '.join(parts))}", "")
    if shown:
        yield from ("| Level | Rule | Finding | Evidence |", "| --- | --- | --- | --- |")
        yield from (_row(one.level, one.code, text(one.message), text(_evidence(one))) for one in shown)
        yield ""
        yield from _remedies(shown)
    if style.verbosity > 0:
        yield from (f"- {text(note)}" for note in report.notes)
        yield ""


def _evidence(finding: Finding) -> str:
    return "; ".join(part for part in (frames(finding), finding.evidence) if part)


def _remedies(findings: Sequence[Finding]) -> Iterator[str]:
    """What to do, once each, with the rules that it is about."""
    about: dict[tuple[str, bool], list[str]] = {}
    for finding in findings:
        codes = about.setdefault((finding.remedy, is_command(finding)), [])
        if finding.code not in codes:
            codes.append(finding.code)
    yield from ("What to do:", "")
    for (remedy, command), codes in about.items():
        yield f"- {', '.join(codes)}: {code(remedy) if command else text(remedy)}"
    yield ""
