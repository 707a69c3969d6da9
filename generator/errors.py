"""The generator's one error: a line that says what, where, and what to do. Nothing was written when it is raised."""

from __future__ import annotations

from typing import Self

from npzschema.contracts import reasons


class GeneratorError(ValueError):
    """The data asked for cannot be made."""


class NotKeptError(GeneratorError):
    """What was made does not keep the contract, or a cast would have lost something: only the values told."""


class NotApplicable(GeneratorError):
    """This dataset, or its contract, cannot break this rule alone."""

    @classmethod
    def because(cls, reason: str) -> Self:
        """In the catalogue's words, by the name of the reason."""
        return cls(reasons()[reason])
