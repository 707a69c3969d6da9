"""Where files are written: what their names lead to, and the name under which one lies until it is whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

LINKS: Final = 40
"""As many as Linux follows."""


def part_beside(target: Path) -> Path:
    """A name beside the target. Random: what a killed run left behind stands in no later run's way."""
    return target.with_name(f".npzschema-{secrets.token_hex(8)}.part")


def descriptor(path: str | os.PathLike[str]) -> int | None:
    """The number of the open file that a path such as ``/dev/stdout`` stands for; None for all others.

    What that file is, a log perhaps, is not to be replaced, nor is the link.
    """
    at = os.fspath(path)
    for _ in range(LINKS):
        folder, name = os.path.realpath(os.path.dirname(at)), os.path.basename(at)
        if folder in (f"/proc/{os.getpid()}/fd", "/dev/fd") and name.isascii() and name.isdigit():
            return int(name)
        try:
            at = os.path.join(folder, os.readlink(os.path.join(folder, name)))
        except (OSError, ValueError):
            return None
    return None


def holds_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a ZIP archive lies there, such as a dataset is: nothing but a dataset may take its place."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False
