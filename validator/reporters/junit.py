"""JUnit XML, as Jenkins, GitLab and others read it: a suite a file, a failed case a finding that fails.

There is no standard; these are the elements and attributes that readers agree on.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from npzschema.contracts import rules

from ..escape import escape
from ..findings import Finding, Report
from .phrases import context, counts, details
from .style import Style


def render(reports: Sequence[Report], style: Style) -> str:
    suites = [_suite(report, style) for report in reports]
    root = ET.Element("testsuites", {"name": "npzschema", **_sum(suites)})
    root.extend(suites)
    ET.indent(root)
    # ASCII, with the rest as character references: right in whatever encoding it is written.
    text: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode("ascii") + "\n"


def _sum(suites: Sequence[ET.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in ("tests", "failures", "errors")}


def _suite(report: Report, style: Style) -> ET.Element:
    path = escape(report.path)
    failing: list[Finding] = []
    others: list[Finding] = []
    for finding in report.findings:
        fails = style.fails(finding) or rules()[finding.code].unreadable
        (failing if fails else others).append(finding)
    broken = sum(rules()[finding.code].unreadable for finding in failing)
    suite = ET.Element(
        "testsuite",
        {
            "name": path,
            "tests": str(max(len(failing), 1)),
            "failures": str(len(failing) - broken),
            "errors": str(broken),
            "skipped": "0",
        },
    )
    for finding in failing:
        suite.append(_case(path, finding))
    if not failing:
        ET.SubElement(suite, "testcase", {"classname": path, "name": escape(f"keeps {report.contract}")})
    # What does not fail is told, but not counted.
    told = [_line(finding) for finding in others if style.shows(finding)]
    lines = [f"{report.verdict}: " + "; ".join([*counts(report.findings), *context(report)]), *told, *report.notes]
    ET.SubElement(suite, "system-out").text = "\n".join(map(escape, lines))
    return suite


def _case(path: str, finding: Finding) -> ET.Element:
    name = f"{finding.code} {finding.array}" if finding.array else finding.code
    case = ET.Element("testcase", {"classname": path, "name": escape(name)})
    kind = "error" if rules()[finding.code].unreadable else "failure"
    fault = ET.SubElement(case, kind, {"type": finding.code, "message": escape(finding.message)})
    fault.text = "\n".join(map(escape, [finding.message, *details(finding)]))
    return case


def _line(finding: Finding) -> str:
    return f"{finding.code} {finding.level}  {finding.message}"
