"""Totals, extremes and digests of every frame, with the scan axis first or last in storage."""

from __future__ import annotations

import math
from typing import Any, Final, Self

import numpy as np

from ..dataset import ArrayHeader
from ..inflate import crc32
from .facts import FrameFacts, RangeFacts
from .ranges import NonFinite

Array = np.ndarray[Any, Any]

MAX_FRAMES: Final = 1 << 22

_WEIGHTS: Final = np.random.default_rng(0x5EED).integers(1, 1 << 16, size=1 << 12).astype(np.float64)


class FrameFold:
    """One accumulator for a real array. Complex, and scan axes in the middle of storage, are not folded."""

    def __init__(self, header: ArrayHeader, n_frames: int, *, first: bool) -> None:
        self._header, self._n, self._first = header, n_frames, first
        self._pixels = header.count // n_frames
        self._marks = NonFinite(header)
        self._total = np.zeros(n_frames)
        self._low = np.full(n_frames, np.inf)
        self._high = np.full(n_frames, -np.inf)
        self._bad = np.zeros(n_frames, dtype=np.int64)
        self._crc = np.zeros(n_frames, dtype=np.uint32)
        self._halves = max(1, header.dtype.itemsize // 2)
        self._sums = np.zeros((0 if first else n_frames) * self._halves)
        self._folded = np.zeros(0 if first else n_frames, dtype=np.uint64)
        self._rows = 0
        self._smallest = np.inf
        self._fractional = False

    @classmethod
    def along(cls, header: ArrayHeader, axis: int) -> Self | None:
        """A fold along an axis of the shape, or None where it cannot be done in one pass or in bounded memory."""
        n_frames = header.shape[axis]
        at = header.storage_axes.index(axis)
        before, after = math.prod(header.storage[:at]), math.prod(header.storage[at + 1 :])
        if header.dtype.kind not in "fiu" or header.count == 0 or n_frames > MAX_FRAMES or (before > 1 and after > 1):
            return None
        return cls(header, n_frames, first=before == 1)

    def add(self, chunk: Array, start: int) -> None:
        clean = chunk
        if chunk.dtype.kind == "f":
            finite = np.isfinite(chunk)
            if not finite.all():
                self._mark(~finite, start)
                # Neutral for sums; extremes of frames with such pixels are taken without them below.
                clean = np.where(finite, chunk, 0)
                self._extremes(np.where(finite, chunk, np.inf), np.where(finite, chunk, -np.inf), start)
            else:
                self._extremes(chunk, chunk, start)
            if chunk.dtype.itemsize == 8:
                magnitudes = np.abs(clean)
                self._smallest = min(self._smallest, float(magnitudes.min(where=magnitudes > 0, initial=np.inf)))
            if not self._fractional:
                self._fractional = bool((clean != np.rint(clean)).any())
        else:
            self._extremes(chunk, chunk, start)
        for frames, piece in self._pieces(clean, start):
            axis = self._axis(piece)
            self._total[frames] += piece if axis is None else piece.sum(axis=axis, dtype=np.float64)
        if self._first:
            self._digest_first(chunk, start)
        else:
            self._digest_last(chunk, start)

    def _axis(self, piece: Array) -> int | None:
        return (1 if self._first else 0) if piece.ndim == 2 else (0 if self._first else None)

    def _extremes(self, low: Array, high: Array, start: int) -> None:
        for frames, piece in self._pieces(low, start):
            axis = self._axis(piece)
            least = piece if axis is None else piece.min(axis=axis)
            self._low[frames] = np.minimum(self._low[frames], least)
        for frames, piece in self._pieces(high, start):
            axis = self._axis(piece)
            most = piece if axis is None else piece.max(axis=axis)
            self._high[frames] = np.maximum(self._high[frames], most)

    def _pieces(self, chunk: Array, start: int) -> list[tuple[slice, Array]]:
        """A chunk cut at the edges of rows: 2-D where rows are whole, 1-D for a part of one.

        With the scan axis first a row is a frame; with it last a row holds one pixel of every frame.
        """
        row = self._pixels if self._first else self._n
        pieces: list[tuple[slice, Array]] = []
        at, end = 0, chunk.size
        if skip := start % row:
            at = min(row - skip, end)
            pieces.append((self._part(start, skip, at), chunk[:at]))
        whole = (end - at) // row
        if whole:
            first = (start + at) // row
            frames = slice(first, first + whole) if self._first else slice(0, row)
            pieces.append((frames, chunk[at : at + whole * row].reshape(whole, row)))
            at += whole * row
        if at < end:
            pieces.append((self._part(start + at, 0, end - at), chunk[at:]))
        return pieces

    def _part(self, start: int, skip: int, length: int) -> slice:
        if self._first:
            frame = start // self._pixels
            return slice(frame, frame + 1)
        return slice(skip, skip + length)

    def _mark(self, bad: Array, start: int) -> None:
        self._marks.add(np.flatnonzero(bad), start)
        for frames, piece in self._pieces(bad, start):
            axis = self._axis(piece)
            self._bad[frames] += piece if axis is None else piece.sum(axis=axis)

    def _digest_first(self, chunk: Array, start: int) -> None:
        """Frames lie in one piece: a running CRC each."""
        for frames, piece in self._pieces(chunk, start):
            for offset, frame in enumerate(range(frames.start, frames.stop)):
                part = piece[offset] if piece.ndim == 2 else piece
                self._crc[frame] = crc32(part.view(np.uint8).data, int(self._crc[frame]))

    def _digest_last(self, chunk: Array, start: int) -> None:
        """Frames are interleaved: a weighted sum over the pixels of their 16-bit halves.

        Sums of at most 2**12 terms of 32 bits are exact in float64; each such block is then folded into 64 bits,
        so the digest depends on the pixels alone, not on where chunks end.
        """
        halves = chunk.view(np.uint16 if chunk.dtype.itemsize > 1 else np.uint8)
        parts, row = self._halves, self._n
        at, end = 0, chunk.size
        while at < end:
            pixel, skip = divmod(start + at, row)
            inside = pixel % _WEIGHTS.size
            if skip == 0 and end - at >= row:
                rows = min((end - at) // row, _WEIGHTS.size - inside)
                block = halves[at * parts : (at + rows * row) * parts].reshape(rows, row * parts)
                self._sums += _WEIGHTS[inside : inside + rows] @ block.astype(np.float64)
                at += rows * row
                full = inside + rows == _WEIGHTS.size
            else:
                length = min(row - skip, end - at)
                self._sums[skip * parts : (skip + length) * parts] += (
                    _WEIGHTS[inside] * halves[at * parts : (at + length) * parts]
                )
                at += length
                full = inside + 1 == _WEIGHTS.size and skip + length == row
            if full:
                self._fold_sums()

    def _fold_sums(self) -> None:
        for half in range(self._halves):
            self._folded = self._folded * np.uint64(0x9E3779B97F4A7C15) + self._sums[half :: self._halves].astype(
                np.uint64
            )
        self._sums[:] = 0

    def facts(self) -> FrameFacts:
        if self._first:
            digest = self._crc.astype(np.uint64)
        else:
            self._fold_sums()
            digest = self._folded
        return FrameFacts(total=self._total, minimum=self._low, maximum=self._high, nonfinite=self._bad, digest=digest)

    def range_facts(self) -> RangeFacts:
        bad = int(self._bad.sum())
        count = self._header.count
        some = count > bad
        low, high = float(self._low.min()), float(self._high.max())
        return RangeFacts(
            count=count,
            nonfinite=bad,
            minimum=low if some else float("nan"),
            maximum=high if some else float("nan"),
            mean=float(self._total.sum()) / (count - bad) if some else float("nan"),
            constant=some and not bad and low == high,
            largest=max(abs(low), abs(high)) if some else 0.0,
            smallest=self._smallest,
            fractional=self._fractional,
            nonfinite_at=self._marks.at(),
        )
