"""Describe: what the headers alone tell, of an archive or of arrays in memory, in one form."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from .archive import Archive
from .faults import Fault
from .member import STORED, Member
from .names import array_name
from .npy import Header, read_header
from .pickled_text import MAX_TEXT, read_text

CHUNK: Final = 1 << 21
"""Bytes of array data handed out at a time, at most: fits the caches, and leaves threads to themselves for a while."""

HEADERS: Final = 1 << 21
"""Bytes that the headers of all members may take together: each is a text that takes its time to understand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayHeader:
    """Name, dtype, shape and memory order of one array.

    ``fortran``: its items lie in Fortran order, and not in C order too. ``storage``: its shape in the order in which
    items lie in memory, slowest axis first.
    ``pickled``: an object array, whose items cannot be read.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool = False
    pickled: bool = False

    @property
    def dtype_name(self) -> str:
        """Numpy's name without byte order; ``str`` for text of any length."""
        return dtype_name(self.dtype)

    @property
    def count(self) -> int:
        product = 1
        for length in self.shape:
            product *= length
        return product

    @property
    def storage(self) -> tuple[int, ...]:
        return self.shape[::-1] if self.fortran else self.shape

    @property
    def storage_axes(self) -> tuple[int, ...]:
        """Axis of ``shape`` that each axis of ``storage`` is."""
        axes = tuple(range(len(self.shape)))
        return axes[::-1] if self.fortran else axes


def _ordered(shape: tuple[int, ...]) -> bool:
    """Whether items of this shape lie in one order or the other: on a single line of them, both are the same."""
    return all(shape) and sum(length > 1 for length in shape) > 1


@functools.lru_cache(maxsize=256)
def dtype_name(dtype: np.dtype[Any]) -> str:
    return "str" if dtype.kind in "US" else dtype.name


class Dataset(Protocol):
    """Arrays by name, their headers at hand, their items in chunks."""

    headers: Mapping[str, ArrayHeader]
    faults: tuple[Fault, ...]
    malformed: dict[str, Fault]

    def chunks(self, name: str) -> Iterator[np.ndarray[Any, Any]]:
        """Items of one array as 1-D native-endian arrays, in storage order; each chunk stays as it is.

        Chunks end where rows, frames or whole slices do, and each slice of one size is cut alike.
        """

    def cheap(self, name: str) -> bool:
        """Whether reading an array costs next to nothing, since it is not compressed."""

    def text(self, name: str) -> str | None:
        """The text of a 0-d array, read even where it is pickled; None where it holds anything else."""

    def verify(self, name: str) -> None:
        """Read an array to its end for its checksum only."""

    def verify_others(self) -> None:
        """The same for members that are no arrays."""


