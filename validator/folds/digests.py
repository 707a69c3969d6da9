"""A digest of every frame, equal where frames are, wherever chunks end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dataset import ArrayHeader
from ..inflate import crc32
from .fingerprint import splitmix
from .rows import Rows

Array = np.ndarray[Any, Any]


class InterleavedDigestFold:
    """With the scan axis last, frames lie interleaved: a sum of their words, each weighted by its place.

    Modulo 2**32, twice, with odd weights drawn from the place: equal for equal frames wherever chunks end, and for
    others about once in 2**64.
    """

    def __init__(self, header: ArrayHeader, rows: Rows) -> None:
        self._row = rows.n_frames
        self._words = max(1, header.dtype.itemsize // 4)
        self._sums = np.zeros((2, rows.n_frames * self._words), dtype=np.uint32)

    def add(self, chunk: Array, start: int) -> None:
        size, parts, row = chunk.dtype.itemsize, self._words, self._row
        words = chunk.view(np.uint32) if size >= 4 else chunk.view(f"u{size}").astype(np.uint32)
        # Floats differ in their upper bits: mixed down, they tell in every bit of a product.
        words = words ^ (words >> np.uint32(16))
        at = 0
        while at < chunk.size:
            pixel, skip = divmod(start + at, row)
            whole = (chunk.size - at) // row if skip == 0 else 0
            length = whole * row if whole else min(row - skip, chunk.size - at)
            block = words[at * parts : (at + length) * parts].reshape(max(whole, 1), -1)
            into = slice(skip * parts, skip * parts + block.shape[1])
            for sums, weights in zip(self._sums, _weights(pixel, len(block)), strict=True):
                sums[into] += np.einsum("i,ij->j", weights, block)
            at += length

    def digests(self) -> Array:
        """uint64, (n_frames,)."""
        low, high = self._sums.astype(np.uint64).reshape(2, self._row, self._words)
        # The words of a float64, or of a long double, each with a factor of its own.
        factors = np.uint64(0x9E3779B97F4A7C15) ** np.arange(self._words, dtype=np.uint64)
        return np.asarray(((low << np.uint64(32) ^ high) * factors).sum(axis=1, dtype=np.uint64))


def _weights(first: int, count: int) -> Array:
    """Two odd numbers a place, uint32, (2, count): the halves of a SplitMix64 of the place."""
    mixed = splitmix(np.arange(first, first + count, dtype=np.uint64))
    return np.stack([mixed.astype(np.uint32), (mixed >> np.uint64(32)).astype(np.uint32)]) | np.uint32(1)


class AdjacentDigestFold:
    """With the scan axis elsewhere, each frame lies in runs of its own: a running CRC each."""

    def __init__(self, header: ArrayHeader, rows: Rows) -> None:
        self._rows = rows
        self._crc = [0] * rows.n_frames

    def add(self, chunk: Array, start: int) -> None:
        data = chunk.view(np.uint8).data
        size, crc = chunk.dtype.itemsize, self._crc
        for piece in self._rows.pieces(chunk, start):
            at, length = piece.at * size, piece.items.shape[-1] * size
            for frame in range(piece.frames.start, piece.frames.stop):
                crc[frame] = crc32(data[at : at + length], crc[frame])
                at += length

    def digests(self) -> Array:
        """uint64, (n_frames,)."""
        return np.array(self._crc, dtype=np.uint64)


def digest_fold(header: ArrayHeader, rows: Rows) -> InterleavedDigestFold | AdjacentDigestFold:
    return (AdjacentDigestFold if rows.first else InterleavedDigestFold)(header, rows)
