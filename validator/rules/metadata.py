"""``metadata``: the JSON text that a dataset carries (META-001, META-002, META-004; KEY-001 where required)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from npzschema.contracts import pointer

from ..case import Case
from ..findings import Deviation


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
        what = "a pickle that holds more than one text; it is never unpickled" if held.pickled else "no text"
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
        yield from _schema(name, dict(wanted.schema), document)


def _schema(name: str, schema: dict[str, Any], document: Any) -> Iterator[Deviation]:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(document):
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
