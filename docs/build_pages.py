"""Write the pages of rules, contracts, configuration, reports and command line from what they describe.

``python docs/build_pages.py`` writes docs/rules, docs/contracts and the pages named in SINGLE; with
``--check`` it writes nothing and fails where the pages on disk differ. The pages are committed, so that they can be
read in the repository.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

import contract_pages
import rule_pages
from command_line_page import command_line
from configuration_page import configuration
from now_what_page import now_what
from report_format_page import report_format
from triggers import triggers

from npzschema.contracts import load, rules, shipped

DOCS: Final = Path(__file__).resolve().parent
GENERATED: Final = ("rules", "contracts")
SINGLE: Final = ("command_line.md", "configuration.md", "now_what.md", "report_format.md")


def pages() -> dict[str, str]:
    """Text of every generated page, by its path in docs."""
    contracts = [load(reference) for reference in shipped()]
    asked = {contract.id: triggers(contract) for contract in contracts}
    return {
        "rules/index.md": rule_pages.index(),
        **{
            f"rules/{code}.md": rule_pages.rule_page(rule, {one: told.get(code, []) for one, told in asked.items()})
            for code, rule in rules().items()
        },
        "contracts/index.md": contract_pages.index(contracts),
        **{f"contracts/{contract.id}.md": contract_pages.contract_page(contract) for contract in contracts},
        "command_line.md": command_line(),
        "configuration.md": configuration(),
        "now_what.md": now_what(),
        "report_format.md": report_format(),
    }


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
