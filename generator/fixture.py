"""A small deterministic fixture from a real dataset: everything per scan position is cut by the same indices."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np

from npzschema.contracts import DEFAULT, Contract, Legacy, load
from npzschema.contracts.model import Dims
from npzschema.validator.archive import Limits
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.sidecar import sidecar_beside

from .errors import GeneratorError
from .mend import mended_dims, renamed
from .metadata import essential
from .plan import Step, check_allowed, copied, left_out, others_left_out
from .publish import DEFAULTS, Made, Output, publish
from .replace import refuse_existing
from .rounds import mended_in_rounds
from .sidecar import Sidecar
from .source import Axes, Source, opened, refuse_same
from .stream import Stream, taken

Array = np.ndarray[Any, Any]
Positions = Literal["first", "strided"]

FIXTURE: Final = "ptychopinn/fixture-v1"
_WORDS: Final = {"first": "the first ones", "strided": "evenly spaced over the scan"}

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
    limits: Limits | None = None,
    metadata_out: str | os.PathLike[str] | None = None,
    options: Output = DEFAULTS,
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
        limits: what to refuse as a bomb.
        metadata_out: the sidecar; by default the output's name with ``.json``.
        options: how the file is written.

    Raises:
        GeneratorError: it cannot be made. Nothing is left behind.
        ContractError: the contract is refused.
    """
    wanted = contract if isinstance(contract, Contract) else load(contract)
    out = Path(output)
    # A folder has no name to call a sidecar by.
    refuse_existing(out, force=True)
    sidecar_path = Path(metadata_out) if metadata_out is not None else sidecar_beside(out)
    check_allowed(allow)
    refuse_same(source, out, sidecar_path)
    for path in (out, sidecar_path):
        refuse_existing(path, force=options.force, dataset=path is out)
    if str(positions) not in get_args(Positions):
        raise GeneratorError(f"no way {positions!r} to choose positions; there are {', '.join(get_args(Positions))}")
    if isinstance(subset_size, bool) or not isinstance(subset_size, int | np.integer):
        raise GeneratorError(f"{subset_size!r} is no number of positions")
    subset_size = int(subset_size)
    if subset_size < LEAST:
        raise GeneratorError(f"a subset of {subset_size} positions is too small; take at least {LEAST}")
    fixed = _fixed_size(wanted)
    if fixed is not None and subset_size != fixed:
        raise GeneratorError(
            f"{wanted.id} has {fixed} positions, not {subset_size}; for another size name --contract {DEFAULT}"
        )
    read_as = _of_source(wanted)
    advice = "" if fixed is None else f"for patterns of another size name --contract {DEFAULT}"
    with opened(source, read_as, allow=allow, axes=axes, limits=limits, advice=advice) as one:
        whole, mends = mended_in_rounds(one, read_as, allow=allow)
        text = {wanted.metadata.member} if wanted.metadata else set()
        chosen = _indices(one, read_as, whole, subset_size, positions)
        dims = mended_dims(one.dataset, one.binding, one.plan)
        streams = _cut(
            read_as, {name: stream for name, stream in whole.items() if name in read_as.arrays}, dims, chosen
        )
        told, trimmed = essential({name: stream for name, stream in whole.items() if name in text}, wanted)
        streams |= told
        twins = _second_names(wanted, streams, dims, one.dataset.headers)
        streams |= {name: renamed(streams[of], wanted, name) for name, of in twins.items()}
        cut = {
            "step": "subset",
            "array": None,
            "lossless": True,
            "sentence": f"{subset_size} positions taken, {_WORDS[positions]}; frames and positions by the same indices",
            "positions": positions,
        }
        steps = (
            *(step.document() for step in (*mends, *trimmed) if step.array in read_as.arrays or step.array in text),
            cut,
            *(copied(name, of).document() for name, of in twins.items()),
            *(step.document() for step in _left_out(one.dataset, wanted)),
        )
        return publish(
            out,
            streams,
            wanted,
            options,
            sidecar=Sidecar(
                command="fixture",
                source=one.path,
                strategy=positions,
                indices=tuple(chosen.tolist()),
                transformations=steps,
            ),
            sidecar_path=sidecar_path,
            steps=steps,
            last=one.unchanged,
        )


