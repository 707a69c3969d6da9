"""Lines of keys and values in TOML: written out by hand, and compared with a text that is built line by line."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.toml_lines import line_of

TEXT = '''\
# a comment, with ignore = 3 in it
title = "x"

[tool.other]
ignore = """
[tool.npzschema]
ignore = 1
"""
[tool.npzschema]   # here
ignore = ["SCAN",
  # in between
  "KEY",

  "FILE"]
select = ["A", "B"]
text = """
more"""
levels.SCAN-002 = "error"
levels."KEY-003" = "off"
inline = {a = 1, b = [
  2,
  3]}

[tool.npzschema.files."raw/*.npz"]
contract = "x"
axes = {diffraction = ["H",
  "W"]}
[tool.npzschema.files.'old/']
contract = 'y'
'''
HERE = ("tool", "npzschema")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("title",), 2),
        (("tool", "other", "ignore"), 5),
        (HERE, 9),
        ((*HERE, "ignore"), 10),
        ((*HERE, "ignore", 0), 10),
        ((*HERE, "ignore", 1), 12),
        ((*HERE, "ignore", 2), 14),
        ((*HERE, "select"), 15),
        ((*HERE, "select", 1), 15),
        ((*HERE, "text"), 16),
        ((*HERE, "levels"), 18),
        ((*HERE, "levels", "SCAN-002"), 18),
        ((*HERE, "levels", "KEY-003"), 19),
        ((*HERE, "inline", "a"), 20),
        ((*HERE, "inline", "b", 1), 22),
        ((*HERE, "files"), 24),
        ((*HERE, "files", "raw/*.npz"), 24),
        ((*HERE, "files", "raw/*.npz", "contract"), 25),
        ((*HERE, "files", "raw/*.npz", "axes", "diffraction"), 26),
        ((*HERE, "files", "raw/*.npz", "axes", "diffraction", 1), 27),
        ((*HERE, "files", "old/", "contract"), 29),
        ((*HERE, "nothing"), 1),
        ((*HERE, "ignore", 7), 1),
    ],
)
def test_line(path, line):
    assert line_of(TEXT, path) == line


def test_windows_line_ends():
    assert line_of(TEXT.replace("\n", "\r\n"), (*HERE, "levels", "KEY-003")) == 19


VALUES = st.sampled_from(["1", '"a # b"', "'''\nx\n[y]\n'''", "[\n  1, # ]\n  2\n]", "{a = 1}", '"""\n"""'])
LINES = st.lists(st.one_of(VALUES, st.sampled_from(["", "# key = 1", "[table]"])), max_size=12)


@given(LINES)
def test_every_key_of_any_text_is_found(drawn):
    """Each value gets a key of its own, and the line that it was written on is known while writing."""
    text, expected, table = [], {}, ()
    for number, piece in enumerate(drawn):
        line = sum(one.count("\n") + 1 for one in text) + 1
        if piece == "[table]":
            table = (f"table{number}",)
            expected[table] = line
            text.append(f"[{table[0]}]")
        elif piece == "" or piece.startswith("#"):
            text.append(piece)
        else:
            expected[(*table, f"key{number}")] = line
            text.append(f"key{number} = {piece}")
    joined = "\n".join(text) + "\n"
    tomllib.loads(joined)
    assert {path: line_of(joined, path) for path in expected} == expected
