"""Which rules a contract can trigger, and where it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from markup import CODE

from npzschema.contracts import Contract, pointer, rules, schema


def _always(_: Contract) -> Iterator[str]:
    yield ""


def _ambiguous_axes(contract: Contract) -> Iterator[str]:
    for name, spec in contract.arrays.items():
        orders = [*spec.dims, *(entry.dims for entry in spec.legacy_dims() if entry.dims is not None)]
        ranks = [len(order) for order in orders]
        if len(set(ranks)) < len(ranks):
            yield pointer("arrays", name, "dims")


def _metadata(contract: Contract) -> Iterator[str]:
    if contract.metadata:
        yield pointer("metadata", "member")


# Rules that no single keyword asks for. The others are found through the codes in the meta-schema's descriptions.
_BEYOND_KEYWORDS: Final[Mapping[str, Callable[[Contract], Iterator[str]]]] = {
    "FILE": _always,
    "INTERNAL": _always,
    "KEY-003": _always,
    "FORMAT-002": _ambiguous_axes,
    "META-001": _metadata,
    "META-004": _metadata,
}


def triggers(contract: Contract) -> dict[str, list[str]]:
    """Each rule that the contract can trigger, with JSON pointers into the contract; "" for the whole of it."""
    found: dict[str, list[str]] = {}
    for code, where in _named(schema("contract"), contract.document, ()):
        if code in rules():
            found.setdefault(code, []).append(where)
    for code, rule in rules().items():
        beyond = _BEYOND_KEYWORDS.get(code) or _BEYOND_KEYWORDS.get(rule.family)
        if beyond:
            found.setdefault(code, []).extend(beyond(contract))
    return {code: list(dict.fromkeys(places)) for code, places in found.items() if places}


def _named(node: Mapping[str, Any], value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    """The codes that the meta-schema names for what ``value`` says, with where it says so."""
    if value is False or value is None:
        return
    codes = CODE.findall(node.get("description", ""))
    if "$ref" in node:
        target: Mapping[str, Any] = schema("contract")["$defs"][node["$ref"].rpartition("/")[2]]
        # The description beside a $ref is the nearer one.
        node = {**target, **node}
        codes = codes or CODE.findall(target.get("description", ""))
    for code in codes:
        yield code, pointer(*path)
    if isinstance(value, dict):
        # A legacy form names its rule itself; a finding points at the form.
        if isinstance(value.get("rule"), str):
            yield value["rule"], pointer(*path)
        properties, others = node.get("properties", {}), node.get("additionalProperties")
        for key, inner in value.items():
            schema_of_key = properties.get(key, others)
            if isinstance(schema_of_key, dict):
                yield from _named(schema_of_key, inner, (*path, key))
    elif isinstance(value, list) and isinstance(node.get("items"), dict):
        for index, inner in enumerate(value):
            yield from _named(node["items"], inner, (*path, index))
