"""What the command lines share: one-line errors, and a place where output can go."""

from __future__ import annotations

import argparse
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
        raise UsageError(message)


def main_of(name: str, run: Run) -> NoReturn:
    """Run a command with this process's arguments and streams, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, getattr(__import__("io"), "TextIOWrapper")):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = run(sys.argv[1:], sys.stdout, sys.stderr)
        sys.stdout.flush()
    except UsageError as error:
        sys.stderr.write(f"{name}: {error}; see {name} --help\n")
        status = 2
    except BrokenPipeError:
        # Whoever reads has had enough, as head does; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: interrupted\n")
        status = 130
    sys.exit(status)
