"""Simulate a measurement: probe, object, scan, Poisson counts, as any shipped contract."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final

import numpy as np

from npzschema.contracts import DEFAULT, ArraySpec, Contract, Scan, expand_dtypes, load
from npzschema.contracts.forward_model import amplitudes, footprint

from .errors import GeneratorError
from .mend import renamed
from .objects import OBJECTS
from .probes import PROBES
from .publish import DEFAULTS, Made, Output, publish
from .replace import refuse_existing
from .scans import SCANS
from .stream import Stream, mapped, of_array, transpose

Array = np.ndarray[Any, Any]

GROUP_BYTES: Final = 1 << 22
"""Frames are computed in groups of about this many bytes of complex128."""

BLOCK: Final = 1 << 24
"""Bytes held where the contract has the frames last: simulating takes so long that more would gain nothing."""

MOST_PHOTONS: Final = 1e15
"""Counts up to here are exact in float64."""

MOST_POSITIONS: Final = 1 << 28
MOST_SIZE: Final = 1 << 14
MOST_SIDE: Final = 1 << 20
LEAST_STEP: Final = 0.1
"""Pixels. Steps below this leave all positions at one place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """What is simulated.

    Attributes:
        positions: number of scan positions.
        size: side of the square detector, and of the probe.
        probe, object, scan: names from PROBES, OBJECTS, SCANS.
        overlap: of neighbouring probe footprints, along a step, 0 to 1.
        photons: expected number per frame where the object is transparent.
        seed: of everything random.
        object_shape: rows and columns of the object; as large as the scan needs where None.
    """

    positions: int = 100
    size: int = 64
    probe: str = "gaussian"
    object: str = "smooth"
    scan: str = "raster"
    overlap: float = 0.7
    photons: float = 1e6
    seed: int = 0
    object_shape: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Truth:
    """What the patterns are computed from. Probe complex128 of unit energy; positions in object pixels."""

    probe: Array
    object: Array
    x: Array
    y: Array


def simulate(
    output: str | os.PathLike[str],
    experiment: Experiment | None = None,
    *,
    contract: str | Contract = DEFAULT,
    options: Output = DEFAULTS,
    png: str | os.PathLike[str] | None = None,
) -> Made:
    """Simulate a dataset in bounded memory.

    Args:
        output: the NPZ to write.
        experiment: what to simulate.
        contract: its form: a shipped contract.
        options: how the file is written.
        png: also a picture of it: probe, object with the scan path, mean pattern. Needs matplotlib.

    Raises:
        GeneratorError: the experiment cannot be done or drawn, or its result does not keep the contract. Nothing is
            left behind then.
        ContractError: the contract is refused.
    """
    wanted = contract if isinstance(contract, Contract) else load(contract)
    experiment = experiment or Experiment()
    out = Path(output)
    refuse_existing(out, force=options.force)
    pictures: dict[Path, Callable[[Path], bytes]] = {}
    if png is not None:
        from .picture import check, drawn

        # Whatever forbids the picture is told before anything is simulated.
        check(Path(png), out, wanted, force=options.force)
        pictures[Path(png)] = partial(drawn, contract=wanted)
    try:
        return publish(out, dataset(experiment, wanted), wanted, options, beside=pictures, block=BLOCK)
    except MemoryError:
        raise GeneratorError(f"{out}: there is not enough memory to simulate this") from None


