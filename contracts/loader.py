"""The only way to a :class:`Contract`: read, merge, check against the meta-schema, check for contradictions."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from . import strict_json
from .consistency import check_consistency
from .hints import near
from .json_schema import MAX_PLACES, flaws, places
from .model import (
    ArraySpec,
    Contract,
    ContractError,
    Dimension,
    Legacy,
    Metadata,
    Scan,
    Storage,
    Values,
    pointer,
)
from .shortening import short

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MAX_BYTES: Final = 1 << 18
"""The longest contract that ships with the package takes a tenth of it."""

MOST_ERRORS: Final = 100
"""Of a document that has more, the most telling one of these is told."""

MAX_EXTENDS: Final = 8

LONGEST: Final = 300
"""Characters that a message quotes of what a schema says, which may show a whole document."""

Json = dict[str, Any]
T = TypeVar("T")


def _data(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def schema(name: str) -> Json:
    """A JSON Schema shipped with the package, such as ``contract`` or ``report``."""
    document: Json = json.loads(_data(f"{name}.schema.json"))
    return document


def schema_error(name: str, document: Any) -> ValidationError | None:
    """The most telling of the first errors of a document under a schema of the package, or None."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    found = itertools.islice(Draft202012Validator(schema(name)).iter_errors(document), MOST_ERRORS)
    error: ValidationError | None = best_match(found)
    return error


@functools.cache
def shipped() -> tuple[str, ...]:
    """Ids of the contracts that ship with the package, sorted."""
    folders = (f for f in resources.files(__package__).iterdir() if f.is_dir())
    return tuple(
        sorted(
            f"{folder.name}/{file.name.removesuffix('.json')}"
            for folder in folders
            for file in folder.iterdir()
            if file.name.endswith(".json")
        )
    )


def load(reference: str | Path) -> Contract:
    """The contract of an id (``ptychopinn/canonical``) or of a file of the user's own.

    Raises:
        ContractError: no such contract, not JSON, against the meta-schema, or contradicting itself.
    """
    if str(reference) in shipped():
        return _shipped(str(reference))
    return _build(*_resolve(reference), where=str(reference), own=True)


@functools.cache
def _shipped(reference: str) -> Contract:
    # Shipped contracts are checked against the meta-schema by the tests, not at every start.
    return _build(*_resolve(reference), where=reference, own=False)


def check_shipped(reference: str) -> Contract:
    """A shipped contract, checked as strictly as a user's own.

    Raises:
        ContractError: as for :func:`load`.
    """
    return _build(*_resolve(reference), where=reference, own=True)


