"""A member as its own local header and descriptor tell it, held against the central directory."""

from __future__ import annotations

import struct

from .faults import Fault
from .source import ByteSource
from .zip_directory import Entry
from .zip_fields import DESCRIPTOR, FULL32, LOCAL, check_version, show, widen, zip64


def data_offset(source: ByteSource, entry: Entry, limit: int) -> int:
    """Offset of the data. The local header must say what the directory says."""
    name = entry.name
    if entry.header + LOCAL.size > limit:
        raise Fault("FILE-002", "its header is cut short or overlaps the next member", member=name)
    mark, version, flags, method, time, date, crc, compressed, size, n_name, n_extra = LOCAL.unpack(
        source.read(entry.header, LOCAL.size)
    )
    if mark != b"PK\x03\x04":
        raise Fault("FILE-002", f"no header at byte {entry.header:,}", member=name)
    variable_at = entry.header + LOCAL.size
    offset: int = variable_at + n_name + n_extra
    if offset + entry.compressed > limit:
        raise Fault(
            "FILE-002", f"its data would reach byte {offset + entry.compressed:,}, beyond {limit:,}", member=name
        )
    variable = source.read(variable_at, n_name + n_extra)
    check_version(version, name)
    wide = zip64(variable[n_name:], name, entry.raw_name)
    size, compressed = widen(name, wide, (size, FULL32), (compressed, FULL32))
    later = bool(flags & DESCRIPTOR)
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
            {"checksum": (0,), "compressed size": (0, FULL32), "size": (0, FULL32)}.get(field, ()) if later else ()
        )
        if here != there and here not in unknown:
            raise Fault(
                "FILE-002",
                f"its header and the directory disagree on {field}",
                member=name,
                expected=show(there),
                found=show(here),
            )
    return offset


def member_end(source: ByteSource, entry: Entry, at: int, limit: int) -> int:
    """Where the member ends. A descriptor has four forms: with and without a mark, 32 or 64 bits."""
    if not entry.flags & DESCRIPTOR:
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
