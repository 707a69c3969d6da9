"""The central directory of a zip archive: what it says of each member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .faults import Fault
from .member import DEFLATED, STORED
from .zip_fields import CENTRAL, FULL16, FULL32, check_version, widen, zip64

_METHODS: Final = {
    1: "shrink",
    6: "implode",
    9: "deflate64",
    12: "bzip2",
    14: "lzma",
    93: "zstd",
    95: "xz",
    98: "ppmd",
    99: "AES",
}

_ENCRYPTED: Final = 1 << 0
_PATCHED: Final = 1 << 5
_STRONG: Final = 1 << 6
_UTF8: Final = 1 << 11
_MASKED: Final = 1 << 13


@dataclass(frozen=True, slots=True)
class Entry:
    """A central directory record, zip64 resolved."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    stamp: tuple[int, int]
    crc: int
    compressed: int
    size: int
    header: int


def directory(data: bytes, count: int) -> list[Entry]:
    entries, at = [], 0
    for index in range(count):
        if at + CENTRAL.size > len(data) or data[at : at + 4] != b"PK\x01\x02":
            raise Fault("FILE-002", f"entry {index + 1} of {count} of the directory is damaged")
        (
            _,
            _,
            version,
            flags,
            method,
            time,
            date,
            crc,
            compressed,
            size,
            n_name,
            n_extra,
            n_comment,
            disk,
            _,
            _,
            header,
        ) = CENTRAL.unpack_from(data, at)
        name_at = at + CENTRAL.size
        extra_at = name_at + n_name
        at = extra_at + n_extra + n_comment
        if at > len(data):
            raise Fault("FILE-002", f"entry {index + 1} of {count} of the directory is cut short")
        raw_name = data[name_at:extra_at]
        name = _decode(raw_name, flags)
        wide = zip64(data[extra_at : extra_at + n_extra], name, raw_name)
        size, compressed, header, disk = widen(
            name, wide, (size, FULL32), (compressed, FULL32), (header, FULL32), (disk, FULL16)
        )
        if disk:
            raise Fault("FILE-002", "lies in another part of a split archive", member=name)
        _check_method(name, flags, method)
        check_version(version, name)
        entries.append(Entry(raw_name, name, flags, method, (time, date), crc, compressed, size, header))
    if at != len(data):
        raise Fault("FILE-002", f"{len(data) - at:,} bytes of the directory belong to no entry")
    return entries


def _decode(raw: bytes, flags: int) -> str:
    # Bytes that are no UTF-8 become surrogates, which unsafe_name refuses.
    return raw.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw.decode("cp437")


def _check_method(name: str, flags: int, method: int) -> None:
    if flags & (_ENCRYPTED | _STRONG | _MASKED):
        raise Fault("FILE-011", "is encrypted", member=name, expected="stored or deflated", found="encrypted")
    if flags & _PATCHED:
        raise Fault("FILE-011", "is patched data", member=name, expected="stored or deflated", found="patched data")
    if method not in (STORED, DEFLATED):
        found = _METHODS.get(method, f"method {method}")
        raise Fault("FILE-011", f"is compressed with {found}", member=name, expected="stored or deflated", found=found)
