"""What may lie at a path that is no dataset, and beside one that is."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

SIDECARS: Mapping[str, tuple[bytes, int]] = {
    "nothing": (b"", 0),
    "no JSON": (b"sha256_checksum", 0),
    "another kind of file": (b'{"my notes": 1}', 0),
    "a list": (b'["sha256_checksum", "00"]', 0),
    "half of one": (b'{"sha256_checksum": "0000', 0),
    "of another file": (b'{"sha256_checksum": "' + b"0" * 64 + b'"}', 1),
    "of another file, the rest broken": (b'{"sha256_checksum": "' + b"0" * 64 + b'", ]]]', 1),
    "below the top": (b'{"source": {"sha256_checksum": "00"}}', 0),
    "in a text": (b'{"note": "\\"sha256_checksum\\": \\"00\\""}', 0),
    "a number": (b'{"sha256_checksum": 5}', 0),
    "escape sequences": (b'{"sha256_checksum": "\x1b[2J\x9b31m\xe2\x80\xae"}', 1),
    "no UTF-8": (b'\xff\xfe{"sha256_checksum": "\xff"}', 1),
    "10,000 lists deep": (b"[" * 10_000, 0),
    "fifteen megabytes of lists": (b'{"a": [' + b"[]," * 5_000_000 + b'[]], "sha256_checksum": "00"}', 1),
    "fifteen megabytes of quotes": (b'"' * 15_000_000 + b"sha256_checksum", 0),
    "fifteen megabytes of backslashes": (b'"sha256_checksum' + b"\\" * 15_000_000, 0),
    "seventeen megabytes": (b" " * 17_000_000 + b'{"sha256_checksum": "00"}', 0),
}
"""The JSON file beside a sound dataset: its bytes, and the status. 1 is META-003."""


def fifo(folder: Path) -> str:
    os.mkfifo(folder / "pipe.npz")
    return str(folder / "pipe.npz")


def linked(target: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / "link.npz").symlink_to(target)
        return str(folder / "link.npz")

    return make


def unix_socket(folder: Path) -> str:
    path = str(folder / "s")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
    return path


def folder_of(folder: Path) -> str:
    (folder / "data.npz").mkdir()
    return str(folder / "data.npz")


PATHS: Mapping[str, Callable[[Path], str]] = {
    "a pipe": fifo,
    "a socket": unix_socket,
    "a directory": folder_of,
    "/dev/null": lambda _: "/dev/null",
    "/dev/zero": lambda _: "/dev/zero",
    "/dev/tty": lambda _: "/dev/tty",
    "a dangling link": linked("nowhere.npz"),
    "a link to itself": linked("link.npz"),
    "a link to a device": linked("/dev/zero"),
    "no such file": lambda folder: str(folder / "none.npz"),
    "no such folder": lambda folder: str(folder / "none" / "none.npz"),
    "a file as a folder": lambda _: str(Path(__file__) / "none.npz"),
    "an empty path": lambda _: "",
    "a path of 5,000 characters": lambda _: "x" * 5000,
    "a path with a NUL": lambda _: "x\0y.npz",
    "a path with escape sequences": lambda _: "\x1b[2J\n\u202e.npz",
    "a path that is no UTF-8": lambda _: "\udcff\udcfe.npz",
}
"""What a path may lead to that is no regular file: each FILE-001, status 2."""
