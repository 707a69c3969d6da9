"""The Markdown of the generated pages."""

from __future__ import annotations

import re
from typing import Final

from npzschema.contracts import rules

CODE: Final = re.compile(r"\b[A-Z]+-\d{3}\b")
COMMAND: Final = re.compile(
    r"\b(?:generate-npz|npz-contract) [a-z]+|\bvalidate-npz\b(?: -v)?"
    # An option, with its value where that stands in the sentence.
    r"|(?<!\S)--[a-z][a-z-]+(?:(?<=--allow) [a-z]+| \w+=[\w,]+)?"
)


def page(source: str, lines: list[str]) -> str:
    head = f"<!-- Made by docs/build_pages.py from {source}: change that, then run `make docs`. -->"
    return "\n".join([head, "", *lines]).rstrip() + "\n"


def table(heads: list[str], rows: list[list[str]]) -> list[str]:
    # A column that says nothing anywhere is left out.
    used = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    lines = [
        [heads[column] for column in used],
        ["---"] * len(used),
        *([row[column] for column in used] for row in rows),
    ]
    return ["| " + " | ".join(line) + " |" for line in lines]


def plain(words: str) -> str:
    """Words in which nothing is markup."""
    return re.sub(r"[\\`*|\[\]]|(?<!\w)_|_(?!\w)", lambda mark: "\\" + mark[0], words).replace("<", "&lt;")


def prose(text: str, up: str) -> str:
    """Plain words: commands become code, and codes of rules become links; ``up`` leads to the folder of the pages."""
    told = COMMAND.sub(lambda command: f"`{command[0]}`", plain(text))
    to_rules = f"{up}rules/" if up else ""
    return CODE.sub(lambda code: f"[{code[0]}]({to_rules}{code[0]}.md)" if code[0] in rules() else code[0], told)


def options_as_code(text: str) -> str:
    """Plain words: options become code."""
    return re.sub(r"(?<!\S)--[a-z][a-z-]+", lambda option: f"`{option[0]}`", plain(text))
