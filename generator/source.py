"""A dataset that something is made from: opened once, validated, described and read by the same open file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npzschema.contracts import DEFAULT, Contract, load, shipped
from npzschema.contracts.model import Dims
from npzschema.validator import named_axes, sidecar
from npzschema.validator.archive import Limits, open_archive
from npzschema.validator.binding import Binding, bind
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.findings import Report
from npzschema.validator.source import FileSource

from .errors import GeneratorError, NotKeptError
from .plan import ROOTS, Plan, check_allowed, plan

Axes = Mapping[str, Sequence[str | int]]
Stamp = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """What the validator says of a file in one state, and how it can be mended. Holds no open file; can be pickled.

    ``name`` is what it was called, ``path`` where it lies whatever the working folder.
    """

    name: str
    path: str
    contract: Contract
    report: Report
    plan: Plan
    axes: dict[str, Dims]
    stamp: Stamp | None
    limits: Limits | None = None

    @property
    def headers_suffice(self) -> bool:
        """Whether a report by the headers alone tells how to mend it; what is made must be checked in any case."""
        if self.plan.obstacles or self._contestable:
            return False
        if any(set(pair) <= set(self.report.arrays) for pair in self.contract.identical):
            return False
        try:
            with FileSource(self.path) as source:
                return not any(sidecar.check(self.path, source))
        except Fault:
            return False

    @property
    def read_axes(self) -> dict[str, Dims]:
        """Axes by which the file is read: as the caller named them, else as the validator decided them."""
        return decided(self.report, self.contract) | self.axes

    @property
    def _contestable(self) -> bool:
        """Whether a step is planned of which the forward model has something to say."""
        scan = self.contract.scan
        if scan is None or scan.forward_model is None or not any(step.step in ROOTS for step in self.plan.steps):
            return False
        return {scan.probe, scan.object, scan.x, scan.y} <= {facts.reads_as for facts in self.report.arrays.values()}

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[ArchiveDataset, Binding, FileSource]]:
        """The file, read as it was examined.

        Raises:
            GeneratorError: it is no longer the file that was examined, or cannot be read.
        """
        try:
            with FileSource(self.path) as source:
                self.check_unchanged(source)
                dataset = ArchiveDataset(open_archive(source, self.limits))
                yield dataset, bind(self.contract, dataset.headers, self.read_axes), source
        except Fault as fault:
            # A file that was changed reads as damaged: the cause is told, not the symptom.
            self.check_unchanged()
            raise GeneratorError(f"{self.name}: {fault.code} {fault.member or ''} {fault.what}") from None

    def check_readable(self) -> None:
        """Raises :class:`GeneratorError` for a file that cannot be read."""
        if self.report.verdict == "unreadable":
            errors = [found for found in self.report.findings if found.level == "error"]
            told = "; ".join(f"{found.code} {found.message}" for found in errors)
            raise GeneratorError(f"{self.name}: cannot be read: {told}")

    def check_unchanged(self, source: FileSource | None = None) -> None:
        """Raises :class:`GeneratorError` once the file, or the one that is open, is no longer what was examined."""
        now = _stamp(self.path)
        if now is None:
            raise GeneratorError(f"{self.name}: is gone since it was checked")
        if now != self.stamp or (source is not None and _stamp(source.fileno()) != self.stamp):
            raise GeneratorError(f"{self.name}: was changed since it was checked; check it again once it is written")


def examined(
    path: str | os.PathLike[str],
    contract: Contract | None,
    *,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    headers_only: bool = False,
    limits: Limits | None = None,
) -> Examined:
    """Validate a file and plan its mending.

    Args:
        path: the file.
        contract: what it should be; None for what the file declares.
        allow: steps taken only by name that may be taken.
        axes: axes of arrays whose order the caller knows.
        headers_only: by the headers alone.
        limits: what to refuse as a bomb.

    Raises:
        GeneratorError: ``allow`` or ``axes`` name what there is not.
    """
    name = os.fsdecode(path)
    check_allowed(allow)
    check_axes(contract, axes)
    stamp = _stamp(name)
    report = validate(name, contract or "auto", headers_only, axes=axes, limits=limits)
    wanted = contract or load(report.contract or DEFAULT)
    check_axes(wanted, axes)
    return Examined(
        name=name,
        path=_whole_path(name),
        contract=wanted,
        report=report,
        plan=plan(report, wanted, allow=allow),
        axes=_as_dims(axes or {}),
        stamp=stamp,
        limits=limits,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An opened file, how it can be mended, and the axes by which it is read.

    ``unchanged`` raises :class:`GeneratorError` once the file is no longer the one that was validated.
    """

    path: Path
    dataset: ArchiveDataset
    binding: Binding
    plan: Plan
    axes: dict[str, Dims]
    unchanged: Callable[[], None]

    def positions(self, contract: Contract) -> range:
        """Index of every scan position that is kept."""
        return range(self.binding.sizes.get(contract.scan.dimension, 0) if contract.scan else 0)


