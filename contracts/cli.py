"""npz-contract: check contracts themselves, or show one with everything it inherits."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import NoReturn, TextIO

from npzschema import __version__

from .loader import check_shipped, load, shipped
from .model import ContractError
from .terminal import Parser, UsageError, main_of, printable


def main() -> NoReturn:
    main_of("npz-contract", run)


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="npz-contract",
        description="Check contracts of ptychography datasets, or show them.",
        epilog="exit status: 0 all are sound; 2 one is refused, or wrong usage",
    )
    made.add_argument("--version", action="version", version=f"npz-contract {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    check = commands.add_parser("check", help="check contract files, and say where one is wrong")
    check.add_argument("contracts", nargs="+", metavar="FILE|ID", help="contract files, or ids of shipped contracts")
    show = commands.add_parser("show", help="print a contract after extends is applied")
    show.add_argument("contract", metavar="FILE|ID", help="a contract file, or the id of a shipped contract")
    commands.add_parser("list", help="list the shipped contracts")
    return made


def run(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """The command, without exiting: returns its status."""
    options = parser().parse_args(list(argv))
    if options.command == "list":
        for name in shipped():
            contract = load(name)
            stdout.write(f"{contract.id}  {contract.version}  {contract.title}\n")
        return 0
    if options.command == "show":
        try:
            stdout.write(json.dumps(load(options.contract).document, indent=2, ensure_ascii=False) + "\n")
        except ContractError as error:
            raise UsageError(printable(str(error))) from None
        return 0
    status = 0
    for reference in options.contracts:
        try:
            contract = check_shipped(reference) if reference in shipped() else load(reference)
        except ContractError as error:
            stdout.write(f"{printable(str(error))}\n")
            status = 2
        else:
            stdout.write(
                f"{printable(reference)}: {contract.id} {contract.version} is sound: {len(contract.arrays)} arrays\n"
            )
    return status


if __name__ == "__main__":
    main()
