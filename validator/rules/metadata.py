"""``metadata``: the JSON text that a dataset carries (META-001, META-002, META-004; KEY-001 where required)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from npzschema.contracts import Contract, pointer
from npzschema.contracts.shortening import short
from npzschema.contracts.strict_json import parse

from ..case import Case
from ..dataset import ArrayHeader
from ..declared import declared
from ..findings import Deviation
from ..pickled_text import MAX_TEXT
from ..words import shape

if TYPE_CHECKING:
    from jsonschema import ValidationError


MAX_ERRORS: Final = 100
"""Violations of its schema that are told; who breaks more has another problem."""


def check(case: Case) -> Iterator[Deviation]:
    wanted, held = case.contract.metadata, case.metadata
    if wanted is None:
        return
    name = wanted.member
    if name in case.unreadable:
        return
    if held is None:
        if wanted.required:
            yield Deviation(
                code="KEY-001", array=name, message="is missing", expected=name, found="no such array", at=("required",)
            )
        return
    if held.text is None:
        what = _no_text(case.headers[name], pickled=held.pickled)
        yield Deviation(
            code="META-001", array=name, message=what, expected="one JSON text", found="no text", at=("member",)
        )
        return
    if held.pickled:
        yield Deviation(
            code="META-004",
            array=name,
            message="is stored as a pickled object array; its text was read without unpickling",
            expected="a 0-d text array",
            found="a 0-d object array",
            at=("member",),
            fix={"step": "unpickle-metadata", "array": name},
        )
    try:
        document = parse(held.text)
    except ValueError as error:
        what = str(error).removeprefix("not JSON: ")
        yield Deviation(
            code="META-001",
            array=name,
            message=f"is not JSON: {what}",
            expected="JSON",
            found="no JSON",
            at=("member",),
        )
        return
    broken = list(_schema(name, wanted.schema, document)) if wanted.schema is not None else []
    yield from broken or _declaration((case.contract, *case.own), name, document)


def _no_text(header: ArrayHeader, *, pickled: bool) -> str:
    if header.shape != ():
        return f"has the shape {shape(header.shape)}; the JSON text is meant as a 0-d text array"
    if pickled:
        return "is a pickle that does not hold one text; it is never unpickled"
    if header.dtype.kind in "US" and header.dtype.itemsize > 4 * MAX_TEXT:
        return f"is too large: room for {header.dtype.itemsize:,} bytes, of which at most {MAX_TEXT:,} of text are read"
    return f"is {header.dtype_name}, and holds no text of at most {MAX_TEXT:,} bytes that can be read"


def _declaration(known: Sequence[Contract], name: str, document: Any) -> Iterator[Deviation]:
    """What the file declares itself to be, where nobody can follow it."""
    said = declared(document, known)
    if said.flaw:
        yield Deviation(
            code="META-002",
            level=said.level,
            array=name,
            message=f"declares {said.said}: {said.flaw}",
            expected="a contract known here",
            found=said.said,
            at=("member",),
        )


def _schema(name: str, schema: Mapping[str, Any], document: Any) -> Iterator[Deviation]:
    from npzschema.contracts.json_schema import TooMuchWorkError, errors

    try:
        found = errors(schema, document, MAX_ERRORS)
    except TooMuchWorkError:
        yield Deviation(
            code="META-002",
            array=name,
            message="is too large to be checked against its schema",
            expected="less to compare",
            found="too much",
            at=("schema",),
        )
        return
    for error in found:
        place = short(pointer(*error.absolute_path), 1000)
        where = short(place, 200) or "the whole text"
        message = short(_in_json(error), 200)
        yield Deviation(
            code="META-002",
            array=name,
            message=f"{where}: {message}",
            expected=str(error.validator),
            found=where,
            at=("schema", *_leading(schema, error.absolute_schema_path)),
            place=place,
        )


def _leading(schema: Any, path: Iterable[str | int]) -> Iterator[str | int]:
    """As much of a path as leads somewhere in the schema: behind a reference it goes on elsewhere."""
    for step in path:
        inside = step in schema if isinstance(schema, Mapping) else isinstance(schema, list) and isinstance(step, int)
        if not inside:
            return
        schema = schema[step]
        yield step


def _in_json(error: ValidationError) -> str:
    """The message, with values as JSON writes them."""
    message = str(error.message)
    if error.validator == "type":
        return f"{json.dumps(error.instance, ensure_ascii=False)} is not of type {json.dumps(error.validator_value)}"
    return message
