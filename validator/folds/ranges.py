"""Extremes, sums and non-finite values of a whole array."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..dataset import ArrayHeader
from ..numbered import numbered
from .facts import RangeFacts

Array = np.ndarray[Any, Any]

MAX_MARKED_AXIS: Final = 1 << 20
"""Axes longer than this get no list of non-finite indices: memory must not follow a header."""


class RangeFold:
    """Range of the values; for complex arrays of their components. ``cast``: one may come."""

    def __init__(self, header: ArrayHeader, *, cast: bool = True) -> None:
        self._header = header
        self._marks = NonFinite(header)
        self._count = 0
        self._total = 0.0
        self._low = [float("inf"), float("inf")]
        self._high = [float("-inf"), float("-inf")]
        self._smallest = Smallest(header, cast=cast)
        self._fractional = False

    def add(self, chunk: Array, start: int) -> None:
        if chunk.dtype.kind == "b":
            chunk = chunk.view(np.uint8)
        if chunk.dtype.kind in "fc":
            finite = np.isfinite(chunk)
            if not finite.all():
                self._marks.add(np.flatnonzero(~finite), start)
                chunk = chunk[finite]
        if not chunk.size:
            return
        self._count += chunk.size
        parts = (chunk.real, chunk.imag) if chunk.dtype.kind == "c" else (chunk,)
        for index, part in enumerate(parts):
            self._low[index] = min(self._low[index], part.min().item())
            self._high[index] = max(self._high[index], part.max().item())
            self._smallest.add(part, nonnegative=False)
        if chunk.dtype.kind == "f" and not self._fractional:
            self._fractional = bool((chunk != np.rint(chunk)).any())
        if len(parts) == 1:
            self._total += float(chunk.sum(dtype=np.float64))

    def facts(self) -> RangeFacts:
        real = self._header.dtype.kind != "c"
        some = self._count > 0
        components = 1 if real else 2
        return RangeFacts(
            count=self._count + self._marks.count,
            nonfinite=self._marks.count,
            minimum=float(self._low[0]) if some and real else float("nan"),
            maximum=float(self._high[0]) if some and real else float("nan"),
            mean=self._total / self._count if some and real else float("nan"),
            constant=some and not self._marks.count and self._low[:components] == self._high[:components],
            largest=float(max(map(abs, (*self._low[:components], *self._high[:components])))) if some else 0.0,
            smallest=self._smallest.value,
            fractional=self._fractional,
            phase=some and not real and not self._low[1] == self._high[1] == 0,
            nonfinite_at=self._marks.at(),
        )


class Smallest:
    """The smallest magnitude above zero of the components of an array, which a cast to fewer bits may lose.

    ``cast``: whether one may come; else nothing is looked at, and for all that is known it may be as small as zero.
    ``value``: infinity where there is none, and for what is no float.
    """

    def __init__(self, header: ArrayHeader, *, cast: bool) -> None:
        floats = header.dtype.kind in "fc"
        self._asked = floats and cast
        self.value = 0.0 if floats and not cast else float("inf")

    def add(self, values: Array, *, nonnegative: bool) -> None:
        """Finite values, some; ``nonnegative``: none is below zero, which saves a pass."""
        if self._asked:
            self.value = min(self.value, smallest_magnitude(values, nonnegative=nonnegative))


def smallest_magnitude(values: Array, *, nonnegative: bool) -> float:
    """The smallest magnitude above zero of finite floats, some; infinity where there is none."""
    if values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    magnitudes = values if nonnegative else np.abs(values)
    bits = np.dtype(f"u{values.dtype.itemsize}").type
    # Floats that are not negative lie in the order of their bits; one less, zero comes last of all.
    least = int((np.ascontiguousarray(magnitudes).view(bits) - bits(1)).min()) + 1
    infinity = values.dtype.type(np.inf)
    return float(bits(least).view(values.dtype)) if least < int(infinity.view(bits)) else float("inf")


class NonFinite:
    """Where an array is not finite: how often, and at which index of each axis."""

    def __init__(self, header: ArrayHeader) -> None:
        self._storage, self._axes = header.storage, header.storage_axes
        self._marked: dict[int, Array] = {}
        self.count = 0

    def add(self, at: Array, start: int) -> None:
        """Mark items by their index in a chunk."""
        self.count += at.size
        if not self._storage:
            # A single value of no axes: numpy gives no index for it.
            return
        for index, axis, length in zip(
            np.unravel_index(at + start, self._storage), self._axes, self._storage, strict=True
        ):
            if length <= MAX_MARKED_AXIS:
                self._marked.setdefault(axis, np.zeros(length, dtype=bool))[index] = True

    def at(self) -> dict[int, tuple[int, ...]]:
        return {axis: numbered(marks) for axis, marks in self._marked.items()}
