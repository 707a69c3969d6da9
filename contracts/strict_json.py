"""JSON read strictly: no duplicate keys, no NaN, no number that a float cannot hold, no half a character."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none, with what is wrong in one line.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_float=functools.partial(_number, float),
            parse_int=functools.partial(_number, int),
        )
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair, which is no character") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    return value


def _pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in items:
        if key in made:
            raise ValueError(f"the key {_say(key)} stands twice in one object")
        made[key] = value
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(kind: Callable[[str], Any], digits: str) -> Any:
    # Before it is made an integer: Python refuses very long ones by itself.
    if math.isinf(float(digits)):
        raise ValueError(f"the number {_say(digits, quoted=False)} is too large")
    return kind(digits)


def _say(text: str, *, quoted: bool = True) -> str:
    short = text if len(text) <= 40 else text[:39] + "…"
    return repr(short) if quoted else short
