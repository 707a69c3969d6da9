"""Turn a matrix of any size in bounded memory: rows come in, columns go out.

Rows are gathered into blocks, each block is turned in memory and, where there is more than one, parked in a
temporary file. Columns are then put together a band at a time from all blocks. This is what makes (N, H, W) out
of (H, W, N), whose rows are pixels and whose columns are frames, and the reverse.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK: Final = 1 << 26
"""Bytes held in memory at a time, once as rows and once turned."""


def transposed(chunks: Iterable[Array], rows: int, columns: int, dtype: np.dtype[Any], folder: Path | None = None, block: int = BLOCK) -> Iterator[Array]:
    """Columns of a matrix, in bands.

    Args:
        chunks: its items in row-major order, 1-D, cut anywhere.
        rows, columns: its shape.
        dtype: of the chunks.
        folder: where the temporary file goes; the system's folder for such files by default.
        block: bytes to hold in memory.

    Yields:
        arrays of shape (some columns, rows), in order.
    """
    if rows * columns == 0:
        return
    high = max(1, min(rows, block // (columns * dtype.itemsize)))
    blocks = _blocks(chunks, rows, columns, high, dtype)
    if high == rows:
        yield next(blocks).T
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        heights = []
        for one in blocks:
            heights.append(len(one))
            # As bytes: there are dtypes, such as dates, of which numpy gives no buffer.
            file.write(np.ascontiguousarray(one.T).view(np.uint8).data)
            del one
        wide = max(1, block // (rows * dtype.itemsize))
        for first in range(0, columns, wide):
            last = min(columns, first + wide)
            band = np.empty((last - first, rows), dtype=dtype)
            start = 0
            for height in heights:
                file.seek((start * columns + first * height) * dtype.itemsize)
                part = np.fromfile(file, dtype=dtype, count=(last - first) * height)
                band[:, start : start + height] = part.reshape(last - first, height)
                start += height
            yield band


def _blocks(chunks: Iterable[Array], rows: int, columns: int, high: int, dtype: np.dtype[Any]) -> Iterator[Array]:
    """The matrix in blocks of ``high`` rows, the last one shorter."""
    buffer = np.empty(high * columns, dtype=dtype)
    filled = done = 0
    wanted = min(high, rows) * columns
    for chunk in chunks:
        at = 0
        while at < chunk.size:
            step = min(chunk.size - at, wanted - filled)
            buffer[filled : filled + step] = chunk[at : at + step]
            filled, at = filled + step, at + step
            if filled == wanted:
                yield buffer[:wanted].reshape(-1, columns)
                done += wanted // columns
                wanted, filled = min(high, rows - done) * columns, 0
