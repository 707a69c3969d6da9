"""``metadata``: the JSON text that a dataset carries (META-001, META-002, META-004; KEY-001 where required)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from npzschema.contracts import pointer

from ..case import Case
from ..findings import Deviation
from ..pickled_text import MAX_TEXT

_NO_TEXT: Final = f"no text of at most {MAX_TEXT:,} bytes"

MAX_ERRORS: Final = 100
"""Violations of its schema that are told; who breaks more has another problem."""


def check(case: Case) -> Iterator[Deviation]:
    wanted, held = case.contract.metadata, case.metadata
    if wanted is None:
        return
    name = wanted.member
    if held is None:
        if wanted.required:
            yield Deviation(
                code="KEY-001", array=name, message="is missing", expected=name, found="no such array", at=("required",)
            )
        return
    if held.text is None:
        what = "a pickle that holds more than one text; it is never unpickled" if held.pickled else _NO_TEXT
        yield Deviation(
            code="META-001", array=name, message=f"is {what}", expected="one JSON text", found=what, at=("member",)
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
        document = json.loads(held.text)
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        yield Deviation(
            code="META-001",
            array=name,
            message=f"is not JSON: {what}",
            expected="JSON",
            found="no JSON",
            at=("member",),
        )
        return
    if wanted.schema is not None:
        yield from _schema(name, wanted.schema, document)


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
        where = pointer(*error.absolute_path) or "/"
        message = error.message if len(error.message) <= 200 else error.message[:199] + "…"
        yield Deviation(
            code="META-002",
            array=name,
            message=f"{where}: {message}",
            expected=str(error.validator),
            found=where,
            at=("schema",),
        )
