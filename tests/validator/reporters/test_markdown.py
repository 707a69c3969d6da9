"""Markdown, parsed by markdown-it: what is text in a file is text on the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from npzschema.validator.escape import escape
from npzschema.validator.reporters import REPORTERS, Style, markdown

from . import samples

HARMLESS = {"text", "code_inline", "strong_open", "strong_close", "html_inline", "softbreak", "text_special"}


def parsed(*reports, style=None):
    """Tokens of the page; nothing in it is a link, a picture, HTML or another mark than those that are meant."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(REPORTERS["markdown"].render(reports, style or Style()))
    for token in tokens:
        assert token.type not in {"html_block", "fence", "code_block", "hr", "blockquote_open"}
        for child in token.children or ():
            assert child.type in HARMLESS, child
            if child.type == "html_inline":
                assert child.content == "<!-- -->"
    return tokens


def rows(tokens):
    told, row = [], None
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            row = []
        elif token.type in {"td_open", "th_open"}:
            row.append("".join(child.content for child in tokens[at + 1].children if child.type != "html_inline"))
        elif token.type == "tr_close":
            told.append(row)
    return told


def test_files_findings_and_what_to_do():
    tokens = parsed(*samples.ALL)
    table = rows(tokens)
    assert table[0] == ["File", "Verdict", "Findings", "Contract"]
    assert table[1:5] == [
        ["good.npz", "valid", "", "ptychopinn/canonical"],
        ["warned.npz", "valid", "1 warning", "ptychopinn/canonical"],
        ["legacy.npz", "violations", "2 errors", "ptychopinn/canonical"],
        ["broken.npz", "unreadable", "1 error", ""],
    ]
    assert ["error", "FORMAT-001", "diffraction: axes are (H, W, N)", "100 positions"] in table
    assert ["warning", "SCAN-005", "diffraction: 2 of 100 frames are blank", "frames 3, 17"] in table
    assert not any(row[1] == "KEY-003" for row in table)
    assert any(row[1] == "KEY-003" for row in rows(parsed(*samples.ALL, style=Style(verbosity=1))))
    text = REPORTERS["markdown"].render(samples.ALL, Style())
    assert f"- FORMAT-001, DTYPE-001: `{samples.MEND}`\n" in text
    assert text.startswith("# npzschema\n\n4 files: 2 valid, 1 with violations, 1 unreadable; 3 errors, 1 warning\n")


def test_quiet_leaves_out_what_passes():
    text = REPORTERS["markdown"].render(samples.ALL, Style(verbosity=-1))
    assert "## `good.npz`" not in text
    assert "## `warned.npz`" not in text
    assert "SCAN-005" not in text
    assert "## `legacy.npz`" in text


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_text_stays_text(text):
    for reports in ([samples.hostile(text)], [samples.hostile(text), samples.GOOD]):
        table = rows(parsed(*reports, style=Style(verbosity=1)))
        cells = [row for row in table if row[0] in {"error", "warning"}]
        assert [row[:2] for row in cells] == [["error", "FORMAT-001"], ["warning", "SCAN-005"]]
        assert all(row[2] == escape(text).strip() for row in cells)


@pytest.mark.parametrize("text", [one for one in samples.HOSTILE if one.strip()])
def test_code_is_what_it_was(text):
    (paragraph,) = [one for one in MarkdownIt().parse(f"x {markdown.code(text)} x") if one.children]
    assert [child.content for child in paragraph.children if child.type == "code_inline"] == [escape(text)]


@given(st.lists(samples.reports, max_size=3))
def test_any_report(reports):
    tokens = parsed(*reports, style=Style(verbosity=1))
    assert sum(token.type == "heading_open" for token in tokens) == 1 + len(reports)
    assert all(len(row) == 4 for row in rows(tokens))
