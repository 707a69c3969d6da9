"""The JSON file that the generator writes beside a dataset: found, and its checksum compared (META-003)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .findings import Deviation
from .source import ByteSource

MAX_BYTES: Final = 1 << 26
_STEP: Final = 1 << 20


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
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    checksum = document.get("sha256_checksum") if isinstance(document, dict) else None
    return checksum.lower() if isinstance(checksum, str) else None
