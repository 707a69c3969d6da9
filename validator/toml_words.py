"""What is wrong with a text that is no TOML: where, and what to do, in words of this tool."""

from __future__ import annotations

import tomllib
from typing import Final, NamedTuple

from npzschema.contracts.shortening import short

LONGEST: Final = 60
"""Characters of the line that are shown."""

_TWICE: Final = "this key or table is there already; keep one of the two"
_QUOTE: Final = "a text does not end on its line: the closing quote is missing"
_ESCAPE: Final = "no such escape in a text; write paths with / or in single quotes"

# How messages of tomllib begin, the longer first. What a later version words otherwise is passed on as it is.
_WORDS: Final = (
    ("invalid statement", "neither a key nor a [table] begins so; write key = value"),
    ("expected newline", "a line holds one key and its value; a text of several words stands in quotes"),
    ("expected '='", "= is missing after the key; write key = value"),
    ("expected \"'", _QUOTE),
    ("expected ']", "a heading is not closed: ] is missing"),
    ("invalid initial character", "no key begins so; put a pattern in quotes, and close { } on one line"),
    ("cannot ", _TWICE),
    ("duplicate inline table key", _TWICE),
    ("unclosed array", "a list is not closed: ] or a comma is missing"),
    ("unclosed inline table", "a table in braces is not closed: } or a comma is missing"),
    ("unescaped '\\'", _ESCAPE),
    ("invalid hex value", _ESCAPE),
    ("escaped character", _ESCAPE),
    ("unterminated string", _QUOTE),
    (r"illegal character '\n'", _QUOTE),
    ("illegal character", "a control character; delete it"),
    ("found invalid character", "a control character; delete it"),
    ("invalid date", "no such date or time; a text stands in quotes"),
    ("invalid value", "no value, or none that TOML knows; a text stands in quotes"),
)


class Wrong(NamedTuple):
    """``line``: from 1; ``what``: one line of words."""

    line: int
    what: str


def wrong(error: tomllib.TOMLDecodeError, text: str) -> Wrong:
    """The place and the words of an error that tomllib raised for this text."""
    said, _, place = str(error).rpartition(" (at ")
    number = place.removeprefix("line ").partition(",")[0]
    lines = text.rstrip().split("\n")
    line = int(number) if number.isdecimal() else len(lines)
    told = (said or str(error)).lower()
    words = next((ours for theirs, ours in _WORDS if told.startswith(theirs)), told)
    shown = short(lines[line - 1].strip(), LONGEST) if line <= len(lines) else ""
    return Wrong(line, f"not TOML: {words}" + (f": {shown}" if shown else ""))
