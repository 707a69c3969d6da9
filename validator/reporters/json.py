"""JSON, as contracts/report.schema.json describes it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from npzschema import __version__

from ..escape import escape
from ..findings import ArrayFacts, Finding, Report
from .style import Style


def render(reports: Sequence[Report], style: Style) -> str:
    return json.dumps(document(reports), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def document(reports: Sequence[Report]) -> dict[str, Any]:
    """The whole report as JSON values. Names and paths are escaped as in the text report."""
    verdicts = Counter(report.verdict for report in reports)
    levels = Counter(finding.level for report in reports for finding in report.findings)
    return {
        "tool": {"name": "npzschema", "version": __version__},
        "files": [_file(report) for report in reports],
        "summary": {
            "files": len(reports),
            **{verdict: verdicts[verdict] for verdict in ("valid", "violations", "unreadable")},
            "findings": {level: levels[level] for level in ("error", "warning", "info")},
        },
    }


def _file(report: Report) -> dict[str, Any]:
    return {
        "path": escape(report.path),
        "verdict": report.verdict,
        "contract": {
            "id": report.contract,
            "version": report.contract_version,
            "reason": escape(report.contract_reason),
        }
        if report.contract
        else None,
        "recognised": list(report.recognised),
        "binding": dict(report.binding),
        "headers_only": report.headers_only,
        "arrays": {escape(name): _array(facts) for name, facts in report.arrays.items()},
        "findings": [_finding(finding) for finding in report.findings],
        "notes": [escape(note) for note in report.notes],
        **_pictures(report),
    }


def _pictures(report: Report) -> dict[str, Any]:
    """Absent where nobody asked for them."""
    if report.pictures is None:
        return {}
    from ..pictures.encoding import encoded

    return {"pictures": [_escaped(encoded(picture)) for picture in report.pictures]}


def _array(facts: ArrayFacts) -> dict[str, Any]:
    return {
        "dtype": facts.dtype,
        "shape": list(facts.shape),
        "axes": list(facts.axes) if facts.axes is not None else None,
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
        "array": escape(finding.array) if finding.array is not None else None,
        "pointer": finding.pointer,
        "message": escape(finding.message),
        "expected": escape(finding.expected),
        "found": escape(finding.found),
        "evidence": escape(finding.evidence),
        "frames": list(finding.frames),
        "remedy": escape(finding.remedy),
        "fix": _escaped(finding.fix) if finding.fix is not None else None,
        "known": escape(finding.known) if finding.known is not None else None,
    }


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value
