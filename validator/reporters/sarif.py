"""SARIF 2.1.0, as code scanning reads it: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from npzschema import __version__
from npzschema.contracts import Rule, rules

from ..escape import escape, escape_all
from ..findings import Finding, Report
from .phrases import details
from .style import Style

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}


def render(reports: Sequence[Report], style: Style) -> str:
    indices = {code: at for at, code in enumerate(rules())}
    run = {
        "tool": {
            "driver": {
                "name": "npzschema",
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in rules().values()],
            }
        },
        "invocations": [
            {
                "executionSuccessful": all(report.verdict != "unreadable" for report in reports),
                "toolExecutionNotifications": [
                    notification
                    for at, report in enumerate(reports)
                    for notification in _notifications(report, at, indices)
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "artifacts": [_artifact(report, at) for at, report in enumerate(reports)],
        "results": [
            _result(finding, report, at, indices) for at, report in enumerate(reports) for finding in report.findings
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    told = (("Why", rule.why), ("What to do", rule.remedy), ("Example", rule.example))
    return {
        "id": rule.code,
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.why),
        "help": {
            "text": _text("\n\n".join(f"{word}: {text}" for word, text in told)),
            "markdown": _text("\n\n".join(f"**{word}:** {text}" for word, text in told)),
        },
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"tags": [rule.family]},
    }


def _artifact(report: Report, at: int) -> dict[str, Any]:
    return {
        "location": {"uri": _uri(report.path)},
        "roles": ["analysisTarget"],
        "properties": escape_all(
            {
                # The same file may be named twice, but no two artifacts may be alike.
                "position": at,
                "verdict": report.verdict,
                "contract": report.contract,
                "contractVersion": report.contract_version,
                "recognised": report.recognised,
                "binding": report.binding,
                "headersOnly": report.headers_only,
            }
        ),
    }


def _result(finding: Finding, report: Report, at: int, indices: dict[str, int]) -> dict[str, Any]:
    fingerprint = _fingerprint(finding)
    return {
        "ruleId": finding.code,
        "ruleIndex": indices[finding.code],
        "level": _LEVELS[finding.level],
        "message": _message(*[finding.message, *details(finding)]),
        "locations": [_location(report, at, finding.array)],
        **_suppressed(finding),
        # The second is the one that code scanning on GitHub tells alerts apart by, within a rule and a file.
        "partialFingerprints": {"codeArrayPointer/v1": fingerprint, "primaryLocationLineHash": f"{fingerprint}:1"},
        "properties": escape_all(
            {
                "pointer": finding.pointer,
                "place": finding.place,
                "expected": finding.expected,
                "found": finding.found,
                "frames": finding.frames,
                "fix": finding.fix,
            }
        ),
    }


def _suppressed(finding: Finding) -> dict[str, Any]:
    """What the baseline knows is told, and no alert."""
    if finding.known is None:
        return {}
    return {"suppressions": [{"kind": "external", "justification": escape(finding.known)}]}


def _notifications(report: Report, at: int, indices: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Why a file could not be checked, and what was not checked of one that could."""
    for finding in report.findings:
        if rules()[finding.code].unreadable:
            yield {
                "level": "error",
                "message": _message(finding.message),
                "locations": [_location(report, at, finding.array)],
                "associatedRule": {"id": finding.code, "index": indices[finding.code]},
            }
    for note in report.notes:
        yield {"level": "note", "message": _message(note), "locations": [_location(report, at, None)]}


def _location(report: Report, at: int, array: str | None) -> dict[str, Any]:
    # An archive has no lines, but code scanning on GitHub shows nothing that names none.
    physical = {"artifactLocation": {"uri": _uri(report.path), "index": at}, "region": {"startLine": 1}}
    if array is None:
        return {"physicalLocation": physical}
    name = escape(array)
    return {"physicalLocation": physical, "logicalLocations": [{"name": name, "fullyQualifiedName": name}]}


def _fingerprint(finding: Finding) -> str:
    """Stays the same while messages and numbers change."""
    parts = (finding.code, finding.array or "", finding.pointer, *filter(None, [finding.place]))
    return hashlib.sha256("\0".join(map(escape, parts)).encode()).hexdigest()[:32]


def _uri(path: str) -> str:
    """A relative path stays relative; whatever has a meaning in a URI is percent-encoded."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        path = escape(path)
    return PurePath(path).as_uri() if os.path.isabs(path) else quote(os.fsencode(path.replace(os.sep, "/")))


def _message(*lines: str) -> dict[str, str]:
    return {"text": _text("\n".join(map(escape, lines)))}


def _text(text: str) -> str:
    """Section 3.11 of the standard: braces name arguments, and ``[text](target)`` is a link, in plain text too."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")
