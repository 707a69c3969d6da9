"""JSON read strictly: no duplicate keys, no NaN, no number that a float cannot hold, no half a character."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any, Final, Literal

from .shortening import short

Flaw = Literal["syntax", "nesting", "constant", "number", "key", "character"]

_WORDS: Final[dict[Flaw, str]] = {
    "syntax": "not JSON: {}",
    "nesting": "nested too deeply",
    "constant": "{} is not JSON",
    "number": "the number {} is too large",
    "key": "the key {} stands twice in one object",
    "character": "holds half a surrogate pair, which is no character",
}


class StrictJsonError(ValueError):
    """A text is refused. One line says what is wrong; ``flaw`` and ``found`` are for a caller with words of its own."""

    def __init__(self, flaw: Flaw, found: str = "") -> None:
        super().__init__(_WORDS[flaw].format(found))
        self.flaw: Flaw = flaw
        self.found = found


def parse(text: str | bytes, *, most_digits: int | None = None) -> Any:
    """The value of a JSON text; of bytes, in an encoding that JSON allows.

    Args:
        most_digits: of an integer, the sign included; None: as many as a float can hold.

    Raises:
        StrictJsonError: it is none.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_float=functools.partial(_number, float, None),
            parse_int=functools.partial(_number, int, most_digits),
        )
        json.dumps(value, ensure_ascii=False).encode()
    except StrictJsonError:
        raise
    except RecursionError:
        raise StrictJsonError("nesting") from None
    except UnicodeDecodeError:
        raise StrictJsonError("syntax", "its bytes are no text") from None
    except UnicodeEncodeError:
        raise StrictJsonError("character") from None
    except ValueError as error:
        raise StrictJsonError("syntax", str(error)) from None
    return value


def _pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in items:
        if key in made:
            raise StrictJsonError("key", repr(short(key, 40)))
        made[key] = value
    return made


def _constant(name: str) -> Any:
    raise StrictJsonError("constant", name)


def _number(kind: Callable[[str], Any], most: int | None, digits: str) -> Any:
    # Before it is made an integer: Python refuses very long ones by itself.
    if (most is not None and len(digits) > most) or math.isinf(float(digits)):
        raise StrictJsonError("number", short(digits, 40))
    return kind(digits)
