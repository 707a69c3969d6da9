"""The text report: plain in pipes and files, laid out on a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from npzschema.validator.escape import escape
from npzschema.validator.reporters import REPORTERS, Style

from . import samples

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def drawn(*reports, columns=80, **style):
    return REPORTERS["text"].render(reports, Style(columns=columns, **style))


def plain(*reports, **style):
    return REPORTERS["text"].render(reports, Style(**style))


def flowing(text):
    return " ".join(text.split())


def test_plain_text_is_a_line_a_finding():
    assert plain(*samples.ALL) == (
        "good.npz  valid  ptychopinn/canonical 1.0.0; N=100 H=64\n"
        "warned.npz  SCAN-005 warning  diffraction: 2 of 100 frames are blank\n"
        "            frames 3, 17. Drop the frame with its position.\n"
        "warned.npz  valid  1 warning; ptychopinn/canonical 1.0.0; N=100 H=64\n"
        "legacy.npz  FORMAT-001 error  diffraction: axes are (H, W, N)\n"
        f"            evidence: 100 positions. Mend: {samples.MEND}\n"
        "legacy.npz  DTYPE-001 error  probeGuess: is complex128\n"
        "legacy.npz  violations  2 errors; ptychopinn/canonical 1.0.0; N=100 H=64\n"
        "broken.npz  FILE-002 error  no directory at its end\n"
        "            Copy or download the file again and compare the sizes.\n"
        "broken.npz  unreadable  1 error\n"
    )


def test_a_terminal_tells_what_is_known_where_everything_is_asked_for():
    first, *others = samples.LEGACY.findings
    report = replace(samples.LEGACY, findings=(replace(first, known="old file"), *others))
    assert f"{first.message}\n      known: old file.\n" in drawn(report, verbosity=1)
    assert "known: old file." in plain(report, verbosity=1)
    assert first.message not in drawn(report)


def test_a_terminal_shows_the_verdict_first_and_the_command_last():
    assert drawn(samples.GOOD, samples.LEGACY) == (
        "good.npz  valid  ptychopinn/canonical 1.0.0; N=100 H=64\n"
        "legacy.npz  violations  2 errors; ptychopinn/canonical 1.0.0; N=100 H=64\n"
        "\n"
        "  FORMAT-001 error  Axes are stored in another order, such as the legacy one\n"
        "    diffraction: axes are (H, W, N)\n"
        "      evidence: 100 positions\n"
        "\n"
        "  DTYPE-001 error  Wrong dtype\n"
        "    probeGuess: is complex128\n"
        "\n"
        "  Mend FORMAT-001, DTYPE-001\n"
        f"    {samples.MEND}\n"
        "\n"
        "2 files: 1 valid, 1 with violations; 2 errors\n"
    )


def test_findings_of_one_rule_stand_together():
    told = drawn(
        samples.report(
            "a.npz",
            samples.finding("DTYPE-001", message="first"),
            samples.finding("SHAPE-001", message="second"),
            samples.finding("DTYPE-001", message="third"),
        )
    )
    assert told.count("DTYPE-001") == 1
    assert told.index("first") < told.index("third") < told.index("second")


def test_verbose_adds_facts():
    quiet, verbose = drawn(samples.WARNED), drawn(samples.WARNED, columns=100, verbosity=1)
    for fact in ("why: ", "KEY-003", "(100, 64, 64)", "(N, H, W)", "7.25", "the default; the file declares none"):
        assert fact not in quiet
        assert fact in verbose
    assert "forward model not asked: there is no probe" in flowing(verbose)
    header, row = (line.split() for line in verbose.splitlines() if re.match(r" *(array|diffraction) .*", line))
    assert header == ["array", "dtype", "shape", "axes", "order", "minimum", "maximum", "mean"]
    assert row[0] == "diffraction"
    # Where the table does not fit, the same is told in lines.
    narrow = drawn(samples.WARNED, columns=40, verbosity=1)
    assert "minimum 0, maximum 7.25, mean 0.5" in flowing(narrow)


def test_quiet_tells_errors_only():
    assert drawn(samples.GOOD, verbosity=-1) == ""
    told = drawn(*samples.ALL, verbosity=-1)
    assert "SCAN-005" not in told
    assert "FORMAT-001" in told


@pytest.mark.parametrize("columns", [0, 1, 20, 40, 80, 120])
@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_no_line_is_wider_than_the_terminal_but_commands(columns, verbosity):
    for line in drawn(*samples.ALL, columns=columns, verbosity=verbosity).splitlines():
        assert cell_len(line) <= max(columns, 24) or line == f"    {samples.MEND}"
        assert line == line.rstrip()


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_every_word_is_there_whatever_the_width(columns):
    told = flowing(drawn(*samples.ALL, columns=columns))
    for report in samples.ALL:
        for finding in report.findings:
            if finding.level != "info":
                assert finding.message in told
                assert finding.remedy in told


def test_colour_changes_nothing_else():
    for verbosity in (-1, 0, 1):
        painted = drawn(*samples.ALL, verbosity=verbosity, colour=True)
        assert "\x1b[" in painted
        assert ANSI.sub("", painted) == drawn(*samples.ALL, verbosity=verbosity)
        assert "\x1b" not in drawn(*samples.ALL, verbosity=verbosity)


@pytest.mark.parametrize("text", samples.HOSTILE)
@pytest.mark.parametrize("columns", [None, 40, 500])
def test_text_stays_text(text, columns):
    told = REPORTERS["text"].render([samples.hostile(text)], Style(columns=columns, verbosity=1, colour=True))
    lines = ANSI.sub("", told).split("\n")
    assert all(line.isprintable() for line in lines)
    if columns != 40:
        # Neither rich's markup nor its emoji codes are obeyed.
        assert sum(escape(text).strip() in line for line in lines) >= 6


@given(st.lists(samples.reports, max_size=3), st.integers(0, 200))
def test_any_report_on_any_terminal(reports, columns):
    for colour in (False, True):
        told = drawn(*reports, columns=columns, verbosity=1, colour=colour)
        assert all(line.isprintable() for line in ANSI.sub("", told).split("\n"))
    assert all(line.isprintable() for line in plain(*reports, verbosity=1).split("\n"))
