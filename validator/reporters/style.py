"""How a report is asked to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from npzschema.contracts import Level

_COLOURS: Final = {"error": "31", "warning": "33", "info": "36", "valid": "32", "violations": "31", "unreadable": "31"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """``verbosity``: -1 findings at error level only, 0 the usual, 1 everything."""

    colour: bool = False
    verbosity: int = 0

    def paint(self, text: str, kind: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colour else text

    def shows(self, level: Level) -> bool:
        return level == "error" or (level == "warning" and self.verbosity >= 0) or self.verbosity > 0
