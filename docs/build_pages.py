"""Write the pages of rules, contracts, configuration and command line from what they describe.

``python docs/build_pages.py`` writes docs/rules, docs/contracts and the pages named in SINGLE; with
``--check`` it writes nothing and fails where the pages on disk differ. The pages are committed, so that they can be
read in the repository.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, TextIO

import reference_pages

from npzschema.contracts import (
    ArraySpec,
    Contract,
    Dimension,
    Legacy,
    Rule,
    Values,
    load,
    pointer,
    rules,
    schema,
    shipped,
)

DOCS: Final = Path(__file__).resolve().parent
GENERATED: Final = ("rules", "contracts")
SINGLE: Final = ("command_line.md", "configuration.md", "now_what.md")
CODE: Final = re.compile(r"\b[A-Z]+-\d{3}\b")
COMMAND: Final = re.compile(r"\b(?:generate-npz|npz-contract) [a-z]+|\bvalidate-npz\b|(?<!\S)--[a-z][a-z-]+")

FAMILIES: Final[Mapping[str, str]] = {
    "FILE": "The container",
    "KEY": "Names of arrays",
    "FORMAT": "Order of axes and of bytes",
    "SHAPE": "Shapes",
    "DTYPE": "Data types",
    "VALUE": "Values",
    "NORM": "Amplitudes and their scale",
    "SCAN": "Scan positions and frames",
    "PHYS": "The file against the forward model",
    "META": "Metadata",
    "INTERNAL": "Faults of the tool",
}

LEVELS: Final[Mapping[str, str]] = {
    "error": "The file breaks its contract: exit status 1.",
    "warning": "The file keeps its contract, but look at it. Exit status 0, or 1 with `--fail-on warning`.",
    "info": "Good to know. Exit status 0, or 1 with `--fail-on info`.",
}
UNREADABLE: Final = "The file cannot be checked further: exit status 2."

FIXES: Final[Mapping[str, str]] = {
    "rename": "rename",
    "transpose": "transpose the axes",
    "cast": "cast",
    "sqrt": "take the square root",
    "square": "square",
}


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
BEYOND_KEYWORDS: Final[Mapping[str, Callable[[Contract], Iterator[str]]]] = {
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
        beyond = BEYOND_KEYWORDS.get(code) or BEYOND_KEYWORDS.get(rule.family)
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


def pages() -> dict[str, str]:
    """Text of every generated page, by its path in docs."""
    contracts = [load(reference) for reference in shipped()]
    by_contract = {contract.id: triggers(contract) for contract in contracts}
    made = {"rules/index.md": _rule_index(), "contracts/index.md": _contract_index(contracts)}
    for rule in rules().values():
        made[f"rules/{rule.code}.md"] = _rule_page(
            rule, {one: told.get(rule.code, []) for one, told in by_contract.items()}
        )
    for contract in contracts:
        made[f"contracts/{contract.id}.md"] = _contract_page(contract)
    made["command_line.md"] = _page("the parsers of the commands", reference_pages.command_line(_table))
    made["now_what.md"] = _now_what()
    made["configuration.md"] = _page(
        "contracts/config.schema.json and contracts/baseline.schema.json", reference_pages.configuration(_table)
    )
    return made


def _rule_index() -> str:
    lines = ["# Rules", "", "Everything that can be wrong with a file. The reports name these codes.", ""]
    for family in dict.fromkeys(rule.family for rule in rules().values()):
        lines += [f"## {FAMILIES.get(family, family)}", ""]
        rows = [
            [f"[{rule.code}]({rule.code}.md)", rule.level, _prose(rule.title, "", links=False)]
            for rule in rules().values()
            if rule.family == family
        ]
        lines += [*_table(["Code", "Level", "Title"], rows), ""]
    return _page("contracts/rules.json", lines)


def _now_what() -> str:
    """One path for every code: what it means, and what to do."""
    lines = [
        "# My file fails: now what",
        "",
        "1. Read the findings of level error from the top: each names an array, what was expected and what was found.",
        "2. A line that begins with `Mend:` is a command that can be copied. It writes a new file and checks it. Steps",
        "   behind `--allow` rest on evidence or lose something: `generate-npz convert --dry-run` shows them first.",
        "3. Where there is no such line, the table below says what to do.",
        "4. To *look* at the data: `validate-npz --format html --output report.html scan.npz`.",
        "5. What you must live with for now goes into a [baseline](in_your_tools.md), with a reason.",
        "",
    ]
    for family in dict.fromkeys(rule.family for rule in rules().values()):
        rows = [
            [f"[{rule.code}](rules/{rule.code}.md)", _prose(rule.title, "", links=False), _prose(rule.advice(), "./")]
            for rule in rules().values()
            if rule.family == family
        ]
        lines += [f"## {FAMILIES.get(family, family)}", "", *_table(["Code", "Says", "What to do"], rows), ""]
    return _page("contracts/rules.json", lines)


def _picture(rule: Rule) -> tuple[str, ...]:
    """The picture that docs/draw_pictures.py makes for a rule, where there is one."""
    if not (DOCS / "images" / f"{rule.code}.png").is_file():
        return ()
    return (f"![What it looks like: {_prose(rule.title, '', links=False)}](../images/{rule.code}.png)", "")


def _rule_page(rule: Rule, places: Mapping[str, list[str]]) -> str:
    said = LEVELS[rule.level]
    if rule.unreadable:
        said = UNREADABLE
    lines = [
        f"# {rule.code}: {_prose(rule.title, '', links=False)}",
        "",
        f"**Level: {rule.level}.** {said}",
        "",
        *("## Why it matters", "", _prose(rule.why, ""), ""),
        *("## Remedy", "", _prose(rule.advice(), ""), ""),
        *("## Example", "", _prose(rule.example, ""), ""),
        *_picture(rule),
        *("## Which contracts trigger it", ""),
    ]
    asking = {one: found for one, found in places.items() if found}
    if not asking:
        lines += ["It is tied to no keyword of a shipped contract.", ""]
    elif all(found == [""] for found in asking.values()) and len(asking) == len(places):
        lines += ["Every contract: this is checked whatever the contract says.", ""]
    else:
        rows = [[f"[{one}](../contracts/{one}.md)", _places(found)] for one, found in asking.items()]
        lines += [*_table(["Contract", "Where it asks for it"], rows), ""]
    lines += ["## Where it is checked", "", f"`{rule.checked_by}`", "", *_broken_on_purpose(rule)]
    return _page("contracts/rules.json", lines)


def _broken_on_purpose(rule: Rule) -> Iterator[str]:
    """How to make a file that breaks the rule, and the documented exceptions."""
    if not rule.breakable:
        return
    yield from ("## Broken on purpose", "", "```console")
    yield from (f"$ generate-npz break --rule {rule.code} sim.npz broken.npz", "```", "")
    if not rule.exceptions:
        yield from ("Any dataset of any shipped contract can be broken so, with no other error.", "")
        return
    yield from ("Any dataset of any shipped contract can be broken so, with no other error, except:", "")
    for one in rule.exceptions:
        among = ", ".join(f"[{name}](../contracts/{name}.md)" for name in one.contracts) or "any contract"
        yield f"- {among}: {_prose(one.why, '')}"
    yield ""


def _places(found: list[str], most: int = 4) -> str:
    shown = ", ".join(f"`{place or '/'}`" for place in found[:most])
    return shown + (f" and {len(found) - most} more" if len(found) > most else "")


def _contract_index(contracts: list[Contract]) -> str:
    rows = [
        [f"[{one.id}]({one.id}.md)", one.version, one.finding or "", _prose(one.title, "", links=False)]
        for one in contracts
    ]
    lines = [
        "# Contracts",
        "",
        "What the arrays of a dataset must be. Each contract is one JSON file;",
        "[the contract format](../contract_format.md) says how to write your own.",
        "",
        *_table(["Contract", "Version", "Also called", "Title"], rows),
        "",
    ]
    return _page("contracts/*/*.json", lines)


def _contract_page(contract: Contract) -> str:
    up = "../" * (contract.id.count("/") + 1)
    own = json.loads(resources.files("npzschema.contracts").joinpath(f"{contract.id}.json").read_text(encoding="utf-8"))
    lines = [f"# {_prose(contract.title, up, links=False)}", "", f"`{contract.id}`, version {contract.version}"]
    if contract.finding:
        lines[-1] += f", also called {contract.finding}"
    lines[-1] += "."
    if "extends" in own:
        lines[-1] += (
            f" Builds on [{own['extends']}]({up}contracts/{own['extends']}.md); this page shows all that holds."
        )
    lines += ["", _prose(contract.description, up), ""]
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
            [_prose(one[key], up) if key in one else "" for key in ("topic", "decision", "reason", "source")]
            for one in decisions
        ]
        lines += [*_table(["Topic", "Decision", "Why", "Source"], rows), ""]
    sources = contract.document.get("sources", [])
    if sources:
        lines += ["## Sources", "", *(f"- {_prose(source, up)}" for source in sources), ""]
    lines += [
        "## Rules that it triggers",
        "",
        *_triggered(contract, up),
        "",
    ]
    return _page(f"contracts/{contract.id}.json", lines)


def _triggered(contract: Contract, up: str) -> Iterator[str]:
    found = triggers(contract)
    for family in dict.fromkeys(rule.family for rule in rules().values()):
        codes = [code for code, rule in rules().items() if rule.family == family and found.get(code, [""]) != [""]]
        if codes:
            yield f"- {FAMILIES.get(family, family)}: " + ", ".join(f"[{code}]({up}rules/{code}.md)" for code in codes)
    yield ""
    yield f"Besides, those that hold for every contract: see [all rules]({up}rules/index.md)."


def _dimensions(contract: Contract, up: str) -> list[str]:
    if not contract.dimensions:
        return []
    rows = [[f"`{one.symbol}`", _prose(one.description, up), _size(one)] for one in contract.dimensions.values()]
    return [
        "## Dimensions",
        "",
        "A symbol has one size in one file.",
        "",
        *_table(["Symbol", "Counts", "Size"], rows),
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
            ", ".join(filter(None, [spec.quantity, _prose(spec.unit, up)])),
            _values(spec.values),
            _prose(spec.source, up),
        ]
        for spec in contract.arrays.values()
    ]
    heads = ["Array", "Required", "Axes", "dtype", "Quantity, unit", "Values", "Source"]
    lines = ["## Arrays", "", *_table(heads, rows), ""]
    for spec in contract.arrays.values():
        if spec.description or spec.legacy:
            lines += [*_array(spec, up), ""]
    return lines


def _array(spec: ArraySpec, up: str) -> list[str]:
    lines = [f"### `{spec.name}`"]
    if spec.description:
        lines += ["", _prose(spec.description, up)]
    if spec.legacy:
        rows = [
            [_form(entry), _prose(entry.rule, up), FIXES[entry.fix] if entry.fix else "none"] for entry in spec.legacy
        ]
        lines += ["", "Known other forms:", "", *_table(["Form", "Rule", "Mend"], rows)]
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
        [f"`{key}`", f"`{json.dumps(value).strip(chr(34))}`", _prose(words[key]["description"], up)]
        for key, value in told.items()
    ]
    return ["## Scan table", "", "One row a position.", "", *_table(["Keyword", "Value", "Meaning"], rows), ""]


def _beside(contract: Contract, up: str) -> list[str]:
    lines: list[str] = []
    if contract.identical:
        lines += ["## Relations", ""]
        lines += [
            f"- `{a}` and `{b}`: {_prose('where both are present, every value must be equal (KEY-004).', up)}"
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
            _prose(f"Every array is {' and '.join(said)}; anything else is FORMAT-003.", up),
            "",
        ]
    if contract.metadata:
        must = "must be there" if contract.metadata.required else "may be there"
        lines += ["## Metadata", "", f"One JSON text in the 0-d array `{contract.metadata.member}`; it {must}."]
        if contract.metadata.schema is not None:
            text = json.dumps(contract.metadata.schema, indent=2, ensure_ascii=False)
            lines[-1] += " " + _prose("It keeps this JSON Schema (META-002):", up)
            lines += ["", "```json", text, "```"]
        lines.append("")
    return lines


def _page(source: str, lines: list[str]) -> str:
    head = f"<!-- Made by docs/build_pages.py from {source}: change that, then run `make docs`. -->"
    return "\n".join([head, "", *lines]).rstrip() + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    # A column that says nothing anywhere is left out.
    used = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    lines = [
        [heads[column] for column in used],
        ["---"] * len(used),
        *([row[column] for column in used] for row in rows),
    ]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _prose(text: str, up: str, *, links: bool = True) -> str:
    """Plain words as Markdown: nothing in them is markup, commands become code, codes of rules become links."""
    escaped = re.sub(r"[\\`*|\[\]]|(?<!\w)_|_(?!\w)", lambda mark: "\\" + mark[0], text).replace("<", "&lt;")
    if not links:
        return escaped
    escaped = COMMAND.sub(lambda command: f"`{command[0]}`", escaped)
    to_rules = f"{up}rules/" if up else ""
    return CODE.sub(lambda code: f"[{code[0]}]({to_rules}{code[0]}.md)" if code[0] in rules() else code[0], escaped)


def _differences(made: Mapping[str, str], docs: Path) -> Iterator[str]:
    on_disk = {path.relative_to(docs).as_posix() for folder in GENERATED for path in (docs / folder).rglob("*.md")}
    on_disk |= {name for name in SINGLE if (docs / name).is_file()}
    for name, text in made.items():
        if name not in on_disk:
            yield f"{name} is missing"
        elif (docs / name).read_text(encoding="utf-8") != text:
            yield f"{name} is out of date"
    for name in sorted(on_disk - set(made)):
        yield f"{name} describes nothing that exists"


def run(argv: list[str], stdout: TextIO) -> int:
    """Write the pages, or with ``--check`` compare them. 0: nothing to say, 1: they differ."""
    parser = argparse.ArgumentParser(description="Write the pages of rules, contracts, configuration and command line.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the pages differ")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder to write into")
    options = parser.parse_args(argv)
    made = pages()
    if options.check:
        differences = list(_differences(made, options.docs))
        for line in differences:
            print(line, file=stdout)
        if differences:
            print("run `make docs` and commit the pages", file=stdout)
        return 1 if differences else 0
    for folder in GENERATED:
        for path in (options.docs / folder).rglob("*.md"):
            if path.relative_to(options.docs).as_posix() not in made:
                path.unlink()
    for name, text in made.items():
        path = options.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(made)} pages", file=stdout)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], sys.stdout))
