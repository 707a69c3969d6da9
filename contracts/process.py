"""What a command sets for the process that it has to itself. Importing npzschema sets nothing."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from typing import Final

TRIM_THRESHOLD: Final = -1, 1 << 28
MMAP_THRESHOLD: Final = -3, 1 << 25
"""Parameters of glibc's ``mallopt`` and their values, in bytes; 32 MiB is the most that it takes for the second."""


def prepare() -> None:
    """To be called first: numpy, once imported, has its threads."""
    # Importing makes many objects and hardly any garbage: looking for that costs a twentieth of a second.
    gc.set_threshold(100_000, 20, 20)
    # Our products are too small for the threads of OpenBLAS, which would spin on the core that reads and inflates.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_memory()


def keep_memory() -> None:
    """Arrays of a few MiB come and go all the time: the system would clear every page of each of them anew."""
    if sys.platform == "linux":
        # Other C libraries than glibc have no such function.
        with contextlib.suppress(AttributeError):
            for parameter, value in (MMAP_THRESHOLD, TRIM_THRESHOLD):
                ctypes.CDLL(None).mallopt(parameter, value)


def finish() -> None:
    """To be called last. Python looks for garbage once more at exit, unless there is nothing that it would look at."""
    gc.freeze()
