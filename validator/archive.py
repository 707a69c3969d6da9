"""The zip container, read strictly: every byte of the file belongs to a member, its descriptor or the directory.

Layout (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5)::

    local header | data | [descriptor]   ... one a member, adjacent, from byte 0
    central directory
    [zip64 end record | zip64 locator]
    end record [comment]                 ... to the last byte
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .faults import Fault
from .member import DEFLATED, STORED, Member, MemberReader
from .names import array_name, unsafe_name
from .source import ByteSource

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_LOCATOR: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_FULL16: Final = 0xFFFF
_FULL32: Final = 0xFFFFFFFF
_ZIP64_EXTRA: Final = 0x0001
_UNICODE_EXTRA: Final = 0x7075
_NEWEST: Final = 63
"""Version 6.3 of the format; zipfile opens nothing newer."""

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
_DESCRIPTOR: Final = 1 << 3
_PATCHED: Final = 1 << 5
_STRONG: Final = 1 << 6
_UTF8: Final = 1 << 11
_MASKED: Final = 1 << 13


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What is refused as a bomb.

    An archive may expand to ``expansion`` times its own size, and in any case to ``free`` bytes.
    Deflate itself reaches 1,032; mostly-empty float64 patterns about 100.
    """

    members: int = 1_000
    expansion: float = 250.0
    free: int = 1 << 28
    directory: int = 1 << 22


@dataclass(frozen=True, slots=True)
class _Entry:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """An opened archive. ``faults`` lists what is wrong without making it unreadable; ``exact``: read by zlib."""

    source: ByteSource
    members: tuple[Member, ...]
    faults: tuple[Fault, ...]
    exact: bool = False

    def reader(self, member: Member) -> MemberReader:
        return MemberReader(self.source, member, exact=self.exact)


def open_archive(source: ByteSource, limits: Limits | None = None, *, exact: bool = False) -> Archive:
    """Read the directory and every local header; no member data.

    Raises:
        Fault: FILE-001, FILE-002, FILE-007, FILE-009 or FILE-011.
    """
    limits = limits or Limits()
    count, start, length = _end_record(source)
    if count > limits.members:
        raise Fault("FILE-009", f"{count:,} members", expected=f"at most {limits.members:,}", found=f"{count:,}")
    if length > limits.directory:
        raise Fault(
            "FILE-009",
            f"a directory of {length:,} bytes",
            expected=f"at most {limits.directory:,}",
            found=f"{length:,}",
        )
    entries = _directory(source.read(start, length), count)
    members = _members(source, entries, start)
    total = sum(member.size for member in members)
    allowed = max(limits.free, int(limits.expansion * source.size))
    if total > allowed:
        raise Fault(
            "FILE-009",
            f"expands from {source.size:,} to {total:,} bytes",
            expected=f"at most {allowed:,} bytes",
            found=f"{total:,} bytes",
        )
    return Archive(source=source, members=members, faults=tuple(_name_faults(members)), exact=exact)


def _end_record(source: ByteSource) -> tuple[int, int, int]:
    """Number of entries, offset and length of the central directory."""
    size = source.size
    if size == 0:
        raise Fault("FILE-001", "is empty", expected="an NPZ archive", found="0 bytes")
    head = source.read(0, min(size, 8))
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise Fault("FILE-001", f"is no zip archive: {_guess(head)}", expected="an NPZ archive", found=_guess(head))
    tail_at = max(0, size - _END.size - _FULL16)
    tail = source.read(tail_at, size - tail_at)
    at = _find_end(tail)
    if at is None:
        raise Fault(
            "FILE-002", f"no directory at its end: the file was cut short, or bytes follow the archive ({size:,} bytes)"
        )
    if at + _END.size < len(tail) and tail.rfind(b"PK\x05\x06") > at:
        raise Fault("FILE-002", "its comment holds a second end record; readers differ in which they take")
    _, *fields, _ = _END.unpack_from(tail, at)
    end_at, (disk, first_disk, here, count, length, start) = _widen_end(source, tail_at + at, fields)
    if disk or first_disk or here != count:
        raise Fault("FILE-002", "part of an archive split over several files")
    if start + length != end_at:
        raise Fault(
            "FILE-002", f"the directory should end at byte {end_at:,}, by its record it ends at {start + length:,}"
        )
    if count * _CENTRAL.size > length:
        raise Fault("FILE-002", f"{count:,} entries do not fit a directory of {length:,} bytes")
    return count, start, length


