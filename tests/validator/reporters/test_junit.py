"""JUnit XML, as an independent reader takes it."""

from __future__ import annotations

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.escape import escape
from npzschema.validator.reporters import REPORTERS, Style

from . import samples


def suites(*reports, style=None):
    read = junitparser.JUnitXml.fromstring(REPORTERS["junit"].render(reports, style or Style()).encode())
    told = list(read)
    for suite in told:
        cases = list(suite)
        outcomes = [type(one) for case in cases for one in case.result]
        assert (suite.tests, suite.failures, suite.errors) == (
            len(cases),
            outcomes.count(junitparser.Failure),
            outcomes.count(junitparser.Error),
        )
    assert (read.tests, read.failures, read.errors) == tuple(
        sum(getattr(suite, name) for suite in told) for name in ("tests", "failures", "errors")
    )
    return told


def outcomes(suite):
    return [(case.name, [type(one).__name__ for one in case.result]) for case in suite]


def test_a_suite_a_file_and_a_case_a_finding_that_fails():
    good, warned, legacy, broken = suites(*samples.ALL)
    assert [suite.name for suite in (good, warned, legacy, broken)] == [report.path for report in samples.ALL]
    assert outcomes(good) == [("keeps ptychopinn/canonical", [])]
    assert outcomes(warned) == [("keeps ptychopinn/canonical", [])]
    assert outcomes(legacy) == [("FORMAT-001 diffraction", ["Failure"]), ("DTYPE-001 probeGuess", ["Failure"])]
    assert outcomes(broken) == [("FILE-002", ["Error"])]
    assert "SCAN-005 warning  diffraction: 2 of 100 frames are blank" in warned._elem.findtext("system-out")
    (failure,) = next(iter(legacy)).result
    assert (failure.type, failure.message) == ("FORMAT-001", "diffraction: axes are (H, W, N)")
    assert failure.text.splitlines()[1:] == ["evidence: 100 positions", f"Mend: {samples.MEND}"]


def test_what_fails_follows_fail_on():
    (suite,) = suites(samples.WARNED, style=Style(fail_on="warning"))
    assert outcomes(suite) == [("SCAN-005 diffraction", ["Failure"])]
    (suite,) = suites(samples.WARNED, style=Style(fail_on="info"))
    assert outcomes(suite) == [("SCAN-005 diffraction", ["Failure"]), ("KEY-003 extra", ["Failure"])]


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_text_stays_text(text):
    (suite,) = suites(samples.hostile(text))
    shown = escape(text)
    assert suite.name == shown
    case = next(iter(suite))
    assert (len(list(suite)), case.classname) == (1, shown)
    assert case.name == (f"FORMAT-001 {shown}" if text else "FORMAT-001")
    (failure,) = case.result
    assert failure.message == shown
    assert failure.text.split("\n")[0] == shown


@given(st.lists(samples.reports, max_size=3))
def test_any_report_is_well_formed(reports):
    assert [suite.name for suite in suites(*reports)] == [escape(report.path) for report in reports]
