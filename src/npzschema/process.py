"""What a command sets for the process that it has to itself. Importing npzschema sets nothing."""

from __future__ import annotations

import gc
import os
import signal
from typing import Any, NoReturn

from .signals import ENDINGS


class Ended(KeyboardInterrupt):
    """The process was asked to end, by the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(ENDINGS[signal.Signals(number)])
        self.number = number


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
    for number in ENDINGS:
        # One that is ignored, as SIGHUP is under nohup, stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def leave(stop: KeyboardInterrupt) -> NoReturn:
    """To be called once all is tidied up after an interrupt: ends as the signal would have ended it.

    Threads that still read or import are not waited for: one that imports may wait for ever, for a module whose import
    was interrupted.
    """
    if isinstance(stop, Ended):
        signal.signal(stop.number, signal.SIG_DFL)
        os.kill(os.getpid(), stop.number)
    os._exit(130)


def finish() -> None:
    """To be called last. Python looks for garbage once more at exit, unless there is nothing that it would look at."""
    gc.freeze()
    # Everything is written: an interrupt would only have Python tell where it was.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for number in ENDINGS:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _frame: Any) -> NoReturn:
    # Another one would come while the first is tidied up after.
    for one in ENDINGS:
        signal.signal(one, signal.SIG_IGN)
    raise Ended(number)
