"""A few whole frames, evenly spaced along the scan: what the forward model is compared with."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np

from ..coarse import picked
from ..dataset import ArrayHeader
from ..spaced import spaced
from .facts import Sample
from .rows import Rows, laid

Array = np.ndarray[Any, Any]

FRAMES: Final = 64
MAX_BYTES: Final = 1 << 25


class SampledFold:
    """At most :data:`FRAMES` frames, and fewer of large ones.

    Of very large ones only some pixels are taken.
    """

    def __init__(self, header: ArrayHeader, axis: int, lie: Rows) -> None:
        self._rows, self._n = lie, lie.n_frames
        # The two detector axes as they lie in storage; brought into the order of the shape at the end.
        at = header.storage_axes.index(axis)
        rest = [one for one in header.storage_axes if one != axis]
        lengths = [length for place, length in enumerate(header.storage) if place != at]
        self._order = [rest.index(one) for one in sorted(rest)]
        rows, columns = (picked(length) for length in lengths)
        self._shape = [len(rows), len(columns)]
        # The pixels of a frame that are taken; None for all of them.
        self._picks = None if self._shape == lengths else (rows[:, None] * lengths[1] + columns).reshape(-1)
        size = len(rows) * len(columns)
        count = min(FRAMES, MAX_BYTES // (size * 8))
        self.index = spaced(self._n, count)
        # As exact as the values, in half the memory where they are single or short.
        kind = np.float64 if header.dtype.itemsize > (2 if header.dtype.kind in "iu" else 4) else np.float32
        self._held = np.zeros((len(self.index), size), dtype=kind)

    @classmethod
    def along(cls, header: ArrayHeader, axis: int) -> Self | None:
        """A sample along an axis of the shape, or None where frames are no planes that one pass can gather."""
        rows = laid(header, axis) if len(header.shape) == 3 else None
        return cls(header, axis, rows) if rows else None

    def add(self, chunk: Array, start: int) -> None:
        if self._rows.first:
            self._runs(chunk, start)
            return
        pixel, skip = divmod(start, self._n)
        at = 0
        if skip:
            at = min(self._n - skip, chunk.size)
            self._part(chunk[:at], pixel, skip)
            pixel += 1
        rows = (chunk.size - at) // self._n
        if rows > 0:
            block = chunk[at : at + rows * self._n].reshape(rows, self._n)
            into, taken = self._taken(pixel, pixel + rows)
            self._held[:, into] = block[taken][:, self.index].T
            at += rows * self._n
            pixel += rows
        if at < chunk.size:
            self._part(chunk[at:], pixel, 0)

    def _runs(self, chunk: Array, start: int) -> None:
        run, end = self._rows.inner, start + chunk.size
        for turn in range(start // (run * self._n), -(-end // (run * self._n))):
            base = turn * run * self._n
            low, high = np.searchsorted(self.index, [(start - base) // run, -(-(end - base) // run)])
            for row in range(int(low), int(high)):
                begin = base + int(self.index[row]) * run
                a, b = max(begin, start), min(begin + run, end)
                into, taken = self._taken(turn * run + a - begin, turn * run + b - begin)
                self._held[row, into] = chunk[a - start : b - start][taken]

    def _part(self, piece: Array, pixel: int, skip: int) -> None:
        inside = (self.index >= skip) & (self.index < skip + piece.size)
        into, _ = self._taken(pixel, pixel + 1)
        self._held[inside, into] = piece[self.index[inside] - skip, None]

    def _taken(self, first: int, last: int) -> tuple[slice, Array | slice]:
        """Where pixels of a range are held, and which of the range these are."""
        if self._picks is None:
            return slice(first, last), slice(None)
        low, high = np.searchsorted(self._picks, [first, last])
        return slice(int(low), int(high)), self._picks[low:high] - first

    def sample(self) -> Sample:
        """The frames, (frames, rows, columns), in the order of the remaining axes of the shape."""
        planes = self._held.reshape(-1, *self._shape)
        frames = planes.transpose(0, *(axis + 1 for axis in self._order))
        return Sample(index=self.index, frames=frames, whole=self._picks is None)
