"""Compress a member in pieces, each on whichever core is free.

A piece starts afresh and ends on a whole byte: the result is one deflate stream that any reader takes, and the same
however many cores there are. Starting afresh costs less than a thousandth of the size.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, get_args

from npzschema.validator.threads import Threads, Work

from .errors import GeneratorError

Compression = Literal["isal", "zlib", "none"]

THREADS: Final = 2
"""Threads that compress: the work that makes what they are given keeps another core busy."""

DENSEST: Final = 200
"""Times that a piece may shrink: readers take more for a bomb, and empty patterns would shrink a thousand times."""

SLIGHT: Final = 1 << 19
"""Bytes of a piece that may shrink as it likes: those of large arrays are larger."""

METHODS: Final[dict[Compression, int]] = {"isal": 8, "zlib": 8, "none": 0}
"""What the zip format calls them."""

_LEVELS: Final[dict[str, int]] = {"isal": 3, "zlib": 9}


def check_compression(compression: str, level: int | None) -> None:
    """Raises :class:`GeneratorError` for a compression that there is not, or a level that it does not have."""
    if compression not in get_args(Compression):
        raise GeneratorError(f"no compression {compression!r}; there are {', '.join(get_args(Compression))}")
    most = _LEVELS.get(compression)
    if level is None:
        return
    if most is None:
        raise GeneratorError(f"without compression there is no level; leave {level!r} out")
    if type(level) is not int or not 0 <= level <= most:
        raise GeneratorError(f"{compression} has no level {level!r}; it has 0 to {most}")


def compressed(
    pieces: Iterable[memoryview], count: int, compression: Compression, level: int | None
) -> Iterator[tuple[memoryview, Any]]:
    """Each piece, in order, with its part of the stream. Pieces must stay as they are until they come back.

    Args:
        pieces: what to compress; nothing comes of more or fewer than announced.
        count: how many there are.
        compression, level: how.
    """
    if compression == "none":
        yield from ((piece, piece) for piece in pieces)
        return
    compress = _compressor(compression, level)
    if count == 1:
        yield from ((piece, compress(piece, True)) for piece in pieces)
        return
    line: deque[tuple[memoryview, Work[Any]]] = deque()
    with Threads(THREADS, "npzschema-deflate") as pool:
        for at, piece in enumerate(pieces, start=1):
            line.append((piece, pool.submit(compress, piece, at >= count)))
            if len(line) > THREADS:
                done, part = line.popleft()
                yield done, part.result()
        while line:
            done, part = line.popleft()
            yield done, part.result()


def _compressor(compression: Compression, level: int | None) -> Callable[[memoryview, bool], Any]:
    """Compresses a piece, the last of a stream or not."""
    module = _isal() if compression == "isal" else None
    if module is not None:
        chosen = module.ISAL_DEFAULT_COMPRESSION if level is None else level
    else:
        module, chosen = zlib, 6 if level is None or compression == "isal" else level

    def dense(piece: memoryview, last: bool) -> Any:
        stream = module.compressobj(chosen, module.DEFLATED, -module.MAX_WBITS)
        return stream.compress(piece) + stream.flush(module.Z_FINISH if last else module.Z_FULL_FLUSH)

    def compress(piece: memoryview, last: bool) -> Any:
        part = dense(piece, last)
        if len(piece) < SLIGHT or len(part) * DENSEST >= len(piece):
            return part
        # A part of it by single codes, which shrinks eight times at most.
        some = len(piece) // (DENSEST // 8)
        stream = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, strategy=zlib.Z_HUFFMAN_ONLY)
        return stream.compress(piece[:some]) + stream.flush(zlib.Z_FULL_FLUSH) + dense(piece[some:], last)

    return compress


def _isal() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib
