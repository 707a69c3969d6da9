"""Configuration: ``[tool.npzschema]`` of pyproject.toml, or npzschema.toml. Read, checked, and frozen."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from npzschema.contracts import Contract, ContractError, Level, load, rules, schema, shipped
from npzschema.contracts.loader import MAX_BYTES
from npzschema.contracts.shortening import short

from .bounded import UnreadError, read_whole
from .settings import Settings
from .toml_lines import line_of

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

OWN: Final = "npzschema.toml"
PROJECT: Final = "pyproject.toml"
TABLE: Final = ("tool", "npzschema")

# The schema's types, as a reader of TOML knows them.
_TYPES: Final = {"object": "a table", "array": "a list", "string": "a text", "integer": "a whole number"}

Json = dict[str, Any]
Place = tuple[str | int, ...]


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

    def contract(self, reference: str) -> Contract | Literal["auto"]:
        """The contract of an id, the user's own ids included, or of a file.

        Raises:
            ContractError: as for :func:`npzschema.contracts.load`.
        """
        if reference == "auto":
            return "auto"
        return self.own_contracts.get(reference) or load(reference)


def find(start: str | os.PathLike[str]) -> str | None:
    """The configuration that holds for a folder: the nearest one, from there upwards.

    In one folder npzschema.toml wins. A pyproject.toml without the table is passed over.

    Raises:
        ConfigError: a pyproject.toml on the way cannot be read.
    """
    folder = Path(os.path.abspath(start))
    for here in (folder, *folder.parents):
        if os.path.isfile(here / OWN):
            return os.path.relpath(here / OWN)
        project = os.path.relpath(here / PROJECT)
        if os.path.isfile(here / PROJECT) and _holds_table(_parsed(_text(project), project)):
            return project
    return None


def read(path: str) -> Config:
    """The configuration of a file.

    Raises:
        ConfigError: it cannot be read, breaks its schema, or names something that there is not.
    """
    text = _text(path)
    document = _parsed(text, path)
    if os.path.basename(path) == PROJECT:
        if not _holds_table(document):
            raise ConfigError(f"{path}: holds no table [{'.'.join(TABLE)}]")
        return _Reader(path, text, TABLE).config(document["tool"]["npzschema"])
    return _Reader(path, text, ()).config(document)


def _text(path: str) -> str:
    try:
        raw = read_whole(path, MAX_BYTES)
    except UnreadError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text") from None


def _parsed(text: str, path: str) -> Json:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).rpartition(" (at ")
        line = place.removeprefix("line ").partition(",")[0]
        where = f"{path}:{line}" if line.isdecimal() else f"{path}:{text.rstrip().count(chr(10)) + 1}"
        raise ConfigError(f"{where}: not TOML: {(what or str(error)).lower()}") from None


def _holds_table(document: Json) -> bool:
    tools = document.get("tool")
    return isinstance(tools, dict) and "npzschema" in tools


def _matches(pattern: str, path: str, folder: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        relative = os.path.relpath(os.path.abspath(path), folder)
    except ValueError:  # on another drive
        return False
    if relative.startswith(os.pardir + os.sep):
        return False
    return GitIgnoreSpec.from_lines([pattern]).match_file(relative.replace(os.sep, "/"))


class _Reader:
    """One file on its way to a Config: everything that is refused is told with its line."""

    def __init__(self, path: str, text: str, table: Place) -> None:
        self._path, self._text, self._table = path, text, table
        self._folder = os.path.dirname(path)
        self._own: dict[str, Contract] = {}

    def config(self, document: Any) -> Config:
        self._check(document)
        if "contracts" in document:
            self._own = self._contracts(document["contracts"])
        return Config(
            path=self._path,
            settings=self._settings(document, ()),
            files=tuple(
                (self._pattern(pattern), self._settings(body, ("files", pattern)))
                for pattern, body in document.get("files", {}).items()
            ),
            fail_on=document.get("fail-on", "error"),
            own_contracts=self._own,
            baseline=self._beside(document["baseline"]) if "baseline" in document else None,
        )

    def _refused(self, place: Sequence[str | int], what: str) -> ConfigError:
        full = (*self._table, *place)
        key = ".".join(_key(step) for step in place) or "the table"
        return ConfigError(f"{self._path}:{line_of(self._text, full)}: {key}: {what}")

    def _check(self, document: Any) -> None:
        from jsonschema import Draft202012Validator

        errors = sorted(
            Draft202012Validator(schema("config")).iter_errors(document),
            key=lambda error: line_of(self._text, (*self._table, *error.absolute_path)),
        )
        if errors:
            raise self._refused(*_said(errors[0]))

    def _settings(self, body: Json, place: Place) -> Settings:
        for keyword in ("select", "ignore"):
            for index, prefix in enumerate(body.get(keyword, [])):
                if not any(code.startswith(prefix) for code in rules()):
                    raise self._refused((*place, keyword, index), f"no rule's code begins with {prefix!r}")
        for code in body.get("levels", {}):
            if (flaw := level_flaw(code)) is not None:
                raise self._refused((*place, "levels", code), flaw)
        return Settings(
            contract=self._contract(body["contract"], (*place, "contract")) if "contract" in body else None,
            reason=f"{self._path} asks for it" if body.get("contract", "auto") != "auto" else "",
            select=tuple(body.get("select", ())),
            ignore=tuple(body.get("ignore", ())),
            levels=dict(body.get("levels", {})),
            axes={name: tuple(dims) for name, dims in body.get("axes", {}).items()},
        )

    def _contract(self, reference: str, place: Place) -> Contract | Literal["auto"]:
        if reference == "auto":
            return "auto"
        try:
            if reference in self._own or reference in shipped():
                return self._own.get(reference) or load(reference)
            path = self._beside(reference)
            if os.path.isfile(path):
                return load(path)
        except ContractError as error:
            raise self._refused(place, f"contract refused: {error}") from None
        known = [*self._own, *shipped()]
        raise self._refused(place, f"no such contract {reference!r}{_near(reference, known)}")

    def _contracts(self, folder: str) -> dict[str, Contract]:
        """The user's own contracts by id."""
        place: Place = ("contracts",)
        if not os.path.isdir(self._beside(folder)):
            raise self._refused(place, f"no such folder {folder!r}")
        own: dict[str, Contract] = {}
        for path in sorted(Path(self._beside(folder)).rglob("*.json")):
            try:
                contract = load(os.fspath(path))
            except ContractError as error:
                raise self._refused(place, f"contract refused: {error}") from None
            if contract.id in own or contract.id in shipped():
                other = own[contract.id].reference if contract.id in own else "a shipped contract"
                raise self._refused(place, f"{path} has the id {contract.id!r} of {other}")
            own[contract.id] = contract
        return own

    def _pattern(self, pattern: str) -> str:
        from pathspec import GitIgnoreSpec

        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise self._refused(("files", pattern), f"no pattern as in .gitignore: {error}") from None
        return pattern

    def _beside(self, path: str) -> str:
        return os.path.join(self._folder, path)


