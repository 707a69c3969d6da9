"""The last steps of everything that is made: write, check against the contract, give it its name."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from npzschema.contracts import Contract
from npzschema.validator import sidecar as beside_check
from npzschema.validator.engine import validate
from npzschema.validator.findings import Report
from npzschema.validator.memory import keep_freed
from npzschema.validator.source import FileSource

from .deflate import Compression
from .errors import GeneratorError, NotKeptError
from .replace import replacing_all
from .sidecar import Sidecar, document
from .stream import Stream, c_order
from .transpose import BLOCK
from .write import NpzWriter

Array = np.ndarray[Any, Any]


class Progress:
    """Hears how many bytes of arrays were handed to the writer. This one keeps silent."""

    def start(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...

    def end(self) -> None: ...

    def watched(self, chunks: Iterable[Array]) -> Iterator[Array]:
        for chunk in chunks:
            yield chunk
            self.advance(chunk.nbytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """How a file is written.

    Attributes:
        force: replace an existing file.
        compression: ``isal`` (fast), ``zlib`` (smaller) or ``none``.
        level: of the compression; its own default where None.
        progress: hears how far the work is.
    """

    force: bool = False
    compression: Compression = "isal"
    level: int | None = None
    progress: Progress = field(default_factory=Progress)


DEFAULTS: Final = Output()


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A file that was written. ``report``: what the validator says of it; ``steps``: what was done, as data."""

    path: Path
    report: Report
    steps: tuple[Mapping[str, Any], ...] = ()
    sidecar: Path | None = None


def publish(
    target: Path,
    streams: Mapping[str, Stream],
    contract: Contract,
    options: Output,
    *,
    sidecar: Sidecar | None = None,
    sidecar_path: Path | None = None,
    beside: Mapping[Path, Callable[[Path], bytes]] = {},
    steps: tuple[Mapping[str, Any], ...] = (),
    last: Callable[[], None] = lambda: None,
    block: int = BLOCK,
) -> Made:
    """Write arrays in the contract's order, then whatever else there is by name.

    Args:
        target: the NPZ.
        streams: its arrays.
        contract: what it must keep.
        options: how it is written.
        sidecar: what is known of its origin.
        sidecar_path: where that goes, if anywhere.
        beside: other files that show what was made, and what they hold, given where that lies meanwhile.
        steps: what was done, for the caller.
        last: asked before anything gets its name; raises where it must not.
        block: bytes of an array that are held where its axes change their order.

    Raises:
        GeneratorError: the target exists, cannot be written, or what was made does not keep the contract.
            Nothing is left behind.
    """
    keep_freed()
    order = [name for name in contract.arrays if name in streams]
    order += sorted(set(streams) - set(order))
    options.progress.start(sum(_nbytes(streams[name]) for name in order))
    with contextlib.ExitStack() as stack:
        stack.callback(options.progress.end)
        others = (sidecar_path,) if sidecar_path else ()
        made, *parts = stack.enter_context(replacing_all(target, *others, *beside, force=options.force))
        writer = NpzWriter(made.file, options.compression, options.level, digests=bool(others))
        for name in order:
            stream = streams[name]
            chunks = options.progress.watched(c_order(stream, target.parent, block))
            writer.add(name, stream.dtype, stream.shape, chunks)
        writer.close()
        made.sync()
        report = validate(made.temporary, contract)
        if not report.ok:
            wrong = "; ".join(f"{one.code} {one.message}" for one in report.findings if one.level == "error")
            raise NotKeptError(f"{target}: what was made does not keep {contract.id}: {wrong}; nothing was written")
        if others and sidecar is not None:
            text = json.dumps(document(sidecar, made.temporary, contract, writer.arrays), indent=2, ensure_ascii=False)
            parts[0].put(text.encode() + b"\n")
        for part, content in zip(parts[len(others) :], beside.values(), strict=True):
            part.put(content(made.temporary))
        _refuse_stale(target, made.temporary, sidecar_path)
        last()
    return Made(path=target, report=replace(report, path=str(target)), steps=steps, sidecar=sidecar_path)


def _refuse_stale(target: Path, temporary: Path, sidecar_path: Path | None) -> None:
    """With another file's sidecar beside it, the file would be refused as soon as it had its name (META-003)."""
    beside = beside_check.sidecar_beside(target)
    if sidecar_path is not None and os.path.abspath(sidecar_path) == os.path.abspath(beside):
        return
    with FileSource(temporary) as made:
        if any(beside_check.check(str(target), made)):
            raise GeneratorError(
                f"{target}: {beside.name} beside it is another file's sidecar; remove it, or name another output"
            )


def _nbytes(stream: Stream) -> int:
    return math.prod(stream.shape) * stream.dtype.itemsize
