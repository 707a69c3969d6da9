"""Workflow commands, read back as the runner reads them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.escape import escape
from npzschema.validator.reporters import REPORTERS, Style, github

from . import samples

COMMAND = re.compile(
    r"::(?P<command>error|warning|notice) file=(?P<file>[^,:]*),title=(?P<title>[^,:]*)::(?P<message>.*)"
)
LAST = re.compile(r"npzschema: \d+ files?: [a-z0-9 ,;]*")


def decoded(text):
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def annotations(*reports, style=None):
    """Every line but the last is one command; whatever could begin another is encoded."""
    *lines, last, end = REPORTERS["github"].render(reports, style or Style()).split("\n")
    assert end == ""
    assert LAST.fullmatch(last)
    matches = [COMMAND.fullmatch(line) for line in lines]
    assert all(matches)
    assert all(line.isprintable() for line in lines)
    return [{name: decoded(value) for name, value in match.groupdict().items()} for match in matches]


def test_an_annotation_a_finding():
    told = annotations(*samples.ALL)
    assert [(one["command"], one["file"], one["title"]) for one in told] == [
        ("warning", "warned.npz", "SCAN-005 diffraction"),
        ("error", "legacy.npz", "FORMAT-001 diffraction"),
        ("error", "legacy.npz", "DTYPE-001 probeGuess"),
        ("error", "broken.npz", "FILE-002"),
    ]
    assert told[1]["message"].split("\n") == [
        "diffraction: axes are (H, W, N)",
        "evidence: 100 positions",
        f"Mend: {samples.MEND}",
    ]
    assert len(annotations(*samples.ALL, style=Style(verbosity=1))) == 5
    assert len(annotations(*samples.ALL, style=Style(verbosity=-1))) == 3


def test_the_last_line_counts():
    text = REPORTERS["github"].render(samples.ALL, Style())
    assert text.splitlines()[-1] == (
        "npzschema: 4 files: 2 valid, 1 with violations, 1 unreadable; 3 errors, 1 warning"
    )


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_no_text_begins_a_command(text):
    first, second = annotations(samples.hostile(text))
    shown = escape(text)
    for one in (first, second):
        assert one["file"] == shown
        assert one["message"].split("\n")[0] == shown
    # The old form of commands is looked for anywhere in a line, but only where the line is no command of this form.
    assert first["command"] == "error"


@given(st.lists(samples.reports, max_size=3))
def test_any_report(reports):
    assert len(annotations(*reports, style=Style(verbosity=1))) == sum(len(report.findings) for report in reports)


def test_a_summary_that_is_too_long_is_cut_at_a_line():
    many = [samples.report(f"data/scan_{number:05}.npz", *samples.LEGACY.findings) for number in range(4000)]
    whole = REPORTERS["markdown"].render(many, Style())
    assert len(whole.encode()) > 1024 * 1024
    cut = github.summary(many, Style())
    assert len(cut.encode()) < 1024 * 1024
    kept, told = cut.rsplit("\n\n", 1)
    assert whole.startswith(f"{kept}\n")
    assert told.startswith("**Cut here:**")
    assert github.summary(samples.ALL, Style()) == REPORTERS["markdown"].render(samples.ALL, Style())
