"""One member of an archive: where it lies, and its bytes, checked to the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .faults import Fault
from .inflate import InflateError, crc32, exact_inflater, inflater
from .source import ByteSource

STORED: Final = 0
DEFLATED: Final = 8

WINDOW: Final = 1 << 20
"""Bytes of compressed data read at a time."""

FIRST: Final = 1 << 12
"""The same at first: most members are opened for their headers only."""


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
    """The bytes of one member, in order, checked to the last one."""

    def __init__(self, source: ByteSource, member: Member, *, exact: bool = False) -> None:
        self._source, self.member = source, member
        self._next = member.offset
        self._end = member.offset + member.compressed
        self._stream = (exact_inflater() if exact else inflater()) if member.method == DEFLATED else None
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
        parts: list[bytes] = []
        wanted = length
        while wanted:
            part = self._some(wanted)
            if not part:
                raise Fault(
                    "FILE-007",
                    f"ends after {self.position:,} bytes",
                    member=self.member.name,
                    expected=f"{self.member.size:,} bytes",
                    found=f"{self.position:,} bytes",
                )
            self.position += len(part)
            self._crc = crc32(part, self._crc)
            if len(part) == length:
                return part
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def _some(self, limit: int) -> bytes:
        if self._stream is None:
            length = min(limit, self._end - self._next)
            data = self._source.read(self._next, length) if length else b""
            self._next += length
            return data
        while not self._stream.ended:
            data = b""
            if self._stream.hungry and self._next < self._end:
                window = FIRST if self._next == self.member.offset else WINDOW
                length = min(window, self._end - self._next)
                data = self._source.read(self._next, length)
                self._next += length
            try:
                out = self._stream.inflate(data, limit)
            except InflateError:
                raise Fault(
                    "FILE-003", f"its compressed data is damaged after {self.position:,} bytes", member=self.member.name
                ) from None
            if out:
                return out
            if self._stream.hungry and self._next >= self._end:
                break
        return b""

    def finish(self) -> None:
        """Check the size, the end of the stream and the checksum, once all bytes were read.

        Raises:
            Fault: FILE-003 or FILE-007.
        """
        member = self.member
        if self.position != member.size or self._some(1):
            raise Fault(
                "FILE-007",
                "holds more bytes than the directory says",
                member=member.name,
                expected=f"{member.size:,} bytes",
                found="more",
            )
        if self._stream is not None and not self._stream.ended:
            raise Fault("FILE-003", "its compressed data has no end", member=member.name)
        if self._stream is not None and (self._stream.unused or self._next != self._end):
            raise Fault("FILE-007", "bytes follow its compressed data", member=member.name)
        if self._crc != member.crc:
            raise Fault(
                "FILE-003",
                "its checksum is wrong: the data was changed since it was written",
                member=member.name,
                expected=f"{member.crc:08x}",
                found=f"{self._crc:08x}",
            )
