"""Workflow commands of GitHub Actions: an annotation a finding, and a summary of the step.

Only lines that begin with a command hold text from files, so that no name in a file can begin one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..escape import escape
from ..findings import Finding, Report
from . import markdown
from .phrases import details, total
from .style import Style

_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}
# GitHub refuses a summary of more than 1 MiB as a whole. What other commands of the step wrote counts as well.
_LARGEST: Final = 900 * 1024


def render(reports: Sequence[Report], style: Style) -> str:
    lines = [_annotation(report, one) for report in reports for one in report.findings if style.shows(one)]
    return "\n".join([*lines, f"npzschema: {total(reports)}"]) + "\n"


def summary(reports: Sequence[Report], style: Style) -> str:
    """The summary of the step, in Markdown, cut at the end of a line where it is too long."""
    text = markdown.render(reports, style)
    held = text.encode()
    if len(held) <= _LARGEST:
        return text
    kept = held[: held.rindex(b"\n", 0, _LARGEST) + 1].decode()
    return (
        f"{kept}\n**Cut here:** GitHub takes no more. Another report, such as `--report json=FILE`, holds the rest.\n"
    )


def _annotation(report: Report, finding: Finding) -> str:
    title = f"{finding.code} {finding.array}" if finding.array else finding.code
    message = "\n".join(map(escape, [finding.message, *details(finding)]))
    place = f"file={_property(report.path)},title={_property(title)}"
    return f"::{_COMMANDS[finding.level]} {place}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escape(text)).replace(":", "%3A").replace(",", "%2C")
