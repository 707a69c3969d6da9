"""Break a dataset on purpose: for every rule of the catalogue, the smallest change that it must catch.

What the validator is tested with, and what a reader of a finding can look at. A data breaker changes arrays, a
container breaker changes the bytes of the archive. Files are written by numpy and zipfile, not by the project's
own writer, so that the two halves do not agree by accident.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from npzschema.contracts import ArraySpec, Contract, Scan, expand_dtypes, load, rules
from npzschema.validator.binding import bind
from npzschema.validator.dataset import MappingDataset
from npzschema.validator.engine import validate
from npzschema.validator.sidecar import check, sidecar_beside
from npzschema.validator.source import BytesSource

from .containers import CONTAINER, saved
from .errors import GeneratorError, NotApplicable
from .plain_breakers import first_shown
from .source import load_arrays, refuse_same
from .write import refuse_existing, replacing_all

__all__ = ["CONTAINER", "DATA", "NotApplicable", "break_file", "broken"]

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


def break_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    rule: str,
    *,
    contract: str | Contract = "auto",
    force: bool = False,
) -> Path:
    """Write a copy of a dataset that breaks one rule.

    Args:
        source: a dataset that keeps its contract.
        target: the file to write; for META-003 a sidecar is written beside it.
        rule: code of the rule to break.
        contract: what the source keeps; ``auto`` as for the validator.
        force: replace an existing file.

    Raises:
        GeneratorError: the rule or the source cannot be broken so.
    """
    out = Path(target)
    refuse_existing(out, force=True)
    sidecar = sidecar_beside(out) if rule == "META-003" else None
    outputs = (out,) if sidecar is None else (out, sidecar)
    refuse_same(source, *outputs)
    for path in outputs:
        refuse_existing(path, force=force)
    report = validate(source, contract)
    if not report.ok or report.contract is None:
        found = "".join(f"{code}, " for code in sorted(report.codes)).rstrip(", ")
        raise GeneratorError(
            f"{os.fsdecode(source)}: is not valid as it is ({found}); only a valid dataset can be broken in one place"
        )
    wanted = contract if isinstance(contract, Contract) else load(report.contract if contract == "auto" else contract)
    data = broken(load_arrays(source), wanted, rule)
    if rule != "META-003":
        _check(data, contract, wanted, rule)
    if sidecar is None and any(check(str(out), BytesSource(data))):
        raise GeneratorError(
            f"{out}: {sidecar_beside(out).name} beside it is another file's sidecar; remove it, or name another output"
        )
    with replacing_all(*outputs, force=force) as (file, *beside):
        file.put(data)
        for part in beside:
            part.put(json.dumps({"sha256_checksum": "0" * 64}).encode() + b"\n")
    return out


def _check(data: bytes, mode: str | Contract, wanted: Contract, rule: str) -> None:
    """What is written must show its rule and no other error, read as the source was."""
    report = validate(data, mode, strict_archive=True)
    if report.contract is not None and report.contract != wanted.id:
        raise NotApplicable(
            f"broken by {rule}, the file no longer declares {wanted.id} and would be read as {report.contract}; "
            f"name --contract {wanted.id}"
        )
    if rule not in {one.code for one in report.findings} or not report.codes <= {rule}:
        told = ", ".join(sorted(report.codes)) or "nothing"
        raise NotApplicable(f"this file cannot break {rule} alone: {told} would be found")


def broken(arrays: Mapping[str, Array], contract: Contract, rule: str) -> bytes:
    """An NPZ that breaks one rule.

    Args:
        arrays: a conforming dataset; not changed.
        contract: what it keeps.
        rule: code of the rule to break.

    Raises:
        GeneratorError: there is no such rule, or no breaker for it.
        NotApplicable: this dataset cannot break it.
    """
    if rule in DATA:
        scan = contract.scan
        if scan is None:
            return saved(first_shown(dict(arrays), contract, rule))
        changed = DATA[rule](_Dataset(dict(arrays), contract, scan))
        return saved(changed)
    if rule in CONTAINER:
        return CONTAINER[rule](saved(arrays), contract)
    if rule == "META-003":
        return saved(arrays)
    known = rule in rules()
    raise GeneratorError(
        f"rule {rule} is about the tool itself; no file breaks it"
        if known
        else f"no rule {rule!r}; validate-npz --list-rules lists them"
    )


class _Dataset:
    """Arrays, and how the contract reads them: axes are found by symbol, never by position."""

    def __init__(self, arrays: Arrays, contract: Contract, scan: Scan) -> None:
        self.arrays, self.contract, self.scan = arrays, contract, scan
        self.binding = bind(contract, MappingDataset(arrays).headers)

    def spec(self, name: str | None) -> ArraySpec:
        if name is None or name not in self.arrays or name not in self.contract.arrays:
            raise NotApplicable(f"there is no {name}")
        return self.contract.arrays[name]

    @property
    def n_frames(self) -> int:
        return self.binding.sizes.get(self.scan.dimension, 0)

    def needs_positions(self, count: int) -> None:
        """Positions are rows of the scan whether or not it is known which axis of the patterns counts frames."""
        held = min(self.arrays[self.spec(name).name].size for name in (self.scan.x, self.scan.y))
        if held < count:
            raise NotApplicable(f"needs at least {count} positions, there are {held}")

    def needs_frames(self, count: int) -> None:
        """Rules about single frames speak only where it is known what a frame is."""
        if not self.binding.readings[self.spec(self.scan.frames).name].decided and not self._told_by_content():
            raise NotApplicable("nothing tells which axis counts frames")
        if self.n_frames < count:
            raise NotApplicable(f"needs at least {count} frames, there are {self.n_frames}")

    def _told_by_content(self) -> bool:
        facts = validate(self.arrays, self.contract).arrays
        return facts[self.scan.frames].axes is not None

    def shown(self, rule: str, changes: Iterable[Arrays], why: str) -> Arrays:
        """The first of some changes that shows this and nothing else: what is found then depends on the data."""
        level = rules()[rule].level
        for changed in changes:
            report = validate(changed, self.contract)
            found = {finding.code for finding in report.findings if finding.level == level}
            if rule in found and report.codes <= {rule}:
                return changed
        raise NotApplicable(why)

    def frames(self) -> Array:
        """Patterns with the scan axis first, as a writable copy in float64 or integers."""
        array = self.arrays[self.spec(self.scan.frames).name]
        axis = self._scan_axis()
        # C order: a view of it by frame must write through.
        return np.moveaxis(array, axis, 0).astype(array.dtype.newbyteorder("="), order="C")

    def with_frames(self, frames: Array, dtype: np.dtype[Any] | None = None) -> Arrays:
        """The arrays with other patterns (scan axis first), under every name that they have."""
        name = self.scan.frames
        stored = np.ascontiguousarray(np.moveaxis(frames, 0, self._scan_axis()))
        stored = stored.astype(dtype or self.arrays[name].dtype.newbyteorder("="))
        twins = {other for pair in self.contract.identical if name in pair for other in pair if other in self.arrays}
        return self.arrays | dict.fromkeys(twins | {name}, stored)

    def _scan_axis(self) -> int:
        reading = self.binding.readings[self.scan.frames]
        axes = reading.possible_axes(self.scan.dimension)
        if not axes:
            raise NotApplicable("nothing tells which axis counts frames")
        return axes[0]

    def amplitudes(self) -> Array:
        """Patterns as float64 amplitudes, scan axis first."""
        frames = self.frames().astype(np.float64, order="C")
        return np.sqrt(frames) if self.spec(self.scan.frames).quantity == "intensity" else frames

    def stored(self, amplitudes: Array) -> Arrays:
        """The arrays with these amplitudes, in the quantity and dtype of the contract."""
        array = self.arrays[self.scan.frames]
        values = amplitudes**2 if self.spec(self.scan.frames).quantity == "intensity" else amplitudes
        if array.dtype.kind in "iu":
            wide = values.max(initial=0) >= np.iinfo(array.dtype).max
            return self.with_frames(np.rint(values), np.dtype(np.int64) if wide else None)
        return self.with_frames(values)


def _drop_required(data: _Dataset) -> Arrays:
    for spec in reversed(list(data.contract.arrays.values())):
        if spec.required and spec.name in data.arrays and spec.name != data.scan.frames:
            return {name: array for name, array in data.arrays.items() if name != spec.name}
    raise NotApplicable("no array but the patterns is required")


def _rename(data: _Dataset) -> Arrays:
    for spec in data.contract.arrays.values():
        entry = next(spec.legacy_names(), None)
        if entry and entry.name and spec.name in data.arrays and entry.name not in data.arrays:
            return {(entry.name if name == spec.name else name): array for name, array in data.arrays.items()}
    raise NotApplicable("no array has a legacy name that is free")


def _add_unknown(data: _Dataset) -> Arrays:
    return data.arrays | {"not_in_any_contract": np.arange(3)}


def _disagree(data: _Dataset) -> Arrays:
    for first, second in data.contract.identical:
        present = first if first in data.arrays else second
        if present in data.arrays:
            other = second if present == first else first
            twin = data.arrays[present].copy()
            if twin.size:
                index = np.unravel_index(twin.size // 2, twin.shape)
                twin[index] = 0 if twin[index] != 0 else 1
                return data.arrays | {other: twin}
    raise NotApplicable("no array has a second name")


def _legacy_axes(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    array = data.arrays[spec.name]
    layout = data.binding.readings[spec.name].layout
    for entry in spec.legacy_dims():
        if entry.dims is not None and layout and entry.rule == "FORMAT-001" and len(entry.dims) == array.ndim:
            changed = data.arrays | {
                spec.name: np.ascontiguousarray(array.transpose([layout.dims.index(symbol) for symbol in entry.dims]))
            }
            for pair in data.contract.identical:
                if spec.name in pair:
                    changed |= {twin: changed[spec.name] for twin in pair if twin in data.arrays}
            reading = bind(data.contract, MappingDataset(changed).headers).readings[spec.name]
            if reading.decided and reading.layout and reading.layout.legacy:
                return changed
            if not reading.decided:
                return data.shown("FORMAT-001", [changed], "neither sizes nor content tell the order of the axes")
    raise NotApplicable("no legacy order of the axes that the sizes can tell")


def _cube(data: _Dataset) -> Arrays:
    frames = data.frames()
    side = frames.shape[1]
    if frames.ndim != 3 or frames.shape[2] != side or data.n_frames < side:
        raise NotApplicable(f"needs at least {side} square frames to make a cube")
    cut = {}
    for name, array in data.arrays.items():
        reading = data.binding.readings.get(name)
        axes = reading.possible_axes(data.scan.dimension) if reading else ()
        cut[name] = np.take(array, np.arange(side), axis=axes[0]) if axes else array
    return data.shown(
        "FORMAT-002", _undecided(_Dataset(cut, data.contract, data.scan)), "the content tells the axes of every cube"
    )


def _undecided(cube: _Dataset) -> Iterator[Arrays]:
    """A cube, then one without an object to predict patterns from, then one of noise besides."""
    yield cube.arrays
    if cube.scan.object in cube.arrays:
        placeholder = {cube.scan.object: np.ones_like(cube.arrays[cube.scan.object])}
        yield cube.arrays | placeholder
        frames = cube.frames()
        noise = np.random.default_rng(0).permuted(frames.reshape(-1)).reshape(frames.shape)
        yield cube.with_frames(noise) | placeholder


def _fortran(data: _Dataset) -> Arrays:
    if data.contract.storage.order != "C":
        raise NotApplicable(f"{data.contract.id} asks for no memory order")
    for spec in data.contract.arrays.values():
        array = data.arrays.get(spec.name)
        if array is not None and array.ndim > 1 and min(array.shape) > 1:
            return data.arrays | {spec.name: np.asfortranarray(array)}
    raise NotApplicable("no array has two axes longer than 1")


def _more_axes(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.x)
    return data.arrays | {spec.name: data.arrays[spec.name].reshape(-1, 1, 1)}


def _fewer_positions(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.x)
    return data.arrays | {spec.name: data.arrays[spec.name][:-1]}


def _small_object(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.object)
    array = data.arrays[spec.name]
    return data.arrays | {spec.name: array[:0]}


def _other_dtype(data: _Dataset) -> Arrays:
    for spec in data.contract.arrays.values():
        array = data.arrays.get(spec.name)
        if array is None or spec.name == data.scan.frames:
            continue
        for dtype in ("complex128", "float64"):
            same_kind = np.dtype(dtype).kind == array.dtype.kind
            if (
                same_kind
                and dtype not in expand_dtypes(spec.dtype)
                and any(dtype in expand_dtypes(entry.dtype) for entry in spec.legacy_dtypes())
            ):
                return data.arrays | {spec.name: array.astype(dtype)}
    spec = data.spec(data.scan.x)
    return data.arrays | {spec.name: data.arrays[spec.name].astype("complex128")}


def _nan(data: _Dataset) -> Arrays:
    name = data.scan.frames if data.arrays[data.scan.frames].dtype.kind == "f" else data.scan.probe
    spec = data.spec(name)
    if not spec.values.finite:
        raise NotApplicable(f"{spec.name} need not be finite")
    array = data.arrays[spec.name].copy(order="K")
    array[(0,) * array.ndim] = np.nan
    twins = {other for pair in data.contract.identical if spec.name in pair for other in pair if other in data.arrays}
    return data.arrays | dict.fromkeys(twins | {spec.name}, array)


def _negative(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    if spec.values.minimum is None:
        raise NotApplicable(f"{spec.name} has no minimum")
    frames = data.frames()
    dtype = frames.dtype
    if dtype.kind == "u":
        dtype = np.dtype(np.int32 if dtype.itemsize < 4 else np.int64)
    frames = frames.astype(dtype)
    frames[(0,) * frames.ndim] = -1
    return data.with_frames(frames, dtype)


def _too_large(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    bound = spec.values.exclusive_maximum if spec.values.exclusive_maximum is not None else spec.values.maximum
    frames = data.frames()
    if bound is None or not frames.max():
        raise NotApplicable(f"{spec.name} has no maximum, or is all zero")
    return data.with_frames(frames * (2.0 * bound / float(frames.max())))


def _placeholder(data: _Dataset) -> Arrays:
    for name in (data.scan.object, data.scan.probe):
        if name in data.arrays and data.spec(name).values.varies and data.arrays[name].size > 1:
            return data.arrays | {name: np.ones_like(data.arrays[name])}
    raise NotApplicable("no array must vary")


def _other_quantity(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    frames = data.frames().astype(np.float64)
    most = float(frames.max())
    if not most:
        raise NotApplicable("the patterns are all zero")
    if spec.quantity == "amplitude":
        # Few enough counts that their square roots keep the bound of 10.
        return data.with_frames(np.maximum(np.rint((frames / most) ** 2 * 80), 0), np.dtype(np.uint16))
    if len(np.unique(np.rint(frames))) < 12:
        raise NotApplicable("too few levels of counts to tell their square roots by")
    return data.with_frames(np.sqrt(np.rint(frames)), np.dtype(np.float32))


def _one_bright_pixel(data: _Dataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    ratio = spec.values.maximum_over_mean
    frames = data.frames().astype(np.float64)
    if ratio is None or not frames.size or frames[0].size < 2 * ratio or not frames.mean():
        raise NotApplicable(f"{spec.name} has no such bound, or too few pixels for it")
    frames *= 0.01 / frames.mean()
    frames = np.minimum(frames, 0.5)
    # In every frame: in one alone it would be a hot pixel (SCAN-006).
    frames.reshape(len(frames), -1)[:, 0] = min(9.0, 4 * ratio * 0.01)
    return data.with_frames(frames)


def _moved(data: _Dataset, index: int, x: float, y: float) -> Arrays:
    changed = dict(data.arrays)
    for name, value in ((data.scan.x, x), (data.scan.y, y)):
        changed[data.spec(name).name] = changed[name].copy()
        changed[name][index] = value
    return changed


def _outside(data: _Dataset) -> Arrays:
    if data.scan.inside_tolerance is None or not data.n_frames:
        raise NotApplicable("positions need not lie inside the object")
    data.spec(data.scan.object)
    side = data.frames().shape[-1]
    return _moved(data, 0, -2.0 * side - 10, float(data.arrays[data.scan.y][0]))


def _same_position(data: _Dataset) -> Arrays:
    data.needs_positions(2)
    x, y = data.arrays[data.spec(data.scan.x).name], data.arrays[data.spec(data.scan.y).name]
    return _moved(data, 1, float(x[0]), float(y[0]))


def _metres(data: _Dataset) -> Arrays:
    data.needs_positions(2)
    return data.arrays | {name: data.arrays[data.spec(name).name] * 1e-8 for name in (data.scan.x, data.scan.y)}


def _more_positions(data: _Dataset) -> Arrays:
    data.needs_frames(1)
    changed = dict(data.arrays)
    for name, reading in data.binding.readings.items():
        if name != data.scan.frames and reading.layout and reading.layout.dims == (data.scan.dimension,):
            changed[name] = np.concatenate([data.arrays[name], data.arrays[name][-1:]])
    found = bind(data.contract, MappingDataset(changed).headers)
    if any(not reading.decided for reading in found.readings.values()) or len(found.dissents) != 1:
        raise NotApplicable("with one position more the axes could be read otherwise")
    return changed


def _blank_frame(data: _Dataset) -> Arrays:
    data.needs_frames(2)
    frames = data.frames()
    frames[0] = 0
    return data.with_frames(frames)


def _hot_pixel(data: _Dataset) -> Arrays:
    data.needs_frames(4)
    if data.scan.hot_factor is None:
        raise NotApplicable("no frame can be too hot")
    amplitudes = data.amplitudes()
    peaks = amplitudes.reshape(len(amplitudes), -1).max(axis=1)
    usual = float(np.median(peaks))
    if not usual:
        raise NotApplicable("most frames are blank")
    if data.arrays[data.scan.frames].dtype.kind == "f":
        amplitudes, usual = amplitudes / usual, 1.0
    amplitudes.reshape(len(amplitudes), -1)[int(np.argmax(peaks)), 0] = 1.5 * data.scan.hot_factor * usual
    return data.stored(amplitudes)


def _same_frame(data: _Dataset) -> Arrays:
    data.needs_frames(2)
    frames = data.frames()
    source = int(np.argmax(frames.reshape(len(frames), -1).max(axis=1)))
    if not frames[source].any():
        raise NotApplicable("all frames are blank")
    frames[source - 1] = frames[source]
    return data.with_frames(frames)


def _far_away(data: _Dataset) -> Arrays:
    data.needs_positions(2)
    if data.scan.minimum_overlap is None:
        raise NotApplicable("no overlap is asked for")
    probe, obj = data.arrays[data.spec(data.scan.probe).name], data.arrays[data.spec(data.scan.object).name]
    if probe.ndim != 2 or not np.ptp(np.abs(probe)):
        raise NotApplicable("the probe has no footprint")
    side = max(probe.shape)
    # Room for one more position, farther from all others than the probe is wide.
    padded = np.pad(obj, ((0, 3 * side), (0, 3 * side)), mode="edge")
    moved = _moved(data, 0, obj.shape[1] + 2 * side, obj.shape[0] + 2 * side)
    return moved | {data.scan.object or "": padded}


_NOT_BORNE_OUT: Final = "probe, object and patterns do not tell one reading from another"


def _out_of_step(data: _Dataset) -> Arrays:
    data.needs_frames(2)
    names = [data.spec(name).name for name in (data.scan.x, data.scan.y)]
    # A scan may repeat itself at some steps.
    changes = (data.arrays | {name: np.roll(data.arrays[name], step) for name in names} for step in (3, 2, 5))
    return data.shown("PHYS-001", changes, _NOT_BORNE_OUT)


def _mirrored(data: _Dataset) -> Arrays:
    data.needs_frames(2)
    obj = data.arrays[data.spec(data.scan.object).name]
    if obj.ndim != 2:
        raise NotApplicable("the object has no plane")
    ends = ((data.spec(data.scan.x).name, obj.shape[1]), (data.spec(data.scan.y).name, obj.shape[0]))
    changes = (data.arrays | {name: (end - data.arrays[name]).astype(data.arrays[name].dtype)} for name, end in ends)
    return data.shown("PHYS-002", changes, _NOT_BORNE_OUT)


def _corner(data: _Dataset) -> Arrays:
    data.needs_frames(2)
    return data.shown("PHYS-003", [data.with_frames(np.fft.ifftshift(data.frames(), axes=(-2, -1)))], _NOT_BORNE_OUT)


def _turned(data: _Dataset) -> Arrays:
    data.needs_frames(2)
    frames = data.frames()
    changes = [
        data.with_frames(turn)
        for turn in (np.swapaxes(frames, -1, -2), frames[..., ::-1])
        if turn.shape == frames.shape
    ]
    return data.shown("PHYS-004", changes, _NOT_BORNE_OUT)


def _metadata(data: _Dataset, change: Callable[[dict[str, Any]], str]) -> Array:
    if data.contract.metadata is None:
        raise NotApplicable(f"{data.contract.id} has no metadata")
    held = data.arrays.get(data.contract.metadata.member)
    document = json.loads(str(held[()])) if held is not None and held.dtype.kind == "U" else {}
    return np.array(change(document))


def _with_metadata(data: _Dataset, array: Array) -> Arrays:
    return data.arrays | {data.contract.metadata.member if data.contract.metadata else "": array}


def _no_json(data: _Dataset) -> Arrays:
    return _with_metadata(data, _metadata(data, lambda _: "not JSON"))


def _wrong_metadata(data: _Dataset) -> Arrays:
    if data.contract.metadata is None or data.contract.metadata.schema is None:
        raise NotApplicable(f"{data.contract.id} has no schema for metadata")
    return _with_metadata(data, _metadata(data, lambda document: json.dumps(document | {"physics_parameters": "many"})))


def _pickled_metadata(data: _Dataset) -> Arrays:
    return _with_metadata(data, _metadata(data, json.dumps).astype(object))


def _object_array(data: _Dataset) -> Arrays:
    return data.arrays | {"notes": np.array([None, "never unpickled"], dtype=object)}


DATA: Final[Mapping[str, Callable[[_Dataset], Arrays]]] = {
    "FILE-006": _object_array,
    "KEY-001": _drop_required,
    "KEY-002": _rename,
    "KEY-003": _add_unknown,
    "KEY-004": _disagree,
    "FORMAT-001": _legacy_axes,
    "FORMAT-002": _cube,
    "FORMAT-003": _fortran,
    "SHAPE-001": _more_axes,
    "SHAPE-002": _fewer_positions,
    "SHAPE-003": _small_object,
    "DTYPE-001": _other_dtype,
    "VALUE-001": _nan,
    "VALUE-002": _negative,
    "VALUE-003": _too_large,
    "VALUE-004": _placeholder,
    "NORM-001": _other_quantity,
    "NORM-002": _one_bright_pixel,
    "SCAN-001": _outside,
    "SCAN-002": _same_position,
    "SCAN-003": _metres,
    "SCAN-004": _more_positions,
    "SCAN-005": _blank_frame,
    "SCAN-006": _hot_pixel,
    "SCAN-007": _same_frame,
    "SCAN-008": _far_away,
    "PHYS-001": _out_of_step,
    "PHYS-002": _mirrored,
    "PHYS-003": _corner,
    "PHYS-004": _turned,
    "META-001": _no_json,
    "META-002": _wrong_metadata,
    "META-004": _pickled_metadata,
}
"""Rules that are broken by other arrays."""
