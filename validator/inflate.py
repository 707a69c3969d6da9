"""Deflate and CRC-32, by ISA-L where it is installed and by zlib where it is not."""

from __future__ import annotations

import zlib
from typing import Protocol


class Inflater(Protocol):
    """One raw deflate stream."""

    def inflate(self, data: bytes | memoryview, limit: int) -> bytes:
        """At most ``limit`` bytes; ``data`` is added to what is still unread. Raises ``InflateError``."""

    @property
    def hungry(self) -> bool:
        """Whether it can give nothing more without more input."""

    @property
    def ended(self) -> bool:
        """Whether the stream's end marker was read."""

    @property
    def unused(self) -> int:
        """Number of bytes given after the end of the stream."""


class InflateError(Exception):
    """The stream is not deflate, or is damaged."""


class _ZlibInflater:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._full = False

    def inflate(self, data: bytes | memoryview, limit: int) -> bytes:
        try:
            result = self._stream.decompress(self._stream.unconsumed_tail + data, limit)
        except zlib.error as error:
            raise InflateError(str(error)) from None
        self._full = len(result) == limit
        return result

    @property
    def hungry(self) -> bool:
        return not self._full and not self._stream.unconsumed_tail and not self._stream.eof

    @property
    def ended(self) -> bool:
        return self._stream.eof

    @property
    def unused(self) -> int:
        return len(self._stream.unused_data)


def exact_inflater() -> Inflater:
    """Refuses whatever numpy refuses. ISA-L is faster, but decodes with incomplete sets of codes too."""
    return _ZlibInflater()


try:
    from isal import igzip_lib, isal_zlib

    crc32 = isal_zlib.crc32

    class _IsalInflater:
        def __init__(self) -> None:
            self._stream = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)

        def inflate(self, data: bytes | memoryview, limit: int) -> bytes:
            try:
                result: bytes = self._stream.decompress(data, max_length=limit)
            except (igzip_lib.error, EOFError) as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise InflateError(str(error)) from None
            return result

        @property
        def hungry(self) -> bool:
            return bool(self._stream.needs_input) and not self._stream.eof

        @property
        def ended(self) -> bool:
            return bool(self._stream.eof)

        @property
        def unused(self) -> int:
            return len(self._stream.unused_data)

    def inflater() -> Inflater:
        return _IsalInflater()

except ImportError:
    crc32 = zlib.crc32

    def inflater() -> Inflater:
        return _ZlibInflater()


__all__ = ["InflateError", "Inflater", "crc32", "exact_inflater", "inflater"]
