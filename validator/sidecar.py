"""The JSON file that the generator writes beside a dataset: found, and its checksum compared (META-003)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from npzschema.contracts import pointer
from npzschema.contracts.loader import schema_error
from npzschema.contracts.strict_json import StrictJsonError, parse

from .dataset import ArrayHeader
from .faults import Fault
from .findings import Deviation
from .source import ByteSource, FileSource
from .words import shape

MAX_BYTES: Final = 1 << 24
"""Room for the indices of a million positions."""

_STEP: Final = 1 << 20
_KEY: Final = b"sha256_checksum"
_TEXT: Final = re.compile(rb'"((?:[^"\\]++|\\.?+)*+)(?:"|\Z)', re.DOTALL)
"""A text of JSON, or what begins like one and never ends: each byte is looked at once."""
_VALUE: Final = re.compile(rb'\s*:\s*"([^"\\]{0,200})"')

MOST_TOLD: Final = 100
"""Arrays that are told one by one; where more differ it is another file's sidecar."""

MAX_PARSED: Final = 1 << 22
"""Beyond this only the checksum is compared: JSON takes up to thirty times its size in memory."""


_NAME: Final = "npzschema"


def sidecar_beside(path: Path) -> Path:
    """Where a dataset's sidecar lies: the same name, with ``.json``."""
    return path.with_suffix(".json")


def sidecar_of(path: str) -> str | None:
    """The sidecar of a dataset, where there is one. A JSON file of another kind beside it is none."""
    if not Path(path).name:
        # A folder, or nothing at all.
        return None
    beside = sidecar_beside(Path(path))
    return None if beside == Path(path) or _checksum(beside) is None else str(beside)


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


def contents(path: str, headers: Mapping[str, ArrayHeader]) -> Iterator[Deviation]:
    """What a sidecar of this project says beside its checksum: its form, and the arrays against the file's headers.

    Digests of arrays are not made again: the checksum covers every byte that they cover.
    """
    beside = sidecar_beside(Path(path))
    if beside == Path(path):
        return
    try:
        with FileSource(beside) as source:
            if source.size > MAX_PARSED:
                return
            raw = source.read(0, source.size)
    except Fault as fault:
        if beside.is_file():
            yield _unchecked(beside, fault.what)
        return
    try:
        document = parse(raw)
    except StrictJsonError as error:
        # Other tools write NaN as a number; theirs is not to be judged.
        if error.flaw in ("syntax", "nesting") or _NAME.encode() in raw:
            yield _unchecked(beside, "is no JSON")
        return
    if not _ours(document):
        return
    wrong = _schema_errors(document)
    if wrong:
        yield Deviation(code="META-003", message=f"the sidecar {beside.name} is not as it was written: {wrong}")
        return
    if len(document["indices"]) != document["subset_size"]:
        yield Deviation(
            code="META-003",
            message=f"the sidecar {beside.name} is not as it was written: it speaks of {document['subset_size']} "
            f"positions and lists {len(document['indices'])}",
        )
    told = {name: (one["dtype"], tuple(one["shape"])) for name, one in document["arrays"].items()}
    found = {name: (header.dtype.newbyteorder("<").str, header.shape) for name, header in headers.items()}
    others = sorted(name for name in told.keys() | found.keys() if told.get(name) != found.get(name))
    for name in others[:MOST_TOLD]:
        expected, held = (_words(one.get(name)) for one in (told, found))
        yield Deviation(
            code="META-003",
            message=f"the sidecar {beside.name} says of {name}: {expected}; the file holds {held}",
            expected=expected,
            found=held,
        )


def _words(one: tuple[str, tuple[int, ...]] | None) -> str:
    return f"{one[0]} {shape(one[1])}" if one else "no such array"


def _unchecked(beside: Path, why: str) -> Deviation:
    return Deviation(
        code="META-003", level="warning", message=f"{beside.name} {why}; whether it is the file's sidecar is not known"
    )


def _ours(document: Any) -> bool:
    """Whether this project wrote it. Another tool that names itself may use the same keys."""
    if not isinstance(document, dict):
        return False
    generator = document.get("generator")
    if isinstance(generator, dict) and generator.get("name") == _NAME:
        return True
    return not isinstance(generator, str) and {"sha256_checksum", "transformations"} <= document.keys()


def _schema_errors(document: Any) -> str | None:
    indices = document.get("indices")
    if isinstance(indices, list) and all(type(one) is int and one >= 0 for one in indices):
        # As many as the dataset has positions: asked one by one they would take seconds.
        document = document | {"indices": indices[:1]}
    error = schema_error("sidecar", document)
    if error is None:
        return None
    what = error.message if len(error.message) <= 200 else f"{error.message[:200]}..."
    return f"{pointer(*error.absolute_path) or '/'}: {what}"


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
    depth, at, found = 0, 0, None
    for text in _TEXT.finditer(raw):
        start, end = text.span()
        if start > at:
            between = raw[at:start]
            depth += between.count(b"[") + between.count(b"{") - between.count(b"]") - between.count(b"}")
        at = end
        if depth == 1 and text[1] == _KEY:
            value = _VALUE.match(raw, at)
            found = value[1].decode("ascii", "replace").lower() if value else found
    return found
