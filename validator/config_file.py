"""Configuration files: found, read, and checked; whatever is refused is told with its line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from npzschema.contracts import Contract, ContractError, load, schema, shipped
from npzschema.contracts.hints import near
from npzschema.contracts.loader import MAX_BYTES
from npzschema.contracts.shortening import short

from .bounded import UnreadError, read_whole
from .config import Config, ConfigError, level_flaw, prefix_flaw
from .named_axes import check_axes
from .settings import Settings
from .toml_lines import line_of
from .toml_words import wrong

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

OWN: Final = "npzschema.toml"
PROJECT: Final = "pyproject.toml"
TABLE: Final = ("tool", "npzschema")

# The schema's types, as a reader of TOML knows them.
_TYPES: Final = {"object": "a table", "array": "a list", "string": "a text", "integer": "a whole number"}

Json = dict[str, Any]
Place = tuple[str | int, ...]


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
        # Some editors put a byte order mark in front, which nobody sees.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text") from None


def _parsed(text: str, path: str) -> Json:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        line, what = wrong(error, text)
        raise ConfigError(f"{path}:{line}: {what}") from None


def _holds_table(document: Json) -> bool:
    tools = document.get("tool")
    return isinstance(tools, dict) and "npzschema" in tools


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
        config = Config(
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
        self._check_axes(config)
        return config

    def _check_axes(self, config: Config) -> None:
        """Axes that no contract knows are a slip; those of another file's contract are told when that file is read."""
        bodies: list[tuple[Place, Settings]] = [((), config.settings)]
        bodies += [(("files", pattern), settings) for pattern, settings in config.files]
        named = [one.contract for _, one in bodies if isinstance(one.contract, Contract)]
        known = [*map(load, shipped()), *self._own.values(), *named]
        for place, settings in bodies:
            for name, dims in settings.axes.items():
                try:
                    check_axes(known, {name: dims})
                except ValueError as error:
                    raise self._refused((*place, "axes", name), str(error).removeprefix(f"{name}: ")) from None

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
                if (flaw := prefix_flaw(prefix)) is not None:
                    raise self._refused((*place, keyword, index), flaw)
        for code, level in body.get("levels", {}).items():
            if (flaw := level_flaw(code, level)) is not None:
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
        raise self._refused(place, f"no such contract {reference!r}{near(reference, known)}")

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
            for rival in own.values():
                if any(pair in rival.declared_by for pair in contract.declared_by):
                    what = f"{path} and {rival.reference} have a pair of declaredBy in common: a file could mean either"
                    raise self._refused(place, what)
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


def _said(error: ValidationError) -> tuple[Place, str]:
    """Place and words of what the schema refuses."""
    place: Place = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        instance: Any = error.instance
        body: Any = error.schema
        known = body["properties"]
        unknown = next(key for key in instance if key not in known)
        return (*place, unknown), f"no such key{near(unknown, known)}"
    if error.validator == "pattern":
        return (*place, str(error.instance)), "begins with ! or #, which no pattern here may"
    shown = short(str(error.instance) if isinstance(error.instance, date | time) else repr(error.instance), 100)
    if error.validator == "type":
        return place, f"{shown} is not {_TYPES[str(error.validator_value)]}"
    if error.validator == "anyOf":
        choices: Any = error.validator_value
        return place, f"{shown} is neither {' nor '.join(one['title'] for one in choices)}"
    return place, short(error.message, 200)


def _key(step: str | int) -> str:
    """A step of a key as TOML writes it."""
    plain = isinstance(step, int) or (step and all(char.isalnum() or char in "-_" for char in step) and step.isascii())
    return str(step) if plain else f'"{step}"'
