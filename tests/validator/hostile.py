"""Hostile archives, made the same way every time: name -> what to write, exit status, codes.

Zip structures are packed here by hand, from PKWARE's APPNOTE, so that every field can be wrong on its own.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import pickle
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

MARKER = "marker-of-a-command-that-ran"
LOCAL = ("version", "flags", "method", "time", "date", "crc", "compressed", "size", "n_name", "n_extra")
CENTRAL = ("made", *LOCAL, "n_comment", "disk", "internal", "external", "offset")
END = ("disk", "first", "here", "count", "length", "start", "n_comment")
END64 = ("record", "made", "version", "disk", "first", "here", "count", "length", "start")
LOCATOR = ("disk", "at", "disks")
FIXED = {"local": 30, "central": 46, "end": 22}

Fields = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Case:
    """``codes``: at least one of them is told, and with status 1 or 2 on a line of its own."""

    make: Callable[[], bytes]
    status: int
    codes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A member. ``held`` are its bytes in the archive where they do not follow from ``body``."""

    name: bytes
    body: bytes
    deflate: bool = False
    held: bytes | None = None
    both: Fields = field(default_factory=dict)
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)
    local_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    descriptor: bytes = b""
    local_mark: bytes = b"PK\x03\x04"
    central_mark: bytes = b"PK\x01\x02"

    @property
    def data(self) -> bytes:
        if self.held is not None:
            return self.held
        return deflated(self.body) if self.deflate else self.body

    def fields(self, own: Fields, extra: bytes, name: bytes) -> dict[str, int]:
        return {
            "made": 20,
            "version": 20,
            "flags": 0,
            "method": 8 if self.deflate else 0,
            "time": 0,
            "date": 33,
            "crc": zlib.crc32(self.body),
            "compressed": len(self.data),
            "size": len(self.body),
            "n_name": len(name),
            "n_extra": len(extra),
            "n_comment": len(self.comment),
            "disk": 0,
            "internal": 0,
            "external": 0,
            **self.both,
            **own,
        }


def deflated(body: bytes, level: int = 6) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return stream.compress(body) + stream.flush()


def pack(kind: str, mark: bytes, names: Sequence[str], values: Fields) -> bytes:
    return mark + struct.pack(kind, *(values[name] for name in names))


def archive(
    parts: Sequence[Part],
    *,
    end: Fields | None = None,
    comment: bytes = b"",
    zip64: bool = False,
    end64: Fields | None = None,
    locator: Fields | None = None,
    gaps: Mapping[int | str, bytes] | None = None,
) -> bytes:
    """The bytes of a zip file. ``gaps``: bytes before a member (by index), the directory or the end record."""
    gaps = gaps or {}
    out, offsets = b"", []
    for index, part in enumerate(parts):
        out += gaps.get(index, b"")
        offsets.append(len(out))
        name = part.name if part.local_name is None else part.local_name
        fields = part.fields(part.local, part.local_extra, name)
        out += pack("<5H3L2H", part.local_mark, LOCAL, fields) + name + part.local_extra + part.data + part.descriptor
    out += gaps.get("directory", b"")
    start = len(out)
    for part, offset in zip(parts, offsets, strict=True):
        fields = part.fields({"offset": offset, **part.central}, part.central_extra, part.name)
        out += pack("<6H3L5H2L", part.central_mark, CENTRAL, fields) + part.name + part.central_extra + part.comment
    out += gaps.get("end", b"")
    values = {"disk": 0, "first": 0, "here": len(parts), "count": len(parts), "start": start, "n_comment": len(comment)}
    values["length"] = len(out) - start
    if zip64:
        at = len(out)
        out += pack(
            "<Q2H2L4Q", b"PK\x06\x06", END64, {**values, "record": 44, "made": 45, "version": 45, **(end64 or {})}
        )
        out += pack("<LQL", b"PK\x06\x07", LOCATOR, {"disk": 0, "at": at, "disks": 1, **(locator or {})})
    return out + pack("<4H2LH", b"PK\x05\x06", END, {**values, **(end or {})}) + comment


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=True)
    return out.getvalue()


def npy_of(
    header: str | bytes, data: bytes = b"", version: tuple[int, int] = (1, 0), length: int | None = None
) -> bytes:
    raw = header if isinstance(header, bytes) else header.encode("latin-1" if version < (3, 0) else "utf-8")
    width = "<H" if version == (1, 0) else "<L"
    return b"\x93NUMPY" + bytes(version) + struct.pack(width, len(raw) if length is None else length) + raw + data


def dataset() -> dict[str, np.ndarray]:
    """A small dataset that keeps ptychopinn/canonical."""
    rng = np.random.default_rng(7)

    def field_of(side: int) -> np.ndarray:
        return (rng.random((side, side)) + 1j * rng.random((side, side))).astype(np.complex64)

    return {
        "diffraction": rng.random((5, 16, 16), dtype=np.float32),
        "probeGuess": field_of(16),
        "objectGuess": field_of(40),
        "xcoords": rng.uniform(17, 23, 5),
        "ycoords": rng.uniform(17, 23, 5),
    }


