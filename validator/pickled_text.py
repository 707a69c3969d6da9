"""Reads the one pickle that PtychoPINN writes: a 0-d object array that holds one str.

``np.save`` of such an array writes ``pickle.dumps(array)``. The few opcodes that this takes are walked by
``pickletools.genops``, which only parses; no class is looked up, nothing is called. Whatever else the pickle
holds makes the answer None.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

MAX_TEXT: Final = 1 << 20
"""Bytes. Metadata takes a few thousand; JSON may need a hundred times its own size in memory."""

NEWEST: Final = 5
MAX_STEPS: Final = 200
"""Numpy's pickle of such an array takes about 40 opcodes."""

_TEXT: Final = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_GLOBALS: Final = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
_MEMO: Final = {"MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"}
_GET: Final = {"BINGET", "LONG_BINGET", "GET"}
_PUSH: Final = {"BININT", "BININT1", "BININT2", "SHORT_BINBYTES", "BINBYTES", "SHORT_BINSTRING", "BINSTRING"}
_SILENT: Final = {"PROTO", "STOP"}


class _Call:
    """Stands for whatever a REDUCE would have built."""

    def __init__(self, function: Any, arguments: Any) -> None:
        self.function, self.arguments = function, arguments
        self.state: Any = None


@dataclass(frozen=True, slots=True)
class _List:
    """A list, as it was when it was used. No tuple: numpy takes neither for the other."""

    items: tuple[Any, ...]


def read_text(data: bytes) -> str | None:
    """The one str of a pickled 0-d object array, or None where the pickle is anything else."""
    if len(data) > MAX_TEXT:
        return None
    try:
        stack = _walk(data)
    except Exception:  # noqa: BLE001 - pickletools raises whatever malformed bytes lead to
        return None
    if len(stack) != 1 or not isinstance(stack[0], _Call):
        return None
    return _text_of(stack[0])


def _walk(data: bytes) -> list[Any]:  # noqa: C901 - one branch an opcode
    stack: list[Any] = []
    # As pickle does it: what lies below a mark is out of reach until the mark is taken away.
    below: list[list[Any]] = []
    memo: dict[int, Any] = {}
    end = frame = 0
    opcodes: Iterator[tuple[Any, Any, Any]] = pickletools.genops(data)
    for step, (opcode, argument, position) in enumerate(opcodes):
        name = opcode.name
        if step == MAX_STEPS:
            raise ValueError("more opcodes than such an array needs")
        if end <= frame < position:
            # Pickle reads a stream frame by frame, and would go on after the frame.
            raise ValueError("an opcode reaches over the end of its frame")
        if name in _TEXT or name in _PUSH:
            stack.append(argument)
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name == "GLOBAL":
            stack.append(_known(*str(argument).split(" ", 1)))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(_known(module, attribute))
        elif name in _MEMO:
            memo[len(memo) if argument is None else int(argument)] = stack[-1]
        elif name in _GET:
            stack.append(memo[int(argument)])
        elif name == "MARK":
            below.append(stack)
            stack = []
        elif name in ("TUPLE", "LIST"):
            items, stack = stack, below.pop()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            if len(stack) < size:
                raise ValueError("a tuple of more than there is")
            stack[-size:] = [tuple(stack[-size:])]
        elif name in ("EMPTY_TUPLE", "EMPTY_LIST"):
            stack.append(() if name == "EMPTY_TUPLE" else [])
        elif name == "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        elif name == "APPENDS":
            items, stack = stack, below.pop()
            stack[-1].extend(items)
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(_Call(function, _as_used(arguments)))
        elif name == "BUILD":
            state = stack.pop()
            if stack[-1].state is not None:
                raise ValueError("built twice")
            stack[-1].state = _as_used(state)
        elif name == "PROTO" and argument > NEWEST:
            raise ValueError("a protocol that there is not")
        elif name == "FRAME":
            if position < frame or argument > len(data) - position - 9:
                raise ValueError("a frame within another, or beyond the end")
            frame = position + 9 + argument
        elif name not in _SILENT:
            raise ValueError(name)
        end = position + 1
    if end != len(data) or below:
        raise ValueError("something is left over")
    return stack


def _as_used(value: Any) -> Any:
    """A tuple or list as it is now: what the memo still holds of it, or of a list within, may change later."""
    if isinstance(value, list):
        return _List(tuple(value))
    if isinstance(value, tuple):
        return tuple(_List(tuple(one)) if isinstance(one, list) else one for one in value)
    return value


def _known(module: Any, attribute: Any) -> tuple[str, str]:
    if (module, attribute) not in _GLOBALS:
        raise ValueError("a global that no such array needs")
    return (module, attribute)


def _text_of(call: _Call) -> str | None:
    """``_reconstruct(ndarray, (0,), b"b")`` with the state ``(1, (), dtype("O8"), False, [text])``."""
    match call.function, call.arguments, call.state:
        case (
            (_, "_reconstruct"),
            (("numpy", "ndarray"), (0,), b"b" | "b"),
            (1, (), _Call() as dtype, bool(), _List((str(text),))),
        ) if _is_object(dtype):
            return text
    return None


def _is_object(call: _Call) -> bool:
    """``dtype("O8", False, True)`` with its usual state: no byte order, no fields, the flags of objects."""
    match call.function, call.arguments, call.state:
        case (("numpy", "dtype"), ("O8" | "O4", 0 | False, 1 | True), (3, "|", None, None, None, -1, -1, 63)):
            return True
    return False
