"""What a hostile file is: its bytes, how the validator is to end, and the command that must never run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

MARKER = "marker-of-a-command-that-ran"


class Command:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {MARKER}",)


@dataclass(frozen=True, kw_only=True)
class Case:
    """``codes``: at least one of them is told, and with status 1 or 2 on a line of its own."""

    make: Callable[[], bytes]
    status: int
    codes: frozenset[str]


def of(status: int, codes: str, make: Callable[[], bytes]) -> Case:
    return Case(
        make=make, status=status, codes=frozenset(f"FILE-{code}" if code.isdigit() else code for code in codes.split())
    )


def bytes_of(data: bytes) -> Callable[[], bytes]:
    return lambda: data
