"""What is asked of the C library's allocator."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from typing import Final

import numpy as np

LARGE: Final = 12 << 20
"""Bytes: smaller arrays share what is kept, of which twice as much is at most. More keeps more, and gains nothing."""


@functools.cache
def keep_freed() -> None:
    """Have memory kept that arrays of a few MiB leave, for those that follow.

    Glibc hands such memory back to the system, which then has to clear every page of it anew, until it has seen that
    arrays of that size come and go. This one is never touched, so it costs nothing.
    """
    np.empty(LARGE, dtype=np.uint8)


def give_back() -> None:
    """Let go of what :func:`keep_freed` had kept: before a long piece of work is done all over again."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
