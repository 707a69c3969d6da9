"""The pages of the shipped contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Final

from families import families
from markup import page, plain, prose, table
from triggers import triggers

from npzschema.contracts import ArraySpec, Contract, Dimension, Legacy, Values, schema

FIXES: Final[Mapping[str, str]] = {
    "rename": "rename",
    "transpose": "transpose the axes",
    "cast": "cast",
    "sqrt": "take the square root",
    "square": "square",
}


def index(contracts: list[Contract]) -> str:
    rows = [[f"[{one.id}]({one.id}.md)", one.version, one.finding or "", plain(one.title)] for one in contracts]
    lines = [
        "# Contracts",
        "",
        "What the arrays of a dataset must be. Each contract is one JSON file;",
        "[the contract format](../contract_format.md) says how to write your own.",
        "",
        *table(["Contract", "Version", "Also called", "Title"], rows),
        "",
    ]
    return page("contracts/*/*.json", lines)


def contract_page(contract: Contract) -> str:
    up = "../" * (contract.id.count("/") + 1)
    own = json.loads(resources.files("npzschema.contracts").joinpath(f"{contract.id}.json").read_text(encoding="utf-8"))
    lines = [f"# {plain(contract.title)}", "", f"`{contract.id}`, version {contract.version}"]
    if contract.finding:
        lines[-1] += f", also called {contract.finding}"
    lines[-1] += "."
    if "extends" in own:
        lines[-1] += (
            f" Builds on [{own['extends']}]({up}contracts/{own['extends']}.md); this page shows all that holds."
        )
    lines += ["", prose(contract.description, up), ""]
    lines += ["```console", f"$ validate-npz --contract {contract.id} scan.npz", "```", ""]
    if contract.declared_by:
        lines += ["A file declares this contract itself if its metadata names the id, or holds:", ""]
        for pair in contract.declared_by:
            lines.append("- " + ", ".join(f"`{key}` = `{value}`" for key, value in pair.items()))
        lines.append("")
    lines += [*_dimensions(contract, up), *_arrays(contract, up), *_scan(contract, up), *_beside(contract, up)]
    decisions = contract.document.get("decisions", [])
    if decisions:
        lines += ["## Decisions", "", "Where the sources contradict each other, this is what holds, and why.", ""]
        rows = [
            [prose(one[key], up) if key in one else "" for key in ("topic", "decision", "reason", "source")]
            for one in decisions
        ]
        lines += [*table(["Topic", "Decision", "Why", "Source"], rows), ""]
    sources = contract.document.get("sources", [])
    if sources:
        lines += ["## Sources", "", *(f"- {prose(source, up)}" for source in sources), ""]
    lines += [
        "## Rules that it triggers",
        "",
        *_triggered(contract, up),
        "",
    ]
    return page(f"contracts/{contract.id}.json", lines)


def _triggered(contract: Contract, up: str) -> Iterator[str]:
    found = triggers(contract)
    for heading, family in families():
        codes = [rule.code for rule in family if found.get(rule.code, [""]) != [""]]
        if codes:
            yield f"- {heading}: " + ", ".join(f"[{code}]({up}rules/{code}.md)" for code in codes)
    yield ""
    yield f"Besides, those that hold for every contract: see [all rules]({up}rules/index.md)."


def _dimensions(contract: Contract, up: str) -> list[str]:
    if not contract.dimensions:
        return []
    rows = [[f"`{one.symbol}`", prose(one.description, up), _size(one)] for one in contract.dimensions.values()]
    return [
        "## Dimensions",
        "",
        "A symbol has one size in one file.",
        "",
        *table(["Symbol", "Counts", "Size"], rows),
        "",
    ]


def _size(dimension: Dimension) -> str:
    said = [("equal to", dimension.equals), ("at least", dimension.minimum), ("at most", dimension.maximum)]
    return ", ".join(f"{words} {_amount(size)}" for words, size in said if size is not None)


def _amount(size: int | str) -> str:
    return f"`{size}`" if isinstance(size, str) else f"{size:,}"


def _arrays(contract: Contract, up: str) -> list[str]:
    if not contract.arrays:
        return []
    rows = [
        [
            f"`{spec.name}`",
            "yes" if spec.required else "no",
            " or ".join(f"`{_axes(order)}`" for order in spec.dims),
            " or ".join(f"`{name}`" for name in spec.dtype),
            ", ".join(filter(None, [spec.quantity, prose(spec.unit, up)])),
            _values(spec.values),
            prose(spec.source, up),
        ]
        for spec in contract.arrays.values()
    ]
    heads = ["Array", "Required", "Axes", "dtype", "Quantity, unit", "Values", "Source"]
    lines = ["## Arrays", "", *table(heads, rows), ""]
    for spec in contract.arrays.values():
        if spec.description or spec.legacy:
            lines += [*_array(spec, up), ""]
    return lines


def _array(spec: ArraySpec, up: str) -> list[str]:
    lines = [f"### `{spec.name}`"]
    if spec.description:
        lines += ["", prose(spec.description, up)]
    if spec.legacy:
        rows = [
            [_form(entry), prose(entry.rule, up), FIXES[entry.fix] if entry.fix else "none"] for entry in spec.legacy
        ]
        lines += ["", "Known other forms:", "", *table(["Form", "Rule", "Mend"], rows)]
    return lines


def _form(entry: Legacy) -> str:
    if entry.name:
        return f"under the name `{entry.name}`"
    if entry.dims is not None:
        return f"axes `{_axes(entry.dims)}`"
    kinds = " or ".join(f"`{name}`" for name in entry.dtype)
    return f"{entry.quantity} in {kinds}" if entry.quantity else kinds


def _axes(order: tuple[int | str, ...]) -> str:
    return f"({order[0]},)" if len(order) == 1 else f"({', '.join(map(str, order))})"


def _values(values: Values) -> str:
    said = ["finite"] if values.finite else []
    bounds = [
        ("at least", values.minimum),
        ("above", values.exclusive_minimum),
        ("at most", values.maximum),
        ("below", values.exclusive_maximum),
        ("maximum over mean at most", values.maximum_over_mean),
    ]
    said += [f"{words} {bound:g}" for words, bound in bounds if bound is not None]
    return ", ".join([*said, *(["not constant"] if values.varies else [])])


def _scan(contract: Contract, up: str) -> list[str]:
    told = contract.document.get("scan")
    if not told:
        return []
    words = schema("contract")["$defs"]["scan"]["properties"]
    rows = [
        [f"`{key}`", f"`{json.dumps(value).strip(chr(34))}`", prose(words[key]["description"], up)]
        for key, value in told.items()
    ]
    return ["## Scan table", "", "One row a position.", "", *table(["Keyword", "Value", "Meaning"], rows), ""]


def _beside(contract: Contract, up: str) -> list[str]:
    lines: list[str] = []
    if contract.identical:
        lines += ["## Relations", ""]
        lines += [
            f"- `{a}` and `{b}`: {prose('where both are present, every value must be equal (KEY-004).', up)}"
            for a, b in contract.identical
        ]
        lines.append("")
    said = []
    if contract.storage.order:
        said.append(f"in {contract.storage.order} order")
    if contract.storage.byte_order:
        said.append(f"{contract.storage.byte_order}-endian")
    if said:
        lines += [
            "## Storage",
            "",
            prose(f"Every array is {' and '.join(said)}; anything else is FORMAT-003.", up),
            "",
        ]
    if contract.metadata:
        must = "must be there" if contract.metadata.required else "may be there"
        lines += ["## Metadata", "", f"One JSON text in the 0-d array `{contract.metadata.member}`; it {must}."]
        if contract.metadata.schema is not None:
            text = json.dumps(contract.metadata.schema, indent=2, ensure_ascii=False)
            lines[-1] += " " + prose("It keeps this JSON Schema (META-002):", up)
            lines += ["", "```json", text, "```"]
        lines.append("")
    return lines