def level_flaw(code: str) -> str | None:
    """Why no level can be given to a code, or None."""
    if code not in rules():
        return f"no such rule{_near(code, rules())}"
    if rules()[code].unreadable:
        return "its level cannot be changed: a file that cannot be checked is never taken for one that passes"
    return None


def _said(error: ValidationError) -> tuple[Place, str]:
    """Place and words of what the schema refuses."""
    place: Place = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        instance: Any = error.instance
        body: Any = error.schema
        known = body["properties"]
        unknown = next(key for key in instance if key not in known)
        return (*place, unknown), f"no such key{_near(unknown, known)}"
    if error.validator == "pattern":
        return (*place, str(error.instance)), "begins with ! or #, which no pattern here may"
    shown = short(str(error.instance) if isinstance(error.instance, date | time) else repr(error.instance), 100)
    if error.validator == "type":
        return place, f"{shown} is not {_TYPES[str(error.validator_value)]}"
    if error.validator == "anyOf":
        choices: Any = error.validator_value
        return place, f"{shown} is neither {' nor '.join(one['title'] for one in choices)}"
    return place, short(error.message, 200)


def _near(word: str, known: Iterable[str]) -> str:
    """A hint where something known is spelt alike."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _key(step: str | int) -> str:
    """A step of a key as TOML writes it."""
    plain = isinstance(step, int) or (step and all(char.isalnum() or char in "-_" for char in step) and step.isascii())
    return str(step) if plain else f'"{step}"'
