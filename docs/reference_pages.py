"""Pages of the command line and of the configuration, from the parsers and the schemas that they describe."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from npzschema.contracts import cli as contract_cli
from npzschema.contracts import schema
from npzschema.generator import options as generator_options
from npzschema.validator import options

PARSERS: Final = (options.parser, generator_options.parser, contract_cli.parser)
Table = Callable[[list[str], list[list[str]]], list[str]]


def command_line(table: Table) -> list[str]:
    """The page of the three commands."""
    lines = [
        "# Command line",
        "",
        "In the words of `--help`.",
        "",
    ]
    for make in PARSERS:
        made = make()
        lines += [f"## {made.prog}", "", *_command(made, table, "###")]
    return lines


def _command(made: argparse.ArgumentParser, table: Table, level: str) -> list[str]:
    lines = ["```text", made.usage or made.prog, "```", ""]
    lines += [_text(made.description or ""), ""]
    commands: Mapping[str, argparse.ArgumentParser] = {}
    for group in made._action_groups:  # noqa: SLF001 - argparse has no public list
        rows = []
        for action in group._group_actions:  # noqa: SLF001
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
                commands = action.choices
                rows += [[f"`{one.dest}`", _text(one.help or "")] for one in action._get_subactions()]  # noqa: SLF001
            elif not isinstance(action, argparse._HelpAction):  # noqa: SLF001
                rows.append([_name(action), _text(action.help or "")])
        if rows:
            title = "arguments" if group.title == "positional arguments" else group.title or ""
            head = "Command" if title == "commands" else "Option"
            lines += [f"**{title.capitalize()}**", "", *table([head, "Meaning"], rows), ""]
    lines += _epilog(made.epilog or "")
    for name, one in commands.items():
        lines += [f"{level} {made.prog} {name}", "", *_command(one, table, f"{level}#")]
    return lines


def _name(action: argparse.Action) -> str:
    word = ""
    if action.nargs != 0:
        choices = "|".join(map(str, action.choices)) if action.choices is not None else action.dest.upper()
        word = action.metavar if isinstance(action.metavar, str) else choices
    names = [f"{name} {word}".rstrip() for name in action.option_strings] or [word]
    return ", ".join("`" + name.replace("|", "\\|") + "`" for name in names)


def _epilog(text: str) -> list[str]:
    """Each section of an epilog: a heading that ends in a colon, then indented lines."""
    lines: list[str] = []
    for section in filter(str.strip, text.split("\n\n")):
        first, _, rest = section.strip("\n").partition("\n")
        if rest:
            lines += [f"**{first.rstrip(':').capitalize()}**", "", "```text", *_dedented(rest), "```", ""]
        else:
            lines += [_text(first), ""]
    return lines


def _dedented(text: str) -> list[str]:
    return [line.removeprefix("  ").rstrip() for line in text.splitlines()]


def _text(words: str) -> str:
    """Plain words as Markdown: options become code, and nothing else is markup."""
    escaped = re.sub(r"[\\`*|\[\]]", lambda mark: "\\" + mark[0], words).replace("<", "&lt;")
    return re.sub(r"(?<!\S)--[a-z][a-z-]+", lambda option: f"`{option[0]}`", escaped)


def configuration(table: Table) -> list[str]:
    """The page of the configuration and of the baseline."""
    config, baseline = schema("config"), schema("baseline")
    return [
        "# Configuration",
        "",
        _text(config["description"]),
        "[In your tools](in_your_tools.md) shows how it is used.",
        "",
        *_table_of(config, config["properties"], table),
        "## A table of `files`",
        "",
        _text(config["properties"]["files"]["description"]),
        "",
        *_table_of(config, config["properties"]["files"]["additionalProperties"]["properties"], table),
        "## Baseline",
        "",
        _text(baseline["description"]),
        "",
        *_table_of(baseline, baseline["properties"], table),
        "Each of its findings:",
        "",
        *_table_of(baseline, baseline["properties"]["findings"]["items"]["properties"], table),
    ]


def _table_of(document: Mapping[str, Any], properties: Mapping[str, Any], table: Table) -> list[str]:
    rows = []
    for key, body in properties.items():
        target = document["$defs"][body["$ref"].rpartition("/")[2]] if "$ref" in body else {}
        whole = {**target, **body}
        rows.append([f"`{key}`", _kind(whole), _text(whole["description"])])
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
