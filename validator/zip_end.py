"""The end records of a zip archive, the zip64 ones too: where the central directory lies."""

from __future__ import annotations

import struct

from .faults import Fault
from .source import ByteSource
from .zip_fields import CENTRAL, END, END64, FULL16, FULL32, LOCATOR, check_version


def end_record(source: ByteSource) -> tuple[int, int, int]:
    """Number of entries, offset and length of the central directory."""
    size = source.size
    if size == 0:
        raise Fault("FILE-001", "is empty", expected="an NPZ archive", found="0 bytes")
    head = source.read(0, min(size, 8))
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise Fault("FILE-001", f"is no zip archive: {_guess(head)}", expected="an NPZ archive", found=_guess(head))
    tail_at = max(0, size - END.size - FULL16)
    tail = source.read(tail_at, size - tail_at)
    at = _find_end(tail)
    if at is None:
        raise Fault(
            "FILE-002", f"no directory at its end: the file was cut short, or bytes follow the archive ({size:,} bytes)"
        )
    if at + END.size < len(tail) and tail.rfind(b"PK\x05\x06") > at:
        raise Fault("FILE-002", "its comment holds a second end record; readers differ in which they take")
    _, *fields, _ = END.unpack_from(tail, at)
    end_at, (disk, first_disk, here, count, length, start) = _widen_end(source, tail_at + at, fields)
    if disk or first_disk or here != count:
        raise Fault("FILE-002", "part of an archive split over several files")
    if start + length != end_at:
        raise Fault(
            "FILE-002", f"the directory should end at byte {end_at:,}, by its record it ends at {start + length:,}"
        )
    if count * CENTRAL.size > length:
        raise Fault("FILE-002", f"{count:,} entries do not fit a directory of {length:,} bytes")
    return count, start, length


def _widen_end(source: ByteSource, end_at: int, fields: list[int]) -> tuple[int, list[int]]:
    """Where the end records begin, and the fields of the zip64 one, if there is one, in place of the other's."""
    locator_at = end_at - LOCATOR.size
    if locator_at < 0 or source.read(locator_at, 4) != b"PK\x06\x07":
        return end_at, fields
    _, disk, end64_at, disks = LOCATOR.unpack(source.read(locator_at, LOCATOR.size))
    if disk != 0 or disks > 1 or end64_at + END64.size != locator_at:
        raise Fault("FILE-002", f"the zip64 locator points to byte {end64_at:,}, not to the record before it")
    mark, record, _, version, *wide = END64.unpack(source.read(end64_at, END64.size))
    if mark != b"PK\x06\x06" or record != END64.size - 12:
        raise Fault("FILE-002", "the zip64 end record is damaged")
    check_version(version)
    names = ("disk", "first disk", "entries here", "entries", "directory size", "directory offset")
    limits = (FULL16, FULL16, FULL16, FULL16, FULL32, FULL32)
    for name, short, full, limit in zip(names, fields, wide, limits, strict=True):
        if short not in (full, limit):
            raise Fault("FILE-002", f"the two end records disagree on {name}: {short:,} and {full:,}")
    return end64_at, wide


def _find_end(tail: bytes) -> int | None:
    """Offset of the end record whose comment reaches exactly to the end of the file."""
    at = len(tail) - END.size
    while at >= 0:
        at = tail.rfind(b"PK\x05\x06", 0, at + 4)
        if at < 0:
            return None
        if at + END.size + struct.unpack_from("<H", tail, at + 20)[0] == len(tail):
            return at
        at -= 1
    return None


def _guess(head: bytes) -> str:
    known = {
        b"\x93NUMPY": "a single .npy array",
        b"\x89HDF": "an HDF5 file",
        b"\x1f\x8b": "a gzip file",
        b"BZh": "a bzip2 file",
        b"MATLAB": "a MATLAB file",
        b"\x80\x04": "a pickle",
        b"\x80\x03": "a pickle",
        b"\x80\x02": "a pickle",
        b"version ": "a Git LFS pointer; fetch the file itself",
    }
    return next(
        (what for magic, what in known.items() if head.startswith(magic)), "its first bytes are " + head.hex(" ")
    )
