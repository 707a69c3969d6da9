"""A picture of a dataset: probe, object with the scan path, mean pattern."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from npzschema.contracts import Contract

from .errors import GeneratorError
from .source import load_arrays
from .write import replacing


def draw(target: Path, dataset: Path, contract: Contract, *, force: bool = False) -> None:
    """Write a PNG.

    Raises:
        GeneratorError: matplotlib is missing, the contract has no scan, or nothing can be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise GeneratorError("a picture needs matplotlib; install it with: pip install 'npzschema[images]'") from None
    scan = contract.scan
    if scan is None or scan.probe is None or scan.object is None:
        raise GeneratorError(f"{contract.id} names no probe and object to draw")
    arrays = load_arrays(dataset)
    axis = contract.arrays[scan.frames].dims[0].index(scan.dimension)
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    amplitude, phase, path, pattern = figure.subplots(1, 4)
    amplitude.imshow(np.abs(arrays[scan.probe]))
    amplitude.set_title("probe, amplitude")
    phase.imshow(np.angle(arrays[scan.object]), cmap="gray")
    phase.set_title("object, phase (rad)")
    path.imshow(np.abs(arrays[scan.object]), cmap="gray")
    path.plot(arrays[scan.x], arrays[scan.y], ".-", linewidth=0.5, markersize=2)
    path.set_title("object, amplitude; scan path")
    pattern.imshow(np.log10(arrays[scan.frames].mean(axis=axis) + 1e-9))
    pattern.set_title("mean pattern, log10")
    with replacing(target, force=force) as (file, _):
        figure.savefig(file, format="png", dpi=120)
