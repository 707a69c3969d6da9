"""Inflate a stream that starts afresh now and then, several pieces at a time.

Whoever compresses on several cores, as generate-npz does, ends each piece on a whole byte, by an empty stored block,
and refers to nothing that lies before it. That is not written anywhere: where a piece may end is guessed, and proved
by inflating it alone.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from .inflate import InflateError, inflater
from .source import ByteSource
from .threads import CORES, Threads, Work

MARK: Final = b"\x00\x00\xff\xff"
"""The end of an empty stored block: its length and the complement of that."""

PROOF: Final = os.urandom(16)
"""What a stream between two blocks is to give. Were it known, a stream could bring codes that make it of anything."""

END: Final = b"\x01" + struct.pack("<2H", len(PROOF), len(PROOF) ^ 0xFFFF) + PROOF
"""The same as a stored block, the last one of its stream."""

LEAST: Final = 1 << 15
"""Bytes of compressed data that are worth a thread's while."""

MOST: Final = (1 << 21) + (1 << 17)
"""Bytes of compressed data without a mark after which no piece is looked for: somewhat more than a chunk that does not
shrink, or twice as many once there was a piece, since one may be overlooked. So many are read at a time."""

LARGEST: Final = (1 << 22) + 1
"""Bytes that a piece may not become: one more than two of ours, which are taken for one where a mark is overlooked."""

THREADS: Final = min(3, CORES)
"""Threads that inflate: one more has a core to itself where what they give is used."""

AHEAD: Final = THREADS + 2
"""Pieces in line behind the first: enough that no thread waits while whoever cuts and uses them is held up, and few
enough that they take some 30 MiB at most, should all be as large as they can be."""


class Undivided(Exception):
    """From here on the stream cannot be inflated in pieces: it must be read in order, from its beginning."""


def pieces(source: ByteSource, start: int, end: int, *, least: int = LEAST) -> Generator[bytes]:
    """What a deflate stream holds, in order; each part was inflated alone, and proved to be what it is in the stream.

    Args:
        source: where the stream lies; only the caller's thread reads from it.
        start, end: its first byte, and that behind its last one.
        least: bytes of compressed data that a piece has, but for the last.

    Raises:
        Undivided: a part is damaged, refers to another one or is no part at all; nothing of it was given.
        Fault: the source cannot be read.
    """
    line: deque[_Part] = deque()
    with Threads(THREADS, "npzschema-inflate") as pool:
        for data, last in _divided(source, start, end, least):
            line.append(_Part(data, last, pool.submit(_inflated, data, last=last)))
            if len(line) > AHEAD:
                yield _first(line)
        while line:
            yield _first(line)


class _Part(NamedTuple):
    """Compressed data that may be a piece, the last or not, and what comes of it."""

    data: memoryview
    last: bool
    inflated: Work[bytes]


def _first(line: deque[_Part]) -> bytes:
    """The first piece of a line, which is taken from it."""
    part = line.popleft()
    try:
        return part.inflated.result()
    except Undivided:
        if not line:
            raise
    # A mark is four bytes that data holds now and then, too: then two parts are one piece.
    other = line.popleft()
    return _inflated(memoryview(b"".join([part.data, other.data])), last=other.last)


def _divided(source: ByteSource, start: int, end: int, least: int) -> Iterator[tuple[memoryview, bool]]:
    """Compressed data cut behind marks, and whether it is the last."""
    held, at, after, usual, most = b"", 0, least, MOST, MOST
    while True:
        cut = held.find(MARK, after) + len(MARK)
        if cut >= len(MARK) and (start < end or cut < len(held)):
            yield memoryview(held)[at:cut], False
            # Pieces of one stream are of much the same size: most of their bytes need not be looked at. One that is
            # overlooked is inflated together with the next.
            usual, most = min(usual + usual // 8, cut - at), 2 * MOST
            at, after = cut, cut + max(least, usual // 8 * 7)
        elif len(held) - at >= most:
            raise Undivided
        elif start < end:
            length = min(MOST, end - start)
            after = max(after, len(held) - len(MARK) + 1) - at
            held, at, start = held[at:] + source.read(start, length), 0, start + length
        else:
            yield memoryview(held)[at:], True
            return


def _inflated(data: memoryview, *, last: bool) -> bytes:
    """One piece.

    That the stream, read in order, would be between two blocks here is proved by one block more: only there does it
    give what that holds, and end the stream.
    """
    stream = inflater()
    try:
        out = stream.inflate(data, LARGEST)
        proved = last or stream.inflate(END, len(PROOF) + 1) == PROOF
    except InflateError:
        raise Undivided from None
    if len(out) < LARGEST and proved and stream.ended and not stream.unused:
        return out
    del out  # The error would keep it.
    raise Undivided
