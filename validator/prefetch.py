"""Inflate on one core while another folds: chunks are read ahead by a thread.

Inflating, checksums and most of numpy release the interpreter lock, so the two do run side by side.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Final, TypeVar

from .threads import started

T = TypeVar("T")

DEPTH: Final = 4
"""Chunks read ahead: enough to even out, few enough to stay in the cache."""

WORTH: Final = 1 << 22
"""Bytes below which starting a thread costs more than it gains."""


def prefetched(chunks: Iterator[T], nbytes: int) -> Generator[T]:
    """The same chunks, read ahead where ``nbytes`` are worth it. What reading raises, this raises."""
    if nbytes < WORTH:
        yield from chunks
        return
    # Simple queues hardly let go of the interpreter, for which each step would have to wait.
    line: queue.SimpleQueue[T | BaseException | None] = queue.SimpleQueue()
    room: queue.SimpleQueue[None] = queue.SimpleQueue()
    stop = threading.Event()

    def read() -> None:
        try:
            for chunk in chunks:
                room.get()
                if stop.is_set():
                    return
                line.put(chunk)
            line.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the chunks are used
            line.put(error)

    for _ in range(DEPTH):
        room.put(None)
    reader = threading.Thread(target=read, name="npzschema-read", daemon=True)
    if not started(reader):
        yield from chunks
        return
    try:
        while (item := line.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            room.put(None)
            yield item
    finally:
        # Also where whoever folds gives up half way.
        stop.set()
        room.put(None)
        reader.join()
