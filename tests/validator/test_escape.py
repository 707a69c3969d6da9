from __future__ import annotations

import os
import unicodedata

import pytest

from npzschema.validator.escape import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain.npz", "plain.npz"),
        ("", ""),
        ("Größe μ 数据 🙂", "Größe μ 数据 🙂"),
        ("a b", "a b"),
        ("a\nb", "a\\nb"),
        ("a\r\tb", "a\\r\\tb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\0", "\\x00"),
        ("\x7f", "\\x7f"),
        ("\x9b", "\\x9b"),
        ("\u202e", "\\u202e"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("\u200b", "\\u200b"),
        ("\ufeff", "\\ufeff"),
        ("\u2028", "\\u2028"),
        ("\u00a0", "\\xa0"),
        ("\u00ad", "\\xad"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_escape(text, shown):
    assert escape(text) == shown


def test_bytes_that_are_no_utf8():
    assert escape(os.fsdecode(b"a\xff\x80.npz")) == "a\\xff\\x80.npz"


def test_every_character_that_a_terminal_or_reader_obeys_is_escaped():
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            shown = escape(char)
            assert shown.startswith("\\")
            assert shown.isascii()
