"""Read parts of an array once more: which frames are the worst is known only at the end of the first pass.

Memory is bounded by what is asked for, never by the array; reading stops where the last part ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..dataset import ArrayHeader, Dataset
from ..prefetch import prefetched

Array = np.ndarray[Any, Any]
At = tuple[int | slice, ...]


def cuts(dataset: Dataset, header: ArrayHeader, wanted: Sequence[At]) -> list[Array]:
    """``array[at]`` for each of some basic indices, one index or slice for each axis of the shape.

    ``header``: the array as it is read, which may leave out axes of length 1. Takes some 40 bytes of memory for each
    item asked for.

    Raises:
        Fault: the member cannot be read.
    """
    strides = dict(zip(header.storage_axes, _strides(header.storage), strict=True))
    shapes, flats = [], []
    for at in wanted:
        ranges = [
            np.arange(*part.indices(length)) if isinstance(part, slice) else np.array([part])
            for part, length in zip(at, header.shape, strict=True)
        ]
        items = sum(one * strides[axis] for axis, one in enumerate(np.ix_(*ranges)))
        shapes.append([len(one) for one, part in zip(ranges, at, strict=True) if isinstance(part, slice)])
        flats.append(np.asarray(items, dtype=np.int64).reshape(-1))
    flat = np.concatenate(flats)
    order = np.argsort(flat, kind="stable")
    held = _gathered(dataset, header, flat[order])
    values = np.empty_like(held)
    values[order] = held
    edges = np.cumsum([0, *(len(one) for one in flats)])
    return [values[low:high].reshape(shape) for low, high, shape in zip(edges, edges[1:], shapes, strict=False)]


def frames(dataset: Dataset, header: ArrayHeader, wanted: Sequence[int]) -> Iterator[tuple[int, Array]]:
    """Whole frames of an array that has its frames one after another in storage, ascending, each on its own.

    Yields:
        Index and values, in the order and shape of the remaining axes of storage.

    Raises:
        Fault: the member cannot be read.
    """
    shape = header.storage[1:]
    pixels = math.prod(shape)
    left = sorted(set(wanted))
    buffer: Array | None = None
    start = 0
    for chunk in _chunks(dataset, header):
        while left and left[0] * pixels < start + chunk.size:
            begin = left[0] * pixels
            if buffer is None:
                buffer = np.empty(pixels, dtype=chunk.dtype)
            low, high = max(begin, start), min(begin + pixels, start + chunk.size)
            buffer[low - begin : high - begin] = chunk[low - start : high - start]
            if high < begin + pixels:
                break
            yield left.pop(0), buffer.reshape(shape)
            buffer = None
        if not left:
            return
        start += chunk.size


def _strides(storage: Sequence[int]) -> list[int]:
    return [math.prod(storage[at + 1 :]) for at in range(len(storage))]


def _gathered(dataset: Dataset, header: ArrayHeader, flat: Array) -> Array:
    """Items at ascending places in storage order."""
    values = np.empty(len(flat), dtype=header.dtype.newbyteorder("="))
    start = done = 0
    for chunk in _chunks(dataset, header):
        if done == len(flat):
            break
        end = int(np.searchsorted(flat, start + chunk.size))
        values[done:end] = chunk[flat[done:end] - start]
        done = end
        start += chunk.size
    return values


def _chunks(dataset: Dataset, header: ArrayHeader) -> Iterator[Array]:
    return prefetched(dataset.chunks(header.name), header.count * header.dtype.itemsize)
