"""The page of the report's format, from its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from markup import options_as_code, page, table

from npzschema.contracts import schema

PARTS: Final = {
    "file": "A file",
    "finding": "A finding",
    "array": "An array",
    "picture": "A picture",
    "image": "An image",
    "plot": "A plot",
    "series": "A series",
    "numbers": "Numbers",
}
"""Definitions that have a section, by their names in the schema."""

WORDS: Final = {
    "array": "list",
    "object": "object",
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}


def report_format() -> str:
    """The page of the report's format."""
    document = schema("report")
    lines = [
        "# The format of reports",
        "",
        "What `validate-npz --format json` writes. " + options_as_code(document["description"]),
        "A field of a field is written with a dot. No field is ever left out, except where it is said.",
        "[Reports](reports.md) shows how to work with it.",
        "",
        *_section(document, document),
    ]
    for name, title in PARTS.items():
        body = document["$defs"][name]
        lines += [f"## {title}", ""]
        if "description" in body:
            lines += [options_as_code(body["description"]), ""]
        lines += _section(document, body)
    return page("contracts/report.schema.json", lines)


def _section(document: Mapping[str, Any], body: Mapping[str, Any]) -> list[str]:
    rows = [
        [f"`{path}`", " or ".join(dict.fromkeys(_kinds(document, one))), options_as_code(one["description"])]
        for path, one in fields(body)
    ]
    return [*table(["Field", "Holds", "Meaning"], rows), ""]


def fields(body: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field of an object and of the objects within it, with its place."""
    for key, one in body.get("properties", {}).items():
        yield path + key, one
        for within in (one, *one.get("anyOf", ())):
            yield from fields(within, f"{path}{key}.")


def _kinds(document: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in body:
        name = body["$ref"].rpartition("/")[2]
        if name in PARTS:
            yield f"[{PARTS[name].lower()}](#{PARTS[name].lower().replace(' ', '-')})"
        else:
            yield from _kinds(document, document["$defs"][name])
    elif "const" in body:
        yield f'`"{body["const"]}"`'
    elif "enum" in body:
        yield from (f'`"{value}"`' if value is not None else "null" for value in body["enum"])
    elif within := body.get("anyOf") or body.get("oneOf"):
        for one in within:
            yield from _kinds(document, one)
    else:
        types = body["type"]
        for one in [types] if isinstance(types, str) else types:
            items = body.get("items") if one == "array" else body.get("additionalProperties")
            of = " or ".join(_kinds(document, items)) if items else ""
            yield f"{WORDS[one]} of {of}" if of else WORDS[one]
