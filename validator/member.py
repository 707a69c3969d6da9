"""One member of an archive: where it lies, and its bytes, checked to the last one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from .faults import Fault
from .inflate import InflateError, Inflater, crc32, exact_inflater, inflater
from .pieces import Undivided, pieces
from .prefetch import WORTH, prefetched
from .source import ByteSource
from .threads import CORES

STORED: Final = 0
DEFLATED: Final = 8

FIRST: Final = 1 << 12
"""Bytes of compressed data read at first: most members are opened for their headers only."""

SURPLUS: Final = 1 << 20
"""Bytes behind a member's size that are looked at, for whether its checksum covers them."""

WINDOW: Final = 1 << 21
"""Bytes of compressed data read at a time afterwards."""

LARGE: Final = 1 << 19
"""Bytes asked for at once from which on so many more are inflated meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One entry of the archive. ``offset``: where its data begins; sizes in bytes."""

    name: str
    method: int
    offset: int
    compressed: int
    size: int
    crc: int


class MemberReader:
    """The bytes of one member, in order, checked to the last one.

    ``ahead``: all of it will be read, and may be inflated by other threads; to be closed then.
    """

    def __init__(self, source: ByteSource, member: Member, *, exact: bool = False, ahead: bool = False) -> None:
        self._source, self.member, self._exact = source, member, exact
        self._ahead = ahead and member.method == DEFLATED and member.size >= WORTH and CORES > 1
        self._data: _Stored | _Stream | _Ahead = self._in_order()
        if self._ahead and not exact:
            self._data = _Ahead(pieces(source, member.offset, member.offset + member.compressed))
        self._crc = 0
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes that the directory still promises."""
        return self.member.size - self.position

    def read(self, length: int) -> bytes:
        """Exactly ``length`` bytes.

        Raises:
            Fault: FILE-007 where the member holds fewer, FILE-003 where its stream is damaged.
        """
        return bytes(self.view(length))

    def view(self, length: int) -> bytes | memoryview:
        """The same, not copied where they lie in one piece."""
        if self._ahead and length >= LARGE and isinstance(self._data, _Stream):
            self._data = _Ahead(prefetched(self._data.parts(length), self.member.size), self._data)
        parts: list[bytes | memoryview] = []
        wanted = length
        while wanted:
            part = self._some(wanted)
            if not part:
                raise self._misfit(f"ends after {self.position:,} bytes", f"{self.position:,} bytes")
            self.position += len(part)
            self._crc = crc32(part, self._crc)
            if len(part) == length:
                return part
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def finish(self) -> None:
        """Check the size, the end of the stream and the checksum, once all bytes were read.

        Raises:
            Fault: FILE-003 or FILE-007.
        """
        if more := self._some(SURPLUS):
            raise self._misfit("holds more bytes than the directory says", "more", more)
        if self._crc != self.member.crc:
            raise self._damaged()
        self._data.check_end()

    def _misfit(self, what: str, found: str, more: bytes | memoryview = b"") -> Fault:
        """Another size than the directory says. Where the checksum is not that of the data either, it is damaged.

        ``more``: the first bytes behind the size, with which the checksum may be right.
        """
        while more and len(more) < SURPLUS and (part := self._some(SURPLUS)):
            more = b"".join([more, part])
        if self.member.crc not in (self._crc, crc32(more, self._crc)):
            return self._damaged()
        expected = f"{self.member.size:,} bytes"
        return Fault("FILE-007", what, member=self.member.name, expected=expected, found=found)

    def _damaged(self) -> Fault:
        return Fault(
            "FILE-003",
            "its checksum is wrong: the data was changed since it was written",
            member=self.member.name,
            expected=f"{self.member.crc:08x}",
            found=f"{self._crc:08x}",
        )

    def close(self) -> None:
        """Stop the threads, if there are any."""
        if isinstance(self._data, _Ahead):
            self._data.close()

    def _in_order(self) -> _Stored | _Stream:
        if self.member.method == STORED:
            return _Stored(self._source, self.member)
        return _Stream(self._source, self.member, exact_inflater() if self._exact else inflater())

    def _some(self, limit: int) -> bytes | memoryview:
        try:
            return self._data.some(limit)
        except Undivided:
            self.close()
            self._data = self._in_order()
        behind = self.position
        while behind and (part := self._data.some(min(behind, WINDOW))):
            behind -= len(part)
        return self._data.some(limit)


class _Stored:
    """The bytes as they lie there."""

    def __init__(self, source: ByteSource, member: Member) -> None:
        self._source, self._next, self._end = source, member.offset, member.offset + member.compressed

    def some(self, limit: int) -> bytes:
        length = min(limit, self._end - self._next)
        data = self._source.read(self._next, length) if length else b""
        self._next += length
        return data

    def check_end(self) -> None:
        """Nothing to check: it ends where the directory says."""


class _Stream:
    """A deflate stream, inflated in order."""

    def __init__(self, source: ByteSource, member: Member, stream: Inflater) -> None:
        self._source, self._member, self._stream = source, member, stream
        self._next, self._end = member.offset, member.offset + member.compressed
        self._given = 0

    def some(self, limit: int) -> bytes:
        while not self._stream.ended:
            data = b""
            if self._stream.hungry and self._next < self._end:
                window = FIRST if self._next == self._member.offset else WINDOW
                length = min(window, self._end - self._next)
                data = self._source.read(self._next, length)
                self._next += length
            try:
                out = self._stream.inflate(data, limit)
            except InflateError:
                raise Fault(
                    "FILE-003", f"its compressed data is damaged after {self._given:,} bytes", member=self._member.name
                ) from None
            self._given += len(out)
            if out:
                return out
            if self._stream.hungry and self._next >= self._end:
                break
        return b""

    def parts(self, length: int) -> Iterator[bytes]:
        """All that is left, ``length`` bytes at a time or, where input is read in between, as many in several parts."""
        wanted = length
        while part := self.some(wanted):
            yield part
            wanted = wanted - len(part) or length

    def check_end(self) -> None:
        if not self._stream.ended:
            raise Fault("FILE-003", "its compressed data has no end", member=self._member.name)
        if self._stream.unused or self._next != self._end:
            raise Fault("FILE-007", "bytes follow its compressed data", member=self._member.name)


class _Ahead:
    """The parts of a deflate stream, which other threads inflate meanwhile; ``stream`` where they do so in order."""

    def __init__(self, parts: Generator[bytes], stream: _Stream | None = None) -> None:
        self._parts, self._stream = parts, stream
        self._held: bytes | memoryview = b""

    def some(self, limit: int) -> bytes | memoryview:
        # Pieces may be empty; the last one has the end of the stream behind it.
        held = self._held or next(filter(None, self._parts), b"")
        if len(held) <= limit:
            self._held = b""
            return held
        held = memoryview(held)
        self._held = held[limit:]
        return held[:limit]

    def check_end(self) -> None:
        if self._stream:
            self._stream.check_end()

    def close(self) -> None:
        self._parts.close()
