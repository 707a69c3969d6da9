"""A small deterministic fixture from a real dataset: frames and everything per scan position cut by the same indices."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from npzschema.contracts import DEFAULT, Contract, load
from npzschema.validator.sidecar import sidecar_beside

from .errors import GeneratorError
from .mend import mended
from .plan import check_allowed
from .publish import Made, Output, publish
from .sidecar import Sidecar
from .source import Axes, Source, opened, refuse_same
from .stream import Stream, taken
from .write import refuse_existing

Positions = Literal["first", "strided"]

FIXTURE: Final = "ptychopinn/fixture-v1"
LEAST: Final = 16
"""Fewer frames overlap too little to test anything with."""


def fixture(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    subset_size: int = 64,
    positions: Positions = "first",
    contract: str | Path | Contract = FIXTURE,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    metadata_out: str | os.PathLike[str] | None = None,
    options: Output = Output(),
) -> Made:
    """Cut a fixture, with a sidecar that says where it came from.

    Args:
        source: a dataset in any known layout.
        output: the NPZ to write.
        subset_size: number of positions.
        positions: ``first``, or ``strided``: evenly spaced over the scan.
        contract: what the fixture must keep.
        allow: lossy steps that may be taken, such as ``normalise``.
        axes: axes of arrays whose order the caller knows.
        metadata_out: the sidecar; by default the output's name with ``.json``.
        options: how the file is written.

    Raises:
        GeneratorError: it cannot be made. Nothing is left behind.
        ContractError: the contract is refused.
    """
    wanted = contract if isinstance(contract, Contract) else load(contract)
    out = Path(output)
    sidecar_path = Path(metadata_out) if metadata_out is not None else sidecar_beside(out)
    check_allowed(allow)
    for path in (out, sidecar_path):
        refuse_same(source, path)
        refuse_existing(path, force=options.force)
    if sidecar_path == out:
        raise GeneratorError(f"{out}: is named for both the dataset and its sidecar")
    if subset_size < LEAST:
        raise GeneratorError(f"a subset of {subset_size} positions is too small; take at least {LEAST}")
    fixed = _fixed_size(wanted)
    if fixed is not None and subset_size != fixed:
        raise GeneratorError(f"{wanted.id} has {fixed} positions, not {subset_size}; for another size name --contract {DEFAULT}")
    # A contract with a fixed number of positions says nothing about the source they are cut from.
    read_as = wanted if fixed is None else load(DEFAULT)
    with opened(source, read_as, allow=allow, axes=axes) as one:
        chosen = _indices(one, len(one.positions(read_as)), subset_size, positions)
        streams = _cut(one, read_as, chosen)
        for pair in wanted.identical:
            if all(name in wanted.arrays for name in pair) and pair[0] in streams:
                streams[pair[1]] = streams[pair[0]]
        cut = {
            "step": "subset",
            "array": None,
            "lossless": True,
            "sentence": f"{subset_size} positions taken, {'the first ones' if positions == 'first' else 'evenly spaced over the scan'}; frames and positions by the same indices",
            "positions": positions,
        }
        steps = (*(step.document() for step in one.plan.steps), cut)
        return publish(
            out,
            streams,
            wanted,
            options,
            sidecar=Sidecar(command="fixture", source=one.path, strategy=positions, indices=tuple(chosen.tolist()), transformations=steps),
            sidecar_path=sidecar_path,
            steps=steps,
        )


def _fixed_size(contract: Contract) -> int | None:
    size = contract.dimensions[contract.scan.dimension].equals if contract.scan else None
    return size if isinstance(size, int) else None


def _indices(one: Source, available: int, size: int, positions: Positions) -> np.ndarray[Any, Any]:
    if size > available:
        raise GeneratorError(f"{one.path}: has {available} positions, {size} were asked for")
    if positions == "first":
        return np.arange(size)
    # Both ends are in, and no index twice: size is at most available.
    return np.arange(size) * (available - 1) // (size - 1)


def _cut(one: Source, contract: Contract, chosen: np.ndarray[Any, Any]) -> dict[str, Stream]:
    """Arrays that the contract counts by scan position, cut; the others as they are; unknown ones left out."""
    symbol = contract.scan.dimension if contract.scan else ""
    streams = mended(one.dataset, one.report, one.binding, contract, one.plan)
    cut: dict[str, Stream] = {}
    for name, stream in streams.items():
        spec = contract.arrays[name]
        dims = next((dims for dims in spec.dims if len(dims) == len(stream.shape)), spec.dims[0])
        cut[name] = taken(stream, dims.index(symbol), chosen) if symbol in dims else stream
    return cut