ARRAYS = dataset()
FRAMES = ARRAYS["diffraction"].tobytes()
HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 16, 16), }\n"


def saved(*, compressed: bool) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **ARRAYS)
    return out.getvalue()


def parts(*, deflate: bool = False, **changed: bytes | None) -> list[Part]:
    """The dataset as members; ``changed`` gives other bytes for some, or leaves them out."""
    bodies = {name: npy(array) for name, array in ARRAYS.items()} | changed
    return [
        Part(name=f"{name}.npy".encode(), body=body, deflate=deflate)
        for name, body in bodies.items()
        if body is not None
    ]


def with_first(members: Sequence[Part] | None = None, **changes: object) -> list[Part]:
    """Members of which the first (diffraction) is changed."""
    members = list(members if members is not None else parts())
    return [replace(members[0], **changes), *members[1:]]


def of(status: int, codes: str, make: Callable[[], bytes]) -> Case:
    return Case(
        make=make, status=status, codes=frozenset(f"FILE-{code}" if code.isdigit() else code for code in codes.split())
    )


def bytes_of(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def boundaries(data: bytes) -> dict[str, int]:
    """Offset of every structure of an archive, and of the middle of those that can be cut in two."""
    found: dict[str, int] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        start = held.start_dir
        for info in held.infolist():
            n_name, n_extra = struct.unpack_from("<2H", data, info.header_offset + 26)
            name_at = info.header_offset + 30
            data_at = name_at + n_name + n_extra
            found |= {
                f"{info.filename} header": info.header_offset,
                f"{info.filename} header, half": info.header_offset + 15,
                f"{info.filename} name": name_at,
                f"{info.filename} extra": name_at + n_name,
                f"{info.filename} data": data_at,
                f"{info.filename} data, half": data_at + info.compress_size // 2,
                f"{info.filename} data, last byte": data_at + info.compress_size - 1,
                f"{info.filename} entry": start,
                f"{info.filename} entry, half": start + 23,
            }
            start += 46 + n_name + len(info.extra) + len(info.comment)
    return found | {"end record": start, "end record, half": start + 11, "last byte": len(data) - 1}


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
    for deflate in (False, True):
        base = "deflated" if deflate else "stored"
        for name, value in {**wrong, "method": 0 if deflate else 8}.items():
            members = with_first(parts(deflate=deflate), local={name: value})
            yield (
                f"local {name} wrong, {base}",
                of(2, "011" if name == "version" else "002", lambda members=members: archive(members)),
            )
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
    for deflate in (False, True):
        base = "deflated" if deflate else "stored"
        for name, value in {**wrong, "method": 0 if deflate else 8}.items():
            members = with_first(parts(deflate=deflate), central={name: value})
            yield (
                f"central {name} wrong, {base}",
                of(2, "011" if name == "version" else "002", lambda members=members: archive(members)),
            )
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
    for name in ("disk", "first", "here", "count", "length", "start"):
        yield f"zip64 end {name} wrong", of(2, "002", lambda name=name: archive(parts(), zip64=True, end64={name: 7}))
        huge = {name: (1 << 32) - 1 if name in ("disk", "first") else (1 << 64) - 1}
        short = {name: 0xFFFFFFFF if name in ("length", "start") else 0xFFFF}
        yield (
            f"zip64 end {name} huge",
            of(2, "002 009", lambda huge=huge, short=short: archive(parts(), zip64=True, end64=huge, end=short)),
        )
        yield (
            f"end record {name} contradicts zip64",
            of(2, "002", lambda name=name: archive(parts(), zip64=True, end={name: 7})),
        )
    for name, value in {"disk": 1, "at": 0, "disks": 2}.items():
        yield (
            f"zip64 locator {name} wrong",
            of(2, "002", lambda name=name, value=value: archive(parts(), zip64=True, locator={name: value})),
        )
    yield "zip64 locator beyond the file", of(2, "002", lambda: archive(parts(), zip64=True, locator={"at": 1 << 62}))
    yield "zip64 record of another length", of(2, "002", lambda: archive(parts(), zip64=True, end64={"record": 45}))
    yield "zip64 record of length 0", of(2, "002", lambda: archive(parts(), zip64=True, end64={"record": 0}))
    bogus = pack("<LQL", b"PK\x06\x07", LOCATOR, {"disk": 0, "at": 0, "disks": 1})
    yield "zip64 locator without a record", of(2, "002", lambda: archive(parts(), gaps={"end": bogus}))
    yield (
        "zip64 record without its mark",
        of(2, "002", lambda: archive(parts(), zip64=True).replace(b"PK\x06\x06", b"PK\x06\x08")),
    )


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


NESTED = {"parentheses": "(", "brackets": "[", "braces": "{", "braces with keys": "{'a':", "signs": "-", "not": "not "}


def headers() -> Iterator[tuple[str, Case]]:
    """The .npy header, wrong in one place; the bytes that follow fit the right one."""
    good = {"descr": "'<f4'", "fortran_order": "False", "shape": "(5, 16, 16)"}

    def text(**changed: str) -> str:
        return "{" + "".join(f"'{key}': {value}, " for key, value in (good | changed).items()) + "}\n"

    wrong: dict[str, tuple[str, str | bytes]] = {}
    for shape in (
        "(True, 16, 16)",
        "(-5, 16, 16)",
        "(5, -16, -16)",
        "[5, 16, 16]",
        "5",
        "'5'",
        "None",
        "(5.0, 16, 16)",
        "(5, 16, '16')",
        "(5, 16, None)",
        "(5, (16, 16))",
        "(0x5, 16, 16)",
        "(5, 1_6, 16)",
        "(05, 16, 16)",
        "(5e0, 16, 16)",
        "(5j, 16, 16)",
        "(5l, 16, 16)",
        "(+5, 16, 16)",
        "(5*1, 16, 16)",
        "(5, 16, 16",
        "5, 16, 16)",
        "(5 16 16)",
        "(, 5)",
        "{5, 16, 16}",
        "range(5)",
        "(" + "1, " * 65 + ")",
        "(5, 16, 16, " + "9" * 31 + ")",
        "(0, " + str(1 << 64) + ")",
        "(" + str(1 << 40) + ", " + str(1 << 40) + ")",
        "(" + str(1 << 63) + ",)",
        "(0, " + str(1 << 62) + ", " + str(1 << 62) + ")",
        "(5, 16, 16) if 1 else ()",
        "*(5, 16, 16)",
        "(lambda: (5, 16, 16))()",
    ):
        wrong[f"shape {shape[:40]}"] = ("010", text(shape=shape))
    for shape in (
        "(5, 16, 17)",
        "(4, 16, 16)",
        "()",
        "(5,)",
        "(0, 16, 16)",
        "(65536, 65536)",
        "(65536, 65536, 65536)",
        "(4294967296,)",
        "(" + str(1 << 32) + ", " + str((1 << 29) - 1) + ")",
        "(5, 16, 4294967312)",
        "(" + str((1 << 61) - 1) + ",)",
    ):
        wrong[f"shape {shape}"] = ("007", text(shape=shape))
    for descr in (
        "'<f3'",
        "'g'",
        "'<f0'",
        "'<f5'",
        "'<x4'",
        "'S0'",
        "'|S0'",
        "'<U0'",
        "'|V0'",
        "''",
        "'<'",
        "None",
        "5",
        "True",
        "'<f4,<f4'",
        "'float32'",
        "'<f4 '",
        "' <f4'",
        "'<f4\\x00'",
        "'<f4\\n'",
        "'<f\\q'",
        "'\\074f4'",
        "'<M8[zz]'",
        "'<M8[]'",
        "'<M8[s'",
        "'<M8[0s/0]'",
        "'<U9999999999'",
        "'<U999999999'",
        "'<f99999999999999999999'",
        "'T'",
        "'|T16'",
        "'(2,)<f4'",
        "[]",
        "()",
        "{}",
        "('<f4',)",
        "('<f4', (1,))",
        "('<f4', (-1,))",
        "('<f4', 1)",
        "('<f4', (True,))",
        "[('a', '<f4'), ('a', '<f4')]",
        "[('a',)]",
        "['<f4']",
        "[('a', '<f4', (1,), 0)]",
        "[('a', 5)]",
        "[(5, '<f4')]",
        "[('a', '|V0')]",
        "[('a', 'S0')]",
        "[('a', '<f4', (-1,))]",
        "[('a', '<f4', (0,))]",
        "[('a', '<f4', (4294967296, 4294967296))]",
        "{'names': ['a'], 'formats': ['<f4']}",
        "b'<f4'",
        "'<f4' 'x'",
        "np.float32",
        "__import__('os').system('touch " + MARKER + "')",
        "[('a', " * 9 + "'<f4'" + ")]" * 9,
    ):
        wrong[f"descr {descr[:44]}"] = ("010", text(descr=descr))
    for order in ("0", "1", "None", "'False'", "(False)x", "false", "()", "not True"):
        wrong[f"fortran_order {order}"] = ("010", text(fortran_order=order))
    for key, value in good.items():
        wrong[f"without {key}"] = ("010", text().replace(f"'{key}': {value}, ", ""))
        wrong[f"{key} twice"] = ("010", text()[:-2] + f"'{key}': {value}}}\n")
        wrong[f"{key} misspelt"] = ("010", text().replace(key, key.upper()))
    for what, header in {
        "another key": text()[:-2] + "'more': 1}\n",
        "a key that is no text": text()[:-2] + "5: 1}\n",
        "a key that is a list": text()[:-2] + "[]: 1}\n",
        "trailing text": text() + "{}",
        "trailing call": text() + "; import os",
        "trailing NUL": text() + "\0",
        "leading text": "x" + text(),
        "a comment": text()[:-1] + "# hello\n",
        "empty": "",
        "spaces": " " * 60,
        "a list": "[]",
        "a number": "5",
        "no braces": text()[1:-2],
        "an unclosed brace": text()[:-2],
        "an unclosed quote": text().replace("'shape'", "'shape"),
        "a triple quote": text().replace("'shape'", "'''shape'''"),
        "a newline in text": text().replace("shape", "sh\nape"),
        "a NUL in text": text().replace("'shape'", "'shape\0'"),
        "raw NULs": "\0" * 60,
        "dict()": "dict(" + text() + ")",
        "a set": "{'descr', 'fortran_order', 'shape'}",
        "a command": "__import__('os').system('touch " + MARKER + "')",
        "an escape sequence": "\x1b[2J\x1b]0;title\x07" + text(),
        "full-width digits": "{'shape': (\u0665,)}".encode(),
        "not UTF-8": b"\xff\xfe" + text().encode(),
    }.items():
        wrong[f"header: {what}"] = ("010", header)
    for what, mark in NESTED.items():
        wrong[f"header nested 10,000 deep in {what}"] = ("010", mark * (10_000 // len(mark)))
        wrong[f"shape nested 3,000 deep in {what}"] = ("010", text(shape=mark * (3000 // len(mark))))
    for what, (code, header) in wrong.items():
        version = (3, 0) if isinstance(header, bytes) else (1, 0)
        body = npy_of(header, FRAMES, version)
        yield what, of(2, code, lambda body=body: archive(parts(diffraction=body)))
    for what, (_, header) in list(wrong.items())[::9]:
        body = npy_of(header, FRAMES, (3, 0) if isinstance(header, bytes) else (2, 0))
        yield (
            f"{what}, deflated, 2.0",
            of(2, "010 007", lambda body=body: archive(parts(diffraction=body, deflate=True))),
        )
        members = [*parts(), Part(name=b"extra.npy", body=body)]
        yield f"{what}, outside the contract", of(0, "005", lambda members=members: archive(members))


def prefixes() -> Iterator[tuple[str, Case]]:
    """Magic, version and length of the header."""
    good = npy_of(HEADER, FRAMES)
    for at in range(6):
        yield (
            f"magic byte {at} wrong",
            of(2, "010", lambda at=at: archive(parts(diffraction=good[:at] + b"x" + good[at + 1 :]))),
        )
    for version in ((0, 0), (0, 1), (1, 1), (2, 1), (3, 1), (4, 0), (255, 255)):
        body = good[:6] + bytes(version) + good[8:]
        yield f"version {version}", of(2, "010", lambda body=body: archive(parts(diffraction=body)))
    for version in ((1, 0), (2, 0), (3, 0)):
        limit = 0xFFFF if version == (1, 0) else 0xFFFFFFFF
        for length in (0, 1, 10_001, limit, len(HEADER) - 2):
            body = npy_of(HEADER, FRAMES, version, length)
            yield (
                f"header length {length} in {version}",
                of(2, "010", lambda body=body: archive(parts(diffraction=body))),
            )
        for length in (len(HEADER) - 1, len(HEADER) + 1):
            body = npy_of(HEADER, FRAMES, version, length)
            yield (
                f"header length {length} in {version}",
                of(2, "010 007", lambda body=body: archive(parts(diffraction=body))),
            )
        body = npy_of(HEADER + " " * 10_001, FRAMES, version)
        yield (
            f"a header of 10,001 spaces in {version}",
            of(2, "010", lambda body=body: archive(parts(diffraction=body))),
        )
    for length in (0, 1, 5, 6, 7, 8, 9, 10, 11, 40):
        yield (
            f"an array of {length} bytes",
            of(2, "010", lambda length=length: archive(parts(diffraction=good[:length]))),
        )
        yield (
            f"an array of {length} bytes, deflated",
            of(2, "010", lambda length=length: archive(parts(diffraction=good[:length], deflate=True))),
        )
    yield "text under an array's name", of(2, "010", lambda: archive(parts(diffraction=b"hello, world\n")))
    yield "an optional array that is none", of(2, "010", lambda: archive(parts(Y=b"hello, world\n")))


def sizes() -> Iterator[tuple[str, Case]]:
    """More or fewer bytes than the header promises, and bytes that nobody would read."""
    good = npy(ARRAYS["diffraction"])
    for deflate in (False, True):
        base = "deflated" if deflate else "stored"
        for what, body in {
            "a trailing byte": good + b"\0",
            "a trailing array": good + good,
            "a byte short": good[:-1],
            "a frame short": good[:-1024],
            "no data": good[:128],
            "trailing megabyte": good + bytes(1 << 20),
        }.items():
            yield (
                f"{what}, {base}",
                of(2, "007", lambda body=body, deflate=deflate: archive(parts(diffraction=body, deflate=deflate))),
            )
            members = with_first(parts(diffraction=body, deflate=deflate), both={"crc": 1})
            yield f"{what} hides a wrong checksum, {base}", of(2, "007", lambda members=members: archive(members))
        for what, by in {"a byte more": 1, "a byte less": -1}.items():
            members = with_first(parts(deflate=deflate), both={"size": len(good) + by})
            yield f"size says {what}, {base}", of(2, "007", lambda members=members: archive(members))
        members = with_first(parts(deflate=deflate), both={"size": 0})
        yield f"size says nothing, {base}", of(2, "007 010", lambda members=members: archive(members))
    yield (
        "compressed size says nothing",
        of(2, "002 007", lambda: archive(with_first(parts(deflate=True), both={"compressed": 0}))),
    )
    for count in (1, 2, 7, 8, 9, 64, 1 << 19):
        members = with_first(parts(deflate=True), held=deflated(good) + b"x" * count)
        yield f"{count} bytes behind the stream", of(2, "007", lambda members=members: archive(members))
    twice = with_first(parts(deflate=True), held=deflated(good) + deflated(good))
    yield "two streams in one member", of(2, "007", lambda: archive(twice))
    claim = with_first(parts(deflate=True), both={"size": 0xFFFFFFFE})
    yield "4 GB from five thousand bytes", of(2, "007 009", lambda: archive(claim))


def damaged() -> Iterator[tuple[str, Case]]:
    good = npy(ARRAYS["diffraction"])
    for deflate in (False, True):
        base = "deflated" if deflate else "stored"
        for crc in (0, 0xFFFFFFFF, zlib.crc32(good) ^ 1):
            members = with_first(parts(deflate=deflate), both={"crc": crc})
            yield f"checksum {crc:08x}, {base}", of(2, "003", lambda members=members: archive(members))
        for at in (200, 2048, len(good) - 1):
            body = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :]
            members = with_first(held=deflated(body) if deflate else body, deflate=deflate)
            yield f"bit {at} flipped, {base}", of(2, "003", lambda members=members: archive(members))
    whole = deflated(good)
    open_end = zlib.compressobj(6, zlib.DEFLATED, -15)
    endless = open_end.compress(good) + open_end.flush(zlib.Z_SYNC_FLUSH)
    for what, held in {
        "a stream without an end": endless,
        "a block of reserved type": endless + b"\x07",
        "a false length of a stored block": endless + b"\x01\x05\x00\x00\x00abcde",
        "a stream that only waits": b"\x00\x00\x00\xff\xff" * 400 + endless,
        "a distance beyond the start": zlib.compress(good)[2:-4][:100],
        "zlib, not deflate": zlib.compress(good),
        "gzip, not deflate": b"\x1f\x8b\x08\0\0\0\0\0\0\0" + whole,
        "noise": np.random.default_rng(1).bytes(5000),
        "zeros": bytes(5000),
        "ones": b"\xff" * 5000,
        "half a stream": whole[: len(whole) // 2],
        "a stream without its last byte": whole[:-1],
    }.items():
        members = with_first(parts(deflate=True), held=held)
        yield what, of(2, "003 007 010", lambda members=members: archive(members))
    for name in ("probeGuess", "xcoords"):
        members = [replace(part, both={"crc": 1}) if part.name.startswith(name.encode()) else part for part in parts()]
        yield f"checksum of {name}", of(2, "003", lambda members=members: archive(members))
    extra = [*parts(), Part(name=b"extra.npy", body=good, both={"crc": 1})]
    yield "checksum outside the contract", of(0, "KEY-003", lambda: archive(extra))


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


def zeros(size: int) -> bytes:
    """A deflate stream of zeros, made from one block over and over: ``size`` must be whole MiB."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream.compress(b"")
    block = stream.compress(bytes(1 << 20)) + stream.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + deflated(b"")


def bombs() -> Iterator[tuple[str, Case]]:
    shape = (1 << 28) + (1 << 24)
    header = npy_of(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape},), }}\n")
    start = zlib.compressobj(0, zlib.DEFLATED, -15)
    head = start.compress(header) + start.flush(zlib.Z_FULL_FLUSH)
    bomb = Part(
        name=b"diffraction.npy",
        body=b"",
        deflate=True,
        held=head + zeros(shape),
        both={"size": len(header) + shape, "crc": 1},
    )
    yield "an honest bomb of 272 MB", of(2, "009", lambda: archive([bomb, *parts()[1:]]))
    yield (
        "an honest bomb outside the contract",
        of(2, "009", lambda: archive([*parts(), replace(bomb, name=b"extra.npy")])),
    )
    good = npy(ARRAYS["diffraction"])
    quiet = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = quiet.compress(good) + quiet.flush(zlib.Z_FULL_FLUSH)
    hidden = with_first(parts(deflate=True), held=body + zeros(shape))
    yield "a bomb behind an honest array", of(2, "007", lambda: archive(hidden))
    many = [
        *parts(),
        *(
            Part(name=b"%d.npy" % n, body=b"", deflate=True, held=zeros(1 << 20), both={"size": 1 << 20, "crc": 1})
            for n in range(300)
        ),
    ]
    yield "300 small bombs", of(2, "009", lambda: archive(many))
    texts = [*parts(), Part(name=b"_metadata.npy", body=b"", deflate=True, both={"crc": 1}, held=b"")]
    wide = npy_of("{'descr': '<U25000000', 'fortran_order': False, 'shape': (), }\n")
    ahead = zlib.compressobj(0, zlib.DEFLATED, -15)
    held = ahead.compress(wide) + ahead.flush(zlib.Z_FULL_FLUSH) + zeros(100 << 20)
    frames = npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1, 1), }\n")
    places = npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000,), }\n")
    many_frames = [
        Part(name=b"diffraction.npy", body=frames + bytes(4_000_000), deflate=True),
        *(Part(name=name, body=places + bytes(8_000_000), deflate=True) for name in (b"xcoords.npy", b"ycoords.npy")),
        *parts(deflate=True)[1:3],
    ]
    yield "a million frames of one pixel", of(1, "SHAPE-002", lambda: archive(many_frames))
    short = npy_of("{'descr': '<U25000000', 'fortran_order': False, 'shape': (), }\n" + " ")
    text = replace(texts[-1], held=held, both={"size": len(wide) + (100 << 20), "crc": 1})
    yield (
        "metadata of 100 MB that is not there",
        of(2, "007", lambda: archive([*parts(), Part(name=b"_metadata.npy", body=short)])),
    )
    yield "metadata of 105 MB", of(2, "007 META-001", lambda: archive([*parts(), text]))
    for count in (1_001, 20_000):
        members = [Part(name=b"%d.npy" % n, body=b"") for n in range(count)]
        yield f"{count} members", of(2, "009", lambda members=members: fast_archive(members))
    long = [*parts(), *(Part(name=b"%d.npy" % n, body=b"", comment=b"x" * 65_000) for n in range(70))]
    yield "a directory of 4.5 MB", of(2, "009", lambda: archive(long))


def fast_archive(members: Sequence[Part]) -> bytes:
    """Like :func:`archive` for very many members, without building the file again for each."""
    locals_, centrals, offset = [], [], 0
    for part in members:
        fields = part.fields({}, b"", part.name)
        header = pack("<5H3L2H", part.local_mark, LOCAL, fields) + part.name + part.data
        locals_.append(header)
        centrals.append(pack("<6H3L5H2L", part.central_mark, CENTRAL, {**fields, "offset": offset}) + part.name)
        offset += len(header)
    directory = b"".join(centrals)
    values = {
        "disk": 0,
        "first": 0,
        "here": len(members),
        "count": len(members),
        "length": len(directory),
        "start": offset,
        "n_comment": 0,
    }
    return b"".join(locals_) + directory + pack("<4H2LH", b"PK\x05\x06", END, values)


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


class Command:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {MARKER}",)


def pickled(payload: bytes, shape: str = "()") -> bytes:
    return npy_of(f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}\n", payload)


def pickles() -> Iterator[tuple[str, Case]]:
    command = np.empty((), dtype=object)
    command[()] = Command()
    many = np.empty(2, dtype=object)
    many[:] = [Command(), "x"]
    for protocol in range(6):
        body = pickled(pickle.dumps(command, protocol=protocol))
        yield f"a command, protocol {protocol}", of(1, "006", lambda body=body: archive(parts(diffraction=body)))
        yield (
            f"a command as metadata, protocol {protocol}",
            of(1, "META-001", lambda body=body: archive(parts(_metadata=body))),
        )
        yield (
            f"a command outside the contract, protocol {protocol}",
            of(1, "006", lambda body=body: archive(parts(extra=body))),
        )
    structured = npy_of(
        "{'descr': [('a', '|O'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", pickle.dumps(many)
    )
    yield "a structured object array", of(1, "006", lambda: archive(parts(extra=structured)))
    yield (
        "an object array of a huge shape",
        of(1, "006", lambda: archive(parts(extra=pickled(pickle.dumps(many), f"({1 << 59},)")))),
    )
    yield (
        "an object array of several items",
        of(1, "META-001", lambda: archive(parts(_metadata=pickled(pickle.dumps(many), "(2,)")))),
    )
    touch = f"touch {MARKER}".encode()
    good = pickle.dumps(np.array("{}", dtype=object), protocol=4)
    for what, payload in {
        "os.system by name": b"cos\nsystem\n(S'" + touch + b"'\ntR.",
        "os.system by INST": b"(S'" + touch + b"'\nios\nsystem\n.",
        "os.system by OBJ": b"(cos\nsystem\nS'" + touch + b"'\no.",
        "os.system by STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(touch)]) + touch + b"\x85R.",
        "builtins.eval": b"cbuiltins\neval\n(S'1'\ntR.",
        "numpy's own loader": b"cnumpy\nload\n(S'x'\ntR.",
        "a persistent id": b"Px\n.",
        "an extension": b"\x82\x01.",
        "NEWOBJ": b"cnumpy\nndarray\n)\x81.",
        "nothing": b"",
        "a stop": b".",
        "an empty stack": b"0.",
        "no stop": good[:-1],
        "bytes behind it": good + b"?",
        "two pickles": good + good,
        "noise": np.random.default_rng(2).bytes(3000),
        "a hundred thousand marks": b"(" * 100_000 + b".",
        "a million Nones": b"N" * 1_000_000 + b".",
        "a list that holds itself": b"](h\0e.",
        "a memo that is not there": b"h\x05.",
        "a length beyond the end": b"X\xff\xff\xff\x7fab.",
        "a length of 64 bits": b"\x8d" + b"\xff" * 8 + b"ab.",
        "a frame of 64 bits": b"\x80\x04\x95" + b"\xff" * 8 + good,
        "a bare text": pickle.dumps("{}"),
        "a list of text": pickle.dumps(["{}"]),
        "two texts": pickle.dumps(np.array(["{}", "{}"], dtype=object)),
        "a number": pickle.dumps(np.array(5, dtype=object)),
        "None": pickle.dumps(np.array(None, dtype=object)),
        "bytes": pickle.dumps(np.array(b"{}", dtype=object)),
        "a dict": pickle.dumps(np.array({}, dtype=object)),
        "a long integer in text": b"I" + b"9" * 5000 + b"\n.",
        "a deep tuple": b")" + b"\x85" * 100_000 + b".",
        # What fuzzing found: each was taken for the one text that may be, and pickle refuses it.
        "a dtype that there is not": good.replace(b"\x8c\x02O8", b"\x8c\x02O7"),
        "flags that no object has": good.replace(b"K?t", b"K@t"),
        "a mark before the last step": good[:-2] + b"(b.",
        "a tuple of more than there is": good.replace(b"K\0\x85", b"\x85K\0"),
        "a frame that ends too late": good[:3] + bytes([good[3] + 4]) + good[4:],
        "a protocol that there is not": good[:1] + b"@" + good[2:],
        "a state that is set twice": good[:-1] + b"h\x13b.",
    }.items():
        yield (
            f"metadata pickle: {what}",
            of(1, "META-001", lambda payload=payload: archive(parts(_metadata=pickled(payload)))),
        )


def metadata() -> Iterator[tuple[str, Case]]:
    def text(raw: bytes, descr: str) -> bytes:
        return npy_of(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (), }}\n", raw)

    for what, body in {
        "code points that there are not": text(b"\xff" * 8, "<U2"),
        "surrogates": npy(np.array('{"a": "\ud800"')),
        "bytes that are no UTF-8": text(b"\xff\xfe", "|S2"),
        "numbers": npy(np.array(5)),
        "a list of texts": npy(np.array(["{}"])),
        "no JSON": npy(np.array("hello")),
        "an escape sequence": npy(np.array("\x1b[2J\n\x9b31m")),
        "nested 10,000 deep": npy(np.array("[" * 10_000)),
        "empty": npy(np.array(b"\0")),
        "a time": npy(np.array("2020-01-01", dtype="datetime64[s]")),
        "a record": npy(np.array((1, 2.0), dtype="i4,f4")),
    }.items():
        yield f"metadata: {what}", of(1, "META-001 META-002", lambda body=body: archive(parts(_metadata=body)))
    for what, document in {
        "a list": "[]",
        "control characters": '{"physics_parameters": "\\u001b[2J\\n\\u202e"}',
        "a number": "5",
    }.items():
        yield (
            f"metadata: {what} in JSON",
            of(1, "META-002", lambda document=document: archive(parts(_metadata=npy(np.array(document))))),
        )
    lists = b"[" + b"[]," * 349_000 + b"[]]"
    yield (
        "metadata: a megabyte of empty lists",
        of(1, "META-002", lambda: archive(parts(_metadata=text(lists, f"|S{len(lists)}")))),
    )
    longer = b"[" + b"[]," * 5_000_000 + b"[]]"
    yield (
        "metadata: fifteen megabytes of empty lists",
        of(1, "META-001", lambda: archive(parts(_metadata=text(longer, f"|S{len(longer)}")))),
    )
    records = np.zeros(3, dtype=[("a\x1b[2J\n", "<f4"), ("b\u202e", "<f4")])
    yield "field names with escape sequences", of(1, "DTYPE-001", lambda: archive(parts(diffraction=npy_utf8(records))))
    short = npy_utf8(records)[:-1]
    yield "field names with escape sequences, short", of(2, "007", lambda: archive(parts(diffraction=short)))


def npy_utf8(array: np.ndarray) -> bytes:
    return npy_of(
        repr({"descr": array.dtype.descr, "fortran_order": False, "shape": array.shape}), array.tobytes(), (3, 0)
    )


def other_files() -> Iterator[tuple[str, Case]]:
    for what, data in {
        "empty": b"",
        "text": b"x,y\n1,2\n",
        "npy": npy(ARRAYS["diffraction"]),
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(50),
        "bzip2": b"BZh9" + bytes(50),
        "MATLAB": b"MATLAB 5.0 MAT-file" + bytes(200),
        "a pickle": pickle.dumps(Command()),
        "zeros": bytes(4096),
        "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\n",
        "an end record behind noise": b"noise" + archive([]),
        "escape sequences": b"\x1b[2J\x1b[31m",
        "a spanned archive": b"PK\x07\x08" + archive(parts()),
        "HTML": b"<!DOCTYPE html><title>404</title>",
    }.items():
        yield f"not an archive: {what}", of(2, "001", bytes_of(data))
    yield "an archive of nothing", of(1, "KEY-001", bytes_of(archive([])))
    yield "only an end record that promises members", of(2, "002", bytes_of(archive([], end={"here": 1, "count": 1})))


def found() -> Iterator[tuple[str, Case]]:
    """What fuzzing found, and is in no other family."""
    long_double = ARRAYS["diffraction"].transpose(1, 2, 0).astype(np.longdouble)
    yield "frames of long doubles, last axis", of(1, "DTYPE-001", lambda: archive(parts(diffraction=npy(long_double))))


def incomplete_codes() -> bytes:
    """An archive whose patterns end in a deflate block that ISA-L decodes and zlib refuses."""
    nothing = bytes.fromhex("8dcc7fdd000000cc000000000000000000000000b50000c5000500004c00000000")
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    held = stream.compress(npy(ARRAYS["diffraction"])) + stream.flush(zlib.Z_FULL_FLUSH) + nothing
    return archive(with_first(parts(deflate=True), held=held))


def families() -> dict[str, dict[str, Case]]:
    makers = (
        truncated,
        local_fields,
        central_fields,
        end_fields,
        outside,
        methods,
        headers,
        prefixes,
        sizes,
        damaged,
        doubles,
        overlaps,
        bombs,
        names,
        pickles,
        metadata,
        other_files,
        found,
    )
    return {make.__name__: dict(make()) for make in makers}


FAMILIES = families()
CASES = {f"{family}: {name}": case for family, cases in FAMILIES.items() for name, case in cases.items()}


SIDECARS: Mapping[str, tuple[bytes, int]] = {
    "nothing": (b"", 0),
    "no JSON": (b"sha256_checksum", 0),
    "another kind of file": (b'{"my notes": 1}', 0),
    "a list": (b'["sha256_checksum", "00"]', 0),
    "half of one": (b'{"sha256_checksum": "0000', 0),
    "of another file": (b'{"sha256_checksum": "' + b"0" * 64 + b'"}', 1),
    "of another file, the rest broken": (b'{"sha256_checksum": "' + b"0" * 64 + b'", ]]]', 1),
    "below the top": (b'{"source": {"sha256_checksum": "00"}}', 0),
    "in a text": (b'{"note": "\\"sha256_checksum\\": \\"00\\""}', 0),
    "a number": (b'{"sha256_checksum": 5}', 0),
    "escape sequences": (b'{"sha256_checksum": "\x1b[2J\x9b31m\xe2\x80\xae"}', 1),
    "no UTF-8": (b'\xff\xfe{"sha256_checksum": "\xff"}', 1),
    "10,000 lists deep": (b"[" * 10_000, 0),
    "fifteen megabytes of lists": (b'{"a": [' + b"[]," * 5_000_000 + b'[]], "sha256_checksum": "00"}', 1),
    "fifteen megabytes of quotes": (b'"' * 15_000_000 + b"sha256_checksum", 0),
    "fifteen megabytes of backslashes": (b'"sha256_checksum' + b"\\" * 15_000_000, 0),
    "seventeen megabytes": (b" " * 17_000_000 + b'{"sha256_checksum": "00"}', 0),
}
"""The JSON file beside a sound dataset: its bytes, and the status. 1 is META-003."""


def fifo(folder: Path) -> str:
    os.mkfifo(folder / "pipe.npz")
    return str(folder / "pipe.npz")


def linked(target: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / "link.npz").symlink_to(target)
        return str(folder / "link.npz")

    return make


def unix_socket(folder: Path) -> str:
    path = str(folder / "s")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
    return path


def folder_of(folder: Path) -> str:
    (folder / "data.npz").mkdir()
    return str(folder / "data.npz")


PATHS: Mapping[str, Callable[[Path], str]] = {
    "a pipe": fifo,
    "a socket": unix_socket,
    "a directory": folder_of,
    "/dev/null": lambda _: "/dev/null",
    "/dev/zero": lambda _: "/dev/zero",
    "/dev/tty": lambda _: "/dev/tty",
    "a dangling link": linked("nowhere.npz"),
    "a link to itself": linked("link.npz"),
    "a link to a device": linked("/dev/zero"),
    "no such file": lambda folder: str(folder / "none.npz"),
    "no such folder": lambda folder: str(folder / "none" / "none.npz"),
    "a file as a folder": lambda _: str(Path(__file__) / "none.npz"),
    "an empty path": lambda _: "",
    "a path of 5,000 characters": lambda _: "x" * 5000,
    "a path with a NUL": lambda _: "x\0y.npz",
    "a path with escape sequences": lambda _: "\x1b[2J\n\u202e.npz",
    "a path that is no UTF-8": lambda _: "\udcff\udcfe.npz",
}
"""What a path may lead to that is no regular file: each FILE-001, status 2."""
