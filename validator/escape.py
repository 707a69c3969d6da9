"""Untrusted text made safe to print: no control characters, no marks that change the direction of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def escape(text: str) -> str:
    r"""``text`` with everything that is not plainly visible written as an escape.

    Bytes of a file name that are no UTF-8 come back as ``\xff``.
    """
    if text.isprintable():
        # str.isprintable refuses control, format (bidirectional marks), surrogate and separator characters.
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def escape_all(value: Any) -> Any:
    """A JSON value with each text in it escaped, keys too. Tuples become lists."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(str(key)): escape_all(item) for key, item in value.items()}
    return [escape_all(item) for item in value] if isinstance(value, list | tuple) else value


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return named.get(char) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
