"""A fingerprint of values that does not depend on dtype, byte order, memory order or chunks.

Sum over all items but zeros of ``mix(bits(float64(value)) ^ mix(index))`` modulo 2**64, with the index counted in the
contract's order of axes. Two arrays with equal values have equal fingerprints; unequal ones share it with a
probability of about 2**-64: mixed last, counts and masks, of whose 64 bits few differ, tell in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dataset import ArrayHeader

Array = np.ndarray[Any, Any]


class FingerprintFold:
    """``order``: the axes of the shape in the order in which items are counted."""

    def __init__(self, header: ArrayHeader, order: Sequence[int]) -> None:
        self._storage = header.storage
        strides = dict.fromkeys(range(len(header.shape)), 0)
        stride = 1
        for axis in reversed(order):
            strides[axis] = stride
            stride *= header.shape[axis]
        self._strides = [strides[axis] for axis in header.storage_axes]
        self.value = 0

    def add(self, chunk: Array, start: int) -> None:
        flat = np.arange(start, start + chunk.size)
        index = np.zeros(chunk.size, dtype=np.int64)
        if self._storage:
            for part, stride in zip(np.unravel_index(flat, self._storage), self._strides, strict=True):
                index += part * stride
        total = 0
        parts = (chunk.real, chunk.imag) if chunk.dtype.kind == "c" else (chunk,)
        for half, part in enumerate(parts):
            # Adding zero makes -0.0 equal to 0.0, as == does.
            bits = np.ascontiguousarray(part.astype(np.float64) + 0.0).view(np.uint64)
            mixed = splitmix(bits ^ splitmix(index * 2 + half))
            # Zero adds nothing: a real array equals a complex one without imaginary parts.
            total += int(np.where(bits, mixed, np.uint64(0)).sum(dtype=np.uint64))
        self.value = (self.value + total) % (1 << 64)


def splitmix(index: Array) -> Array:
    """SplitMix64 of each number (Steele, Lea and Flood 2014), uint64."""
    mixed = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
