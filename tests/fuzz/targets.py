"""What is fuzzed: each target takes bytes, and raises where something untrue was accepted or anything else went wrong.

They need no fuzzer: test_targets.py runs them over the corpus, one.py under atheris.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from npzschema.contracts import ContractError
from npzschema.contracts.loader import from_document, parse_json
from npzschema.validator.engine import validate
from npzschema.validator.inflate import InflateError, inflater
from npzschema.validator.pickled_text import read_text
from npzschema.validator.pieces import Undivided, pieces
from npzschema.validator.source import BytesSource

from ..differential import assert_agrees, assert_honest
from ..validator import hostile
from ..validator.handmade import Part, archive, deflated, filled, npy, npy_of, parts
from ..validator.hostile_pieces import HALF_A_HEADER, LAST

LARGEST = 1 << 15
"""Bytes of an input: structures are small, and larger ones only make the fuzzer slow."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """``seeds`` gives inputs to start from; ``mutate`` changes one at places that mean something."""

    run: Callable[[bytes], object]
    seeds: Callable[[], Iterator[bytes]]
    mutate: Callable[[bytes, random.Random], bytes] | None = None


def whole(data: bytes) -> None:
    """A file of any bytes, through the whole flow."""
    assert_honest(data)


def member(data: bytes) -> None:
    """Any bytes as one member of a sound archive: whatever is read of them, numpy reads alike."""
    assert_agrees(archive([Part(name=b"a.npy", body=data)]))


def patterns(data: bytes) -> None:
    """Any bytes as the patterns of a sound dataset, through the whole flow."""
    assert_honest(archive(parts(diffraction=data)))


def values(data: bytes) -> None:
    """Any bytes as the items of a dataset of any sizes: whatever numbers there are, no rule fails."""
    assert_honest(filled(data))


def metadata(data: bytes) -> None:
    """Any bytes as metadata: text, and a pickle. Nothing is built but one str."""
    size = max(1, len(data))
    text = npy_of(f"{{'descr': '|S{size}', 'fortran_order': False, 'shape': (), }}\n", data.ljust(1, b"\0"))
    assert_honest(archive(parts(_metadata=text)))


class _OneText(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        assert (module.replace("_core", "core"), name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }
        return super().find_class(module, name)


def pickled(data: bytes) -> None:
    """Any bytes as a pickle: where a text is read from it, pickle itself finds the same in an array of no axes."""
    text = read_text(data)
    if text is not None:
        array = _OneText(io.BytesIO(data)).load()
        assert isinstance(array, np.ndarray)
        assert (array.shape, array.dtype) == ((), np.dtype(object))
        assert array[()] == text


def stream(data: bytes) -> None:
    """Any bytes as a deflate stream: what one library takes for whole, zlib does too.

    But for sets of code lengths that are not complete: ISA-L decodes with them, zlib refuses. See the threat model.
    """
    found = _driven(data)
    other = zlib.decompressobj(-15)
    try:
        wanted = other.decompress(data, 1 << 20)
    except zlib.error as error:
        if str(error).endswith(" set"):
            return
        wanted = None
    if wanted is not None and len(wanted) == 1 << 20:
        return
    if found is not None:
        assert other.eof
        assert found == (wanted, len(other.unused_data))
    else:
        assert wanted is None or not other.eof


def _driven(data: bytes) -> tuple[bytes, int] | None:
    one, out = inflater(), []
    try:
        out.append(one.inflate(data, 1 << 20))
        while not one.ended and not one.hungry and sum(map(len, out)) < 1 << 20:
            out.append(one.inflate(b"", 1 << 20))
    except InflateError:
        return None
    return (b"".join(out), one.unused) if one.ended else None


def divided(data: bytes) -> None:
    """Any bytes as a deflate stream in pieces: each is what the stream, inflated in order, has there."""
    found, whole = b"", True
    try:
        for part in pieces(BytesSource(data), 0, len(data), least=1):
            found += part
    except Undivided:
        whole = False
    wanted, left = _in_order(data)
    assert found == wanted[: len(found)]
    if whole:
        assert (len(found), left) == (len(wanted), 0)


def _in_order(data: bytes) -> tuple[bytes, int | None]:
    """What a stream gives, as far as it is one, and how many bytes follow its end; None where it has none."""
    one, out = inflater(), []
    with contextlib.suppress(InflateError):
        # A byte at a time: what comes before the damage is given.
        for at in range(len(data)):
            out.append(one.inflate(data[at : at + 1], 1 << 20))
            if one.ended:
                return b"".join(out), one.unused + len(data) - at - 1
    return b"".join(out), None


def contract(data: bytes) -> None:
    """Any text as a contract: refused in one line, or one that a dataset can be checked against."""
    try:
        made = from_document(parse_json(data.decode("utf-8", "surrogateescape"), "x"))
    except ContractError as error:
        assert "\n" not in str(error)  # noqa: PT017 - a contract may be refused or not
        return
    report = validate(GOOD, made)
    assert "INTERNAL-001" not in report.codes, report.findings


GOOD = archive(parts())


def small_archives() -> Iterator[bytes]:
    """Every legal form of the container, in few bytes."""
    a, b = npy(np.arange(3, dtype="<f4")), npy(np.asfortranarray(np.eye(2)))
    plain = [Part(name=b"a.npy", body=a), Part(name=b"b.npy", body=b, deflate=True)]
    yield archive(plain)
    yield archive(plain, zip64=True, comment=b"a comment")
    yield archive([])
    for sizes in ("<LLL", "<LQQ"):
        for mark in (b"PK\x07\x08", b""):
            described = [
                replace(
                    part,
                    both={"flags": 8},
                    descriptor=mark + struct.pack(sizes, zlib.crc32(part.body), len(part.data), len(part.body)),
                )
                for part in plain
            ]
            yield archive(described)
    wide = struct.pack("<2H2Q", 1, 16, len(a), len(a))
    full = {"size": 0xFFFFFFFF, "compressed": 0xFFFFFFFF}
    yield archive([replace(plain[0], local_extra=wide, local=full), plain[1]])
    yield archive([replace(plain[0], central_extra=wide, central=full), plain[1]])
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, a=np.arange(3), b=np.array("text"), c=np.zeros(2, "f4,i2"))
        yield out.getvalue()


def _corpus(*families: str) -> Iterator[bytes]:
    for family in families or hostile.FAMILIES:
        for case in hostile.FAMILIES[family].values():
            yield case.make()


def _whole_seeds() -> Iterator[bytes]:
    yield from small_archives()
    yield from _corpus()


def _member_seeds() -> Iterator[bytes]:
    """The bodies of the corpus' members, and arrays of many dtypes."""
    for descr in ("?", "<i2", ">u4", "<f2", "<f8", "<c8", "S3", "<U2", "V5", "<M8[ns]", "f4,(2,)i2", "<f16"):
        for shape in ((), (0,), (2, 3)):
            yield npy(np.zeros(shape, descr))
    yield npy(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    for data in _corpus("headers", "prefixes", "sizes"):
        start = data.find(b"\x93NUMPY")
        if start >= 0:
            yield data[start : start + 200]


def _value_seeds() -> Iterator[bytes]:
    """Numbers at the edges, in single and double precision, and noise."""
    edges = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        np.nan,
        np.inf,
        -np.inf,
        5e-324,
        1e-40,
        65504.0,
        3e38,
        1e300,
        -1e300,
        0.5,
        1e-9,
        2.0**53,
    ]
    for sizes in (bytes([4, 5, 5, 9, 0]), bytes([8, 133, 6, 11, 0]), bytes([4, 4, 4, 6, 5]), bytes([0, 0, 0, 0, 1])):
        for kind in ("<f4", "<f8"):
            with np.errstate(all="ignore"):
                yield sizes + np.array(edges).astype(kind).tobytes()
                for edge in edges:
                    yield sizes + np.array([1.0, edge, 2.0, 3.5]).astype(kind).tobytes()
        yield sizes + np.random.default_rng(5).bytes(2000)
        yield sizes + np.random.default_rng(6).poisson(9, 500).astype("<f4").tobytes()


