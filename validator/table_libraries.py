"""Whether polars, by which pandera checks the scan table, can run here.

It starts threads of its own. Where the system allows none it panics, or takes the process with it; so it is asked
beforehand.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Final

from .pieces import THREADS
from .threads import CORES, ThreadsError, startable

OURS: Final = THREADS + 5
"""Threads that read, compress and write meanwhile."""

_WISH: Final = "POLARS_MAX_THREADS"


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
