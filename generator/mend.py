"""Carry a plan out: each array of a file as a stream that gives the mended array."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np

from npzschema.contracts import Contract, Scan, expand_dtypes
from npzschema.contracts.model import Dims, preferred_dtype
from npzschema.validator.binding import Binding, places
from npzschema.validator.casts import loses
from npzschema.validator.dataset import Dataset, dtype_name
from npzschema.validator.forward import Affine, repaired, turned

from .errors import GeneratorError, NotKeptError
from .metadata import metadata
from .plan import MOVING, Plan, Step, along, copied
from .stream import Stream, c_order, framewise, mapped, of_array, squeeze, stream_of, taken, transpose

Array = np.ndarray[Any, Any]

RESHAPING: Final = frozenset({"squeeze", "transpose"})
"""Steps that change the axes of an array."""

NEAR: Final = 0.01
"""Mean square by which nominal positions may differ from others of the same fault, as a part of their variance."""

LARGEST: Final = 1 << 24
"""Bytes of an item that is copied: arrays go from hand to hand by whole items."""

WHOLE: Final = 1e-6
"""How far from a whole number a value may be that was computed as one."""


def mended(
    dataset: Dataset, binding: Binding, contract: Contract, plan: Plan, *, guarded: bool = False
) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """Arrays of the contract, by their names there, after every step of the plan; and what else it had to move.

    ``guarded``: nobody has read the values yet, so a cast that loses something raises :class:`NotKeptError`.
    """
    streams: dict[str, Stream] = {}
    for name, reading in binding.readings.items():
        stream = stream_of(dataset, dataset.headers[reading.header.name])
        streams[name] = _each(stream, plan.of(name), guarded=guarded)
    more: list[Step] = []
    dims = mended_dims(dataset, binding, plan)
    for step in plan.steps:
        changed = _over_all(streams, step, contract, dims)
        if step.step in MOVING and contract.scan:
            more += (along(step, name) for name in changed if name not in (contract.scan.x, contract.scan.y))
        streams |= changed
    return streams, tuple(more)


def mended_dims(dataset: Dataset, binding: Binding, plan: Plan) -> dict[str, Dims]:
    """Axes of the arrays as they were read, after the steps that change them; by the contract's names."""
    found = {}
    for name, reading in binding.readings.items():
        dims = reading.stored_axes(len(dataset.headers[reading.header.name].shape))
        if dims is not None:
            for step in plan.of(name):
                if step.step in RESHAPING:
                    dims = tuple(dims[axis] for axis in step.values["axes"])
            found[name] = dims
    return found | {step.array: found[step.values["source"]] for step in plan.steps if step.step == "copy"}


def mended_file(
    dataset: Dataset,
    binding: Binding,
    contract: Contract,
    plan: Plan,
    *,
    guarded: bool = False,
    both_names: bool = False,
) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """Everything that the mended file holds; what had to be changed in its metadata, and which names are new in it.

    ``both_names``: arrays that have two names have them both, whatever the file has.
    """
    streams, moved = mended(dataset, binding, contract, plan, guarded=guarded)
    copies = second_names(contract, streams, dataset.headers) if both_names else ()
    for main, pair in contract.identical_among(streams):
        if both_names or all(name in dataset.headers for name in pair):
            # The second name is the first array once more, not a second reading of the file.
            streams |= {name: renamed(streams[main], contract, name) for name in pair if name != main}
    read = {reading.header.name for reading in binding.readings.values()}
    described = {contract.metadata.member} if contract.metadata else set()
    streams |= passed_through(dataset, streams, read | described)
    text, steps = metadata(dataset, contract)
    return streams | text, (*moved, *copies, *steps)


def renamed(stream: Stream, contract: Contract, name: str) -> Stream:
    """The same array under another name of the contract, in a dtype that it has there.

    Raises :class:`GeneratorError` when it is read, where values lie beyond that.
    """
    spec = contract.arrays.get(name)
    if spec is None or dtype_name(stream.dtype) in expand_dtypes(spec.dtype):
        return stream
    return _cast(stream, np.dtype(preferred_dtype(spec.dtype)), guarded=False)


