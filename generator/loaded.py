"""What :func:`npzschema.load` returns: the arrays of a file that keeps its contract, read when they are asked for."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from npzschema.contracts import Contract
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.findings import Report
from npzschema.validator.source import FileSource

from .errors import NotKeptError
from .plan import Step
from .rounds import Round, carried_out
from .source import Examined
from .stream import Stream, as_stored, laid_out, of_array, stream_of, whole

Array = np.ndarray[Any, Any]


def streams_of(
    contract: Contract, dataset: ArchiveDataset, rounds: Sequence[Round], *, guarded: bool = False
) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """What is offered of a file, and every step that was taken: mended in rounds, or without any as it lies there."""
    if rounds:
        streams, steps = carried_out(dataset, contract, rounds, guarded=guarded)
        order = [name for name in contract.arrays if name in streams]
        order += sorted(set(streams) - set(order))
        return {name: streams[name] for name in order}, steps
    streams = {}
    for name, header in dataset.headers.items():
        if not header.pickled:
            # In its own byte order, as numpy gives it.
            streams[name] = replace(stream_of(dataset, header), dtype=header.dtype)
        elif (text := dataset.text(name)) is not None:
            streams[name] = of_array(np.array(text))
    return streams, ()


class Loaded(Mapping[str, Array]):
    """Arrays by name, as :func:`npzschema.load` returns them. All are read-only, and each is read once.

    No file is held open between reads, so a dataset may be forked, pickled and used from several threads: another
    process reads the file anew. Before and after each read the file must be the one that was checked; a
    :class:`GeneratorError` says where it is not.

    Attributes:
        path: the file, as it was named.
        contract: what it keeps.
        report: what the validator says of the arrays that are returned.
        sizes: sizes of the contract's dimension symbols.
        steps: what was mended in memory, as data.
        files: names of the arrays, as in ``numpy.load``.
    """

    __slots__ = ("_arrays", "_closed", "_guarded", "_mapped", "_names", "_one", "_report", "_rounds", "_steps")

    def __init__(
        self,
        one: Examined,
        report: Report,
        names: tuple[str, ...],
        steps: tuple[Step, ...],
        *,
        rounds: tuple[Round, ...],
        guarded: bool,
        mapped: bool,
    ) -> None:
        self._one, self._report, self._names, self._steps = one, report, names, steps
        self._rounds, self._guarded, self._mapped = rounds, guarded, mapped
        self._arrays: dict[str, Array] = {}
        self._closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        if self._closed:
            raise ValueError(f"{self.path}: is closed")
        how: dict[str, Any] = {"rounds": self._rounds, "guarded": self._guarded, "mapped": self._mapped}
        return functools.partial(type(self), **how), (self._one, self._report, self._names, self._steps)

    @property
    def path(self) -> str:
        return self._one.name

    @property
    def contract(self) -> Contract:
        return self._one.contract

    @property
    def report(self) -> Report:
        return self._report

    @property
    def sizes(self) -> dict[str, int]:
        return dict(self._report.binding)

    @property
    def steps(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(step.document() for step in self._steps)

    @property
    def files(self) -> list[str]:
        return list(self._names)

    def __getitem__(self, name: str) -> Array:
        """One array.

        Raises:
            KeyError: there is no such array.
            ValueError: the dataset is closed.
            GeneratorError: the file is not what it was when it was checked, or is damaged where nobody looked yet.
        """
        if self._closed:
            raise ValueError(f"{self.path}: is closed")
        if name not in self._names:
            raise KeyError(f"{self.path} has no array {name!r}; it has {', '.join(self._names)}")
        array = self._arrays.get(name)
        # Two threads may both read an array; both get the one that was there first.
        return array if array is not None else self._arrays.setdefault(name, self._read(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    # A mapping of arrays has no answer to ==, and comparing would read all of it.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        sizes = ", ".join(f"{symbol}={size}" for symbol, size in self._report.binding.items())
        return f"<npzschema.load({self.path!r}): {self.contract.id}, {sizes}; {', '.join(self._names)}>"

    def close(self) -> None:
        """Forget all arrays. Those that were handed out stay valid."""
        self._arrays.clear()
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, name: str) -> Array:
        with self._one.opened() as (dataset, _, source):
            stream = streams_of(self.contract, dataset, self._rounds, guarded=self._guarded)[0][name]
            array = self._map(stream, dataset, source) if self._mapped else None
            if array is None:
                try:
                    array = whole(stream) if self._rounds else as_stored(stream)
                except NotKeptError as error:
                    raise NotKeptError(f"{self.path}: {name}: {error}") from None
            self._one.check_unchanged(source)
        array.flags.writeable = False
        return array

    def _map(self, stream: Stream, dataset: ArchiveDataset, source: FileSource) -> Array | None:
        """The array as a view of the file, where its items lie there as they are and were checked there."""
        member = stream.member
        # What the contract does not know was not read when the file was checked: its checksum comes with the reading.
        if member is None or member not in self.contract.known_names() or not stream.shape or 0 in stream.shape:
            return None
        offset = dataset.stored_at(member)
        if offset is None or dataset.headers[member].dtype != stream.dtype:
            return None
        # A descriptor of its own, of the file that was opened, whatever its name stands for by now.
        with contextlib.suppress(OSError, ValueError), os.fdopen(os.dup(source.fileno()), "rb") as file:
            count = dataset.headers[member].count
            return laid_out(stream, np.memmap(file, dtype=stream.dtype, mode="r", offset=offset, shape=(count,)))
        return None
