"""A mended dataset that was never written, in the form that the validator reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from npzschema.validator.dataset import CHUNK, ArrayHeader, Dataset, plain_text
from npzschema.validator.faults import Fault

from .stream import Stream, StreamHeader, as_stored, c_order

Array = np.ndarray[Any, Any]


class MendedDataset:
    """Streams by name. Validating it reads the file once, in chunks, and holds no array in memory."""

    def __init__(self, source: Dataset, streams: Mapping[str, Stream]) -> None:
        self._streams = {name: _askable(stream) for name, stream in streams.items()}
        self.headers: Mapping[str, ArrayHeader] = {
            name: StreamHeader(name=name, shape=stream.shape, dtype=stream.dtype, stream=stream)
            for name, stream in self._streams.items()
        }
        self.faults: tuple[Fault, ...] = source.faults
        self.malformed: dict[str, Fault] = source.malformed

    def chunks(self, name: str) -> Iterator[Array]:
        stream = self._streams[name]
        step = max(1, CHUNK // stream.dtype.itemsize)
        for chunk in stream.chunks():
            flat = chunk.reshape(-1)
            for start in range(0, flat.size, step):
                yield flat[start : start + step]

    def cheap(self, name: str) -> bool:
        """Never: a mend is computed, and may inflate what it reads."""
        return name not in self._streams

    def text(self, name: str) -> str | None:
        stream = self._streams[name]
        return plain_text(as_stored(stream)) if stream.shape == () else None

    def verify(self, name: str) -> None:
        for _ in self._streams[name].chunks():
            pass

    def verify_others(self) -> None:
        """Members that are no arrays are no part of what was mended."""


def _askable(stream: Stream) -> Stream:
    """With the scan axis first or last in storage under either reading, so that the content can decide between them."""
    if len(stream.shape) < 3 or stream.shape[0] != stream.shape[-1] or stream.in_c_order:
        return stream
    return replace(stream, storage_axes=tuple(range(len(stream.shape))), chunks=lambda: c_order(stream), member=None)