def second_names(contract: Contract, names: Collection[str], stored: Collection[str]) -> tuple[Step, ...]:
    """A step for each second name that a file has only once it is mended.

    Args:
        contract: what it should become.
        names: its arrays, by their names in the contract.
        stored: by their names in the file.
    """
    return tuple(
        copied(name, main)
        for main, pair in contract.identical_among(names)
        if not all(name in stored for name in pair)
        for name in pair
        if name not in names
    )


def _over_all(
    streams: Mapping[str, Stream], step: Step, contract: Contract, dims: Mapping[str, Dims]
) -> dict[str, Stream]:
    """What a step changes that looks at more than one array, or at whole frames; ``dims`` of the arrays as they are."""
    if step.step == "copy":
        return {step.array: renamed(streams[step.values["source"]], contract, step.array)}
    scan = contract.scan
    if scan is None:
        return {}
    match step.step:
        case "drop":
            kept = np.arange(step.values["keep"])
            return {
                name: taken(streams[name], dims[name].index(scan.dimension), kept) for name in step.values["arrays"]
            }
        case "centre" | "detector":
            order = places((scan.dimension, *contract.frame_axes()), dims[step.array])
            return {step.array: framewise(streams[step.array], order, _detector_step(step))}
        case "pairing" | "positions":
            moved: dict[str, Stream] = {}
            frames = streams[scan.frames].shape[dims[scan.frames].index(scan.dimension)]
            for names in _placed(streams, step, scan, frames):
                before = [_whole(streams[name]) for name in names]
                values = zip(names, _moved(step, before), strict=True)
                moved |= {name: _like(streams[name], one) for name, one in values}
            return moved
    return {}


def _like(stream: Stream, values: Array) -> Stream:
    return of_array(_held(values, stream.dtype))


def _moved(step: Step, positions: Sequence[Array]) -> Sequence[Array]:
    """Positions x and y as a step has them; or one of them, where it is moved along the scan."""
    if step.step == "pairing":
        by = int(step.values["values"]["step"])
        return [repaired(values, step.values["reading"], by) for values in positions]
    return Affine(**step.values["values"]).apply(*positions)


def _placed(streams: Mapping[str, Stream], step: Step, scan: Scan, frames: int) -> list[tuple[str, ...]]:
    """The arrays that a step moves: x and y, and the nominal positions beside them where these have the same fault.

    Those may be in metres, or right where only the corrected ones are wrong: then they stay as they are. So does the
    index of the scan, unless there are more positions than frames, and it has as many as these.
    """
    pair = scan.x, scan.y
    nominal = {name: f"{name}_start" for name in pair if f"{name}_start" in streams}
    stated = {name: _whole(streams[name]) for name in pair}
    began = {name: _whole(streams[start]) for name, start in nominal.items()}
    if any(len(values) != len(stated[name]) for name, values in began.items()):
        return [pair]
    if step.step == "pairing":
        moved = dict(zip(pair, _moved(step, list(stated.values())), strict=True))
        like = (name for name in nominal if _alike(began[name], stated[name]) > _alike(began[name], moved[name]))
        index = [scan.index] if scan.index and scan.index in streams else []
        positions = len(stated[scan.x])
        index = [name for name in index if streams[name].shape == (positions,) and positions > frames]
        return [pair, *((nominal[name],) for name in like), *((name,) for name in index)]
    apart = sum(np.square(values - stated[name]).mean() for name, values in began.items())
    spread = sum(values.var() for values in stated.values())
    return [pair, tuple(nominal.values())] if len(nominal) == 2 and apart < NEAR * spread else [pair]


def _alike(one: Array, other: Array) -> float:
    """Correlation; 0 where there is none."""
    spread = one.std() * other.std()
    return float(((one - one.mean()) * (other - other.mean())).mean() / spread) if spread > 0 else 0.0


def _detector_step(step: Step) -> Callable[[Array], Array]:
    values = step.values["values"]
    if step.step == "centre" and step.values["reading"] == "offset":
        return lambda frames: np.roll(frames, (values["roll_rows"], values["roll_columns"]), axis=(1, 2))
    if step.step == "centre":
        return lambda frames: np.fft.fftshift(frames, axes=(1, 2))
    return lambda frames: turned(frames, step.values["reading"], **values)


def _whole(stream: Stream) -> Array:
    return np.concatenate([chunk.astype(np.float64) for chunk in c_order(stream)])


