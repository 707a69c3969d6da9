"""The page of the command line, from the parsers of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

from markup import options_as_code, page, table

from npzschema.contracts import cli as contract_cli
from npzschema.generator import options as generator_options
from npzschema.validator import options

_PARSERS: Final = (options.parser, generator_options.parser, contract_cli.parser)


def command_line() -> str:
    """The page of the three commands."""
    lines = [
        "# Command line",
        "",
        "In the words of `--help`.",
        "",
    ]
    for make in _PARSERS:
        made = make()
        lines += [f"## {made.prog}", "", *_command(made, "###")]
    return page("the parsers of the commands", lines)


def _command(made: argparse.ArgumentParser, level: str) -> list[str]:
    lines = ["```text", made.usage or made.prog, "```", ""]
    lines += [options_as_code(made.description or ""), ""]
    commands: Mapping[str, argparse.ArgumentParser] = {}
    for group in made._action_groups:  # noqa: SLF001 - argparse has no public list
        rows = []
        for action in group._group_actions:  # noqa: SLF001
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
                commands = action.choices
                rows += [[f"`{one.dest}`", options_as_code(one.help or "")] for one in action._get_subactions()]  # noqa: SLF001
            elif not isinstance(action, argparse._HelpAction):  # noqa: SLF001
                rows.append([_name(action), options_as_code(action.help or "")])
        if rows:
            title = "arguments" if group.title == "positional arguments" else group.title or ""
            head = "Command" if title == "commands" else "Option"
            lines += [f"**{title.capitalize()}**", "", *table([head, "Meaning"], rows), ""]
    lines += _epilog(made.epilog or "")
    for name, one in commands.items():
        lines += [f"{level} {made.prog} {name}", "", *_command(one, f"{level}#")]
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
            lines += [options_as_code(first), ""]
    return lines


def _dedented(text: str) -> list[str]:
    return [line.removeprefix("  ").rstrip() for line in text.splitlines()]