def truth(experiment: Experiment) -> Truth:
    """Probe, object and positions of an experiment.

    Raises:
        GeneratorError: a name is unknown, a number is out of range, or the scan does not fit the object.
    """
    experiment = _plain(experiment)
    for word, name, table in (
        ("probe", experiment.probe, PROBES),
        ("object", experiment.object, OBJECTS),
        ("scan", experiment.scan, SCANS),
    ):
        if name not in table:
            raise GeneratorError(f"no {word} {name!r}; there are {', '.join(table)}")
    if not (1 <= experiment.positions <= MOST_POSITIONS and 2 <= experiment.size <= MOST_SIZE):
        raise GeneratorError(
            f"{experiment.positions:,} positions of {experiment.size:,} pixels cannot be simulated; "
            f"1 to {MOST_POSITIONS:,} positions and 2 to {MOST_SIZE:,} pixels can"
        )
    if not 0 <= experiment.overlap < 1:
        raise GeneratorError(f"an overlap of {experiment.overlap:g} is not between 0 and 1")
    if not 1 <= experiment.photons <= MOST_PHOTONS:
        raise GeneratorError(f"{experiment.photons!r} photons per frame cannot be simulated; 1 to {MOST_PHOTONS:g} can")
    if experiment.seed < 0:
        raise GeneratorError(f"a seed of {experiment.seed} is below 0")
    rng = np.random.default_rng([experiment.seed, 0])
    probe = PROBES[experiment.probe](experiment.size)
    step = max(1.0, (1 - experiment.overlap) * footprint(np.abs(probe) ** 2))
    x, y = SCANS[experiment.scan](experiment.positions, step, rng)
    shape = experiment.object_shape or (_side(y, experiment.size), _side(x, experiment.size))
    for values, length in ((x, shape[1]), (y, shape[0])):
        room = length - experiment.size - 2
        extent = float(np.ptp(values))
        if room < 0:
            raise GeneratorError(
                f"an object of {shape[0]}x{shape[1]} has no room for a probe of {experiment.size}x{experiment.size}"
            )
        if extent > room and step * room / extent < LEAST_STEP:
            raise GeneratorError(
                f"an object of {shape[0]}x{shape[1]} leaves a scan of {experiment.positions} positions steps of "
                f"{step * room / extent:.2g} pixel; at least {LEAST_STEP:g} is needed: "
                "take a larger object or fewer positions"
            )
        if extent > room:
            # Given an object that is too small for the steps asked for, the scan is drawn closer.
            np.multiply(values, room / extent, out=values)
    obj = OBJECTS[experiment.object](shape, rng)
    return Truth(
        probe=probe,
        object=obj,
        x=x - (x.min() + x.max()) / 2 + shape[1] / 2,
        y=y - (y.min() + y.max()) / 2 + shape[0] / 2,
    )


def _plain(experiment: Experiment) -> Experiment:
    """The experiment in Python's own numbers, whose precision is that of the arithmetic here.

    Raises:
        GeneratorError: a value is of another kind than it should be.
    """
    given: dict[str, Any] = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
    kinds: tuple[tuple[tuple[str, ...], type, str, Callable[[Any], Any]], ...] = (
        (("positions", "size", "seed"), Integral, "whole number", int),
        # An int stays one: it is written as such.
        (("overlap", "photons"), Real, "number", lambda value: value if isinstance(value, int) else float(value)),
        (("probe", "object", "scan"), str, "name", str),
    )
    values: dict[str, Any] = {}
    for names, kind, word, plain in kinds:
        for name in names:
            if isinstance(given[name], bool) or not isinstance(given[name], kind):
                raise GeneratorError(f"{name} is {given[name]!r}, which is no {word}")
            values[name] = plain(given[name])
    shape = given["object_shape"]
    if shape is not None:
        if not (isinstance(shape, tuple | list) and len(shape) == 2 and all(map(_is_side, shape))):
            raise GeneratorError(f"object_shape is {shape!r}, not two whole numbers from 1 to {MOST_SIDE}")
        values["object_shape"] = tuple(map(int, shape))
    return replace(experiment, **values)