def _widen_end(source: ByteSource, end_at: int, fields: list[int]) -> tuple[int, list[int]]:
    """Where the end records begin, and the fields of the zip64 one, if there is one, in place of the other's."""
    locator_at = end_at - _LOCATOR.size
    if locator_at < 0 or source.read(locator_at, 4) != b"PK\x06\x07":
        return end_at, fields
    _, disk, end64_at, disks = _LOCATOR.unpack(source.read(locator_at, _LOCATOR.size))
    if disk != 0 or disks > 1 or end64_at + _END64.size != locator_at:
        raise Fault("FILE-002", f"the zip64 locator points to byte {end64_at:,}, not to the record before it")
    mark, record, _, _, *wide = _END64.unpack(source.read(end64_at, _END64.size))
    if mark != b"PK\x06\x06" or record != _END64.size - 12:
        raise Fault("FILE-002", "the zip64 end record is damaged")
    names = ("disk", "first disk", "entries here", "entries", "directory size", "directory offset")
    limits = (_FULL16, _FULL16, _FULL16, _FULL16, _FULL32, _FULL32)
    for name, short, full, limit in zip(names, fields, wide, limits, strict=True):
        if short not in (full, limit):
            raise Fault("FILE-002", f"the two end records disagree on {name}: {short:,} and {full:,}")
    return end64_at, wide


def _find_end(tail: bytes) -> int | None:
    """Offset of the end record whose comment reaches exactly to the end of the file."""
    at = len(tail) - _END.size
    while at >= 0:
        at = tail.rfind(b"PK\x05\x06", 0, at + 4)
        if at < 0:
            return None
        if at + _END.size + struct.unpack_from("<H", tail, at + 20)[0] == len(tail):
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


def _directory(data: bytes, count: int) -> list[_Entry]:
    entries, at = [], 0
    for index in range(count):
        if at + _CENTRAL.size > len(data) or data[at : at + 4] != b"PK\x01\x02":
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
        ) = _CENTRAL.unpack_from(data, at)
        name_at = at + _CENTRAL.size
        extra_at = name_at + n_name
        at = extra_at + n_extra + n_comment
        if at > len(data):
            raise Fault("FILE-002", f"entry {index + 1} of {count} of the directory is cut short")
        raw_name = data[name_at:extra_at]
        name = _decode(raw_name, flags)
        wide = _zip64(data[extra_at : extra_at + n_extra], name, raw_name)
        size, compressed, header, disk = _widen(
            name, wide, (size, _FULL32), (compressed, _FULL32), (header, _FULL32), (disk, _FULL16)
        )
        if disk:
            raise Fault("FILE-002", "lies in another part of a split archive", member=name)
        _check_method(name, flags, method)
        _check_version(name, version)
        entries.append(_Entry(raw_name, name, flags, method, (time, date), crc, compressed, size, header))
    if at != len(data):
        raise Fault("FILE-002", f"{len(data) - at:,} bytes of the directory belong to no entry")
    return entries


def _decode(raw: bytes, flags: int) -> str:
    # Bytes that are no UTF-8 become surrogates, which unsafe_name refuses.
    return raw.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw.decode("cp437")


def _zip64(extra: bytes, name: str, raw_name: bytes) -> bytes | None:
    """Body of the zip64 extra field; the fields must fill ``extra`` exactly and give no second name."""
    found, at = None, 0
    while at < len(extra):
        if at + 4 > len(extra):
            raise Fault("FILE-002", "its extra fields are damaged", member=name)
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if len(body) != length:
            raise Fault("FILE-002", "its extra fields are damaged", member=name)
        if kind == _ZIP64_EXTRA:
            if found is not None:
                raise Fault("FILE-002", "has two zip64 fields", member=name)
            found = body
        if kind == _UNICODE_EXTRA and body[5:] not in (raw_name, name.encode("utf-8", "surrogateescape")):
            raise Fault(
                "FILE-002",
                "has another name in its extra fields; readers differ in which they take",
                member=name,
                found=_show(body[5:]),
            )
        at += 4 + length
    return found


def _widen(name: str, wide: bytes | None, *fields: tuple[int, int]) -> tuple[int, ...]:
    """Replace each field that is at its limit by the next value of the zip64 extra field."""
    values, at = [], 0
    for short, limit in fields:
        if short == limit and wide is not None:
            width = 4 if limit == _FULL16 else 8
            if at + width > len(wide):
                raise Fault("FILE-002", "its zip64 field is too short", member=name)
            values.append(int.from_bytes(wide[at : at + width], "little"))
            at += width
        else:
            values.append(short)
    # Some writers always add all of the sizes; more than the fields that ask for it must be consistent padding.
    if wide is not None and at < len(wide) and len(wide) not in (8, 16, 24, 28):
        raise Fault("FILE-002", "its zip64 field has a wrong length", member=name)
    return tuple(values)


def _check_method(name: str, flags: int, method: int) -> None:
    if flags & (_ENCRYPTED | _STRONG | _MASKED):
        raise Fault("FILE-011", "is encrypted", member=name, expected="stored or deflated", found="encrypted")
    if flags & _PATCHED:
        raise Fault("FILE-011", "is patched data", member=name, expected="stored or deflated", found="patched data")
    if method not in (STORED, DEFLATED):
        found = _METHODS.get(method, f"method {method}")
        raise Fault("FILE-011", f"is compressed with {found}", member=name, expected="stored or deflated", found=found)


def _check_version(name: str, version: int) -> None:
    if version & 0xFF > _NEWEST:
        found = f"version {version % 256 / 10}"
        raise Fault(
            "FILE-011", f"needs {found} of the zip format", member=name, expected=f"at most {_NEWEST / 10}", found=found
        )


