"""A small grammar for the Python literals of .npy headers: dict, tuple, list, text, integer, True, False, None.

Nothing is evaluated, nothing nests deeper than a header of numpy's ever does.
"""

from __future__ import annotations

import re
from typing import Any, Final

MAX_DEPTH: Final = 16

_TOKEN: Final = re.compile(
    r"""[ \t\r\n\f]*(?:
      (?P<number>-?(?:0|[1-9]\d*)(?!\d))(?P<long>L?)
    | (?P<text>[uU]?(?:'(?:[^'\\\n\r\0]|\\[^\n\r\0])*'|"(?:[^"\\\n\r\0]|\\[^\n\r\0])*"))
    | (?P<word>True|False|None)\b
    | (?P<mark>[{}()\[\],:])
    )""",
    re.VERBOSE | re.ASCII,
)
_NUMBER: Final = r"(?:0|[1-9]\d{0,17})"
_USUAL: Final = re.compile(
    r"\{'descr': '([<>|=]?\w+)', 'fortran_order': (True|False), "
    rf"'shape': \((|{_NUMBER},|{_NUMBER}(?:, {_NUMBER})+)\), \}} *\n?",
    re.ASCII,
)
"""A header as numpy has written it ever since: taken in one step, for the same value."""

_WORDS: Final = {"True": True, "False": False, "None": None}
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_SIMPLE: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}


class LiteralError(ValueError):
    """Not one of the literals that a header may hold."""


def parse(text: str, *, allow_long: bool = False) -> Any:
    """The value that ``text`` writes.

    Args:
        text: the header's text.
        allow_long: accept integers of Python 2, such as ``48L``.

    Raises:
        LiteralError: it is anything else.
    """
    if usual := _USUAL.fullmatch(text):
        descr, fortran, lengths = usual.groups()
        shape = tuple(map(int, lengths.rstrip(",").split(","))) if lengths else ()
        return {"descr": descr, "fortran_order": _WORDS[fortran], "shape": shape}
    # An expression that begins on a line of its own may not be indented: for Python it is none then.
    if (start := text.lstrip(" \t")) and start[0] in "\r\n\f":
        raise LiteralError("it does not begin on its first line")
    value, at = _Parser(text, allow_long).value(0, 0)
    if text[at:].strip(" \t\r\n\f"):
        raise LiteralError(f"{text[at:].strip()[:20]!r} follows the dictionary")
    # Nor may a last line be of blanks alone: a form feed begins it anew.
    _, *lines = re.split("[\r\n]", text[at:])
    if lines and lines[-1] and not lines[-1].endswith("\f"):
        raise LiteralError("a line of blanks follows the dictionary")
    return value


class _Parser:
    def __init__(self, text: str, allow_long: bool) -> None:
        self.text, self.allow_long = text, allow_long

    def token(self, at: int) -> tuple[str, Any, int]:
        match = _TOKEN.match(self.text, at)
        if match is None:
            rest = self.text[at : at + 20].strip()
            raise LiteralError(f"{rest!r} is not understood" if rest else "it ends too early")
        kind = match.lastgroup or ""
        if match["number"] is not None:
            if match["long"] and not self.allow_long:
                raise LiteralError(f"{match[0].strip()!r} is Python 2's")
            if len(match["number"]) > 30:
                raise LiteralError("a number has more than 30 digits")
            return "value", int(match["number"]), match.end()
        if kind == "text":
            return "value", _unquote(match["text"]), match.end()
        if kind == "word":
            return "value", _WORDS[match["word"]], match.end()
        return match["mark"], None, match.end()

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        if depth > MAX_DEPTH:
            raise LiteralError("nested too deeply")
        kind, value, at = self.token(at)
        if kind == "value":
            return value, at
        if kind == "{":
            if depth:
                raise LiteralError("a dictionary stands within another value")
            return self.mapping(at, depth)
        if kind == "(":
            items, at, comma = self.items(at, ")", depth)
            return (items[0] if len(items) == 1 and not comma else tuple(items)), at
        if kind == "[":
            items, at, _ = self.items(at, "]", depth)
            return items, at
        raise LiteralError(f"{kind!r} stands where a value is expected")

    def items(self, at: int, close: str, depth: int) -> tuple[list[Any], int, bool]:
        items: list[Any] = []
        comma = False
        while True:
            kind, _, after = self.token(at)
            if kind == close and (comma or not items):
                return items, after, comma
            item, at = self.value(at, depth + 1)
            items.append(item)
            kind, _, at = self.token(at)
            if kind == close:
                return items, at, False
            if kind != ",":
                raise LiteralError("a comma is missing")
            comma = True

    def mapping(self, at: int, depth: int) -> tuple[dict[Any, Any], int]:
        pairs: dict[Any, Any] = {}
        while True:
            kind, key, after = self.token(at)
            if kind == "}":
                return pairs, after
            if kind != "value" or not isinstance(key, str):
                raise LiteralError("a key is not text")
            if key in pairs:
                raise LiteralError(f"the key {key!r} stands twice")
            kind, _, at = self.token(after)
            if kind != ":":
                raise LiteralError("a colon is missing")
            pairs[key], at = self.value(at, depth + 1)
            kind, _, at = self.token(at)
            if kind == "}":
                return pairs, at
            if kind != ",":
                raise LiteralError("a comma is missing")


def _unquote(token: str) -> str:
    body = token.lstrip("uU")[1:-1]

    def replace(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        if digits:
            if int(digits, 16) > 0x10FFFF:
                raise LiteralError("an escape names no character")
            return chr(int(digits, 16))
        if match[4] not in _SIMPLE:
            raise LiteralError(f"the escape {match[0]!r} is not understood")
        return _SIMPLE[match[4]]

    return _ESCAPE.sub(replace, body)
