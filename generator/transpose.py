"""Turn a matrix of any size in bounded memory: rows come in, columns go out.

Rows are turned in memory, a slab of them after the other; where that would take too much, blocks of slabs are parked in
a temporary file. Columns are then put together a band at a time from all of them. This is what makes (N, H, W) out
of (H, W, N), whose rows are pixels and whose columns are frames, and the reverse.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK: Final = 1 << 27
"""Bytes held in memory at a time."""

SLAB: Final = 1 << 24
"""Bytes turned into one array. Its first rows touch every page of it, and new memory may take its time: were it one
array for everything, as long as reading a quarter of the file, while nobody reads."""

BAND: Final = 1 << 22
"""Bytes of columns handed out at a time."""

TILE: Final = 128
"""Rows turned at a time: each column's part of a tile is a few cache lines, which is some ten times faster than one."""

TILED: Final = 1 << 24
"""Bytes of such rows at most: of very long ones, fewer are turned at a time."""

SKEW: Final = 64
"""Bytes between the rows of a tile: rows a power of two apart would share a few lines of the cache."""


def turned(chunks: Iterable[Array], rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    """The matrix turned as a whole, in memory: (columns, rows), C-contiguous. Neither may be zero."""
    # Unpacked, not next(): the chunks must be asked once more after the last one, which is when checksums are compared.
    (matrix,) = _slabs(chunks, rows, columns, rows, dtype)
    return matrix


def transposed(
    chunks: Iterable[Array],
    rows: int,
    columns: int,
    dtype: np.dtype[Any],
    folder: Path | None = None,
    block: int = BLOCK,
    widths: Sequence[int] = (),
) -> Iterator[Array]:
    """Columns of a matrix, in bands.

    Args:
        chunks: its items in row-major order, 1-D, cut anywhere.
        rows, columns: its shape.
        dtype: of the chunks.
        folder: where the temporary file goes; the system's folder for such files by default.
        block: bytes to hold in memory.
        widths: columns of each band, unless that is too much to hold.

    Yields:
        C-contiguous arrays of shape (some columns, rows), in order.
    """
    if rows * columns == 0:
        return
    high = block // (columns * dtype.itemsize)
    if high < rows:
        # Files that large need more memory beside the block.
        high = max(1, high // 4 * 3)
    wide = max(1, min(BAND, block) // (rows * dtype.itemsize))
    ends = [*accumulate(widths)] if 0 < max(widths, default=0) <= wide else [*range(wide, columns, wide), columns]
    bands = [slice(first, end) for first, end in pairwise([0, *ends])]
    slab = max(1, min(high, SLAB // (columns * dtype.itemsize)))
    slabs = _slabs(chunks, rows, columns, slab, dtype)
    if high >= rows:
        held = list(slabs)
        for band in bands:
            yield _columns(held, band)
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        heights = []
        while held := list(islice(slabs, high // slab)):
            heights.append(sum(one.shape[1] for one in held))
            for band in bands:
                # As bytes: there are dtypes, such as dates, of which numpy gives no buffer.
                file.write(_columns(held, band).view(np.uint8).data)
            # Before the next are gathered.
            held.clear()
        for band in bands:
            yield _band(file, heights, rows, columns, band, dtype)


def _slabs(chunks: Iterable[Array], rows: int, columns: int, high: int, dtype: np.dtype[Any]) -> Iterator[Array]:
    """Groups of ``high`` rows, turned: (columns, rows of the slab)."""
    slab = np.empty((columns, min(high, rows)), dtype=dtype)
    filled = 0
    for tile in _tiles(chunks, columns, _tile(columns, high, dtype), dtype):
        at = 0
        while at < len(tile):
            step = min(len(tile) - at, slab.shape[1] - filled)
            slab[:, filled : filled + step] = tile[at : at + step].T
            filled, at = filled + step, at + step
            if filled == slab.shape[1]:
                yield slab
                rows, filled = rows - filled, 0
                slab = np.empty((columns, min(high, rows)), dtype=dtype)


def _columns(slabs: list[Array], band: slice) -> Array:
    return np.concatenate([slab[band] for slab in slabs], axis=1)


def _tile(columns: int, high: int, dtype: np.dtype[Any]) -> int:
    """Rows of a tile."""
    return max(1, min(TILE, high, TILED // (columns * dtype.itemsize)))


def _tiles(chunks: Iterable[Array], columns: int, high: int, dtype: np.dtype[Any]) -> Iterator[Array]:
    """The matrix in groups of at most ``high`` rows; each is valid until the next."""
    tile = np.empty((high, columns + max(1, SKEW // dtype.itemsize)), dtype=dtype)[:, :columns]
    row = column = 0
    for chunk in chunks:
        at = 0
        while at < chunk.size:
            whole = (chunk.size - at) // columns
            if column or not whole:
                step = min(columns - column, chunk.size - at)
                tile[row, column : column + step] = chunk[at : at + step]
                row, column = divmod(row * columns + column + step, columns)
            else:
                count = min(high - row, whole)
                step = count * columns
                tile[row : row + count] = chunk[at : at + step].reshape(count, columns)
                row += count
            at += step
            if row == high:
                yield tile
                row = 0
    if row:
        yield tile[:row]


def _band(file: IO[bytes], heights: list[int], rows: int, columns: int, chosen: slice, dtype: np.dtype[Any]) -> Array:
    """Some columns, put together from all blocks."""
    count = chosen.stop - chosen.start
    band = np.empty((count, rows), dtype=dtype)
    start = 0
    for height in heights:
        file.seek((start * columns + chosen.start * height) * dtype.itemsize)
        part = np.fromfile(file, dtype=dtype, count=count * height)
        band[:, start : start + height] = part.reshape(count, height)
        start += height
    return band
