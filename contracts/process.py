"""What a command sets for the process that it has to itself. Importing npzschema sets nothing."""

from __future__ import annotations

import gc
import os


def prepare() -> None:
    """To be called first: numpy, once imported, has its threads."""
    # Importing makes many objects and hardly any garbage: looking for that costs a twentieth of a second.
    gc.set_threshold(100_000, 20, 20)
    # Our products are too small for the threads of OpenBLAS, which would spin on the core that reads and inflates.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def finish() -> None:
    """To be called last. Python looks for garbage once more at exit, unless there is nothing that it would look at."""
    gc.freeze()
