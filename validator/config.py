"""Configuration: what ``[tool.npzschema]`` of pyproject.toml, or npzschema.toml, asks for. See :mod:`.config_file`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from npzschema.contracts import Contract, Level, load, rules, shipped
from npzschema.contracts.hints import near

from .named_axes import check_axes
from .relative import seen_from
from .settings import NamedLevel, Settings


class ConfigError(ValueError):
    """A configuration is refused. The message is one line: file, line, key, and what is wrong with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """What a configuration says; an empty one where there is none.

    Attributes:
        path: the file it came from, as it can be opened from the working directory; None where there is none.
        settings: what holds for all files.
        files: a pattern as in .gitignore, relative to ``folder``, and what holds for the files that it matches.
        fail_on: least level that gives exit status 1.
        own_contracts: the user's own contracts, by id.
        baseline: path of the baseline.
        command_line: what was asked for on the command line; it wins.
    """

    path: str | None = None
    settings: Settings = field(default_factory=Settings)
    files: tuple[tuple[str, Settings], ...] = ()
    fail_on: Level = "error"
    own_contracts: Mapping[str, Contract] = field(default_factory=dict)
    baseline: str | None = None
    command_line: Settings = field(default_factory=Settings)

    def for_file(self, path: str | os.PathLike[str]) -> Settings:
        """What is asked of one file."""
        chosen = self.settings
        for pattern, settings in self.files:
            if _matches(pattern, os.fspath(path), os.path.dirname(os.path.abspath(self.path or ""))):
                chosen = chosen.with_nearer(settings)
        return chosen.with_winning(self.command_line)

    def asked_of(self, path: str | os.PathLike[str]) -> Settings:
        """What is asked of one file that is to be read: axes only of arrays that its contract knows.

        Raises:
            ConfigError: it does not know them in this order.
        """
        wish = self.for_file(path)
        contracts = (
            [wish.contract]
            if isinstance(wish.contract, Contract)
            else [*map(load, shipped()), *self.own_contracts.values()]
        )
        known = {name for contract in contracts for spec in contract.arrays.values() for name in spec.names()}
        axes = {name: dims for name, dims in wish.axes.items() if name in known}
        try:
            check_axes(contracts, axes)
        except ValueError as error:
            raise ConfigError(f"{os.fspath(path)}: axes: {error}") from None
        return replace(wish, axes=axes)

    def contract(self, reference: str) -> Contract | Literal["auto"]:
        """The contract of an id, the user's own ids included, or of a file.

        Raises:
            ContractError: as for :func:`npzschema.contracts.load`.
        """
        if reference == "auto":
            return "auto"
        return self.own_contracts.get(reference) or load(reference)


def prefix_flaw(prefix: str) -> str | None:
    """Why rules cannot be chosen by the beginning of their codes, or None."""
    if not prefix:
        return "an empty beginning of codes chooses every rule; leave it out"
    return None if any(code.startswith(prefix) for code in rules()) else f"no rule's code begins with {prefix!r}"


def level_flaw(code: str, level: str) -> str | None:
    """Why a level cannot be given to a code, or None."""
    if code not in rules():
        return f"no such rule{near(code, rules())}"
    if rules()[code].unreadable:
        return "its level cannot be changed: a file that cannot be checked is never taken for one that passes"
    return None if level in get_args(NamedLevel) else f"{level!r} is not error, warning, info or off"


def _matches(pattern: str, path: str, folder: str) -> bool:
    from pathspec import GitIgnoreSpec

    seen = seen_from(folder, path)
    if seen is None or seen.startswith("../"):
        return False
    return GitIgnoreSpec.from_lines([pattern]).match_file(seen)
