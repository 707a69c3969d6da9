"""Write the bytes of an NPZ: the same for the same arrays.

Members carry the zip format's first date and no other trace of when or where they were written.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Final

import numpy as np

from npzschema.validator.dataset import chunk_lengths
from npzschema.validator.inflate import crc32
from npzschema.validator.zip_fields import CENTRAL, END, END64, FULL16, FULL32, LOCAL, LOCATOR

from .deflate import METHODS, Compression, check_compression, compressed
from .errors import GeneratorError

Array = np.ndarray[Any, Any]

_EPOCH: Final = (0, 0x21)  # 1980-01-01, the zip format's first date
_UTF8: Final = 1 << 11
_LIMIT: Final = FULL32
"""Sizes and offsets from here on go into zip64 fields."""

_MOST_ENTRIES: Final = FULL16
_LONGEST_NAME: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Written:
    """One array as written. Its digest, if any, is over the raw items in C order, whatever the compression."""

    dtype: str
    shape: tuple[int, ...]
    sha256: str


class NpzWriter:
    """Writes members one after the other into an open, seekable file."""

    def __init__(
        self, file: BinaryIO, compression: Compression = "isal", level: int | None = None, *, digests: bool = True
    ) -> None:
        check_compression(compression, level)
        self._file, self._compression, self._level, self._digests = file, compression, level, digests
        self._entries: list[bytes] = []
        self.arrays: dict[str, Written] = {}

    def add(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], chunks: Iterable[Array]) -> None:
        """Append an array.

        Args:
            name: array name, without ``.npy``.
            dtype, shape: of the array; written little-endian.
            chunks: its items in C order, in arrays of any shape, which stay as they are.

        Raises:
            GeneratorError: the chunks hold more or fewer items than the shape, or the name is taken.
        """
        if name in self.arrays:
            raise GeneratorError(f"{name} would be written twice")
        dtype = dtype.newbyteorder("<")
        raw_name = f"{name}.npy".encode()
        if len(raw_name) > _LONGEST_NAME:
            raise GeneratorError(f"{name[:40]}...: a name of {len(raw_name):,} bytes; the zip format takes 65,535")
        header = _npy_header(dtype, shape)
        size = len(header) + int(np.prod(shape, dtype=object)) * dtype.itemsize
        # Whether deflated data may pass 4 GiB must be known before it is written; igzip's level 0 may add a quarter.
        wide = size > _LIMIT // 4 * 3 - 1024
        method, lengths = METHODS[self._compression], _lengths(len(header), dtype, shape)
        pieces = _pieces(header, lengths, dtype, chunks)
        start = self._file.tell()
        extra = struct.pack("<HHQQ", 1, 16, 0, 0) if wide else b""
        self._file.write(bytes(LOCAL.size) + raw_name + extra)
        crc, packed, written, digest = 0, 0, 0, hashlib.sha256()
        for piece, part in compressed(pieces, len(lengths), self._compression, self._level):
            crc = crc32(piece, crc)
            if self._digests:
                digest.update(piece[max(0, len(header) - written) :])
            written += len(piece)
            packed += self._file.write(part)
        if written != size:
            raise GeneratorError(
                f"{name}: {written - len(header):,} bytes were made for the shape {shape}, "
                f"which needs {size - len(header):,}"
            )
        end = self._file.tell()
        version, flags = 45 if wide else 20, 0 if raw_name.isascii() else _UTF8
        sizes = (FULL32, FULL32) if wide else (packed, size)
        self._file.seek(start)
        self._file.write(
            LOCAL.pack(b"PK\x03\x04", version, flags, method, *_EPOCH, crc, *sizes, len(raw_name), len(extra))
        )
        if wide:
            self._file.write(raw_name + struct.pack("<HHQQ", 1, 16, size, packed))
        self._file.seek(end)
        self._entries.append(_central(raw_name, version, flags, method, crc, packed, size, start))
        self.arrays[name] = Written(dtype.str, shape, digest.hexdigest() if self._digests else "")

    def add_array(self, name: str, array: Array) -> None:
        """Append an array that is in memory."""
        self.add(name, array.dtype, array.shape, [array])

    def close(self) -> None:
        """Write the directory. The file itself stays open."""
        start = self._file.tell()
        directory = b"".join(self._entries)
        self._file.write(directory)
        end, count = start + len(directory), len(self._entries)
        if start >= _LIMIT or count >= _MOST_ENTRIES:
            self._file.write(
                END64.pack(b"PK\x06\x06", END64.size - 12, 45, 45, 0, 0, count, count, len(directory), start)
            )
            self._file.write(LOCATOR.pack(b"PK\x06\x07", 0, end, 1))
        short = min(count, 0xFFFF)
        self._file.write(
            END.pack(b"PK\x05\x06", 0, 0, short, short, len(directory), FULL32 if start >= _LIMIT else start, 0)
        )


def _npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    from io import BytesIO

    out = BytesIO()
    fields = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    try:
        np.lib.format.write_array_header_1_0(out, fields)
    except UnicodeEncodeError:
        # Names of fields beyond Latin-1 need version 3.0, for which numpy has no public writer.
        text = repr(fields).encode()
        text += b" " * (-(12 + len(text) + 1) % np.lib.format.ARRAY_ALIGN) + b"\n"
        return bytes(np.lib.format.magic(3, 0)) + struct.pack("<L", len(text)) + text
    return out.getvalue()


def _lengths(header: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> list[int]:
    """Bytes of each piece of a member: those that a reader takes at a time, the first with the header before it.

    What a member is compressed to depends on where it is cut: on nothing but what it holds.
    """
    first, *others = [count * dtype.itemsize for count in chunk_lengths(shape, dtype.itemsize)] or [0]
    return [header + first, *others]


def _pieces(header: bytes, lengths: list[int], dtype: np.dtype[Any], chunks: Iterable[Array]) -> Iterator[memoryview]:
    """The member in pieces of these lengths, however it comes; what is too much comes behind them.

    A piece that lies in one chunk is not copied.
    """
    left = iter(lengths)
    wanted, parts = next(left), list[Array]()
    for data in chain([np.frombuffer(header, dtype=np.uint8)], map(partial(_raw, dtype), chunks)):
        at = 0
        while at < data.size:
            if not wanted:
                yield _joined(parts)
                wanted, parts = next(left, data.size - at), []
            step = min(wanted, data.size - at)
            parts.append(data[at : at + step])
            wanted, at = wanted - step, at + step
    yield _joined(parts)


def _joined(parts: list[Array]) -> memoryview:
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).data


def _raw(dtype: np.dtype[Any], chunk: Array) -> Array:
    """The bytes of a chunk, in C order."""
    flat = np.ascontiguousarray(chunk, dtype=dtype).reshape(-1)
    return flat.view(np.uint8) if flat.size and dtype.itemsize else np.empty(0, dtype=np.uint8)


def _central(
    name: bytes, version: int, flags: int, method: int, crc: int, compressed: int, size: int, start: int
) -> bytes:
    wide = [value for value in (size, compressed, start) if value >= _LIMIT]
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    if wide:
        version = 45
    short, whole, at = (FULL32 if value >= _LIMIT else value for value in (compressed, size, start))
    fields = (version, version, flags, method, *_EPOCH, crc, short, whole, len(name), len(extra), 0, 0, 0, 0, at)
    return CENTRAL.pack(b"PK\x01\x02", *fields) + name + extra
