"""Chunks cut where frames begin and end."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from ..dataset import ArrayHeader

Array = np.ndarray[Any, Any]

MAX_FRAMES: Final = 1 << 18
"""As many as the scan table has rows at most."""

MAX_RUNS: Final = 1 << 21
"""Runs of frames that take turns: each is a step of its own, however short."""


class Piece(NamedTuple):
    """A part of a chunk, from its item ``at``, and its frames: 2-D of whole rows, or 1-D within one row."""

    at: int
    frames: slice
    items: Array


class Rows(NamedTuple):
    """How frames lie in storage: ``outer`` times ``n_frames`` runs of ``inner`` items, the frames taking turns.

    With the scan axis last a run is one item; a row is one pixel of every frame then, else it is a run of one frame.
    """

    n_frames: int
    outer: int
    inner: int

    @property
    def first(self) -> bool:
        """Whether the items of a row are of one frame."""
        return self.inner > 1 or self.outer == 1

    @property
    def row(self) -> int:
        return self.inner if self.first else self.n_frames

    def pieces(self, chunk: Array, start: int) -> list[Piece]:
        """A chunk cut at the edges of rows; ``start`` is the index of its first item."""
        row = self.row
        pieces: list[Piece] = []
        at, end = 0, chunk.size
        if skip := start % row:
            at = min(row - skip, end)
            pieces.append(Piece(0, self._part(start, skip, at), chunk[:at]))
        whole = (end - at) // row
        while whole:
            frame = (start + at) // row % self.n_frames if self.first else 0
            # Frames that take turns begin anew behind the last one.
            count = min(whole, self.n_frames - frame) if self.first else whole
            frames = slice(frame, frame + count) if self.first else slice(0, row)
            pieces.append(Piece(at, frames, chunk[at : at + count * row].reshape(count, row)))
            at += count * row
            whole -= count
        if at < end:
            pieces.append(Piece(at, self._part(start + at, 0, end - at), chunk[at:]))
        return pieces

    def _part(self, start: int, skip: int, length: int) -> slice:
        if self.first:
            frame = start // self.inner % self.n_frames
            return slice(frame, frame + 1)
        return slice(skip, skip + length)

    def reduced(self, ufunc: np.ufunc, items: Array, **options: Any) -> Any:
        """The items of a piece, reduced to one number a frame."""
        if items.ndim == 2:
            return ufunc.reduce(items, axis=1 if self.first else 0, **options)
        return ufunc.reduce(items, **options) if self.first else items

    def totals(self, items: Array) -> Any:
        """The sum of each frame of a piece, in double precision."""
        if items.ndim == 2 and self.first:
            # Adds along a row in two thirds of the time of add.reduce, across rows in more.
            return np.einsum("ij->i", items, dtype=np.float64, casting="unsafe")
        return self.reduced(np.add, items, dtype=np.float64) if items.ndim == 2 or self.first else items


def laid(header: ArrayHeader, axis: int) -> Rows | None:
    """How frames along an axis of the shape lie; None where there are no numbers, or too many runs."""
    at = header.storage_axes.index(axis)
    if header.dtype.kind not in "fiu" or header.count == 0:
        return None
    rows = Rows(header.shape[axis], math.prod(header.storage[:at]), math.prod(header.storage[at + 1 :]))
    return None if rows.outer > 1 and rows.first and rows.outer * rows.n_frames > MAX_RUNS else rows


def rows_of(header: ArrayHeader, axis: int) -> Rows | None:
    """The same for what is counted frame by frame; None also where there are too many frames."""
    return laid(header, axis) if header.shape[axis] <= MAX_FRAMES else None
