"""Arrays on their way from a file into another: read in storage order, mended, handed on in C order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from npzschema.validator.dataset import ArrayHeader, Dataset, chunk_lengths
from npzschema.validator.prefetch import prefetched

from .errors import GeneratorError
from .transpose import BLOCK, transposed, turned

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """An array that has not been read yet.

    ``storage_axes``: the axis of ``shape`` that each storage axis is, slowest first; its chunks come in that order.
    ``member``: the array of the file whose items these are, one by one as they lie there; None once any was changed.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    storage_axes: tuple[int, ...]
    chunks: Callable[[], Iterable[Array]]
    member: str | None = None

    @property
    def storage(self) -> tuple[int, ...]:
        return tuple(self.shape[axis] for axis in self.storage_axes)

    @property
    def in_c_order(self) -> bool:
        # Axes of length 1 lie anywhere.
        order = [axis for axis in self.storage_axes if self.shape[axis] != 1]
        return order == sorted(order)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamHeader(ArrayHeader):
    """An array that is a stream: its axes lie in any order, not only first to last or last to first."""

    stream: Stream

    @property
    def storage(self) -> tuple[int, ...]:
        return tuple(self.shape[axis] for axis in self.storage_axes)

    @property
    def storage_axes(self) -> tuple[int, ...]:
        return self.stream.storage_axes


def stream_of(dataset: Dataset, header: ArrayHeader) -> Stream:
    """The array as it is stored, native-endian."""
    if isinstance(header, StreamHeader):
        return header.stream
    return Stream(
        shape=header.shape,
        dtype=header.dtype.newbyteorder("="),
        storage_axes=header.storage_axes,
        chunks=lambda: prefetched(dataset.chunks(header.name), header.count * header.dtype.itemsize),
        member=header.name,
    )


def of_array(array: Array) -> Stream:
    """An array in memory."""
    return Stream(
        shape=array.shape, dtype=array.dtype, storage_axes=tuple(range(array.ndim)), chunks=lambda: [array.reshape(-1)]
    )


def transpose(stream: Stream, axes: Sequence[int]) -> Stream:
    """Axis ``i`` of the result is axis ``axes[i]`` of the stream. Nothing moves until C order is asked for."""
    place = {axis: at for at, axis in enumerate(axes)}
    return replace(
        stream,
        shape=tuple(stream.shape[axis] for axis in axes),
        storage_axes=tuple(place[axis] for axis in stream.storage_axes),
    )


def squeeze(stream: Stream, keep: Sequence[int]) -> Stream:
    """Drop the axes of length 1 that are not kept; ``keep`` is ascending."""
    place = {axis: at for at, axis in enumerate(keep)}
    return replace(
        stream,
        shape=tuple(stream.shape[axis] for axis in keep),
        storage_axes=tuple(place[axis] for axis in stream.storage_axes if axis in place),
    )


def mapped(stream: Stream, dtype: np.dtype[Any], function: Callable[[Array], Array]) -> Stream:
    """Apply a function to every item."""

    def chunks() -> Iterator[Array]:
        for chunk in stream.chunks():
            # What overflows or is no number is for the check of what is made to say, not for a warning.
            with np.errstate(all="ignore"):
                made = function(chunk).astype(dtype, copy=False)
            yield made

    return replace(stream, dtype=dtype, chunks=chunks, member=None)


def framewise(stream: Stream, order: Sequence[int], function: Callable[[Array], Array]) -> Stream:
    """Apply a function to slices across one axis, some at a time, with the axes in some order, that one first.

    Their shape stays, and so do the axes of what comes out.
    """
    first = transpose(stream, order)
    size = math.prod(first.shape[1:])

    def chunks() -> Iterator[Array]:
        for frames in _gathered(c_order(first), size):
            yield function(frames.reshape(-1, *first.shape[1:])).reshape(-1)

    made = Stream(shape=first.shape, dtype=stream.dtype, storage_axes=tuple(range(len(order))), chunks=chunks)
    return transpose(made, np.argsort(order).tolist())


def _gathered(chunks: Iterable[Array], size: int) -> Iterator[Array]:
    """The same items in pieces whose length is a multiple of a size."""
    held: list[Array] = []
    count = 0
    for chunk in chunks:
        held.append(chunk.reshape(-1))
        count += chunk.size
        if whole := count // size:
            joined = np.concatenate(held)
            yield joined[: whole * size]
            held, count = [joined[whole * size :]], count - whole * size


def taken(stream: Stream, axis: int, indices: Array) -> Stream:
    """Items at some indices of one axis, read in one pass. The result is held in memory."""
    if len(indices) and not 0 <= min(indices) <= max(indices) < stream.shape[axis]:
        raise GeneratorError(
            f"items {min(indices)} to {max(indices)} are asked for along an axis of length {stream.shape[axis]}"
        )
    return replace(
        stream,
        shape=tuple(len(indices) if at == axis else length for at, length in enumerate(stream.shape)),
        storage_axes=stream.storage_axes,
        chunks=lambda: [_take(stream, axis, indices)],
        member=None,
    )


