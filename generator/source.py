"""A dataset that something is made from: opened once, validated, described and read by the same open file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npzschema.contracts import Contract
from npzschema.validator.archive import open_archive
from npzschema.validator.binding import Binding, bind
from npzschema.validator.dataset import ArchiveDataset, Dataset
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.findings import Report
from npzschema.validator.source import FileSource

from .errors import GeneratorError
from .plan import Plan, plan

Axes = Mapping[str, Sequence[str | int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An opened file, what the validator says of it, and how it can be mended."""

    path: Path
    dataset: Dataset
    report: Report
    binding: Binding
    plan: Plan

    def positions(self, contract: Contract) -> tuple[int, ...]:
        """Index of every scan position that is kept."""
        return tuple(range(self.binding.sizes.get(contract.scan.dimension, 0))) if contract.scan else ()


@contextlib.contextmanager
def opened(path: str | os.PathLike[str], contract: Contract, *, allow: Collection[str] = (), axes: Axes | None = None) -> Iterator[Source]:
    """Open a file and plan its mending.

    Raises:
        GeneratorError: it cannot be read, something in it cannot be mended, or it changes while it is read.
    """
    name = os.fsdecode(path)
    report = validate(name, contract, axes=axes)
    if report.verdict == "unreadable":
        raise GeneratorError(f"{name}: cannot be read: {'; '.join(f'{one.code} {one.message}' for one in report.findings if one.level == 'error')}")
    steps = plan(report, contract, allow=allow)
    if steps.obstacles:
        raise GeneratorError(f"{name}: cannot become {contract.id}: {'; '.join(steps.obstacles)}")
    try:
        with FileSource(name) as source:
            dataset = ArchiveDataset(open_archive(source))
            binding = bind(contract, dataset.headers, {key: tuple(dims) for key, dims in (axes or {}).items()})
            yield Source(path=Path(name), dataset=dataset, report=report, binding=binding, plan=steps)
            if source.changed:
                raise GeneratorError(f"{name}: was changed while it was being read")
    except Fault as fault:
        raise GeneratorError(f"{name}: {fault.code} {fault.member or ''} {fault.what}") from None


def refuse_same(source: str | os.PathLike[str], target: Path) -> None:
    """The input is never written to, whatever is asked."""
    with contextlib.suppress(OSError):
        if os.path.samefile(source, target):
            raise GeneratorError(f"{target}: is the input itself; name another output")


def load_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of a file in memory, in native byte order and their own memory order; nothing is unpickled.

    Raises:
        GeneratorError: it cannot be read, or holds an object array.
    """
    name = os.fsdecode(path)
    try:
        with FileSource(name) as source:
            dataset = ArchiveDataset(open_archive(source))
            arrays = {}
            for key, header in dataset.headers.items():
                if header.pickled:
                    raise GeneratorError(f"{name}: {key} is a pickled object array")
                parts = [chunk.copy() for chunk in dataset.chunks(key)]
                flat = np.concatenate(parts) if parts else np.empty(0, header.dtype.newbyteorder("="))
                stored = flat.reshape(header.storage)
                arrays[key] = stored.T if header.fortran else stored
            return arrays
    except Fault as fault:
        raise GeneratorError(f"{name}: {fault.code} {fault.member or ''} {fault.what}") from None
