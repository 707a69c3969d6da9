"""Totals and extremes of every frame, with the scan axis first or last in storage."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dataset import ArrayHeader
from .facts import RangeFacts
from .ranges import NonFinite, Smallest
from .rows import Piece, Rows

Array = np.ndarray[Any, Any]


class FrameFold:
    """One accumulator for a real array. What is not finite is counted, and left out of everything else.

    ``cast``: one may come.

    ``total``, ``minimum``, ``maximum``: float64, (n_frames,); ``nonfinite``: how many pixels of each frame are not.
    """

    def __init__(self, header: ArrayHeader, rows: Rows, *, cast: bool = True) -> None:
        self._header, self._rows = header, rows
        self._marks = NonFinite(header)
        self.total = np.zeros(rows.n_frames)
        self.minimum = np.full(rows.n_frames, np.inf)
        self.maximum = np.full(rows.n_frames, -np.inf)
        self.nonfinite = np.zeros(rows.n_frames, dtype=np.int64)
        self._smallest = Smallest(header, cast=cast)
        self._fractional = False

    def add(self, chunk: Array, start: int) -> None:
        for piece in self._rows.pieces(chunk, start):
            items, frames = piece.items, piece.frames
            low, high = self._rows.reduced(np.minimum, items), self._rows.reduced(np.maximum, items)
            # NaN and infinity come through to the extremes: no pass of its own looks for them.
            if items.dtype.kind == "f" and not (np.isfinite(low).all() and np.isfinite(high).all()):
                items, low, high = self._without_nonfinite(piece, start)
            self.minimum[frames] = np.minimum(self.minimum[frames], low)
            self.maximum[frames] = np.maximum(self.maximum[frames], high)
            self.total[frames] += self._rows.totals(items)
            if items.dtype.kind == "f":
                self._smallest.add(items, nonnegative=bool(low.min() >= 0))
                if not self._fractional:
                    self._fractional = bool((items != np.rint(items)).any())

    def _without_nonfinite(self, piece: Piece, start: int) -> tuple[Array, Any, Any]:
        """The items with zeros for what is not finite, and the extremes of the rest."""
        items = piece.items
        finite = np.isfinite(items)
        bad = ~finite
        self._marks.add(np.flatnonzero(bad), start + piece.at)
        whole = items.ndim == 2 or self._rows.first
        self.nonfinite[piece.frames] += self._rows.reduced(np.add, bad, dtype=np.int64) if whole else bad
        return (
            np.where(finite, items, items.dtype.type(0)),
            self._rows.reduced(np.minimum, np.where(finite, items, items.dtype.type(np.inf))),
            self._rows.reduced(np.maximum, np.where(finite, items, items.dtype.type(-np.inf))),
        )

    def range_facts(self) -> RangeFacts:
        """The same of the whole array: one pass less over each chunk."""
        bad = int(self.nonfinite.sum())
        count = self._header.count
        some = count > bad
        low, high = float(self.minimum.min()), float(self.maximum.max())
        return RangeFacts(
            count=count,
            nonfinite=bad,
            minimum=low if some else float("nan"),
            maximum=high if some else float("nan"),
            mean=float(self.total.sum()) / (count - bad) if some else float("nan"),
            constant=some and not bad and low == high,
            largest=max(abs(low), abs(high)) if some else 0.0,
            smallest=self._smallest.value,
            fractional=self._fractional,
            nonfinite_at=self._marks.at(),
        )
