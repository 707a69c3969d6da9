"""A picture of a dataset: probe, object with the scan path, mean pattern."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from npzschema.contracts import Contract, Scan
from npzschema.validator.archive import open_archive
from npzschema.validator.binding import bind
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.faults import Fault
from npzschema.validator.source import FileSource

from .errors import GeneratorError
from .replace import refuse_existing
from .stream import Stream, c_order, stream_of, taken

Array = np.ndarray[Any, Any]

MOST_FRAMES: Final = 500
"""The mean pattern is that of at most so many frames, evenly spaced: memory does not follow the scan."""


def check(target: Path, dataset: Path, contract: Contract, *, force: bool = False) -> None:
    """Ask beforehand whether there can be a picture.

    Raises:
        GeneratorError: matplotlib is missing, the contract has no scan, or nothing can be written.
    """
    try:
        import matplotlib  # noqa: F401 - only whether it is there
    except ImportError:
        raise GeneratorError("a picture needs matplotlib; install it with: pip install 'npzschema[images]'") from None
    _scan(contract)
    if os.path.realpath(target) == os.path.realpath(dataset):
        raise GeneratorError(f"{target}: is named for both the dataset and its picture")
    if target.suffix.lower() != ".png":
        raise GeneratorError(f"{target}: a picture is written as PNG; let its name end in .png")
    refuse_existing(target, force=force)


def drawn(dataset: Path, contract: Contract) -> bytes:
    """The picture, as PNG.

    Raises:
        GeneratorError: the contract has no scan, or what it needs cannot be read.
    """
    from matplotlib.figure import Figure

    scan = _scan(contract)
    try:
        with FileSource(dataset) as source:
            arrays = _arrays(ArchiveDataset(open_archive(source)), contract, scan)
    except Fault as fault:
        raise GeneratorError(f"{dataset}: {fault.code} {fault.member or ''} {fault.what}") from None
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    amplitude, phase, path, pattern = figure.subplots(1, 4)
    amplitude.imshow(np.abs(arrays[scan.probe or ""]))
    amplitude.set_title("probe, amplitude")
    phase.imshow(np.angle(arrays[scan.object or ""]), cmap="gray")
    phase.set_title("object, phase (rad)")
    path.imshow(np.abs(arrays[scan.object or ""]), cmap="gray")
    path.plot(arrays[scan.x], arrays[scan.y], ".-", linewidth=0.5, markersize=2)
    path.set_title("object, amplitude; scan path")
    pattern.imshow(np.log10(arrays[scan.frames] + 1e-9))
    pattern.set_title("mean pattern, log10")
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=120)
        return file.getvalue()


def _scan(contract: Contract) -> Scan:
    scan = contract.scan
    if scan is None or scan.probe is None or scan.object is None:
        raise GeneratorError(f"{contract.id} names no probe and object to draw")
    return scan


def _arrays(dataset: ArchiveDataset, contract: Contract, scan: Scan) -> dict[str, Array]:
    """Probe, object and positions as they are, and the mean pattern under the name of the patterns."""
    arrays: dict[str, Array] = {}
    for name in (scan.probe or "", scan.object or "", scan.x, scan.y):
        if name not in dataset.headers:
            raise GeneratorError(f"there is no {name} to draw")
        arrays[name] = _whole(stream_of(dataset, dataset.headers[name]))
    stream = stream_of(dataset, dataset.headers[scan.frames])
    # Of several orders that fit alike, the contract's first.
    axis = bind(contract, dataset.headers).readings[scan.frames].possible_axes(scan.dimension)[0]
    count = stream.shape[axis]
    some = min(count, MOST_FRAMES)
    arrays[scan.frames] = _whole(taken(stream, axis, np.arange(some) * count // some)).mean(axis=axis)
    return arrays


def _whole(stream: Stream) -> Array:
    return np.concatenate([chunk.reshape(-1).copy() for chunk in c_order(stream)]).reshape(stream.shape)