def _is_side(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and 0 < int(value) <= MOST_SIDE


def counts(experiment: Experiment, made: Truth) -> Iterator[Array]:
    """Poisson counts, float64 (some frames, size, size), group by group. The same whatever the size of groups."""
    scaled = made.probe * math.sqrt(experiment.photons)
    group = max(1, GROUP_BYTES // (16 * experiment.size**2))
    for start in range(0, experiment.positions, group):
        chosen = slice(start, min(start + group, experiment.positions))
        expected = amplitudes(scaled, made.object, made.x[chosen], made.y[chosen]) ** 2
        yield np.stack(
            [
                np.random.default_rng([experiment.seed, 1, frame]).poisson(one).astype(np.float64)
                for frame, one in enumerate(expected, start=start)
            ]
        )


def dataset(experiment: Experiment, contract: Contract) -> dict[str, Stream]:
    """The arrays of a simulated measurement, in the form of a contract.

    Amplitudes are ``sqrt(counts / photons)``, so that the probe has unit energy and no amplitude passes 1 by more
    than its noise; intensities are the counts, with a probe whose energy is the number of photons.
    """
    scan = contract.scan
    if scan is None:
        raise GeneratorError(f"{contract.id} has no scan to simulate")
    experiment = _sized(experiment, contract, scan)
    made = truth(experiment)
    # Patterns are those of the positions that are stored.
    x, y = (_held(values, contract.arrays[name]) for name, values in ((scan.x, made.x), (scan.y, made.y)))
    made = replace(made, x=x, y=y)
    patterns = contract.arrays[scan.frames]
    as_counts = patterns.quantity == "intensity"
    scale = 1.0 if as_counts else 1 / experiment.photons
    shape = (experiment.positions, experiment.size, experiment.size)
    frames = Stream(
        shape=shape,
        dtype=np.dtype(np.float64),
        storage_axes=(0, 1, 2),
        chunks=lambda: (
            (group if as_counts else np.sqrt(group * scale)).reshape(-1) for group in counts(experiment, made)
        ),
    )
    probe = made.probe * (math.sqrt(experiment.photons) if as_counts else 1)
    values = {
        scan.probe: probe,
        scan.object: made.object,
        scan.x: made.x,
        scan.y: made.y,
        scan.index: np.arange(experiment.positions),
    }
    nominal = {f"{scan.x}_start": made.x, f"{scan.y}_start": made.y}
    dtype = _counts_dtype(patterns, probe) if as_counts else patterns.dtype[0]
    streams = {scan.frames: _typed(_arranged(frames, contract, scan), dtype, scan.frames)}
    for name, array in (values | nominal).items():
        spec = contract.arrays.get(name or "")
        if spec is not None and (spec.required or name not in nominal):
            streams[spec.name] = _typed(of_array(array), spec.dtype[0], spec.name)
    for first, second in contract.identical:
        if first in contract.arrays and second in contract.arrays:
            streams[second] = renamed(streams[first], contract, second)
    if contract.metadata and contract.declared_by:
        streams[contract.metadata.member] = of_array(np.array(_metadata(experiment, contract)))
    return streams


def _sized(experiment: Experiment, contract: Contract, scan: Scan) -> Experiment:
    """The experiment, checked against what the contract fixes."""
    experiment = _plain(experiment)
    from npzschema.validator.binding import broken_bounds

    sizes = {symbol: experiment.size for symbol in contract.frame_axes() if isinstance(symbol, str)}
    sizes[scan.dimension] = experiment.positions
    for symbol, keyword, limit in broken_bounds(contract, sizes):
        word = {"equals": "", "minimum": "at least ", "maximum": "at most "}[keyword]
        raise GeneratorError(f"{contract.id} has {symbol} = {word}{limit}, {sizes[symbol]} is asked for")
    if experiment.object_shape is None:
        sides = contract.arrays[scan.object].dims[0] if scan.object else ()
        needs = [contract.dimensions[symbol].minimum for symbol in map(str, sides) if symbol in contract.dimensions]
        least = max((need for need in needs if isinstance(need, int)), default=0)
        if least:
            made = truth(experiment)
            rows, columns = made.object.shape
            if min(rows, columns) < least:
                return replace(experiment, object_shape=(max(rows, least), max(columns, least)))
    return experiment


def _arranged(frames: Stream, contract: Contract, scan: Scan) -> Stream:
    """Frames (N, H, W) in the contract's order of axes."""
    from npzschema.validator.binding import places

    dims = contract.arrays[scan.frames].dims[0]
    axes = places(dims, (scan.dimension, *contract.frame_axes()))
    if len(dims) != 3 or len(axes) != 3:
        raise GeneratorError(f"{scan.frames}: patterns of {len(dims)} axes cannot be simulated; of 3 they can")
    return transpose(frames, axes)


def _held(values: Array, spec: ArraySpec) -> Array:
    """Positions as the contract's first dtype holds them, in double precision."""
    target = _dtype(spec.dtype[0])
    if target.kind not in "iu":
        return values.astype(target).astype(np.float64)
    whole, limits = np.rint(values), np.iinfo(target)
    if whole.max() > limits.max:
        raise GeneratorError(f"{spec.name}: positions reach {whole.max():,.0f}, beyond {target}; simulate fewer")
    return whole


def _counts_dtype(patterns: ArraySpec, probe: Array) -> str:
    """The contract's first dtype; where the beam without an object would saturate it, 32 bits, if allowed."""
    peak = float((np.abs(np.fft.fft2(probe, norm="ortho")) ** 2).max())
    first = patterns.dtype[0]
    held = np.iinfo(first).max if first.startswith("uint") else np.inf
    return "uint32" if 1.2 * peak > held and "uint32" in expand_dtypes(patterns.dtype) else first


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype({"integer": "int64", "floating": "float64", "complexfloating": "complex64"}.get(name, name))


def _typed(stream: Stream, dtype: str, name: str) -> Stream:
    target = _dtype(dtype)

    def cast(chunk: Array) -> Array:
        if target.kind in "iu" and chunk.size and chunk.max() > np.iinfo(target).max:
            raise GeneratorError(f"{name}: counts reach {chunk.max():,.0f}, beyond {target}; simulate fewer photons")
        return chunk.astype(target)

    return mapped(stream, target, cast)


def _metadata(experiment: Experiment, contract: Contract) -> str:
    pair = dict(contract.declared_by[0])
    return json.dumps(
        {
            "schema_version": "1.0.0",
            "physics_parameters": {"nphotons": experiment.photons, "N": experiment.size},
            "additional_parameters": pair,
        },
        sort_keys=True,
    )


def _side(values: Array, size: int) -> int:
    return math.ceil(float(np.ptp(values))) + size + 4
