"""The text report laid out for a terminal: the verdict first, then findings by rule, then the commands that mend.

ASCII only, since a terminal's encoding is not always UTF-8. Commands are never broken: they are to be copied.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from npzschema.contracts import rules

from ..escape import escape
from ..findings import ArrayFacts, Finding, Report
from ..remedy import is_command
from ..words import axes, shape
from . import phrases
from .style import Style

_STYLES: Final = {
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "valid": "green",
    "violations": "bold red",
    "unreadable": "bold red",
}
_NARROWEST: Final = 20


def render(reports: Sequence[Report], style: Style, columns: int) -> str:
    page = _Page(style, columns)
    for report in reports:
        page.report(report)
    if len(reports) > 1:
        page.line(0, (phrases.total(reports), "bold"))
    return page.text()


class _Page:
    """What has been drawn so far. Texts are given as pairs of words and their style, never as rich's markup."""

    def __init__(self, style: Style, columns: int) -> None:
        self._style = style
        self._columns = max(columns, _NARROWEST)
        self._stream = io.StringIO()
        self._console = Console(
            file=self._stream,
            width=self._columns,
            force_terminal=style.colour,
            color_system="standard" if style.colour else None,
            no_color=not style.colour,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self) -> str:
        return self._stream.getvalue()

    def line(self, indent: int, *parts: tuple[str, str], whole: bool = False) -> None:
        """A line, broken where the terminal ends unless it is to stay whole. Further lines are set in by two."""
        text = Text()
        for words, style in parts:
            text.append(escape(words), style)
        lines = [text] if whole else text.wrap(self._console, max(self._columns - indent - 2, _NARROWEST - 2))
        for at, one in enumerate(lines):
            one.rstrip()
            self._console.print(Text(" " * (indent + 2 * (at > 0))) + one, soft_wrap=True)

    def blank(self) -> None:
        self._console.print()

    def report(self, report: Report) -> None:
        shown = [finding for finding in report.findings if self._style.shows(finding)]
        if report.verdict != "unreadable" and not shown and self._style.verbosity < 0:
            return
        about = "; ".join([*phrases.counts(report.findings), *phrases.context(report)])
        self.line(0, (report.path, "bold"), ("  ", ""), (report.verdict, _STYLES[report.verdict]), (f"  {about}", ""))
        commands: dict[str, list[str]] = {}
        for findings in _groups(shown):
            self._group(findings, commands)
        for command, codes in commands.items():
            self.blank()
            self.line(2, ("Mend ", "bold"), (", ".join(codes), ""))
            self.line(4, (command, "bold"), whole=True)
        if self._style.verbosity > 0:
            self._facts(report)
        if shown or self._style.verbosity > 0:
            self.blank()

    def _group(self, findings: Sequence[Finding], commands: dict[str, list[str]]) -> None:
        first = findings[0]
        rule = rules()[first.code]
        self.blank()
        self.line(2, (f"{first.code} {first.level}", _STYLES[first.level]), (f"  {rule.title}", "bold"))
        remedies: dict[str, None] = {}
        for finding in findings:
            self.line(4, (finding.message, ""))
            evidence = finding.evidence and f"evidence: {finding.evidence}"
            for part in (phrases.known(finding), phrases.frames(finding), evidence):
                if part:
                    self.line(6, (part, "dim"))
            if is_command(finding):
                codes = commands.setdefault(finding.remedy, [])
                if finding.code not in codes:
                    codes.append(finding.code)
            else:
                remedies.setdefault(finding.remedy)
        if self._style.verbosity > 0:
            self.line(4, ("why: ", "bold"), (rule.why, ""))
        for remedy in remedies:
            self.line(4, ("what to do: ", "bold"), (remedy, ""))

    def _facts(self, report: Report) -> None:
        if report.contract_reason:
            self.blank()
            self.line(2, ("contract ", "bold"), (f"{report.contract}: {report.contract_reason}", ""))
        if report.arrays:
            self.blank()
            self._arrays(list(report.arrays.values()))
        if report.notes:
            self.blank()
            for note in report.notes:
                self.line(2, ("note ", "bold"), (note, ""))

    def _arrays(self, arrays: Sequence[ArrayFacts]) -> None:
        table = _table(arrays)
        wide = self._console.options.update(width=10_000)
        if self._console.measure(table, options=wide).maximum + 2 <= self._columns:
            with self._console.capture() as drawn:
                self._console.print(table)
            for row in drawn.get().splitlines():
                self._stream.write(f"  {row.rstrip()}\n")
        else:
            for facts in arrays:
                self.line(2, (phrases.array(facts), ""))


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Findings of one rule and level together, in the order of the report: the gravest first."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.level), []).append(finding)
    yield from groups.values()


def _table(arrays: Sequence[ArrayFacts]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("array", "dtype", "shape", "axes", "order"):
        table.add_column(name, no_wrap=True)
    for name in ("minimum", "maximum", "mean"):
        table.add_column(name, no_wrap=True, justify="right")
    for facts in arrays:
        told = dict(phrases.numbers(facts))
        cells = [facts.name, facts.dtype, shape(facts.shape), axes(facts.axes) if facts.axes else "", facts.order]
        cells += [told.get(name, "") for name in ("minimum", "maximum", "mean")]
        table.add_row(*[Text(escape(cell)) for cell in cells])
    return table
