"""Small arrays kept whole: positions, the scan index, the probe."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..dataset import ArrayHeader

Array = np.ndarray[Any, Any]

MAX_BYTES: Final = 1 << 26


class KeepFold:
    """The values, in the shape of the array; None where they are more than the limit."""

    def __init__(self, header: ArrayHeader) -> None:
        self._header = header
        self._parts: list[Array] | None = [] if header.count * header.dtype.itemsize <= MAX_BYTES else None

    def add(self, chunk: Array, start: int) -> None:
        if self._parts is not None:
            self._parts.append(chunk.copy())

    def values(self) -> Array | None:
        if self._parts is None:
            return None
        native = self._header.dtype.newbyteorder("=")
        flat = np.concatenate(self._parts) if self._parts else np.empty(0, dtype=native)
        stored = flat.reshape(self._header.storage)
        return stored.transpose(np.argsort(self._header.storage_axes))
