"""What the records of a zip archive share: their formats, the zip64 extra field, the version they need."""

from __future__ import annotations

import struct
from typing import Final

from .faults import Fault

LOCAL: Final = struct.Struct("<4s5H3L2H")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
END: Final = struct.Struct("<4s4H2LH")
LOCATOR: Final = struct.Struct("<4sLQL")
END64: Final = struct.Struct("<4sQ2H2L4Q")
FULL16: Final = 0xFFFF
FULL32: Final = 0xFFFFFFFF
DESCRIPTOR: Final = 1 << 3
"""Flag: checksum and sizes stand behind the data."""

_ZIP64_EXTRA: Final = 0x0001
_UNICODE_EXTRA: Final = 0x7075
_MOST_EXTRA: Final = 100
"""Extra fields of one header: writers add a handful, but 64 KiB of empty ones take as long as megabytes of data."""

_NEWEST: Final = 63
"""Version 6.3 of the format; zipfile opens nothing newer."""


def zip64(extra: bytes, name: str, raw_name: bytes) -> bytes | None:
    """Body of the zip64 extra field; the fields must fill ``extra`` exactly and give no second name."""
    found, at, count = None, 0, 0
    while at < len(extra):
        count += 1
        if count > _MOST_EXTRA:
            raise Fault("FILE-002", f"has more than {_MOST_EXTRA} extra fields; no writer adds so many", member=name)
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
                found=show(body[5:]),
            )
        at += 4 + length
    return found


def widen(name: str, wide: bytes | None, *fields: tuple[int, int]) -> tuple[int, ...]:
    """Replace each field that is at its limit by the next value of the zip64 extra field."""
    values, at = [], 0
    for short, limit in fields:
        if short == limit and wide is not None:
            width = _width(limit)
            if at + width > len(wide):
                raise Fault("FILE-002", "its zip64 field is too short", member=name)
            values.append(int.from_bytes(wide[at : at + width], "little"))
            at += width
        else:
            values.append(short)
    if wide is not None and at < len(wide):
        # Some writers, Go's among them, add fields that need no room: they must say the same once more.
        if len(wide) not in (8, 16, 24, 28):
            raise Fault("FILE-002", "its zip64 field has a wrong length", member=name)
        again = b"".join(
            value.to_bytes(_width(limit), "little") for value, (_, limit) in zip(values, fields, strict=True)
        )
        if not again.startswith(wide[: len(again)]):
            raise Fault("FILE-002", "its zip64 field and the rest of its record disagree", member=name)
    return tuple(values)


def _width(limit: int) -> int:
    return 4 if limit == FULL16 else 8


def check_version(version: int, name: str | None = None) -> None:
    """The version of the format that a member, or else the archive, needs."""
    if version & 0xFF > _NEWEST:
        found = f"version {version % 256 / 10}"
        raise Fault(
            "FILE-011", f"needs {found} of the zip format", member=name, expected=f"at most {_NEWEST / 10}", found=found
        )


def show(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