def _each(stream: Stream, steps: Sequence[Step], *, guarded: bool) -> Stream:
    """The array after its own steps. Roots, squares and quotients are exact to double precision, and rounded once."""
    rounded = stream.dtype
    precision = np.finfo(rounded).eps if rounded.kind == "f" else 0.0
    for step in steps:
        stream = _apply(stream, step, guarded=guarded)
        rounded = np.dtype(step.values.get("dtype", rounded))
    return (
        stream if stream.dtype == rounded else mapped(stream, rounded, lambda chunk: _held(chunk, rounded, precision))
    )


def _held(values: Array, dtype: np.dtype[Any], precision: float = 0.0) -> Array:
    """Values of double precision as a dtype holds them; as integers, only what is whole.

    ``precision``: by which part of itself a value that was squared may have been rounded before.
    """
    if dtype.kind not in "iu":
        held = values.astype(dtype)
        if dtype.itemsize < 4 and (np.isinf(held) & np.isfinite(values)).any():
            raise GeneratorError(f"values lie beyond {dtype}")
        return held
    whole = np.rint(values)
    # More than two values were rounded off by, since squares double it; what is not finite fails, too.
    if not (np.abs(values - whole) <= WHOLE + 4 * precision * np.abs(whole)).all():
        raise GeneratorError(f"values are not whole, as {dtype} asks")
    with np.errstate(invalid="ignore"):
        return _unwrapped(whole, whole.astype(dtype))


def _unwrapped(values: Array, cast: Array) -> Array:
    """The same cast to integers, where each stands for its value, fractions apart."""
    if not (np.abs(values.real - cast) < 1).all():
        raise GeneratorError(f"values lie beyond {cast.dtype}; a cast to integers never wraps")
    return cast


def _apply(stream: Stream, step: Step, *, guarded: bool) -> Stream:
    wide = np.promote_types(stream.dtype, np.float64)
    match step.step:
        case "transpose":
            return transpose(stream, step.values["axes"])
        case "squeeze":
            return squeeze(stream, step.values["axes"])
        case "cast":
            return _cast(stream, np.dtype(step.values["dtype"]), guarded=guarded)
        case "sqrt":
            return mapped(stream, wide, lambda chunk: _root(chunk, wide, guarded=guarded))
        case "square":
            return mapped(stream, wide, lambda chunk: np.square(chunk, dtype=wide))
        case "normalise":
            return mapped(stream, wide, lambda chunk: np.divide(chunk, step.values["divisor"], dtype=wide))
        case _:
            # rename and native change no values; the other steps come once all arrays are read.
            return stream


def _root(counts: Array, dtype: np.dtype[Any], *, guarded: bool) -> Array:
    if guarded and (counts < 0).any():
        raise NotKeptError("negative counts have no square root")
    return np.sqrt(counts, dtype=dtype)


def _cast(stream: Stream, dtype: np.dtype[Any], *, guarded: bool) -> Stream:
    def cast(chunk: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return checked(chunk)

    def checked(chunk: Array) -> Array:
        # Without the imaginary part at once: numpy's warning would tell a loss that was asked for by name once more.
        result = (chunk.real if chunk.dtype.kind == "c" and dtype.kind != "c" else chunk).astype(dtype)
        if guarded and loses(chunk, result):
            raise NotKeptError(f"a cast to {dtype} would lose something")
        # Fractions may be dropped where that was asked for by name; a number never becomes another one.
        return _unwrapped(chunk, result) if dtype.kind in "iu" else result

    return mapped(stream, dtype, cast)


def passed_through(dataset: Dataset, taken_names: Mapping[str, Any], known: Collection[str]) -> dict[str, Stream]:
    """Arrays that were read as none of the contract's, as they are: one under a second name that says more, too."""
    others = {
        name: header
        for name, header in dataset.headers.items()
        if name not in known and name not in taken_names and not header.pickled
    }
    for name, header in others.items():
        if (size := header.dtype.itemsize) > LARGEST:
            raise GeneratorError(
                f"{name}: an item takes {size >> 20:,} MiB, more than {LARGEST >> 20} MiB, so it cannot be copied "
                "piece by piece; write the file without it first"
            )
    return {name: stream_of(dataset, header) for name, header in others.items()}
