"""On which line of a TOML text a key or value begins. tomllib does not tell; it is asked about parts of the text."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

# What may be open where a line ends within a value: arrays and inline tables, two deep.
_CLOSERS: Final = tuple("".join(closers) for depth in (1, 2) for closers in product("]}", repeat=depth))


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, on which the key or value at ``path`` begins in a sound TOML text; 1 where it is not in it.

    A beginning of the text that is sound TOML holds the path or not, and once it does, all longer ones do: so the
    shortest is found by halving. A beginning that ends within a value is no sound TOML, and is cut back to one that is.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if not path or not _holds(lines, len(lines), path):
        return 1
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _holds(lines, _sound(lines, middle), path) else (middle, high)
    first = _sound(lines, low)
    # The statement that brings the path stands on the lines after `first`; an item of it may stand further down.
    for end in range(first + 1, high):
        for closers in _CLOSERS:
            document = _parsed([*lines[:end], closers])
            if document is not None and _reaches(document, path):
                return end
    return high if isinstance(path[-1], int) else first + 1


def _sound(lines: Sequence[str], end: int) -> int:
    """The longest beginning of at most ``end`` lines that is sound TOML."""
    while _parsed(lines[:end]) is None:
        end -= 1
    return end


def _holds(lines: Sequence[str], end: int, path: Sequence[str | int]) -> bool:
    return _reaches(_parsed(lines[:end]), path)


def _parsed(lines: Sequence[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def _reaches(node: Any, path: Sequence[str | int]) -> bool:
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
