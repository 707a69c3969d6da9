"""The page of the configuration and of the baseline, from their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markup import options_as_code, page, table

from npzschema.contracts import schema


def configuration() -> str:
    """The page of the configuration and of the baseline."""
    config, baseline = schema("config"), schema("baseline")
    lines = [
        "# Configuration",
        "",
        options_as_code(config["description"]),
        "[In your tools](in_your_tools.md) shows how it is used.",
        "",
        *_table_of(config, config["properties"]),
        "## A table of `files`",
        "",
        options_as_code(config["properties"]["files"]["description"]),
        "",
        *_table_of(config, config["properties"]["files"]["additionalProperties"]["properties"]),
        "## Baseline",
        "",
        options_as_code(baseline["description"]),
        "",
        *_table_of(baseline, baseline["properties"]),
        "Each of its findings:",
        "",
        *_table_of(baseline, baseline["properties"]["findings"]["items"]["properties"]),
    ]
    return page("contracts/config.schema.json and contracts/baseline.schema.json", lines)


def _table_of(document: Mapping[str, Any], properties: Mapping[str, Any]) -> list[str]:
    rows = []
    for key, body in properties.items():
        target = document["$defs"][body["$ref"].rpartition("/")[2]] if "$ref" in body else {}
        whole = {**target, **body}
        rows.append([f"`{key}`", _kind(whole), options_as_code(whole["description"])])
    return [*table(["Key", "Value", "Meaning"], rows), ""]


def _kind(body: Mapping[str, Any]) -> str:
    return " or ".join(_kinds(body))


def _kinds(body: Mapping[str, Any]) -> Iterator[str]:
    if "const" in body:
        yield f"`{body['const']}`"
    elif "enum" in body:
        yield from (f'`"{value}"`' for value in body["enum"])
    else:
        types: str | Sequence[str] = body["type"]
        words = {"array": "list", "object": "table", "string": "text", "integer": "number", "null": "null"}
        yield from (words[one] for one in ([types] if isinstance(types, str) else types))
