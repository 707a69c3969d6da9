"""Hostile records of what the zip format gained later: zip64 in end records and extra fields, and data descriptors."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from .handmade import LOCATOR, Fields, archive, pack, parts, with_first
from .hostile_case import Case, of

FULL16, FULL32, FULL64 = 0xFFFF, 0xFFFFFFFF, (1 << 64) - 1
SIZES = {"size": FULL32, "compressed": FULL32}


def zip64_end() -> Iterator[tuple[str, Case]]:
    """The zip64 end record and its locator; what says nothing of the content, zipfile reads and so does the reader."""

    def wide(**changed: Fields) -> Case:
        return of(2, "002", lambda: archive(parts(), zip64=True, **changed))

    def sound(**changed: Fields) -> Case:
        return of(0, "valid", lambda: archive(parts(), zip64=True, **changed))

    for name in ("disk", "first", "here", "count", "length", "start"):
        yield f"zip64 end {name} wrong", wide(end64={name: 7})
        huge = {name: FULL32 if name in ("disk", "first") else FULL64}
        short = {name: FULL32 if name in ("length", "start") else FULL16}
        yield (
            f"zip64 end {name} huge",
            of(2, "002 009", lambda huge=huge, short=short: archive(parts(), zip64=True, end64=huge, end=short)),
        )
        yield f"end record {name} contradicts zip64", wide(end={name: 7})
        yield f"end record {name} at its limit", sound(end=short)
    for record in (0, 43, 45, FULL64):
        yield f"zip64 record of length {record}", wide(end64={"record": record})
    yield "zip64 end made odd", sound(end64={"made": FULL16})
    yield "zip64 end version 0", sound(end64={"version": 0})
    yield "zip64 end version 99", of(2, "011", lambda: archive(parts(), zip64=True, end64={"version": 99}))
    for name, value in {"disk": 1, "at": 0, "disks": 2}.items():
        yield f"zip64 locator {name} wrong", wide(locator={name: value})
    yield "zip64 locator of no disks", sound(locator={"disks": 0})
    yield "zip64 locator beyond the file", wide(locator={"at": 1 << 62})
    for by in (1, -1):
        yield (
            f"zip64 locator {by:+} byte",
            of(2, "002", lambda by=by: archive(parts(), zip64=True, locator={"at": _record_at() + by})),
        )
    bogus = pack("<LQL", b"PK\x06\x07", LOCATOR, {"disk": 0, "at": 0, "disks": 1})
    yield "zip64 locator without a record", of(2, "002", lambda: archive(parts(), gaps={"end": bogus}))
    for what, mark in {"record": b"PK\x06\x06", "locator": b"PK\x06\x07"}.items():
        yield (
            f"zip64 {what} without its mark",
            of(2, "002", lambda mark=mark: archive(parts(), zip64=True).replace(mark, b"PK\x06\x08")),
        )


def _record_at() -> int:
    return archive(parts(), zip64=True).index(b"PK\x06\x06")


def extra(*values: int, disk: int | None = None) -> bytes:
    body = struct.pack(f"<{len(values)}Q", *values) + (b"" if disk is None else struct.pack("<L", disk))
    return struct.pack("<2H", 1, len(body)) + body


def zip64_extra() -> Iterator[tuple[str, Case]]:
    """The zip64 extra field, of every length, with fields that are needed and fields that say the same once more."""
    size = len(parts()[0].body)
    at_limit = {**SIZES, "offset": FULL32, "disk": FULL16}
    plain: dict[str, tuple[Fields, bytes]] = {
        "of no bytes": ({}, extra()),
        "of 8 bytes": ({"size": FULL32}, extra(size)),
        "of 16 bytes": (SIZES, extra(size, size)),
        "of 24 bytes": ({**SIZES, "offset": FULL32}, extra(size, size, 0)),
        "of 28 bytes": (at_limit, extra(size, size, 0, disk=0)),
        "of the offset alone": ({"offset": FULL32}, extra(0)),
        "of the disk alone": ({"disk": FULL16}, extra(disk=0)),
        # As Go writes it: sizes at their limit, the offset in both places.
        "with an offset that needs no room": (SIZES, extra(size, size, 0)),
        "of 8 bytes that nothing needs": ({}, extra(size)),
        "of 16 bytes that nothing needs": ({}, extra(size, size)),
        "of 24 bytes that nothing needs": ({}, extra(size, size, 0)),
        "of 28 bytes that nothing needs": ({}, extra(size, size, 0, disk=0)),
    }
    for what, (fields, more) in plain.items():
        members = with_first(central=fields, central_extra=more)
        yield f"central zip64 {what}", of(0, "valid", lambda members=members: archive(members))
    wrong: dict[str, tuple[Fields, bytes]] = {
        f"{name} wrong, {needed}": (
            fields,
            extra(*(value + (name == one) for one, value in (("size", size), ("compressed", size), ("offset", 0)))),
        )
        for needed, fields in {"needed": {**SIZES, "offset": FULL32}, "not needed": {}}.items()
        for name in ("size", "compressed", "offset")
    }
    wrong |= {
        "disk wrong, needed": (at_limit, extra(size, size, 0, disk=1)),
        "disk wrong, not needed": ({}, extra(size, size, 0, disk=1)),
        "offset wrong beside sizes that are needed": (SIZES, extra(size, size, 1)),
        "of the offset alone, which nothing needs": ({}, extra(0)),
        "of 20 bytes": (SIZES, extra(size, size, disk=0)),
        "of 36 bytes": (at_limit, extra(size, size, 0, 0, disk=0)),
        "a byte too long": (SIZES, struct.pack("<2H2QB", 1, 17, size, size, 0)),
        "a byte short": (SIZES, struct.pack("<2H2Q", 1, 15, size, size)[:-1]),
        "twice": (SIZES, 2 * extra(size, size)),
    }
    for what, (fields, more) in wrong.items():
        members = with_first(central=fields, central_extra=more)
        yield f"central zip64 {what}", of(2, "002", lambda members=members: archive(members))
    for what, (code, fields, more) in {
        "as savez writes it": ("valid", SIZES, extra(size, size)),
        "that nothing needs": ("valid", {}, extra(size, size)),
        "of no bytes": ("valid", {}, extra()),
        # A local header has neither offset nor disk to differ from.
        "of 28 bytes": ("valid", SIZES, extra(size, size, 7, disk=7)),
        "size wrong": ("002", SIZES, extra(size + 1, size)),
        "compressed wrong": ("002", SIZES, extra(size, size + 1)),
        "size wrong, not needed": ("002", {}, extra(size + 1, size)),
        "compressed wrong, not needed": ("002", {}, extra(size, size + 1)),
        "of no bytes, needed": ("002", SIZES, extra()),
    }.items():
        members = with_first(local=fields, local_extra=more)
        yield f"local zip64 {what}", of(0 if code == "valid" else 2, code, lambda members=members: archive(members))

    for where in ("local_extra", "central_extra"):
        for count, (status, code) in {100: (0, "valid"), 101: (2, "002"), 16_383: (2, "002")}.items():
            members = with_first(**{where: struct.pack("<2H", 0x9999, 0) * count})
            yield f"{count} fields in {where}", of(status, code, lambda members=members: archive(members))


def descriptors() -> Iterator[tuple[str, Case]]:
    """The four forms of a data descriptor, and each field of each wrong by itself. Numpy looks at none of them."""
    part = parts(deflate=True)[0]
    right = {"crc": zlib.crc32(part.body), "compressed": len(part.data), "size": len(part.body)}
    forms = {
        f"{width}, {what}": (kind, mark)
        for width, kind in {"32 bits": "<3L", "64 bits": "<L2Q"}.items()
        for what, mark in {"marked": b"PK\x07\x08", "not marked": b""}.items()
    }

    def case(status: int, kind: str, mark: bytes, fields: Fields) -> Case:
        described = replace(
            part,
            both={"flags": 8},
            local={"crc": 0, "compressed": 0, "size": 0},
            descriptor=mark + struct.pack(kind, *fields.values()),
        )
        code = "002" if status else "valid"
        return of(status, code, lambda: archive([described, *parts(deflate=True)[1:]]))

    for form, (kind, mark) in forms.items():
        yield f"descriptor of {form}", case(0, kind, mark, right)
        for name, value in right.items():
            yield f"descriptor of {form}, {name} wrong", case(2, kind, mark, {**right, name: value ^ 1})
        if mark:
            yield f"descriptor of {form}, mark wrong", case(2, kind, b"PK\x07\x09", right)
        for what, less in {
            "a byte short": slice(-1),
            "without its last size": slice(-struct.calcsize(kind[-1])),
        }.items():
            yield f"descriptor of {form}, {what}", _ending(struct.pack(kind, *right.values())[less], mark)
        yield f"descriptor of {form}, a byte long", _ending(struct.pack(kind, *right.values()) + b"\0", mark)
    yield "descriptor missing", _ending(b"", b"")
    yield "descriptor of a mark alone", _ending(b"", b"PK\x07\x08")
    full = struct.pack("<3L", *right.values())
    yield "descriptor without its flag", of(2, "002", lambda: archive([replace(part, descriptor=full), *parts()[1:]]))


def _ending(body: bytes, mark: bytes) -> Case:
    members = with_first(parts(deflate=True), both={"flags": 8}, descriptor=mark + body)
    return of(2, "002", lambda: archive(members))
