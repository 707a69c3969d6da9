"""Many files: one after the other, or by several processes; reports in the order of the files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from npzschema.contracts import Contract
from npzschema.signals import ENDINGS

from .engine import validate
from .findings import Report
from .interrupts import interruptible, uninterrupted
from .report import internal
from .table_libraries import needed
from .threads import alone, startable

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.context import BaseContext

PR_SET_PDEATHSIG: Final = 1
"""Linux: the signal that a process gets when the one that started it ends."""

SERVING: Final = 4
"""Processes and threads that hand out the work of the others."""


class Asked(NamedTuple):
    """A file, and what is asked of it: as for :func:`validate`."""

    path: str
    contract: str | Contract = "auto"
    axes: Mapping[str, Sequence[str | int]] | None = None


def validate_each(asked: Sequence[Asked], *, jobs: int = 1, **options: Any) -> Generator[Report]:
    """Check files.

    Args:
        asked: the files, each with its contract.
        jobs: processes to share them among; never more than there are files, and none where the system allows no more.
        options: the other arguments of :func:`validate`, the same for all.

    Yields:
        The report of each file, in order.
    """
    begun = _begun(asked, min(jobs, len(asked)), options)
    if begun is None:
        yield from (_check(one, options) for one in asked)
        return
    from concurrent.futures.process import BrokenProcessPool

    pool, waiting = begun
    done = False
    try:
        for one, report in zip(asked, waiting, strict=True):
            try:
                yield report.result()
            except BrokenProcessPool:
                yield internal(one.path, "the process that checked it, or one beside it, was killed; is memory short?")
        done = True
    finally:
        with contextlib.suppress(BrokenProcessPool):
            # Whoever interrupts this does not wait for what is being read: processes end with the one that asks.
            pool.shutdown(wait=done, cancel_futures=True)


def _begun(
    asked: Sequence[Asked], jobs: int, options: Mapping[str, Any]
) -> tuple[ProcessPoolExecutor, list[Future[Report]]] | None:
    """Processes at work on the files; None where one alone does as well, or the system allows no more."""
    if jobs < 2 or not startable(jobs * (1 + needed(1)) + SERVING):
        return None
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    try:
        context = _context()
        parent = os.getpid() if context.get_start_method() == "fork" else None
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_alone, initargs=(parent,))
    except OSError:
        # Without shared memory there are no locks between processes.
        return None
    try:
        # Processes start here; that interrupts wait they inherit.
        with uninterrupted():
            return pool, [pool.submit(_check_beside, one, options) for one in asked]
    except BaseException as error:
        pool.shutdown(cancel_futures=True)
        if isinstance(error, OSError | BrokenExecutor):
            return None
        raise


def _context() -> BaseContext:
    """How processes start: forked from this one, which costs least, where no thread but this one may hold a lock."""
    import multiprocessing

    if alone():
        return multiprocessing.get_context("fork")
    # A server that has numpy loaded, and no thread running, forks faster than a new process starts.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["npzschema.validator.engine"])
    return context


def _check_beside(asked: Asked, options: Mapping[str, Any]) -> Report:
    """The same in a process of several: only here is it interrupted, which is handed on with the report."""
    with interruptible():
        return _check(asked, options)


def _check(asked: Asked, options: Mapping[str, Any]) -> Report:
    return validate(asked.path, asked.contract, axes=asked.axes, **options)


def _alone(parent: int | None) -> None:
    """Each process is one of several: threads of its own would only be in their way, and it ends with the others.

    ``parent``: the process that it was forked from; None where a server forked it.
    """
    os.environ["POLARS_MAX_THREADS"] = "1"
    # It writes nothing that would have to be tidied up, and whoever asks must be able to end it.
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    # Where the one that asks is killed, nobody else tells: those that it started hold each other's pipes open.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent and (parent is not None or os.getppid() == 1):
        # It has ended before that was set.
        os.kill(os.getpid(), signal.SIGKILL)
