"""Hostile data of members: of the wrong size, damaged, or a bomb; and files that are no archives."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from .handmade import ARRAYS, CENTRAL, END, LOCAL, Part, archive, deflated, npy, npy_of, pack, parts, with_first
from .hostile_case import Case, Command, bytes_of, of


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
            yield f"{what} hides a wrong checksum, {base}", of(2, "003", lambda members=members: archive(members))
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
    short = npy_of("{'descr': '<U25000000', 'fortran_order': False, 'shape': (), }\n")
    text = replace(texts[-1], held=held, both={"size": len(wide) + (100 << 20), "crc": 1})
    yield (
        "metadata of 100 MB that is not there",
        of(2, "007", lambda: archive([*parts(), Part(name=b"_metadata.npy", body=short)])),
    )
    yield "metadata of 105 MB", of(2, "003", lambda: archive([*parts(), text]))
    endless = npy_of("{'descr': '<c8', 'fortran_order': False, 'shape': (0, 8796093022208), }\n")
    yield "an axis of 0 before a huge one", of(1, "SHAPE-003", lambda: archive(parts(objectGuess=endless)))
    yield "the same in an optional array", of(1, "SHAPE-001", lambda: archive(parts(Y=endless)))
    for count in (1_001, 20_000):
        members = [Part(name=b"%d.npy" % n, body=b"") for n in range(count)]
        yield f"{count} members", of(2, "009", lambda members=members: fast_archive(members))
    named = [*parts(), *(Part(name=b"%02d" % n + b"\1" * 64_992 + b".npy", body=b"") for n in range(60))]
    yield "names of 65 KB", of(2, "009", lambda: archive(named))
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


def incomplete_codes() -> bytes:
    """An archive whose patterns end in a deflate block that ISA-L decodes and zlib refuses."""
    nothing = bytes.fromhex("8dcc7fdd000000cc000000000000000000000000b50000c5000500004c00000000")
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    held = stream.compress(npy(ARRAYS["diffraction"])) + stream.flush(zlib.Z_FULL_FLUSH) + nothing
    return archive(with_first(parts(deflate=True), held=held))
