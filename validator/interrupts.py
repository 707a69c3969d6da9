"""Interrupts that wait: for libraries that do not come back from one, and for processes beside this one."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager

from npzschema.signals import ENDINGS


def uninterrupted() -> AbstractContextManager[None]:
    """Until its end interrupts, and requests to end, wait: for libraries that do not come back from one."""
    return _interrupts("SIG_BLOCK")


def interruptible() -> AbstractContextManager[None]:
    """Until its end interrupts do not wait, not even one that has come before."""
    return _interrupts("SIG_UNBLOCK")


@contextlib.contextmanager
def _interrupts(how: str) -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(getattr(signal, how), {signal.SIGINT, *ENDINGS})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
