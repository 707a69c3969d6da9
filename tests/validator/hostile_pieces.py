"""Hostile streams of members that are large enough to be inflated in pieces, by several threads."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from npzschema.validator.pieces import LARGEST, LEAST, MARK

from .handmade import ARRAYS, Part, archive, deflated, npy
from .hostile_case import Case, of

EMPTY = b"\x00" + MARK
"""An empty stored block."""

LAST = b"\x01" + MARK
"""The same, the last of its stream."""

HALF_A_HEADER = bytes.fromhex("02085050df406cdbb66ddbd598e665ddf6e3bceee7fd02") + bytes(26) + MARK
"""The beginning of the last block of a stream, up to the middle of its code lengths: it looks like the end of an empty
block. ``LAST`` behind it reads as the rest of the lengths and the end of that block, which holds nothing.
"""

FRAMES = 4200
"""So many of 16x16 that a member is worth several threads."""

Make = Callable[[bytes], bytes]


def streamed(parts: Sequence[bytes], flush: int = zlib.Z_FULL_FLUSH) -> bytes:
    """One deflate stream without its end, flushed after each part."""
    one = zlib.compressobj(6, zlib.DEFLATED, -15)
    return b"".join(one.compress(part) + one.flush(flush) for part in parts)


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def first_piece(stream: bytes, end: bytes) -> bytes:
    """A stream that gains such an end, the first at which a piece of it may end."""
    missing = LEAST + len(MARK) - len(stream) - len(end)
    return stream + EMPTY * -(-missing // len(EMPTY)) + end


@functools.cache
def _beside(count: int) -> tuple[Part, ...]:
    places = np.random.default_rng(3).uniform(17, 23, (2, count))
    arrays = {"xcoords": places[0], "ycoords": places[1]} | {
        name: ARRAYS[name] for name in ("probeGuess", "objectGuess")
    }
    return tuple(Part(name=f"{name}.npy".encode(), body=npy(array)) for name, array in arrays.items())


def _dataset(body: bytes, held: bytes, count: int) -> bytes:
    """A dataset that would keep its contract, were it not for the stream of its patterns."""
    return archive([Part(name=b"diffraction.npy", body=body, deflate=True, held=held), *_beside(count)])


def _of_patterns(make: Make, count: int = FRAMES) -> Callable[[], bytes]:
    """Few different frames, over and over: small when deflated."""

    def build() -> bytes:
        body = npy(np.resize(ARRAYS["diffraction"], (count, 16, 16)))
        return _dataset(body, make(body), count)

    return build


def _of_zeros(make: Make, count: int) -> Callable[[], bytes]:
    def build() -> bytes:
        body = npy(np.zeros((count, 16, 16), "<f4"))
        return _dataset(body, make(body), count)

    return build


def _marks_among_data() -> bytes:
    """Stored blocks whose data looks like ends of blocks."""
    marks = (EMPTY + LAST + b"\xff" * 6) * (1 << 16)
    body = npy(np.resize(ARRAYS["diffraction"], (FRAMES, 16, 16)))[: -len(marks)] + marks
    return _dataset(body, deflated(body, 0), FRAMES)


def pieces() -> Iterator[tuple[str, Case]]:
    size = 1_500_000
    sound: dict[str, Make] = {
        "in no pieces": deflated,
        "that start afresh": lambda body: streamed(cut(body, size)) + deflated(b""),
        "that refer to each other": lambda body: streamed(cut(body, size), zlib.Z_SYNC_FLUSH) + deflated(b""),
        "of a hundred bytes": lambda body: streamed(cut(body, 100)) + deflated(b""),
        "of nothing, mostly": lambda body: EMPTY * 300_000 + deflated(body),
        "that end with a mark": lambda body: streamed(cut(body, size)) + LAST,
    }
    for what, make in sound.items():
        yield f"pieces {what}", of(0, "SCAN-007", _of_patterns(make))
    for what, length in {
        "as large as they may be": LARGEST - 1,
        "too large": LARGEST,
        "far too large": 12 << 20,
    }.items():
        yield (
            f"pieces {what}",
            of(
                0,
                "SCAN-007",
                _of_patterns(lambda body, length=length: streamed(cut(body, length)) + deflated(b""), 24_000),
            ),
        )
    yield "marks among the data", of(1, "VALUE-001", _marks_among_data)
    damaged: dict[str, Make] = {
        "half a header": lambda body: first_piece(b"", HALF_A_HEADER) + deflated(body),
        "half a header behind data": lambda body: (
            first_piece(streamed([body[:10_000]]), HALF_A_HEADER) + deflated(body[10_000:])
        ),
        "a damaged piece": lambda body: streamed(cut(body, size)[:2]) + b"\x07" + deflated(body[2 * size :]),
        "a mark for an end": lambda body: streamed(cut(body, size)),
        "an end after a piece": lambda body: first_piece(streamed([body[:10_000]]), LAST) + deflated(body[10_000:]),
        "a piece too few": lambda body: streamed(cut(body, size)[:-1]) + LAST,
        "marks without an end": lambda body: streamed([body]) + EMPTY * 200_000,
    }
    for what, make in damaged.items():
        yield what, of(2, "003", _of_patterns(make))
    sizes: dict[str, Make] = {
        "an end behind the end": lambda body: streamed(cut(body, size)) + LAST + LAST,
        "a mark behind the end": lambda body: deflated(body) + MARK,
        "an empty piece behind the end": lambda body: deflated(body) + EMPTY,
        "a piece too many": lambda body: streamed([*cut(body, size), bytes(1 << 22)]) + deflated(b""),
    }
    for what, make in sizes.items():
        yield what, of(2, "007", _of_patterns(make))
    yield (
        "an end after as much as a piece may hold",
        of(
            2,
            "003",
            _of_zeros(lambda body: first_piece(streamed([body[:LARGEST]]), LAST) + deflated(body[LARGEST:]), 10_000),
        ),
    )