def _members(source: ByteSource, entries: list[_Entry], directory: int) -> tuple[Member, ...]:
    """Members in the directory's order, their local headers checked and the whole file accounted for."""
    members: dict[int, Member] = {}
    expected = 0
    by_offset = sorted(range(len(entries)), key=lambda index: entries[index].header)
    for rank, index in enumerate(by_offset):
        entry = entries[index]
        if entry.header != expected:
            what = (
                "overlaps the member before it" if entry.header < expected else "follows bytes that belong to no member"
            )
            raise Fault(
                "FILE-002",
                f"{what}: begins at byte {entry.header:,}",
                member=entry.name,
                expected=f"byte {expected:,}",
                found=f"byte {entry.header:,}",
            )
        limit = entries[by_offset[rank + 1]].header if rank + 1 < len(by_offset) else directory
        offset = _check_local(source, entry, limit)
        expected = _check_descriptor(source, entry, offset + entry.compressed, limit)
        members[index] = Member(
            name=entry.name,
            method=entry.method,
            offset=offset,
            compressed=entry.compressed,
            size=entry.size,
            crc=entry.crc,
        )
        if entry.method == STORED and entry.compressed != entry.size:
            raise Fault(
                "FILE-007", f"stored, yet {entry.compressed:,} bytes for a size of {entry.size:,}", member=entry.name
            )
        if entry.size > 1040 * entry.compressed + 64:
            raise Fault(
                "FILE-007",
                f"claims {entry.size:,} bytes from {entry.compressed:,}: more than deflate can hold",
                member=entry.name,
            )
    if expected != directory:
        raise Fault("FILE-002", f"{directory - expected:,} bytes before the directory belong to no member")
    return tuple(members[index] for index in range(len(entries)))


def _check_local(source: ByteSource, entry: _Entry, limit: int) -> int:
    """Offset of the data. The local header must say what the directory says."""
    name = entry.name
    if entry.header + _LOCAL.size > limit:
        raise Fault("FILE-002", "its header is cut short or overlaps the next member", member=name)
    mark, version, flags, method, time, date, crc, compressed, size, n_name, n_extra = _LOCAL.unpack(
        source.read(entry.header, _LOCAL.size)
    )
    if mark != b"PK\x03\x04":
        raise Fault("FILE-002", f"no header at byte {entry.header:,}", member=name)
    variable_at = entry.header + _LOCAL.size
    offset: int = variable_at + n_name + n_extra
    if offset + entry.compressed > limit:
        raise Fault(
            "FILE-002", f"its data would reach byte {offset + entry.compressed:,}, beyond {limit:,}", member=name
        )
    variable = source.read(variable_at, n_name + n_extra)
    _check_version(name, version)
    wide = _zip64(variable[n_name:], name, entry.raw_name)
    size, compressed = _widen(name, wide, (size, _FULL32), (compressed, _FULL32))
    later = bool(flags & _DESCRIPTOR)
    for field, there, here in (
        ("name", entry.raw_name, variable[:n_name]),
        ("flags", entry.flags, flags),
        ("method", entry.method, method),
        ("time", entry.stamp, (time, date)),
        ("checksum", entry.crc, crc),
        ("compressed size", entry.compressed, compressed),
        ("size", entry.size, size),
    ):
        # With a descriptor, what was not known when the header was written is zero there.
        unknown = (
            {"checksum": (0,), "compressed size": (0, _FULL32), "size": (0, _FULL32)}.get(field, ()) if later else ()
        )
        if here != there and here not in unknown:
            raise Fault(
                "FILE-002",
                f"its header and the directory disagree on {field}",
                member=name,
                expected=_show(there),
                found=_show(here),
            )
    return offset


def _show(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _check_descriptor(source: ByteSource, entry: _Entry, at: int, limit: int) -> int:
    """Where the member ends. A descriptor has four forms: with and without a mark, 32 or 64 bits."""
    if not entry.flags & _DESCRIPTOR:
        return at
    data = source.read(at, min(24, limit - at))
    for mark in (b"PK\x07\x08", b""):
        for sizes in ("<LQQ", "<LLL"):
            form = struct.Struct(sizes)
            body = data[len(mark) : len(mark) + form.size]
            end = at + len(mark) + form.size
            # The next header follows at once, which tells the forms apart.
            if (
                data.startswith(mark)
                and len(body) == form.size
                and end == limit
                and form.unpack(body) == (entry.crc, entry.compressed, entry.size)
            ):
                return end
    raise Fault("FILE-002", "its data descriptor is damaged or disagrees with the directory", member=entry.name)


def _name_faults(members: tuple[Member, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    told: set[str] = set()
    for member in members:
        key = array_name(member.name)
        if key in seen and key not in told:
            told.add(key)
            yield Fault(
                "FILE-004",
                f"two members are named {member.name}; readers differ in which they take",
                member=member.name,
            )
        seen.add(key)
        reason = unsafe_name(member.name)
        if reason:
            yield Fault("FILE-008", f"the name {reason}", member=member.name)
