"""What the command lines share: one-line errors, and a place where output can go."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO

Run = Callable[[Sequence[str], TextIO, TextIO], int]


class UsageError(Exception):
    """The command line asks for something that there is not."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(printable(message))


def printable(text: str) -> str:
    """Text of others, on one line and without control characters."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def main_of(name: str, run: Run) -> NoReturn:
    """Run a command with this process's arguments and streams, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
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
    except OSError as error:
        # Only standard output can fail here: every file has its own message.
        sys.stderr.write(f"{name}: cannot write to standard output: {(error.strerror or str(error)).lower()}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except SystemExit as stop:
        # argparse leaves so after --help and --version.
        status = int(stop.code or 0)
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: interrupted\n")
        status = 130
    sys.exit(status)
