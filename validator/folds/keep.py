"""Small arrays kept whole: positions, the scan index, probe and object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from ..dataset import ArrayHeader

Array = np.ndarray[Any, Any]

MAX_BYTES: Final = 1 << 26
"""Of all that is kept of a file."""


def kept(headers: Iterable[ArrayHeader]) -> frozenset[str]:
    """Names of the arrays that are kept: the smaller ones first, as far as there is room."""
    names, left = set(), MAX_BYTES
    for header in sorted(headers, key=lambda one: one.count * one.dtype.itemsize):
        left -= header.count * header.dtype.itemsize
        if left >= 0:
            names.add(header.name)
    return frozenset(names)


class KeepFold:
    """The values, in the shape of the array; None where they are more than the limit."""

    def __init__(self, header: ArrayHeader) -> None:
        self._header = header
        native = header.dtype.newbyteorder("=")
        fits = header.count * header.dtype.itemsize <= MAX_BYTES
        self._values: Array | None = np.empty(header.count, dtype=native) if fits else None

    def add(self, chunk: Array, start: int) -> None:
        if self._values is not None:
            self._values[start : start + chunk.size] = chunk

    def values(self) -> Array | None:
        if self._values is None:
            return None
        return self._values.reshape(self._header.storage).transpose(np.argsort(self._header.storage_axes))
