"""Break the container on purpose: the same arrays in an archive that is wrong in one place.

Written by numpy and zipfile, not by the project's own writer, so that the two halves do not agree by accident.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from .errors import NotApplicable

Array = np.ndarray[Any, Any]
Members = tuple[str, ...]


def saved(arrays: Mapping[str, Array], *, stored: Mapping[str, bytes] | None = None, deflated: bool = True) -> bytes:
    """An NPZ of some arrays; those that are ``stored`` as the bytes of a .npy already are written as they are."""
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    # As numpy's savez does it, faster, and for names that are parameters of savez, too.
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                if stored and name in stored:
                    member.write(stored[name])
                else:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=True)
    return out.getvalue()


def _npy(array: Array) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), allow_pickle=True)
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of the duplicate that is wanted here
        archive.writestr(zipfile.ZipInfo(name), data, compress_type=method, compresslevel=1)


def _rewritten(
    data: bytes, members: Members, change: Callable[[bytes], bytes] | None = None, method: int | None = None
) -> bytes:
    """The archive with one array changed, or compressed otherwise, under every name that it has."""
    _first(members)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            held, kept = source.read(info), info.compress_type
            if info.filename in members:
                _add(target, info.filename, change(held) if change else held, kept if method is None else method)
            else:
                _add(target, info.filename, held, kept)
    return out.getvalue()


def _first(members: Members) -> str:
    if not members:
        raise NotApplicable.because("no-arrays")
    return members[0]


def _with_member(data: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        _add(archive, name, content)
    return out.getvalue()


def _wrong_checksum(data: bytes, members: Members) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(_first(members))
        central = archive.start_dir
    # Records of the directory: name, extra field and comment follow 46 bytes.
    name = info.filename.encode()
    while data[central + 46 : central + 46 + struct.unpack_from("<H", data, central + 28)[0]] != name:
        central += 46 + sum(struct.unpack_from("<3H", data, central + 28))
    changed = bytearray(data)
    for at in (info.header_offset + 14, central + 16):
        changed[at] ^= 0xFF
    return bytes(changed)


def _duplicate(data: bytes, members: Members) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = archive.read(_first(members))
    return _with_member(data, members[0], content)


def _many(data: bytes, members: Members) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        content = _npy(np.zeros(1, np.uint8))
        for index in range(1_001):
            _add(archive, f"extra_{index}.npy", content, zipfile.ZIP_STORED)
    return out.getvalue()


CONTAINER: Final[Mapping[str, Callable[[bytes, Members], bytes]]] = {
    "FILE-001": lambda data, _: b"XX" + data[2:],
    "FILE-002": lambda data, _: data[: len(data) * 3 // 5],
    "FILE-003": _wrong_checksum,
    "FILE-004": _duplicate,
    "FILE-005": lambda data, _: _with_member(data, "notes.txt", b"measured on a Monday"),
    "FILE-007": lambda data, members: _rewritten(data, members, lambda npy: npy + bytes(8)),
    "FILE-008": lambda data, _: _with_member(data, "../outside.npy", _npy(np.zeros(1))),
    "FILE-009": _many,
    "FILE-010": lambda data, members: _rewritten(data, members, lambda npy: npy.replace(b"'descr'", b"'dscr' ", 1)),
    "FILE-011": lambda data, members: _rewritten(data, members, method=zipfile.ZIP_LZMA),
}
"""Rules that are broken by other bytes: of the archive, and of the members of the one array that is chosen for it."""
