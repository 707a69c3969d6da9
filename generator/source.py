"""A dataset that something is made from: opened once, validated, described and read by the same open file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npzschema.contracts import Contract
from npzschema.contracts.model import Dims
from npzschema.validator import named_axes
from npzschema.validator.archive import open_archive
from npzschema.validator.binding import Binding, bind
from npzschema.validator.dataset import ArchiveDataset, Dataset
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.findings import Report
from npzschema.validator.source import FileSource

from .errors import GeneratorError, NotKeptError
from .plan import Plan, plan

Axes = Mapping[str, Sequence[str | int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An opened file, what the validator says of it, and how it can be mended.

    ``unchanged`` raises :class:`GeneratorError` once the file is no longer the one that was validated.
    """

    path: Path
    dataset: Dataset
    report: Report
    binding: Binding
    plan: Plan
    unchanged: Callable[[], None]

    def positions(self, contract: Contract) -> tuple[int, ...]:
        """Index of every scan position that is kept."""
        return tuple(range(self.binding.sizes.get(contract.scan.dimension, 0))) if contract.scan else ()


@contextlib.contextmanager
def opened(
    path: str | os.PathLike[str],
    contract: Contract,
    *,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    headers_only: bool = False,
) -> Iterator[Source]:
    """Open a file and plan its mending.

    Args:
        path: the file.
        contract: what it should become.
        allow: steps taken only by name that may be taken.
        axes: axes of arrays whose order the caller knows.
        headers_only: plan by the headers alone; whoever does that checks the result.

    Raises:
        NotKeptError: the headers alone do not tell how to mend it.
        GeneratorError: it cannot be read, something in it cannot be mended, or it changes while it is read.
    """
    name = os.fsdecode(path)
    check_axes(contract, axes)
    stamp = _stamp(name)
    report = validate(name, contract, headers_only, axes=axes)
    if report.verdict == "unreadable":
        told = "; ".join(f"{one.code} {one.message}" for one in report.findings if one.level == "error")
        raise GeneratorError(f"{name}: cannot be read: {told}")
    steps = plan(report, contract, allow=allow)
    if headers_only and (steps.obstacles or any(set(pair) <= set(report.arrays) for pair in contract.identical)):
        raise NotKeptError(f"{name}: its values must be read first")
    if steps.obstacles:
        raise GeneratorError(f"{name}: cannot become {contract.id}: {'; '.join(steps.obstacles)}")
    try:
        with FileSource(name) as source:
            dataset = ArchiveDataset(open_archive(source))
            binding = bind(contract, dataset.headers, _decided(report, contract) | _as_dims(axes or {}))

            def unchanged() -> None:
                if source.changed or _stamp(name) != stamp:
                    raise GeneratorError(f"{name}: was changed while it was being read")

            unchanged()
            yield Source(
                path=Path(name), dataset=dataset, report=report, binding=binding, plan=steps, unchanged=unchanged
            )
    except Fault as fault:
        raise GeneratorError(f"{name}: {fault.code} {fault.member or ''} {fault.what}") from None


def _decided(report: Report, contract: Contract) -> dict[str, Dims]:
    """Axes as the validator read them, by sizes or by content."""
    return _as_dims(
        {
            facts.reads_as: facts.axes
            for facts in report.arrays.values()
            if facts.reads_as in contract.arrays and facts.reads_as is not None and facts.axes is not None
        }
    )


def _as_dims(axes: Axes) -> dict[str, Dims]:
    return {name: tuple(int(dim) if str(dim).isdecimal() else dim for dim in dims) for name, dims in axes.items()}


def check_axes(contract: Contract, axes: Axes | None) -> None:
    """Raises :class:`GeneratorError` for axes of an array, or in an order, that the contract does not have."""
    try:
        named_axes.check_axes([contract], axes or {})
    except ValueError as error:
        raise GeneratorError(str(error)) from None


def _stamp(name: str) -> tuple[int, int, int, int] | None:
    """Which file a name stands for, and in which state."""
    try:
        status = os.stat(name)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def refuse_same(source: str | os.PathLike[str], *targets: Path) -> None:
    """The input is never written to, and no two outputs share a name, whatever is asked."""
    for target in targets:
        with contextlib.suppress(OSError):
            if os.path.samefile(source, target):
                raise GeneratorError(f"{target}: is the input itself; name another output")
    if len({os.path.realpath(target) for target in targets}) < len(targets):
        raise GeneratorError(f"{targets[0]}: is named for two outputs")


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
