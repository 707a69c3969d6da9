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
    """The command line asks for something that there is not. ``command``: whose help tells more, where known."""

    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


class RefusedError(UsageError):
    """What is asked for cannot be done, which no help would change."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(printable(message), self.prog)


class PrintCompletion(argparse.Action):
    """Prints the completion of a shell and stops, as argparse's own --version does.

    ``build``: makes the parser of the command anew. The one that parses has its positionals set aside while it does.
    """

    def __init__(self, *arguments: Any, build: Callable[[], argparse.ArgumentParser], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._build = build

    def __call__(self, parser: argparse.ArgumentParser, _namespace: Any, values: Any, _option: Any = None) -> NoReturn:
        sys.stdout.write(completion(self._build(), values))
        parser.exit()


def tool_options(made: argparse._ActionsContainer, build: Callable[[], argparse.ArgumentParser]) -> None:
    """The options that every command has; ``build`` makes its parser."""
    made.add_argument(
        "--print-completion",
        action=PrintCompletion,
        build=build,
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
        prog=" ".join(usage.split()[:2]),
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
    _prepare_streams()
    try:
        process.interruptible()
        status = run(sys.argv[1:], sys.stdout, sys.stderr)
        sys.stdout.flush()
    except UsageError as error:
        help_ = "" if isinstance(error, RefusedError) else f"; see {error.command or name} --help"
        sys.stderr.write(f"{name}: {error}{help_}\n")
        status = 2
    except BrokenPipeError:
        # Whoever reads has had enough, as head does; Python would complain once more at exit.
        _silence(sys.stdout)
        status = 141
    except MemoryError:
        sys.stderr.write(f"{name}: out of memory\n")
        status = 2
    except OSError as error:
        # Files have their own messages, and what names none is standard output.
        what = "cannot write to standard output" if error.filename is None else printable(os.fsdecode(error.filename))
        sys.stderr.write(f"{name}: {what}: {(error.strerror or str(error)).lower()}\n")
        _silence(sys.stdout)
        status = 2
    except SystemExit as stop:
        # argparse leaves so after --help and --version.
        status = int(stop.code or 0)
    except KeyboardInterrupt as stop:
        sys.stderr.write(f"{name}: {str(stop) if isinstance(stop, process.Ended) else 'interrupted'}\n")
        sys.stderr.flush()
        process.leave(stop)
    except Exception as error:  # noqa: BLE001 - any bug; Python's own status, 1, would say that there are findings
        sys.stderr.write(f"{name}: {_fault(error)}\n")
        status = 2
    process.finish()
    sys.exit(status)


class _Heedless(io.TextIOWrapper):
    """Standard error that may be full or gone: what cannot be told is not, and the command goes on."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            _silence(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _silence(self)


def _prepare_streams() -> None:
    """Any text can be written to both, and to standard error at any time."""
    # One that is closed is None. The first file that is opened would take its number, and what C code says.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        encoding = sys.stderr.encoding
        sys.stderr = _Heedless(sys.stderr.detach(), encoding, errors="backslashreplace", line_buffering=True)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def _silence(stream: TextIO) -> None:
    """What is still to be written, at exit too, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fault(error: Exception) -> str:
    import traceback

    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}:{where.lineno}"
    return printable(f"a fault of this tool: {type(error).__name__}: {error} ({place})")