@contextlib.contextmanager
def opened(
    path: str | os.PathLike[str],
    contract: Contract,
    *,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    headers_only: bool = False,
    limits: Limits | None = None,
    advice: str = "",
) -> Iterator[Source]:
    """Open a file and plan its mending.

    Args:
        path: the file.
        contract: what it should become.
        allow: steps taken only by name that may be taken.
        axes: axes of arrays whose order the caller knows.
        headers_only: plan by the headers alone; whoever does that checks the result.
        limits: what to refuse as a bomb.
        advice: what else may be tried where a size of the patterns is out of range.

    Raises:
        NotKeptError: the headers alone do not tell how to mend it.
        GeneratorError: it cannot be read, something in it cannot be mended, or it changes while it is read.
    """
    one = examined(path, contract, allow=allow, axes=axes, headers_only=headers_only, limits=limits)
    one.check_readable()
    if headers_only and not one.headers_suffice:
        raise NotKeptError(f"{one.name}: its values must be read first")
    if one.plan.obstacles:
        told = "; ".join(one.plan.obstacles)
        told += f"; {advice}" if advice and _of_patterns(one.report, contract) else ""
        raise GeneratorError(f"{one.name}: cannot become {contract.id}: {told}")
    with one.opened() as (dataset, binding, source):
        yield Source(
            path=Path(one.name),
            dataset=dataset,
            binding=binding,
            plan=one.plan,
            axes=one.read_axes,
            unchanged=lambda: one.check_unchanged(source),
        )


def _of_patterns(report: Report, contract: Contract) -> bool:
    """Whether it is the patterns whose size is out of range."""
    frames = contract.scan.frames if contract.scan else None
    named = {frames, *contract.twins(frames)}
    return any(found.code == "SHAPE-003" and found.array in named for found in report.findings)


def decided(report: Report, contract: Contract) -> dict[str, Dims]:
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


def check_axes(contract: Contract | None, axes: Axes | None) -> None:
    """Raises :class:`GeneratorError` for axes of an array, or in an order, that the contract does not have.

    Without a contract, that no shipped one has.
    """
    if axes is not None and not isinstance(axes, Mapping):
        raise GeneratorError(f"axes is {axes!r}, not names with their axes, such as {{'diffraction': ('H', 'W', 'N')}}")
    try:
        named_axes.check_axes([contract] if contract else map(load, shipped()), axes or {})
    except ValueError as error:
        raise GeneratorError(str(error)) from None


def _whole_path(name: str) -> str:
    """The name from the root on. Nothing in it is shortened: behind a link, ``..`` is another folder."""
    if os.path.isabs(name):
        return name
    try:
        return os.path.join(os.getcwd(), name)
    except OSError:
        # The working folder is gone, and the file with it.
        return name


def _stamp(file: str | int) -> Stamp | None:
    """Which file a name or descriptor stands for, and in which state."""
    # Without the device, whose number differs between machines that share a folder.
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def refuse_same(source: str | os.PathLike[str], *targets: Path) -> None:
    """The input is never written to, and no two outputs share a name, whatever is asked."""
    for target in targets:
        if "\0" in str(target):
            raise GeneratorError(f"{target}: no file can be called so")
        same = False
        # A name with NUL is a ValueError, and no file's. Nothing is raised in here: our own error is one, too.
        with contextlib.suppress(OSError, ValueError):
            same = os.path.samefile(source, target)
        if same:
            raise GeneratorError(f"{target}: is the input itself; name another output")
    if len({os.path.realpath(target) for target in targets}) < len(targets):
        raise GeneratorError(f"{targets[0]}: is named for two outputs")


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, bytes]]:
    """All arrays of a file in memory, in native byte order and their own memory order; nothing is unpickled.

    Returns:
        the arrays, among them a pickled text as a 0-d object array; the bytes of each such member as it is stored.

    Raises:
        GeneratorError: it cannot be read, or holds an object array that is no text.
    """
    name = os.fsdecode(path)
    try:
        with FileSource(name) as source:
            dataset = ArchiveDataset(open_archive(source))
            arrays, stored = {}, {}
            for key, header in dataset.headers.items():
                if header.pickled:
                    text = dataset.text(key)
                    if text is None:
                        raise GeneratorError(
                            f"{name}: {key} is a pickled object array, and no text; leave it out first"
                        )
                    arrays[key], stored[key] = np.array(text, dtype=object), dataset.npy(key)
                    continue
                parts = [chunk.copy() for chunk in dataset.chunks(key)]
                flat = np.concatenate(parts) if parts else np.empty(0, header.dtype.newbyteorder("="))
                shaped = flat.reshape(header.storage)
                arrays[key] = shaped.T if header.fortran else shaped
            return arrays, stored
    except Fault as fault:
        raise GeneratorError(f"{name}: {fault.code} {fault.member or ''} {fault.what}") from None
