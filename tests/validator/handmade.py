"""Archives packed by hand, from PKWARE's APPNOTE, so that every field can be wrong on its own."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

LOCAL = ("version", "flags", "method", "time", "date", "crc", "compressed", "size", "n_name", "n_extra")
CENTRAL = ("made", *LOCAL, "n_comment", "disk", "internal", "external", "offset")
END = ("disk", "first", "here", "count", "length", "start", "n_comment")
END64 = ("record", "made", "version", "disk", "first", "here", "count", "length", "start")
LOCATOR = ("disk", "at", "disks")
Fields = Mapping[str, int]


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


DTYPES = ("<f4", "<f8", "<f2", "<c8", "<c16", "<u2", "<i4", "|u1", "<u8", ">f4", "<f16", "|b1")


def filled(data: bytes) -> bytes:
    """A dataset whose arrays are filled with any bytes, over and over; the first five tell sizes and dtypes."""
    sizes, items = data[:5].ljust(5, b"\1"), data[5:] or b"\0"
    n, height, width, side = (1 + size % most for size, most in zip(sizes, (9, 7, 7, 12), strict=False))
    kinds = {"diffraction": DTYPES[sizes[4] % len(DTYPES)], "xcoords": DTYPES[1 + sizes[0] // 128]}
    shapes = {
        "diffraction": (height, width, n) if sizes[1] > 127 else (n, height, width),
        "probeGuess": (height, width),
        "objectGuess": (side, side),
        "xcoords": (n,),
        "ycoords": (n,),
    }
    arrays, at = {}, 0
    for name, shape in shapes.items():
        dtype = np.dtype(kinds.get(name, "<c8" if "Guess" in name else "<f8"))
        size = int(np.prod(shape)) * dtype.itemsize
        arrays[name] = np.frombuffer((items[at:] + items * (size // len(items) + 1))[:size], dtype=dtype).reshape(shape)
        at = (at + size) % len(items)
    return archive([Part(name=f"{name}.npy".encode(), body=npy(array)) for name, array in arrays.items()])


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