def from_document(document: Mapping[str, Any], where: str = "contract") -> Contract:
    """The contract of a parsed JSON document; ``extends`` may name shipped contracts only.

    Raises:
        ContractError: as for :func:`load`.
    """
    try:
        text = json.dumps(dict(document))
    except (TypeError, ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else f"not JSON: {error}"
        raise ContractError(where, "", what) from None
    # As strict as with a file, and from here on nobody else's objects.
    made = _build(*_extend(parse_json(text, where), where, None, ()), where=where, own=True)
    return replace(made, reference="")


def _resolve(reference: str | Path, seen: tuple[str, ...] = ()) -> tuple[Json, tuple[str, ...]]:
    """The document with all that it inherits, and the references that it inherits from, the nearest first."""
    where = str(reference)
    if where in shipped():
        text, base = _data(f"{where}.json"), None
    else:
        path = Path(reference)
        text, base = _read(path), path.parent
    return _extend(parse_json(text, where), where, base, seen)


def _read(path: Path) -> str:
    where = str(path)
    try:
        if path.is_dir():
            raise ContractError(where, "", "is a directory; name a contract file in it")
        if not path.is_file():
            hint = near(where, shipped()) or f"; shipped are {', '.join(shipped())}"
            raise ContractError(where, "", f"no such contract file, and no shipped contract{hint}")
        # A file of /proc says that it is empty and never ends, or waits: the length is not believed.
        with open(path, "rb", buffering=0, opener=_opener) as file:
            raw = file.read(MAX_BYTES + 1) or b""
            while len(raw) <= MAX_BYTES and (more := file.read(MAX_BYTES + 1 - len(raw))):
                raw += more
    except OSError as error:
        raise ContractError(where, "", f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(raw) > MAX_BYTES:
        raise ContractError(where, "", f"larger than {MAX_BYTES:,} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ContractError(where, "", "not UTF-8 text") from None


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse_json(text: str, where: str) -> Json:
    """A JSON object, read strictly: no duplicate keys, no NaN, no number that a float cannot hold.

    Raises:
        ContractError: it is not that.
    """
    try:
        document = strict_json.parse(text)
    except ValueError as error:
        raise ContractError(where, "", str(error)) from None
    if not isinstance(document, dict):
        raise ContractError(where, "", "not a JSON object")
    return document


def _extend(document: Json, where: str, base: Path | None, seen: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
    parent = document.get("extends")
    if not isinstance(parent, str):
        return document, ()
    if parent not in shipped():
        if base is None:
            raise ContractError(where, "/extends", f"{parent!r} is no shipped contract")
        parent = str(base / parent)
    if os.path.normpath(parent) in map(os.path.normpath, seen):
        raise ContractError(where, "/extends", "extends itself, by " + " > ".join([*seen, parent]))
    if len(seen) >= MAX_EXTENDS:
        raise ContractError(where, "/extends", f"extends others over more than {MAX_EXTENDS} levels")
    inherited, older = _resolve(parent, (*seen, parent))
    # What a contract is called and where its facts come from is its own, never inherited.
    for key in ("id", "version", "title", "finding", "description", "sources", "decisions", "declaredBy"):
        inherited.pop(key, None)
    merged: Json = _merge(inherited, document)
    del merged["extends"]
    return merged, (parent, *older)


def _merge(base: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _check_schema(document: Json, where: str) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    error = schema_error("contract", document)
    if error is not None:
        raise ContractError(where, pointer(*error.absolute_path), short(error.message, LONGEST))
    metadata_schema = document.get("metadata", {}).get("schema")
    if metadata_schema is None:
        return
    at = ("metadata", "schema")
    if places(metadata_schema) > MAX_PLACES:
        raise ContractError(where, pointer(*at), f"has more than {MAX_PLACES:,} places")
    try:
        Draft202012Validator.check_schema(metadata_schema)
    except SchemaError as fault:
        raise ContractError(where, pointer(*at, *fault.absolute_path), short(fault.message, LONGEST)) from None
    for path, flaw in flaws(metadata_schema):
        raise ContractError(where, pointer(*at, *path), short(flaw, LONGEST))


def _build(document: Json, parents: tuple[str, ...], *, where: str, own: bool) -> Contract:
    if own:
        try:
            _check_schema(document, where)
        except RecursionError:
            raise ContractError(where, "", "nested too deeply") from None
        if document["id"] in shipped() and document != _shipped(document["id"]).document:
            raise ContractError(
                where, "/id", f"{document['id']!r} is a contract that ships with the tool; name yours otherwise"
            )
    contract = _parse(document, parents, where)
    check_consistency(contract, where)
    return contract


def _parse(document: Json, parents: tuple[str, ...], where: str) -> Contract:
    return Contract(
        id=document["id"],
        version=document["version"],
        title=document["title"],
        document=document,
        reference=where,
        parents=parents,
        finding=document.get("finding"),
        description=document.get("description", ""),
        dimensions={
            symbol: Dimension(symbol=symbol, **body) for symbol, body in document.get("dimensions", {}).items()
        },
        arrays={name: _array(name, body) for name, body in document.get("arrays", {}).items()},
        storage=_fields(Storage, document.get("storage", {})),
        scan=_fields(Scan, document["scan"]) if "scan" in document else None,
        identical=tuple(
            (relation["identical"][0], relation["identical"][1]) for relation in document.get("relations", [])
        ),
        metadata=Metadata(**document["metadata"]) if "metadata" in document else None,
        declared_by=tuple(document.get("declaredBy", ())),
    )


def _fields(kind: Callable[..., T], body: Json) -> T:
    """A dataclass from JSON keys: camelCase there, snake_case here."""
    return kind(**{re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower(): value for key, value in body.items()})


def _array(name: str, body: Json) -> ArraySpec:
    dims = body["dims"]
    return ArraySpec(
        name=name,
        dims=tuple(map(tuple, dims)) if dims and isinstance(dims[0], list) else (tuple(dims),),
        dtype=_names(body["dtype"]),
        required=body.get("required", False),
        description=body.get("description", ""),
        source=body.get("source", ""),
        quantity=body.get("quantity"),
        unit=body.get("unit", ""),
        values=_fields(Values, body.get("values", {})),
        legacy=tuple(
            Legacy(
                index=index,
                rule=entry["rule"],
                fix=entry.get("fix"),
                name=entry.get("name"),
                dims=tuple(entry["dims"]) if "dims" in entry else None,
                dtype=_names(entry.get("dtype", [])),
                quantity=entry.get("quantity"),
            )
            for index, entry in enumerate(body.get("legacy", []))
        ),
    )


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