def _pickle_seeds() -> Iterator[bytes]:
    for protocol in range(6):
        yield pickle.dumps(np.array('{"a": 1}', dtype=object), protocol=protocol)
        yield pickle.dumps(np.array("\u20ac" * 300, dtype=object), protocol=protocol)
    for data in _corpus("pickles"):
        start = data.find(b"_metadata.npy\x93NUMPY")
        if start >= 0:
            yield data[start + 13 + 10 + data[start + 21] :]


def _metadata_seeds() -> Iterator[bytes]:
    yield b"{}"
    yield b'{"contract": "ptychopinn/raw-counts", "physics_parameters": {"nphotons": 1e9}}'
    yield b'{"additional_parameters": {"scale_contract_version": "2", "measurement_domain": "intensity"}}'
    yield b'{"a": [1, -2.5e3, null, true, "\\u001b\\ud800"]}'


def _stream_seeds() -> Iterator[bytes]:
    for body in (b"", b"a", b"abc" * 100, bytes(1000), np.random.default_rng(0).bytes(300)):
        for level in (0, 1, 9):
            yield deflated(body, level)
        for strategy in (zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED, zlib.Z_RLE):
            one = zlib.compressobj(6, zlib.DEFLATED, -15, 9, strategy)
            yield one.compress(body) + one.flush(zlib.Z_SYNC_FLUSH) + one.flush()


