"""How a report is asked to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from npzschema.contracts import Level

from ..findings import LEVELS, Finding

_COLOURS: Final = {"error": "31", "warning": "33", "info": "36", "valid": "32", "violations": "31", "unreadable": "31"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How a report is asked to look.

    Attributes:
        colour: whether words are coloured.
        verbosity: -1 findings at error level only, 0 the usual, 1 everything.
        columns: width of the terminal that it is drawn on; None where it goes to a pipe or a file.
        fail_on: least level that fails, for formats that know failures.
        pictures: whether pictures are told in formats that are read by programs.
    """

    colour: bool = False
    verbosity: int = 0
    columns: int | None = None
    fail_on: Level = "error"
    pictures: bool = False

    def paint(self, text: str, kind: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colour else text

    def shows(self, finding: Finding) -> bool:
        """What fails is always told; what the baseline knows, only where everything is asked for."""
        if finding.known is not None:
            return self.verbosity > 0
        usual = finding.level == "warning" and self.verbosity >= 0
        return finding.level == "error" or usual or self.verbosity > 0 or self.fails(finding)

    def fails(self, finding: Finding) -> bool:
        """Whether a finding makes the exit status 1."""
        return finding.known is None and LEVELS.index(finding.level) >= LEVELS.index(self.fail_on)
