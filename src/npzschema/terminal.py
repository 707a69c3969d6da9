"""What the command lines share: one-line errors, and a place where output can go."""

from __future__ import annotations

import argparse
import io
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TextIO

from . import process
from .completion import SHELLS, completion

Run = Callable[[Sequence[str], TextIO, TextIO], int]


class UsageError(Exception):
    """The command line asks for something that there is not."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(printable(message))


class PrintCompletion(argparse.Action):
    """Prints the completion of a shell and stops, as argparse's own --version does."""

    def __call__(self, parser: argparse.ArgumentParser, _namespace: Any, values: Any, _option: Any = None) -> NoReturn:
        sys.stdout.write(completion(parser, values))
        parser.exit()


def tool_options(made: argparse._ActionsContainer) -> None:
    """The options that every command has."""
    made.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        metavar="SHELL",
        help=f"print the completion of a shell ({', '.join(SHELLS)}) and stop",
    )
    made.add_argument("-h", "--help", action="help", help="show this help and stop")


def command(
    commands: argparse._SubParsersAction[Parser], name: str, says: str, *, usage: str, examples: str = ""
) -> Parser:
    """One command of several. ``says`` is its line in the list; ``examples`` a line each: the call and what it does."""
    made = commands.add_parser(
        name,
        usage=usage,
        help=says,
        description=f"{says[0].upper()}{says[1:]}.",
        epilog="examples:\n" + textwrap.indent(examples, "  ") if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    made.add_argument("-h", "--help", action="help", help="show this help and stop")
    return made


def printable(text: str) -> str:
    """Text of others, on one line and without control characters."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def main_of(name: str, run: Run) -> NoReturn:
    """Run a command with this process's arguments and streams, and exit with its status."""
    process.prepare()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        process.interruptible()
        # A closed standard output is None.
        status = run(sys.argv[1:], sys.stdout or open(os.devnull, "w", encoding="utf-8"), sys.stderr)  # noqa: SIM115
        if sys.stdout:
            sys.stdout.flush()
    except UsageError as error:
        sys.stderr.write(f"{name}: {error}; see {name} --help\n")
        status = 2
    except BrokenPipeError:
        # Whoever reads has had enough, as head does; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except MemoryError:
        sys.stderr.write(f"{name}: out of memory\n")
        status = 2
    except OSError as error:
        # Files have their own messages, and what names none is standard output.
        what = "cannot write to standard output" if error.filename is None else printable(os.fsdecode(error.filename))
        sys.stderr.write(f"{name}: {what}: {(error.strerror or str(error)).lower()}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except SystemExit as stop:
        # argparse leaves so after --help and --version.
        status = int(stop.code or 0)
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: interrupted\n")
        sys.stderr.flush()
        # All is tidied up. Threads that still read or import are not waited for: one that imports may wait for ever,
        # for a module whose import was interrupted.
        os._exit(130)
    process.finish()
    sys.exit(status)
