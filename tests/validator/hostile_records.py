"""Hostile records of the container: header, directory and end record, cut, damaged, doubled or overlapping."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from .handmade import (
    ARRAYS,
    END,
    FRAMES,
    Part,
    archive,
    boundaries,
    deflated,
    npy,
    npy_of,
    pack,
    parts,
    saved,
    with_first,
)
from .hostile_case import Case, bytes_of, of


def truncated() -> Iterator[tuple[str, Case]]:
    for kind in (False, True):
        data = saved(compressed=kind)
        base = "deflated" if kind else "stored"
        for where, at in boundaries(data).items():
            yield f"cut at {base} {where}", of(2, "001 002", bytes_of(data[:at]))
    described = [
        replace(
            part,
            both={"flags": 8},
            descriptor=b"PK\x07\x08" + struct.pack("<3L", zlib.crc32(part.body), len(part.data), len(part.body)),
        )
        for part in parts(deflate=True)
    ]
    wide = archive(described, zip64=True, comment=b"a comment")
    end = len(wide) - 9 - 22
    places = {
        "mark of a descriptor": wide.index(b"PK\x07\x08"),
        "descriptor": wide.index(b"PK\x07\x08") + 4,
        "descriptor, half": wide.index(b"PK\x07\x08") + 8,
        "directory": wide.index(b"PK\x01\x02"),
        "zip64 record": end - 76,
        "zip64 record, half": end - 50,
        "zip64 locator": end - 20,
        "zip64 locator, half": end - 10,
        "end record behind zip64": end,
        "comment": end + 22,
        "comment, half": end + 26,
    }
    for where, at in places.items():
        yield f"cut at {where}", of(2, "002", bytes_of(wide[:at]))
    yield "the same, not cut", of(0, "valid", bytes_of(wide))
    for length in (1, 2, 3, 4, 10):
        yield f"cut after {length} bytes", of(2, "001 002", bytes_of(saved(compressed=False)[:length]))


def one_by_one(where: str, wrong: Mapping[str, int]) -> Iterator[tuple[str, Case]]:
    """Each field of the local or the central header wrong by itself, of stored and of deflated members."""
    for deflate in (False, True):
        base = "deflated" if deflate else "stored"
        for name, value in {**wrong, "method": 0 if deflate else 8}.items():
            members = with_first(parts(deflate=deflate), **{where: {name: value}})
            yield (
                f"{where} {name} wrong, {base}",
                of(2, "011" if name == "version" else "002", lambda members=members: archive(members)),
            )


def local_fields() -> Iterator[tuple[str, Case]]:
    wrong = {
        "version": 99,
        "flags": 0x800,
        "method": 8,
        "time": 1,
        "date": 34,
        "crc": 1,
        "compressed": 1,
        "size": 1,
        "n_name": 5,
        "n_extra": 4,
    }
    yield from one_by_one("local", wrong)
    for bit in range(16):
        members = with_first(local={"flags": 1 << bit})
        yield f"local flag {bit} alone", of(2, "002", lambda members=members: archive(members))
    for what, change in {
        "local mark wrong": {"local_mark": b"PK\x03\x05"},
        "local name wrong": {"local_name": b"diffractiom.npy"},
        "local name longer": {"local_name": b"diffraction.npy2"},
        "local extra cut": {"local_extra": b"\x01\x00\x10\x00short"},
        "local extra of three bytes": {"local_extra": b"\x01\x00\x10"},
        "local zip64 of four bytes": {"local_extra": struct.pack("<2HL", 1, 4, 9), "local": {"size": 0xFFFFFFFF}},
        "local zip64 twice": {"local_extra": 2 * struct.pack("<2H2Q", 1, 16, 5248, 5248)},
        "local zip64 says another size": {
            "local_extra": struct.pack("<2H2Q", 1, 16, 5249, 5248),
            "local": {"size": 0xFFFFFFFF, "compressed": 0xFFFFFFFF},
        },
        "local zip64 of an odd length": {"local_extra": struct.pack("<2H2QB", 1, 17, 5248, 5248, 0)},
        "local extra has another id": {
            "local_extra": struct.pack("<2H2Q", 2, 16, 5248, 5248),
            "local": {"size": 0xFFFFFFFF, "compressed": 0xFFFFFFFF},
        },
        "local name by Unicode extra": {
            "local_extra": struct.pack("<2HBL", 0x7075, 10, 1, zlib.crc32(b"diffraction.npy")) + b"Y.npy"
        },
    }.items():
        yield what, of(2, "001 002", lambda change=change: archive(with_first(**change)))


def central_fields() -> Iterator[tuple[str, Case]]:
    wrong = {
        "version": 99,
        "flags": 0x800,
        "time": 1,
        "date": 34,
        "crc": 1,
        "compressed": 1,
        "size": 1,
        "n_name": 5,
        "n_extra": 4,
        "n_comment": 7,
        "disk": 1,
        "offset": 1,
    }
    yield from one_by_one("central", wrong)
    for name, value in {"made": 0xFFFF, "internal": 0xFFFF, "external": 0xFFFFFFFF}.items():
        # Says nothing about the content: numpy reads on, and so does the reader.
        yield (
            f"central {name} odd",
            of(0, "valid", lambda name=name, value=value: archive(with_first(central={name: value}))),
        )
    for bit in range(16):
        code = "011" if bit in (0, 5, 6, 13) else "002"
        members = with_first(central={"flags": 1 << bit})
        yield f"central flag {bit} alone", of(2, code, lambda members=members: archive(members))
    for name, value in {"compressed": 0xFFFFFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF, "disk": 0xFFFF}.items():
        members = with_first(central={name: value})
        yield f"central {name} at its limit without zip64", of(2, "002", lambda members=members: archive(members))
    for what, change in {
        "central mark wrong": {"central_mark": b"PK\x01\x03"},
        "central extra cut": {"central_extra": b"\x01\x00\x10\x00short"},
        "central zip64 too short": {"central_extra": struct.pack("<2HL", 1, 4, 0), "central": {"offset": 0xFFFFFFFF}},
        "central zip64 offset beyond the file": {
            "central_extra": struct.pack("<2HQ", 1, 8, 1 << 40),
            "central": {"offset": 0xFFFFFFFF},
        },
        "central zip64 offset of 64 ones": {
            "central_extra": struct.pack("<2HQ", 1, 8, (1 << 64) - 1),
            "central": {"offset": 0xFFFFFFFF},
        },
        "central zip64 size of 64 ones": {
            "central_extra": struct.pack("<2HQ", 1, 8, (1 << 64) - 1),
            "central": {"compressed": 0xFFFFFFFF},
        },
        "central name by Unicode extra": {
            "central_extra": struct.pack("<2HBL", 0x7075, 10, 1, zlib.crc32(b"diffraction.npy")) + b"Y.npy",
        },
    }.items():
        yield what, of(2, "002", lambda change=change: archive(with_first(**change)))


def end_fields() -> Iterator[tuple[str, Case]]:
    for name in END:
        for step in (1, -1):

            def make(name: str = name, step: int = step) -> bytes:
                data = archive(parts())
                at = len(data) - 22
                values = dict(zip(END, struct.unpack_from("<4H2LH", data, at + 4), strict=True))
                values[name] = (values[name] + step) % (1 << (32 if name in ("length", "start") else 16))
                return data[:at] + pack("<4H2LH", b"PK\x05\x06", END, values)

            yield f"end record {name} {step:+}", of(2, "002", make)
    yield "end record mark wrong", of(2, "002", lambda: archive(parts())[:-22] + b"PK\x05\x07" + archive(parts())[-18:])
    yield "all counts zero", of(2, "002", lambda: archive(parts(), end={"here": 0, "count": 0}))
    yield "all counts at their limit", of(2, "002 009", lambda: archive(parts(), end={"here": 0xFFFF, "count": 0xFFFF}))


def outside() -> Iterator[tuple[str, Case]]:
    """Bytes that belong to nothing."""
    for deflate in (False, True):
        base = "deflated" if deflate else "stored"
        plain = archive(parts(deflate=deflate))
        yield f"bytes before the archive, {base}", of(2, "001", bytes_of(b"#!/bin/sh\n" + plain))
        yield f"a false member before the archive, {base}", of(2, "002", bytes_of(b"PK\x03\x04" + plain))
        yield f"bytes after the archive, {base}", of(2, "002", bytes_of(plain + b"\0"))
        yield f"a page of zeros after the archive, {base}", of(2, "002", bytes_of(plain + bytes(4096)))
        yield f"the archive twice, {base}", of(2, "002", bytes_of(plain + plain))
        yield f"two end records, {base}", of(2, "002", bytes_of(plain + plain[-22:]))
        for where in (0, 1, 4, "directory", "end"):
            yield (
                f"a gap before {where}, {base}",
                of(
                    2,
                    "001 002",
                    lambda where=where, deflate=deflate: archive(parts(deflate=deflate), gaps={where: b"?"}),
                ),
            )
    inner = archive(parts(diffraction=npy(ARRAYS["diffraction"] * 2)))
    yield "an archive in the comment", of(2, "002", lambda: archive(parts(), comment=inner))
    yield "an archive in the comment, and a byte", of(2, "002", lambda: archive(parts(), comment=inner + b"?"))
    yield "half an end record in the comment", of(2, "002", lambda: archive(parts(), comment=b"PK\x05\x06"))
    yield (
        "a member that no entry names",
        of(2, "002", lambda: archive(parts(), gaps={"directory": archive(parts())[:5000]})),
    )


def methods() -> Iterator[tuple[str, Case]]:
    for method in (1, 2, 3, 6, 9, 10, 12, 14, 93, 95, 97, 98, 99, 0xFFFF):
        members = with_first(both={"method": method})
        yield f"method {method}", of(2, "011", lambda members=members: archive(members))
        extra = [*parts(), Part(name=b"extra.npy", body=b"", both={"method": method})]
        yield f"method {method} outside the contract", of(2, "011", lambda extra=extra: archive(extra))
    for bit, what in {0: "encrypted", 5: "patched", 6: "strongly encrypted", 13: "masked"}.items():
        members = with_first(both={"flags": 1 << bit})
        yield what, of(2, "011", lambda members=members: archive(members))
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):

        def make(method: int = method) -> bytes:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", method) as held:
                for part in parts():
                    held.writestr(part.name.decode(), part.body)
            return out.getvalue()

        yield f"really {name}", of(2, "011", make)
    bodies = {"bzip2": bz2.compress(npy(ARRAYS["diffraction"])), "lzma": lzma.compress(npy(ARRAYS["diffraction"]))}
    for name, body in bodies.items():
        members = with_first(held=body, deflate=True)
        yield f"{name} that claims to be deflate", of(2, "003 010", lambda members=members: archive(members))


def doubles() -> Iterator[tuple[str, Case]]:
    good = npy(ARRAYS["diffraction"])
    other = npy(ARRAYS["diffraction"] * 2)
    for what, names, body in (
        ("the same array twice", (b"diffraction.npy",), good),
        ("two arrays of one name", (b"diffraction.npy",), other),
        ("three arrays of one name", (b"diffraction.npy", b"diffraction.npy"), other),
        ("with and without .npy", (b"diffraction",), other),
    ):
        members = [*parts(), *(Part(name=name, body=body) for name in names)]
        yield what, of(1, "004", lambda members=members: archive(members))
        yield f"{what}, first", of(1, "004", lambda members=members: archive(members[::-1]))
    yield (
        "two notes of one name",
        of(1, "004", lambda: archive([*parts(), *(Part(name=b"note.txt", body=b"?") for _ in range(2))])),
    )
    malformed = [*parts(), Part(name=b"diffraction.npy", body=npy_of("{", FRAMES))]
    yield "the second of one name malformed", of(2, "010", lambda: archive(malformed))
    yield "the first of one name malformed", of(2, "010", lambda: archive(malformed[::-1]))


def overlaps() -> Iterator[tuple[str, Case]]:
    same = [*parts(), Part(name=b"again.npy", body=b"", held=b"")]
    first = parts()[0].fields({}, b"", b"diffraction.npy")
    shared = {name: first[name] for name in ("crc", "compressed", "size")}
    yield (
        "two entries on one member",
        of(2, "002", lambda: archive([*same[:-1], replace(same[-1], central={"offset": 0, **shared})])),
    )
    yield (
        "one entry twice",
        of(
            2,
            "002",
            lambda: archive([*parts(), Part(name=b"diffraction.npy", body=b"", central={"offset": 0, **shared})]),
        ),
    )
    inner = archive([Part(name=b"inner.npy", body=npy(np.zeros(3)))])
    nested = Part(name=b"outer.npy", body=inner)
    yield (
        "an entry inside another's data",
        of(2, "002", lambda: archive([nested, Part(name=b"inner.npy", body=npy(np.zeros(3)), central={"offset": 39})])),
    )
    grown = with_first(both={"compressed": len(parts()[0].body) + 200, "size": len(parts()[0].body) + 200})
    yield "data that reaches into the next member", of(2, "002", lambda: archive(grown))
    shrunk = with_first(both={"compressed": 4000, "size": 4000})
    yield "data that ends before the next member", of(2, "002", lambda: archive(shrunk))
    yield "a quoted-overlap bomb", of(2, "002", lambda: quoted_overlap(50))
    yield "a quoted-overlap bomb of 900 members", of(2, "002", lambda: quoted_overlap(900))


def quoted_overlap(count: int) -> bytes:
    """Fifield's bomb (2019): each member quotes the next one's header in a stored block and shares one kernel."""
    kernel_body = bytes(1 << 20)
    kernel = deflated(kernel_body, 9)
    files: list[tuple[bytes, bytes, bytes, int]] = []
    held, body = kernel, kernel_body
    for index in reversed(range(count)):
        name = b"%06d.npy" % index
        header = (
            struct.pack(
                "<4s5H3L2H",
                b"PK\x03\x04",
                20,
                0,
                8,
                0,
                33,
                zlib.crc32(body) if index > count - 3 else 0,
                len(held),
                len(body),
                len(name),
                0,
            )
            + name
        )
        files.insert(0, (name, header, held, len(body)))
        if index:
            quote = struct.pack("<B2H", 0, len(header), len(header) ^ 0xFFFF)
            held = quote + header + held
            body = header + body if index > count - 3 else body
    first = files[0]
    out = first[1] + first[2]
    directory, at = b"", 0
    for index, (name, header, data, size) in enumerate(files):
        offset = at
        crc = struct.unpack_from("<L", header, 14)[0]
        directory += (
            struct.pack(
                "<4s6H3L5H2L",
                b"PK\x01\x02",
                20,
                20,
                0,
                8,
                0,
                33,
                crc,
                len(data),
                size,
                len(name),
                0,
                0,
                0,
                0,
                0,
                offset,
            )
            + name
        )
        at += len(header) + (5 if index + 1 < count else 0)
    return out + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(out), 0)


NAMES: Mapping[str, str] = {
    "parent": "../diffraction.npy",
    "parent inside": "a/../../b.npy",
    "parent by backslash": "..\\b.npy",
    "only dots": "..",
    "absolute": "/etc/b.npy",
    "absolute by backslash": "\\b.npy",
    "drive": "C:\\b.npy",
    "drive without a slash": "c:b.npy",
    "share": "\\\\host\\b.npy",
    "NUL": "b\0.npy",
    "NUL behind a name": "diffraction.npy\0.txt",
    "newline": "b\nc.npy",
    "return": "b\rc.npy",
    "tab": "b\tc.npy",
    "bell": "b\x07.npy",
    "escape": "\x1b[2J\x1b[31mb.npy",
    "title": "\x1b]0;owned\x07.npy",
    "delete": "b\x7f.npy",
    "C1": "b\x9b31m.npy",
    "next line": "b\x85.npy",
    "backspaces": "b\x08\x08\x08.npy",
    "bidi override": "b\u202eypn.exe.npy",
    "bidi isolate": "b\u2066c\u2069.npy",
    "left-to-right mark": "b\u200e.npy",
    "Arabic letter mark": "b\u061c.npy",
    "zero width": "diffraction\u200b.npy",
    "byte order mark": "\ufeffdiffraction.npy",
    "line separator": "b\u2028c.npy",
    "no-break space": "b\u00a0c.npy",
    "private use": "b\ue000.npy",
    "tag": "b\U000e0041.npy",
    "empty": "",
}


def names() -> Iterator[tuple[str, Case]]:
    for what, name in NAMES.items():
        part = Part(name=name.encode(), body=npy(np.zeros(3)), both={"flags": 0x800})
        yield f"name: {what}", of(1, "008", lambda part=part: archive([*parts(), part]))
    for raw in (b"\xff\xfe.npy", b"b\xc3.npy", b"\xed\xa0\x80.npy"):
        part = Part(name=raw, body=npy(np.zeros(3)), both={"flags": 0x800})
        yield f"name: {raw!r} is no UTF-8", of(1, "008", lambda part=part: archive([*parts(), part]))
    dash = Part(name=b"-rf.npy", body=npy(np.zeros(3)))
    yield "name: begins with a dash", of(0, "KEY-003", lambda: archive([*parts(), dash]))
    long = Part(name=b"b" * 65_535, body=npy(np.zeros(3)))
    yield "name: of 65,535 bytes", of(0, "KEY-003", lambda: archive([*parts(), long]))
