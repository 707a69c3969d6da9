"""The .npy header (NEP 1, versions 1.0 to 3.0), read without evaluating it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from . import words
from .faults import Fault
from .literal import LiteralError, parse
from .member import MemberReader

MAGIC: Final = b"\x93NUMPY"
MAX_HEADER: Final = 10_000
MAX_AXES: Final = 64

_TIME: Final = r"[mM]8(?:\[(?:[1-9]\d{0,8})?(?:Y|M|W|D|h|m|s|ms|us|μs|ns|ps|fs|as|generic)\])?"
# Numpy itself reads more, such as M8[s/0], at which it divides by zero and takes the process with it.
_SIMPLE: Final = re.compile(rf"[<>|=]?(?:[biufcSUV]\d{{1,9}}|[?bBhHiIlLqQefdFD]|O8?|{_TIME})\Z", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a .npy header says. ``data``: offset of the first item in the member."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    version: tuple[int, int]
    data: int

    @property
    def count(self) -> int:
        """Number of items, as a Python integer: no overflow."""
        product = 1
        for length in self.shape:
            product *= length
        return product

    @property
    def nbytes(self) -> int:
        return self.count * self.dtype.itemsize


def read_header(reader: MemberReader) -> Header | None:
    """The header at the start of a member, or None where the member is no .npy at all.

    Raises:
        Fault: FILE-010 where it begins like a .npy but is malformed, FILE-007 where the size does not fit.
    """
    name = reader.member.name
    start = reader.read(min(len(MAGIC) + 2, reader.left))
    if not start.startswith(MAGIC):
        return None
    if len(start) < len(MAGIC) + 2:
        raise _malformed(name, "it ends within its first bytes")
    version = (start[6], start[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise _malformed(name, f"version {version[0]}.{version[1]} is unknown", "1.0, 2.0 or 3.0")
    width = 2 if version == (1, 0) else 4
    if reader.left < width:
        raise _malformed(name, "it ends within its first bytes")
    length = int.from_bytes(reader.read(width), "little")
    if length > MAX_HEADER:
        raise _malformed(name, f"a header of {length:,} bytes", f"at most {MAX_HEADER:,}")
    if length > reader.left:
        raise _malformed(name, f"a header of {length:,} bytes in a member of {reader.member.size:,}")
    raw = reader.read(length)
    try:
        text = raw.decode("utf-8" if version == (3, 0) else "latin-1")
        fields = parse(text, allow_long=version != (3, 0))
    except (LiteralError, UnicodeDecodeError) as error:
        what = str(error) if isinstance(error, LiteralError) else "it is not UTF-8"
        raise _malformed(name, f"the header cannot be read: {what}") from None
    header = _header(name, fields, version, reader.position)
    held = reader.member.size - header.data
    if header.dtype.hasobject:
        # The size of a pickle follows from nothing in the header.
        return header
    if header.nbytes != held:
        raise Fault(
            "FILE-007",
            f"the header says {words.shape(header.shape)} {str(header.dtype)[:60]}, that is {header.nbytes:,} bytes; "
            f"{held:,} follow",
            member=name,
            expected=f"{header.nbytes:,} bytes",
            found=f"{held:,} bytes",
        )
    return header


def _header(name: str, fields: Any, version: tuple[int, int], data: int) -> Header:
    if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
        raise _malformed(name, "the header is not a dictionary of descr, fortran_order and shape")
    shape, fortran = fields["shape"], fields["fortran_order"]
    if not isinstance(shape, tuple) or len(shape) > MAX_AXES:
        raise _malformed(name, "the shape is no tuple of lengths")
    for length in shape:
        if isinstance(length, bool) or not isinstance(length, int) or length < 0:
            raise _malformed(name, f"{str(length)[:40]!r} is no length of an axis")
    if not isinstance(fortran, bool):
        raise _malformed(name, f"fortran_order is {str(fortran)[:40]!r}", "True or False")
    dtype = _dtype(name, fields["descr"])
    if dtype.itemsize == 0:
        raise _malformed(name, f"the dtype {dtype.str} has no size")
    if dtype.subdtype is not None:
        raise _malformed(name, f"the dtype {str(fields['descr'])[:60]!r} is an array itself")
    header = Header(shape=shape, dtype=dtype, fortran=fortran, version=version, data=data)
    # Numpy multiplies the lengths above zero even where one is zero.
    if math.prod(filter(None, shape)) * dtype.itemsize >= 1 << 63:
        raise _malformed(name, f"the shape {words.shape(shape)} is larger than any memory")
    return header


def _dtype(name: str, descr: Any) -> np.dtype[Any]:
    _check_descr(name, descr, 0)
    try:
        dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(descr)
    except (TypeError, ValueError, OverflowError, MemoryError, IndexError, KeyError, SyntaxError):
        raise _malformed(name, f"the dtype {str(descr)[:60]!r} is unknown") from None
    return dtype


def _check_descr(name: str, descr: Any, depth: int) -> None:
    """Only what numpy's own writer produces: names of plain dtypes, (dtype, shape), lists of fields."""
    if isinstance(descr, str):
        if _SIMPLE.match(descr):
            return
    elif depth < 8 and isinstance(descr, tuple) and len(descr) == 2:
        _check_descr(name, descr[0], depth + 1)
        if isinstance(descr[1], tuple) and all(type(length) is int and length >= 0 for length in descr[1]):
            return
    elif (
        depth < 8
        and isinstance(descr, list)
        and descr
        and all(isinstance(field, tuple) and len(field) in (2, 3) for field in descr)
    ):
        for field in descr:
            _check_descr(name, (field[1], field[2]) if len(field) == 3 else field[1], depth + 1)
        return
    raise _malformed(name, f"the dtype {str(descr)[:60]!r} is unknown")


def _malformed(name: str, what: str, expected: str = "") -> Fault:
    return Fault("FILE-010", what, member=name, expected=expected)
