"""The JSON file that the generator writes beside a dataset: found, and its checksum compared (META-003)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .faults import Fault
from .findings import Deviation
from .source import ByteSource, FileSource

MAX_BYTES: Final = 1 << 24
"""Room for the indices of a million positions."""

_STEP: Final = 1 << 20
_KEY: Final = b"sha256_checksum"
_MARK: Final = re.compile(rb'[][{}"]|\\.', re.DOTALL)
_VALUE: Final = re.compile(rb'\s*:\s*"([^"\\]{0,200})"')


def sidecar_beside(path: Path) -> Path:
    """Where a dataset's sidecar lies: the same name, with ``.json``."""
    return path.with_suffix(".json")


def check(path: str, source: ByteSource) -> Iterator[Deviation]:
    """Compare a file with the checksum in its sidecar. A JSON file of another kind beside it is none."""
    beside = sidecar_beside(Path(path))
    wanted = _checksum(beside) if beside != Path(path) else None
    if wanted is None:
        return
    digest = hashlib.sha256()
    for start in range(0, source.size, _STEP):
        digest.update(source.read(start, min(_STEP, source.size - start)))
    found = digest.hexdigest()
    if found != wanted:
        yield Deviation(
            code="META-003",
            message=f"the sidecar {beside.name} was written for another file: "
            f"its checksum is {wanted[:12]}..., the file's is {found[:12]}...",
            expected=wanted,
            found=found,
        )


def _checksum(path: Path) -> str | None:
    """The value of the key at the top level. Nothing is built: JSON takes up to thirty times its size in memory."""
    try:
        # A link to something endless, such as a file of /proc, says that it is empty.
        with FileSource(path) as source:
            raw = source.read(0, source.size) if source.size <= MAX_BYTES else b""
    except Fault:
        return None
    if _KEY not in raw:
        return None
    depth, begin, found = 0, None, None
    for mark in _MARK.finditer(raw):
        char = mark[0]
        if begin is not None:
            if char == b'"':
                value = _VALUE.match(raw, mark.end()) if depth == 1 and raw[begin : mark.start()] == _KEY else None
                found, begin = value[1].decode("ascii", "replace").lower() if value else found, None
        elif char == b'"':
            begin = mark.end()
        elif char in b"[{":
            depth += 1
        elif char in b"]}":
            depth -= 1
    return found