def _divided_seeds() -> Iterator[bytes]:
    for body in (b"abc" * 100, bytes(1000), b"\0\0\xff\xff" * 20, np.random.default_rng(0).bytes(300)):
        for level in (0, 1, 9):
            for flush in (zlib.Z_FULL_FLUSH, zlib.Z_SYNC_FLUSH):
                one = zlib.compressobj(level, zlib.DEFLATED, -15)
                parts_ = [one.compress(body[at : at + 99]) + one.flush(flush) for at in range(0, len(body), 99)]
                yield b"".join(parts_) + one.flush()
    for end in (HALF_A_HEADER, LAST):
        yield end + deflated(b"abc")


def _contract_seeds() -> Iterator[bytes]:
    from npzschema.contracts import load, shipped

    for name in shipped():
        yield json.dumps(load(name).document).encode()
    yield json.dumps(SMALL).encode()
    for extra in (
        {"extends": "ptychopinn/canonical"},
        {"metadata": {"member": "_metadata", "schema": {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}}},
        {"metadata": {"member": "_metadata", "schema": {"properties": {"a": {"pattern": "^[a-z]+$"}}}}},
    ):
        yield json.dumps(SMALL | extra).encode()


SMALL: Mapping[str, object] = {
    "id": "a/b",
    "version": "1.0.0",
    "title": "t",
    "dimensions": {
        "N": {"description": "n", "minimum": 1},
        "H": {"description": "h", "equals": "W"},
        "W": {"description": "w"},
    },
    "arrays": {
        "diffraction": {
            "dims": ["N", "H", "W"],
            "dtype": "float32",
            "quantity": "amplitude",
            "values": {"finite": True, "minimum": 0},
            "legacy": [{"dims": ["H", "W", "N"], "rule": "FORMAT-001", "fix": "transpose"}],
        },
        "xcoords": {"dims": ["N"], "dtype": ["float64", "float32"]},
        "ycoords": {"dims": ["N"], "dtype": "floating"},
    },
    "scan": {"dimension": "N", "frames": "diffraction", "x": "xcoords", "y": "ycoords", "distinct": True},
    "relations": [{"identical": ["xcoords", "ycoords"]}],
}

MARKS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08")
ODD = (0, 1, 2, 8, 0x0800, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def zip_field(data: bytes, rng: random.Random) -> bytes:
    """One field of one structure of an archive changed: to an odd value, or by a little."""
    found = [at for mark in MARKS for at in _places(data, mark)]
    if not found:
        return data
    width = rng.choice((1, 2, 2, 4, 4, 8))
    at = min(rng.choice(found) + rng.randrange(4, 60), max(0, len(data) - width))
    value = int.from_bytes(data[at : at + width], "little")
    value = rng.choice(ODD) if rng.random() < 0.5 else value + rng.choice((-1, 1, 22, 30, 46, -30, 256))
    changed = (value % (1 << 8 * width)).to_bytes(width, "little")
    # Where a value stands in both headers, both are changed half of the time, so that they still agree.
    old = data[at : at + width]
    if width == 4 and rng.random() < 0.5:
        return data.replace(old, changed)
    return data[:at] + changed + data[at + width :]


def _places(data: bytes, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


TARGETS: Mapping[str, Target] = {
    "archive": Target(run=assert_agrees, seeds=_whole_seeds, mutate=zip_field),
    "member": Target(run=member, seeds=_member_seeds),
    "stream": Target(run=stream, seeds=_stream_seeds),
    "pickle": Target(run=pickled, seeds=_pickle_seeds),
    "metadata": Target(run=metadata, seeds=_metadata_seeds),
    "patterns": Target(run=patterns, seeds=_member_seeds),
    "values": Target(run=values, seeds=_value_seeds),
    "whole": Target(run=whole, seeds=_whole_seeds, mutate=zip_field),
    "divided": Target(run=divided, seeds=_divided_seeds),
    "contract": Target(run=contract, seeds=_contract_seeds),
}
"""By name; the order in which they are fuzzed."""
