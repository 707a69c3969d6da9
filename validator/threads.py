"""Work done beside other work, on threads; in order where none can be started, as under a limit on processes."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, ParamSpec, Self, TypeVar

from .interrupts import uninterrupted

CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Cores that this process may use."""

T = TypeVar("T")
P = ParamSpec("P")


class ThreadsError(Exception):
    """What must have threads of its own cannot start them: nothing is wrong with the file or the command."""


class Work(Generic[T]):
    """What was asked for; done once :meth:`result` returns."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._error: BaseException | None = None
        self._running = threading.Lock()
        self._running.acquire()

    def do(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is used
            self._error = error
        finally:
            self._running.release()

    def result(self) -> T:
        """What came of it; raises what it raised. To be asked for once."""
        with self._running:
            pass
        if self._error is None:
            return self._value
        try:
            raise self._error
        finally:
            # An error leads back to where it was raised, and to all that was held there.
            del self._error


class Threads:
    """Does work in the order it is given, on a few threads started as they are needed; without any, at once.

    A context: at its end everything is done.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._threads: list[threading.Thread] = []
        # Simple queues hardly let go of the interpreter, for which each step would have to wait.
        self._line: queue.SimpleQueue[Work[Any] | None] = queue.SimpleQueue()

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Work[T]:
        work = Work(partial(call, *args, **kwargs))
        if len(self._threads) < self._most:
            thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            # Known before it runs: an interrupt that waited meanwhile strikes as soon as it does.
            self._threads.append(thread)
            if not started(thread):
                self._threads.pop()
                self._most = len(self._threads)
        if self._threads:
            self._line.put(work)
        else:
            work.do()
        return work

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in self._threads:
            self._line.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _serve(self) -> None:
        while (work := self._line.get()) is not None:
            work.do()
            # What it holds is let go of before the next is waited for.
            del work


def started(thread: threading.Thread) -> bool:
    """Start it; False where the system allows no more. Interrupts are for the main thread alone."""
    try:
        with uninterrupted():
            thread.start()
    except RuntimeError:
        return False
    return True


def startable(count: int) -> bool:
    """Whether so many threads can run side by side: they are started, and end before this returns."""
    gate = threading.Event()
    threads = [threading.Thread(target=gate.wait, daemon=True) for _ in range(count)]
    running = list(itertools.takewhile(started, threads))
    gate.set()
    for thread in running:
        thread.join()
    return len(running) == count


def alone() -> bool:
    """Whether this thread is surely the only one of its process: libraries start some that Python does not know of."""
    try:
        return os.listdir("/proc/self/task") == [str(os.getpid())]
    except OSError:
        return False
