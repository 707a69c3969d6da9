"""npz-contract: check contracts themselves, or show one with everything it inherits."""

from __future__ import annotations

import argparse
import codecs
import json
from collections.abc import Sequence
from typing import Final, NoReturn, TextIO

from npzschema import __version__
from npzschema.terminal import Parser, RefusedError, command, main_of, printable, tool_options

from .loader import check_shipped, load, shipped
from .model import ContractError

_EPILOG: Final = """\
exit status:
  0    all are sound
  2    one is refused, or wrong usage
  130  interrupted
  143  terminated (SIGTERM); 129: hung up (SIGHUP)

examples:
  npz-contract list                          what ships with the tool
  npz-contract check mine.json               is it sound, and if not: what, where
  npz-contract show ptychopinn/fixture-v1    with everything it inherits

npz-contract COMMAND --help tells more.
"""


def main() -> NoReturn:
    main_of("npz-contract", run)


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="npz-contract",
        usage="npz-contract COMMAND ...",
        description="Check contracts of ptychography datasets, or show them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    commands = made.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    check = command(
        commands,
        "check",
        "check contract files, and say where one is wrong",
        usage="npz-contract check FILE|ID...",
        examples="npz-contract check mine.json  is it sound, and if not: what, where",
    )
    check.add_argument("contracts", nargs="+", metavar="FILE|ID", help="contract files, or ids of shipped contracts")
    show = command(
        commands,
        "show",
        "print a contract after extends is applied",
        usage="npz-contract show FILE|ID",
        examples="npz-contract show ptychopinn/fixture-v1  all that a fixture must keep",
    )
    show.add_argument("contract", metavar="FILE|ID", help="a contract file, or the id of a shipped contract")
    command(commands, "list", "list the shipped contracts", usage="npz-contract list")
    about = made.add_argument_group("told without a contract")
    about.add_argument(
        "--version", action="version", version=f"npz-contract {__version__}", help="print the version and stop"
    )
    tool_options(about, parser)
    return made


def run(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """The command: returns its status, or leaves as argparse does after ``--help`` and ``--version``."""
    options = parser().parse_args(list(argv))
    if options.command == "list":
        for name in shipped():
            contract = load(name)
            stdout.write(f"{contract.id}  {contract.version}  {contract.title}\n")
        return 0
    if options.command == "show":
        try:
            document = load(options.contract).document
            stdout.write(_plain(json.dumps(document, indent=2, ensure_ascii=not _takes_unicode(stdout))) + "\n")
        except ContractError as error:
            raise RefusedError(printable(str(error))) from None
        return 0
    status = 0
    for reference in options.contracts:
        try:
            contract = check_shipped(reference) if reference in shipped() else load(reference)
        except ContractError as error:
            stdout.write(f"{printable(str(error))}\n")
            status = 2
        else:
            arrays = f"{(count := len(contract.arrays))} array{'s' * (count != 1)}"
            stdout.write(f"{printable(reference)}: {contract.id} {contract.version} is sound: {arrays}\n")
    return status


def _plain(text: str) -> str:
    """JSON that a terminal only shows: C1 controls and bidirectional marks, which json leaves as they are, escaped."""
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _takes_unicode(stream: TextIO) -> bool:
    """Whether it can be given any character; else what it cannot write would be escaped as JSON does not."""
    return codecs.lookup(stream.encoding or "utf-8").name.startswith("utf-")


if __name__ == "__main__":
    main()
