"""Faults of the container: a closed set, each with a code of the FILE family."""

from __future__ import annotations


class Fault(Exception):
    """What is wrong with a file or one of its members. Raised by the reader, turned into a finding by the engine.

    Attributes:
        code: rule code, such as ``FILE-002``.
        what: one line: what, where, expected, found.
        member: name of the member as stored, or None where the container as a whole is meant.
        expected, found: the two sides, where there are two.
        about: chooses one of the catalogue's remedies.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        member: str | None = None,
        expected: str = "",
        found: str = "",
        about: str = "",
    ) -> None:
        super().__init__(f"{code} {member or ''}: {what}")
        self.code, self.what, self.member = code, what, member
        self.expected, self.found, self.about = expected, found, about

    def alone(self) -> Fault:
        """The same to be kept: its traceback would keep all that was in hand where it was raised."""
        return Fault(
            self.code, self.what, member=self.member, expected=self.expected, found=self.found, about=self.about
        )
