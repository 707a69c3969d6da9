"""What a command sets for the process that it has to itself. Importing npzschema sets nothing."""

from __future__ import annotations

import gc
import os
import signal


def prepare() -> None:
    """To be called first: numpy, once imported, has its threads."""
    # Importing makes a hundred thousand objects and hardly any garbage: looking for that costs a twentieth of a second,
    # in which an interrupt is lost where Python tells of objects that go.
    gc.set_threshold(200_000, 20, 20)
    # Our products are too small for the threads of OpenBLAS, which would spin on the core that reads and inflates.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def interruptible() -> None:
    """To be called where KeyboardInterrupt is caught: until then an interrupt ended the process, without a word."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def finish() -> None:
    """To be called last. Python looks for garbage once more at exit, unless there is nothing that it would look at."""
    gc.freeze()
    # Everything is written: an interrupt would only have Python tell where it was.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
