"""Many files: one after the other, or by several processes; reports in the order of the files."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from npzschema.contracts import Contract

from .engine import internal, validate
from .findings import Report


def validate_each(
    paths: Sequence[str],
    contract: str | Contract = "auto",
    *,
    jobs: int = 1,
    each: Sequence[Mapping[str, Any]] | None = None,
    **options: Any,
) -> Iterator[Report]:
    """Check files against a contract.

    Args:
        paths: the files.
        contract: as for :func:`validate`.
        jobs: processes to share them among; never more than there are files.
        each: for each file, arguments of :func:`validate` that are its own; they win.
        options: the other arguments of :func:`validate`.

    Yields:
        The report of each file, in order.
    """
    asked = [{"contract": contract, **options, **own} for own in each or [{}] * len(paths)]
    if min(jobs, len(paths)) < 2:
        yield from (validate(path, **own) for path, own in zip(paths, asked, strict=True))
        return
    # A server that has numpy loaded, and no thread running, forks faster than a new process starts.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["npzschema.validator.engine"])
    with ProcessPoolExecutor(min(jobs, len(paths)), mp_context=context, initializer=_alone) as pool:
        waiting = [pool.submit(validate, path, **own) for path, own in zip(paths, asked, strict=True)]
        try:
            for path, one in zip(paths, waiting, strict=True):
                try:
                    yield one.result()
                except BrokenProcessPool:
                    yield internal(path, "the process that checked it, or one beside it, was killed; is memory short?")
        finally:
            with contextlib.suppress(BrokenProcessPool):
                pool.shutdown(cancel_futures=True)


def _alone() -> None:
    """Each process is one of several: threads of its own would only be in their way."""
    os.environ["POLARS_MAX_THREADS"] = "1"
