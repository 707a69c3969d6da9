"""Where bytes come from. The reader asks for ranges of a source, never for a path."""

from __future__ import annotations

import errno
import os
import stat
from typing import Protocol, Self

from .faults import Fault


class ByteSource(Protocol):
    """A fixed run of bytes that can be read at any offset."""

    @property
    def size(self) -> int:
        """Number of bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``.

        Raises:
            Fault: FILE-002 where the source has become shorter, FILE-001 where it cannot be read.
        """


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or offset + length > self.size:
            raise Fault("FILE-002", f"wanted {length} bytes at {offset}, the source has {self.size}")
        return bytes(self._data[offset : offset + length])


class FileSource:
    """A regular file, read by ``pread``.

    Stored members are read into memory chunk by chunk, not mapped: a mapped file that another process
    shortens kills the reader with SIGBUS, while a short read is a fault with a name.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            # Opening a pipe or a device may already do something at its other end: look first.
            _refuse_unless_regular(os.stat(path))
            # Without O_NONBLOCK, opening a FIFO that took the file's place since never returns.
            self._fd = os.open(path, flags)
        except (OSError, ValueError) as error:
            raise Fault("FILE-001", f"cannot be opened: {_reason(error)}") from None
        status = os.fstat(self._fd)
        try:
            _refuse_unless_regular(status)
        except Fault:
            os.close(self._fd)
            raise
        self.size = status.st_size
        self._opened = _identity(status)

    def read(self, offset: int, length: int) -> bytes:
        parts: list[bytes] = []
        wanted = length
        while wanted:
            try:
                part = os.pread(self._fd, wanted, offset)
            except OSError as error:
                raise Fault("FILE-001", f"cannot be read at byte {offset:,}: {_reason(error)}") from None
            if not part:
                raise Fault("FILE-002", f"ends at byte {offset:,}; it was longer when opened")
            if len(part) == length:
                return part
            parts.append(part)
            offset += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def fileno(self) -> int:
        """The open file's descriptor, which stays this source's own."""
        return self._fd

    @property
    def changed(self) -> bool:
        """Whether the file was written to since it was opened."""
        return _identity(os.fstat(self._fd)) != self._opened

    def close(self) -> None:
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refuse_unless_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        found = _kind(status.st_mode)
        raise Fault("FILE-001", f"is {found}", expected="a regular file", found=found)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno == errno.ENXIO:
            return "it is a socket or a device without a driver"
        return os.strerror(error.errno).lower()
    return str(error)


def _kind(mode: int) -> str:
    names = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a pipe",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a block device",
        stat.S_IFSOCK: "a socket",
    }
    return names.get(stat.S_IFMT(mode), "no regular file")
