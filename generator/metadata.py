"""The metadata of a mended file, and what of it a fixture carries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from npzschema.contracts import DEFAULT, Contract, load, pointer, shipped
from npzschema.contracts.json_schema import follow
from npzschema.validator.dataset import Dataset
from npzschema.validator.declared import declared

from .plan import Step
from .stream import Stream, of_array, whole

_DECLARING: Final = ((), ("additional_parameters",))
"""Where in metadata a contract is declared."""


def metadata(dataset: Dataset, contract: Contract) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """The metadata's text as a 0-d array of plain text, where there is one, and what had to be changed in it."""
    # A contract without metadata passes the member on; what it declares must be true all the same.
    held = contract.metadata or load(DEFAULT).metadata
    if held is None or held.member not in dataset.headers:
        return {}, ()
    text = dataset.text(held.member)
    if text is None:
        return {}, ()
    anew = _declared_anew(text, contract)
    if anew is None:
        if contract.metadata is None:
            return {}, ()
        return {held.member: of_array(np.array(text))}, ()
    sentence = f"{held.member}: declares no other contract than {contract.id}"
    step = Step(step="declare", array=held.member, sentence=sentence, lossless=True, values={"contract": contract.id})
    return {held.member: of_array(np.array(anew))}, (step,)


def _declared_anew(text: str, contract: Contract) -> str | None:
    """The text of a file that keeps this contract, or None where it declares no other.

    It would otherwise be checked against the other one, and refused. A pair that is declared says no more than what is
    measured: counts that became amplitudes must no longer be called counts.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    extra = document.get("additional_parameters")
    places = [place for place in (document, extra) if isinstance(place, dict)]
    changed = False
    for place in places:
        named = declared({"contract": place.get("contract")}, (contract,)).contract
        if named is not None and named.id != contract.id:
            place["contract"] = contract.id
            changed = True
    for other in map(load, shipped()):
        if _quantity(other) == _quantity(contract):
            continue
        for pair in other.declared_by:
            if all(any(place.get(key) == value for place in places) for key, value in pair.items()):
                own = contract.declared_by[0] if contract.declared_by else {}
                for place, key in ((place, key) for place in places for key in pair if key in place):
                    place.pop(key) if key not in own else place.update({key: own[key]})
                changed = True
    return json.dumps(document, ensure_ascii=False) if changed else None


def _quantity(contract: Contract) -> str | None:
    return contract.arrays[contract.scan.frames].quantity if contract.scan else None


def essential(text: Mapping[str, Stream], contract: Contract) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """Of metadata, what a fixture carries.

    That is: what the contract's schema names as a number or requires, what declares the contract, and the version of
    the metadata's form.

    All else is free: it may hold a time, or the path of a file, which have no place in a fixture.

    Args:
        text: the metadata's member and its text, or nothing.
        contract: what the fixture keeps.

    Returns:
        the member with what is left, none where that is nothing; the step that says what was left out.
    """
    if not text or contract.metadata is None:
        return dict(text), ()
    ((member, stream),) = text.items()
    try:
        document = json.loads(str(whole(stream)[()]))
    except (ValueError, RecursionError):
        document = None
    kept, dropped = _kept(document, contract)
    if not dropped and document is not None:
        return dict(text), ()
    said = ", ".join(dropped) or "all of it"
    sentence = f"{member}: left out {said}; a fixture carries no times and no names of files"
    step = Step(step="trim", array=member, sentence=sentence, lossless=False, values={"pointers": list(dropped)})
    if not kept and not contract.metadata.required:
        return {}, (step,)
    return {member: of_array(np.array(json.dumps(kept, ensure_ascii=False)))}, (step,)


def _kept(document: Any, contract: Contract) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is carried, and JSON pointers to what is not."""
    if not isinstance(document, dict) or contract.metadata is None:
        return {}, ()
    dropped: list[str] = []
    root = contract.metadata.schema or {}

    def of(place: Mapping[str, Any], schema: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        kept = {}
        for key, value in place.items():
            asked = _keywords(schema.get("properties", {}).get(key), root)
            plain = _is_number(value, asked) or _is_version(key, value) or key in schema.get("required", ())
            if plain or (path in _DECLARING and _declares(key, value, contract)):
                kept[key] = value
            elif isinstance(value, dict) and (inner := of(value, asked, (*path, key))):
                kept[key] = inner
            elif not isinstance(value, dict) or not value:
                dropped.append(pointer(*path, key))
        return kept

    return of(document, _keywords(root, root), ()), tuple(dropped)


def _keywords(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a schema asks for by itself and by reference; nothing where it is true or false."""
    if not isinstance(schema, Mapping):
        return {}
    return {**_keywords(follow(root, schema["$ref"]), root), **schema} if "$ref" in schema else schema


def _is_number(value: Any, schema: Mapping[str, Any]) -> bool:
    named = schema.get("type", ())
    types = {named} if isinstance(named, str) else {*named}
    return bool(types & {"number", "integer"}) and isinstance(value, int | float) and not isinstance(value, bool)


def _is_version(key: str, value: Any) -> bool:
    return (
        key == "schema_version"
        and isinstance(value, str)
        and bool(re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){1,2}", value))
    )


def _declares(key: str, value: Any, contract: Contract) -> bool:
    """Whether this is part of what names the contract of a file, and says no more than that."""
    if key == "contract":
        named = declared({key: value}).contract
        return value == contract.id or (named is not None and value in (named.id, f"{named.id}@{named.version}"))
    return any(pair.get(key, ()) == value for one in map(load, shipped()) for pair in one.declared_by)
