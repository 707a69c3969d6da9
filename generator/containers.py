"""Break the container on purpose: the same arrays in an archive that is wrong in one place.

Written by numpy and zipfile, not by the project's own writer, so that the two halves do not agree by accident.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from npzschema.contracts import Contract

from .errors import NotApplicable

Array = np.ndarray[Any, Any]


def saved(arrays: Mapping[str, Array]) -> bytes:
    out = io.BytesIO()
    # A mapping may hold names that are parameters of savez.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            _add(archive, f"{name}.npy", _npy(array))
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
    data: bytes, contract: Contract, change: Callable[[bytes], bytes] | None = None, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The archive with its first member that the contract asks for changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        names = source.namelist()
        chosen = _asked_for(names, contract)
        for name in names:
            held = source.read(name)
            if name == chosen:
                _add(target, name, change(held) if change else held, method)
            else:
                _add(target, name, held)
    return out.getvalue()


def _asked_for(names: Sequence[str], contract: Contract) -> str:
    chosen = next((name for name in names if name.removesuffix(".npy") in contract.arrays), None)
    if chosen is None:
        raise NotApplicable(f"no array of {contract.id} is there")
    return chosen


def _with_member(data: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        _add(archive, name, content)
    return out.getvalue()


def _wrong_checksum(data: bytes, contract: Contract) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(_asked_for(archive.namelist(), contract))
        directory = archive.start_dir
    changed = bytearray(data)
    name = info.filename.encode()
    central = data.index(name, directory) - 46
    for at in (info.header_offset + 14, central + 16):
        changed[at] ^= 0xFF
    return bytes(changed)


def _duplicate(data: bytes, contract: Contract) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = _asked_for(archive.namelist(), contract)
        content = archive.read(name)
    return _with_member(data, name, content)


def _many(data: bytes, contract: Contract) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        content = _npy(np.zeros(1, np.uint8))
        for index in range(1_001):
            _add(archive, f"extra_{index}.npy", content, zipfile.ZIP_STORED)
    return out.getvalue()


CONTAINER: Final[Mapping[str, Callable[[bytes, Contract], bytes]]] = {
    "FILE-001": lambda data, _: b"XX" + data[2:],
    "FILE-002": lambda data, _: data[: len(data) * 3 // 5],
    "FILE-003": _wrong_checksum,
    "FILE-004": _duplicate,
    "FILE-005": lambda data, _: _with_member(data, "notes.txt", b"measured on a Monday"),
    "FILE-007": lambda data, contract: _rewritten(data, contract, lambda npy: npy + bytes(8)),
    "FILE-008": lambda data, _: _with_member(data, "../outside.npy", _npy(np.zeros(1))),
    "FILE-009": _many,
    "FILE-010": lambda data, contract: _rewritten(data, contract, lambda npy: npy.replace(b"'descr'", b"'dscr' ", 1)),
    "FILE-011": lambda data, contract: _rewritten(data, contract, method=zipfile.ZIP_LZMA),
}
"""Rules that are broken by other bytes."""