def _take(stream: Stream, axis: int, indices: Array) -> Array:
    at = stream.storage_axes.index(axis)
    before, length, after = math.prod(stream.storage[:at]), stream.storage[at], math.prod(stream.storage[at + 1 :])
    order = np.argsort(indices, kind="stable")
    wanted = np.asarray(indices)[order]
    out = np.empty((before, len(wanted), after), dtype=stream.dtype)
    # Position of each wanted item in storage, ascending, so that one pass over the chunks finds them all.
    where = (np.arange(before)[:, None] * length + wanted[None, :]).reshape(-1)
    flat = out.reshape(len(where), after)
    start = 0
    for chunk in stream.chunks():
        end = start + chunk.size
        if after == 1:
            first, last = np.searchsorted(where, [start, end])
            flat[first:last, 0] = chunk[where[first:last] - start]
        else:
            first = np.searchsorted((where + 1) * after, start, side="right")
            last = np.searchsorted(where * after, end)
            for row in range(int(first), int(last)):
                low, high = int(where[row]) * after, (int(where[row]) + 1) * after
                a, b = max(low, start), min(high, end)
                flat[row, a - low : b - low] = chunk[a - start : b - start]
        start = end
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    result: Array = out[:, back].reshape(-1)
    return result


def as_stored(stream: Stream) -> Array:
    """The whole array in memory, its items in the order in which they lie in storage."""
    items = np.empty(math.prod(stream.storage), dtype=stream.dtype)
    at = 0
    for chunk in stream.chunks():
        items[at : at + chunk.size] = chunk.reshape(-1)
        at += chunk.size
    return laid_out(stream, items)


def laid_out(stream: Stream, items: Array) -> Array:
    """A view of items in storage order that has the stream's axes."""
    return items.reshape(stream.storage).transpose(np.argsort(stream.storage_axes))


def whole(stream: Stream) -> Array:
    """The whole array in memory, in C order."""
    if stream.in_c_order or not math.prod(stream.shape):
        return as_stored(stream)
    fast = _leading_last(stream.storage_axes)
    rest = stream.storage_axes[:-fast] if fast else ()
    if rest and list(rest) == sorted(rest):
        rows, columns = math.prod(stream.storage[:-fast]), math.prod(stream.storage[-fast:])
        return turned(stream.chunks(), rows, columns, stream.dtype).reshape(stream.shape)
    return np.ascontiguousarray(as_stored(stream))


def c_order(stream: Stream, folder: Path | None = None, block: int = BLOCK) -> Iterator[Array]:
    """Items in C order, in bounded memory: ``block`` bytes, where axes change their order, and a temporary file.

    Raises:
        GeneratorError: the array is large, and its axes are mixed in a way that needs all of it at once.
    """
    if stream.in_c_order or not math.prod(stream.shape):
        yield from stream.chunks()
        return
    storage = stream.storage
    if fast := _leading_last(stream.storage_axes):
        # The first axes lie fastest: turn the matrix (everything else, first axes), then order each slice.
        rows, columns = math.prod(storage[:-fast]), math.prod(storage[-fast:])
        rest = [axis - fast for axis in stream.storage_axes[:-fast]]
        widths = _widths(stream, rows)
        for band in transposed(stream.chunks(), rows, columns, stream.dtype, folder, block, widths):
            yield _ordered(band, storage[:-fast], rest)
        return
    if stream.storage_axes[0] == 0 and len(storage) > 2:
        yield from _slices(stream)
        return
    if math.prod(stream.shape) * stream.dtype.itemsize > 4 * BLOCK:
        raise GeneratorError(
            f"an array of shape {stream.shape} is too large to reorder from storage axes {stream.storage_axes}"
        )
    whole = np.concatenate([chunk.copy() for chunk in stream.chunks()]).reshape(storage)
    yield np.ascontiguousarray(whole.transpose([stream.storage_axes.index(axis) for axis in range(len(storage))]))


def _widths(stream: Stream, rows: int) -> list[int]:
    """Columns of bands such that each is what two pieces of a member hold, if those are whole columns."""
    lengths = [*chunk_lengths(stream.shape, stream.dtype.itemsize)]
    if any(length % rows for length in lengths):
        return []
    return [sum(lengths[at : at + 2]) // rows for at in range(0, len(lengths), 2)]


def _leading_last(axes: Sequence[int]) -> int:
    """How many of the first axes lie fastest, in order: (1, 2, 0) gives 1, (2, 0, 1) gives 2."""
    return next((count for count in range(len(axes) - 1, 0, -1) if list(axes[-count:]) == list(range(count))), 0)


def _ordered(band: Array, storage: tuple[int, ...], axes: Sequence[int]) -> Array:
    """Slices whose axes lie in storage order, brought into C order."""
    inner = [list(axes).index(axis) + 1 for axis in range(len(axes))]
    return np.ascontiguousarray(band.reshape(-1, *storage).transpose(0, *inner))


def _slices(stream: Stream) -> Iterator[Array]:
    """The first axis lies slowest already; each slice is ordered by itself."""
    rest = [axis - 1 for axis in stream.storage_axes[1:]]
    for whole in _gathered(stream.chunks(), math.prod(stream.storage[1:])):
        yield _ordered(whole, stream.storage[1:], rest)
