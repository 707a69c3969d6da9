"""Polars and pandera, which check the scan table: imported beside other work, and only where they can run.

Polars starts threads of its own. Where the system allows none it panics, or takes the process with it; so it is asked
beforehand.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import threading
from typing import Final

from .beside import CORES, ThreadsError, startable, started
from .pieces import THREADS

LOADED: Final = ("pandera.polars", "numpy.fft", "numpy.ma")
"""What a table is checked with, and what numpy loads where it is first used: by the forward model, by polars."""

SWITCHING: Final = 0.0001
"""Seconds after which threads take turns while libraries are imported."""

OURS: Final = THREADS + 5
"""Threads that read, compress and write meanwhile."""

_WARMING: Final = threading.Lock()

_WISH: Final = "POLARS_MAX_THREADS"


def warm() -> None:
    """Import them beside other work: reading leaves the interpreter free."""

    def load() -> None:
        # Importing hardly lets go of the interpreter by itself; whoever reads would wait 5 ms for each chunk.
        before = sys.getswitchinterval()
        sys.setswitchinterval(min(before, SWITCHING))
        try:
            # What goes wrong here is told where the table is checked.
            with contextlib.suppress(Exception):
                for name in LOADED:
                    importlib.import_module(name)
        finally:
            sys.setswitchinterval(before)
            _WARMING.release()

    # One at a time: a second would take the first one's interval for what it was before.
    if sys.modules.keys() >= set(LOADED) or not _WARMING.acquire(blocking=False):
        return
    begun = False
    # Tried before there is other work: beside it, starting a few threads takes some ten times as long.
    try:
        with contextlib.suppress(ThreadsError):
            ready()
            begun = started(threading.Thread(target=load, name="npzschema-warm"))
    finally:
        if not begun:
            _WARMING.release()


@functools.cache
def ready() -> None:
    """To be called before polars is imported: has it start fewer threads where the system allows no more.

    Raises:
        ThreadsError: it could not start even these.
    """
    if "polars" in sys.modules or startable(needed(_threads())):
        return
    if not startable(needed(1)):
        raise ThreadsError(
            f"the scan table is checked by polars, which needs {needed(1)} threads, and the system allows fewer; "
            "raise the limit on processes (ulimit -u), or check the headers only"
        )
    os.environ[_WISH] = "1"


def needed(threads: int) -> int:
    """All threads that polars starts where it computes with so many, and those that may run beside."""
    return 3 * threads + 5 + OURS


def _threads() -> int:
    wish = os.environ.get(_WISH, "")
    return int(wish) if wish.isdigit() else CORES