def _left_out(dataset: ArchiveDataset, contract: Contract) -> Iterator[Step]:
    for name in dataset.headers:
        if name not in contract.known_names():
            yield left_out(name, f"{contract.id} does not know")
    yield from others_left_out(dataset)


def _second_names(
    contract: Contract, streams: Mapping[str, Stream], dims: Mapping[str, Dims], stored: Collection[str]
) -> dict[str, str]:
    """The arrays to write under a second name, with the first: readers differ in which of the two they open.

    Patterns with the scan axis last only where the source has both: who opens the second name reads them wrongly.
    """
    twins = {}
    for of, pair in contract.identical_among(streams):
        if contract.scan is None:
            continue
        first = dims[of][0] == contract.scan.dimension
        if first or all(name in stored for name in pair):
            twins.update({name: of for name in pair if name not in streams})
    return twins


def _of_source(contract: Contract) -> Contract:
    """What the source must be: as many positions as it likes, and of two names of one array either."""
    if contract.scan is None:
        raise GeneratorError(f"{contract.id} has no scan to cut from")
    symbol = contract.scan.dimension
    dimensions = {**contract.dimensions, symbol: replace(contract.dimensions[symbol], equals=None)}
    arrays = dict(contract.arrays)
    for first, second in contract.identical:
        if first in arrays and second in arrays:
            del arrays[second]
            renamed = Legacy(index=len(arrays[first].legacy), rule="KEY-002", fix="rename", name=second)
            arrays[first] = replace(arrays[first], legacy=(*arrays[first].legacy, renamed))
    return replace(contract, dimensions=dimensions, arrays=arrays)


def _fixed_size(contract: Contract) -> int | None:
    size = contract.dimensions[contract.scan.dimension].equals if contract.scan else None
    return size if isinstance(size, int) else None


def _indices(one: Source, contract: Contract, streams: Mapping[str, Stream], size: int, positions: Positions) -> Array:
    available = len(one.positions(contract))
    if size > available:
        raise GeneratorError(f"{one.path}: has {available} positions, {size} were asked for")
    if positions == "first" or contract.scan is None:
        return np.arange(size)
    return strided(
        [_values(streams[name])[:available] for name in (contract.scan.x, contract.scan.y) if name in streams],
        available,
        size,
    )


def strided(coordinates: Sequence[Array], available: int, size: int) -> Array:
    """Indices evenly spaced over a scan, that cover more than half of the range of each coordinate.

    Args:
        coordinates: of all positions, each of length ``available``.
        available: number of positions.
        size: number of indices wanted, above 2 times the number of coordinates and at most ``available``.

    Returns:
        ascending indices without repeats.
    """
    # Both ends are in, and no index twice: size is at most available.
    even = np.arange(size) * (available - 1) // (size - 1)
    # A step that is a multiple of the scan's row length stays in one column. One index from each of as many equal
    # parts of the scan, at a place that moves by the golden ratio, follows no row length.
    place = np.arange(size) * ((5**0.5 - 1) / 2) % 1
    moving = np.floor((np.arange(size) + place) * available / size).astype(np.int64)
    for chosen in (even, moving):
        if len(np.unique(chosen)) == size and _covers(coordinates, chosen):
            return chosen
    # A scan that stays in one place for most of its time: with its farthest positions.
    ends = np.unique([end(values) for values in coordinates for end in (np.argmin, np.argmax)])
    others = np.setdiff1d(even, ends)
    return np.union1d(ends, others[np.arange(size - len(ends)) * len(others) // (size - len(ends))])


def _covers(coordinates: Sequence[Array], chosen: Array) -> bool:
    return all(2 * np.ptp(values[chosen]) > np.ptp(values) or not np.ptp(values) for values in coordinates)


def _values(stream: Stream) -> Array:
    return np.concatenate([chunk.copy() for chunk in stream.chunks()])


def _cut(
    contract: Contract, streams: Mapping[str, Stream], dims: Mapping[str, Dims], chosen: Array
) -> dict[str, Stream]:
    """Arrays that the contract counts by scan position, cut; the others as they are.

    ``dims``: axes of the streams.
    """
    symbol = contract.scan.dimension if contract.scan else ""
    return {
        name: taken(stream, dims[name].index(symbol), chosen) if symbol in dims[name] else stream
        for name, stream in streams.items()
    }