class ArchiveDataset:
    """The arrays of an archive. Headers are read when it is made, data is not; ``FILE-009`` where these take too long.

    ``others``: members that are no readable arrays. ``malformed``: those that begin like an array but cannot be read,
    with the fault. Whether that matters is for the contract to say: one that nobody will read is FILE-005.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._members: dict[str, tuple[Member, Header]] = {}
        self._others: list[Member] = []
        self._unreadable: dict[str, Member] = {}
        self.malformed: dict[str, Fault] = {}
        faults = list(archive.faults)
        headers: dict[str, ArrayHeader] = {}
        read = 0
        for member in archive.members:
            if read > HEADERS:
                what = f"has headers of more than {HEADERS:,} bytes together"
                raise Fault("FILE-009", what, expected=f"at most {HEADERS:,} bytes", found=f"{read:,} bytes and more")
            name = array_name(member.name)
            reader = archive.reader(member)
            try:
                # Whatever its name: numpy, too, goes by the first bytes.
                header = read_header(reader)
            except Fault as fault:
                self.malformed[name], self._unreadable[name] = fault.alone(), member
                continue
            finally:
                read += reader.position
            if header is None and name != member.name:
                self.malformed[name] = Fault("FILE-010", "does not begin like a .npy array", member=member.name)
                self._unreadable[name] = member
                continue
            if header is None:
                faults.append(Fault("FILE-005", "is no .npy array", member=member.name))
                self._others.append(member)
                continue
            # Of two members with one name the later counts, as for numpy.
            self._members[name] = (member, header)
            headers[name] = ArrayHeader(
                name=name,
                shape=header.shape,
                dtype=header.dtype,
                fortran=header.fortran and _ordered(header.shape),
                pickled=header.dtype.hasobject,
            )
        self.headers: Mapping[str, ArrayHeader] = headers
        self.others: tuple[str, ...] = tuple(member.name for member in self._others)
        self.faults: tuple[Fault, ...] = tuple(faults)

    def chunks(self, name: str) -> Iterator[np.ndarray[Any, Any]]:
        member, header = self._members[name]
        size = header.dtype.itemsize
        native = header.dtype.newbyteorder("=")
        with contextlib.closing(self._archive.reader(member, ahead=True)) as reader:
            reader.read(header.data)
            for length in chunk_lengths(self.headers[name].storage, size):
                chunk = np.frombuffer(reader.view(length * size), dtype=header.dtype)
                yield chunk if header.dtype == native else chunk.astype(native)
            reader.finish()

    def cheap(self, name: str) -> bool:
        return self._members[name][0].method == STORED

    def stored_at(self, name: str) -> int | None:
        """Where the items of an array begin in the file, if they lie there as they are; None where deflated."""
        member, header = self._members[name]
        return member.offset + header.data if member.method == STORED else None

    def text(self, name: str) -> str | None:
        member, header = self._members[name]
        reader = self._archive.reader(member)
        reader.read(header.data)
        if header.shape != () or reader.left > MAX_TEXT:
            return None
        data = reader.read(reader.left)
        reader.finish()
        if header.dtype.hasobject:
            return read_text(data)
        return plain_text(np.frombuffer(data, dtype=header.dtype).reshape(()))

    def npy(self, name: str) -> bytes:
        """A member as it is stored, header and all; for small ones."""
        reader = self._archive.reader(self._members[name][0])
        data = reader.read(reader.left)
        reader.finish()
        return data

    def verify(self, name: str) -> None:
        self._drain(self._members[name][0] if name in self._members else self._unreadable[name])

    def verify_others(self) -> None:
        for member in self._others:
            self._drain(member)

    def _drain(self, member: Member) -> None:
        with contextlib.closing(self._archive.reader(member, ahead=True)) as reader:
            while reader.left:
                reader.view(min(CHUNK, reader.left))
            reader.finish()


class MappingDataset:
    """Arrays in memory, checked by the same rules."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = {_as_name(name): _as_array(name, value) for name, value in arrays.items()}
        self.headers: Mapping[str, ArrayHeader] = {
            name: ArrayHeader(
                name=name,
                shape=array.shape,
                dtype=array.dtype,
                fortran=array.ndim > 1 and bool(array.flags.f_contiguous) and not array.flags.c_contiguous,
                pickled=array.dtype.hasobject,
            )
            for name, array in self._arrays.items()
        }
        self.faults: tuple[Fault, ...] = ()
        self.malformed: dict[str, Fault] = {}

    def chunks(self, name: str) -> Iterator[np.ndarray[Any, Any]]:
        header = self.headers[name]
        array = self._arrays[name].T if header.fortran else self._arrays[name]
        native = array.dtype.newbyteorder("=")
        for block in _blocks(array):
            yield block if block.dtype == native else block.astype(native)

    def cheap(self, name: str) -> bool:
        """Always: it is in memory."""
        return name in self.headers

    def text(self, name: str) -> str | None:
        array = self._arrays[name]
        return plain_text(array) if array.shape == () else None

    def verify(self, name: str) -> None:
        """Nothing to check: there is no checksum in memory."""

    def verify_others(self) -> None:
        """Nothing to check."""


def _as_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"names of arrays are text, not {name!r}")
    return name


def _as_array(name: str, value: Any) -> np.ndarray[Any, Any]:
    """The value as an array; what is wrong with it is raised with its name."""
    # Whoever has a masked array has the module.
    masked = sys.modules.get("numpy.ma")
    if masked and isinstance(value, masked.MaskedArray) and masked.is_masked(value):
        # Its data holds what the mask was there to hide.
        raise ValueError(f"{name}: values are masked; fill them first, as by .filled(numpy.nan)")
    try:
        return np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{name}: cannot be made an array: {error}") from error


def chunk_lengths(storage: tuple[int, ...], itemsize: int) -> Iterator[int]:
    """Items of each chunk of an array that is stored in this shape; what is written is deflated in the same pieces.

    A sum over floats depends on where it is cut: cut alike, equal frames have equal totals.
    """
    if not all(storage):
        return
    most = max(1, CHUNK // max(1, itemsize))
    unit, axis = 1, len(storage)
    while axis and unit * storage[axis - 1] <= most:
        axis -= 1
        unit *= storage[axis]
    # ``unit`` items belong together and fit a chunk; the next axis counts as many of them as do not.
    count, repeats = (storage[axis - 1], math.prod(storage[: axis - 1])) if axis else (1, 1)
    parts = -(-count // (most // unit))
    lengths = [(count * (part + 1) // parts - count * part // parts) * unit for part in range(parts)]
    for _ in range(repeats):
        yield from lengths


def _blocks(array: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    if array.flags.c_contiguous:
        flat, start = array.reshape(-1), 0
        for length in chunk_lengths(array.shape, array.dtype.itemsize):
            yield flat[start : start + length]
            start += length
    elif array.nbytes <= CHUNK:
        yield np.ascontiguousarray(array).reshape(-1)
    else:
        # Views with gaps: copied some slices of the slowest axis at a time, never as a whole.
        rows = max(1, len(array) * CHUNK // array.nbytes)
        for start in range(0, len(array), rows):
            part = array[start : start + rows]
            yield from _blocks(part[0] if rows == 1 and part.ndim > 1 else part)


def plain_text(array: np.ndarray[Any, Any]) -> str | None:
    try:
        item: Any = array[()]
    except (ValueError, SystemError):
        # Numpy's answers to code points that there are not.
        return None
    if isinstance(item, str):
        return str(item)
    if isinstance(item, bytes):
        try:
            return item.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return None
