"""JSON, as contracts/report.schema.json describes it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from npzschema import __version__

from ..escape import escape_all
from ..findings import ArrayFacts, Finding, Report
from .style import Style


def render(reports: Sequence[Report], style: Style) -> str:
    # ASCII, with the rest as escapes: right in whatever encoding it is written.
    return json.dumps(document(reports, pictures=style.pictures), indent=2, allow_nan=False) + "\n"


def document(reports: Sequence[Report], *, pictures: bool = True) -> dict[str, Any]:
    """The whole report as JSON values. Whatever comes from a file is escaped as in the text report."""
    verdicts = Counter(report.verdict for report in reports)
    levels = Counter(finding.level for report in reports for finding in report.findings)
    return {
        "tool": {"name": "npzschema", "version": __version__},
        "files": [file(report, pictures=pictures) for report in reports],
        "summary": {
            "files": len(reports),
            **{verdict: verdicts[verdict] for verdict in ("valid", "violations", "unreadable")},
            "findings": {level: levels[level] for level in ("error", "warning", "info")},
        },
    }


def file(report: Report, *, pictures: bool = True) -> dict[str, Any]:
    """One file as JSON values: ``$defs/file`` of the schema."""
    contract = {"id": report.contract, "version": report.contract_version, "reason": report.contract_reason}
    escaped: dict[str, Any] = escape_all(
        {
            "path": report.path,
            "verdict": report.verdict,
            "contract": contract if report.contract is not None else None,
            "recognised": report.recognised,
            "binding": report.binding,
            "headers_only": report.headers_only,
            "arrays": {name: _array(facts) for name, facts in report.arrays.items()},
            "findings": [_finding(finding) for finding in report.findings],
            "notes": report.notes,
            **(_pictures(report) if pictures else {}),
        }
    )
    return escaped


def _pictures(report: Report) -> dict[str, Any]:
    """Absent where nobody asked for them."""
    if report.pictures is None:
        return {}
    from ..pictures.encoding import encoded

    return {"pictures": [encoded(picture) for picture in report.pictures]}


def _array(facts: ArrayFacts) -> dict[str, Any]:
    return {
        "dtype": facts.dtype,
        "shape": facts.shape,
        "axes": facts.axes,
        "reads_as": facts.reads_as,
        "quantity": facts.quantity,
        "order": facts.order,
        "statistics": {
            name: value
            for name, value in facts.statistics.items()
            if not isinstance(value, float) or math.isfinite(value)
        },
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": finding.level,
        "array": finding.array,
        "pointer": finding.pointer,
        "place": finding.place,
        "message": finding.message,
        "expected": finding.expected,
        "found": finding.found,
        "evidence": finding.evidence,
        "frames": finding.frames,
        "remedy": finding.remedy,
        "fix": finding.fix,
        "known": finding.known,
    }
