"""Break names, axes, sizes, dtypes and metadata of a dataset with a scan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from npzschema.contracts import expand_dtypes
from npzschema.validator.binding import bind
from npzschema.validator.dataset import MappingDataset, plain_text

from .errors import NotApplicable
from .plain_breakers import with_pickle
from .scan_dataset import Array, Arrays, ScanDataset, expendable


def _drop_required(data: ScanDataset) -> Arrays:
    required = [spec for spec in data.contract.arrays.values() if spec.required]
    dropped = expendable(data.arrays, data.contract, required)
    if dropped is None:
        raise NotApplicable.because("not-asked")
    return {name: array for name, array in data.arrays.items() if name != dropped.name}


def _rename(data: ScanDataset) -> Arrays:
    for spec in data.contract.arrays.values():
        entry = next(spec.legacy_names(), None)
        if entry and entry.name and spec.name in data.arrays:
            return {(entry.name if name == spec.name else name): array for name, array in data.arrays.items()}
    raise NotApplicable.because("not-asked")


def _add_unknown(data: ScanDataset) -> Arrays:
    return data.arrays | {"not_in_any_contract": np.arange(3)}


def _disagree(data: ScanDataset) -> Arrays:
    for first, second in data.contract.identical:
        present = first if first in data.arrays else second
        if present in data.arrays:
            other = second if present == first else first
            twin = data.arrays[present].copy()
            if twin.size:
                index = np.unravel_index(twin.size // 2, twin.shape)
                twin[index] = 0 if twin[index] != 0 else 1
                return data.arrays | {other: twin}
    raise NotApplicable.because("no-second-name")


def _legacy_axes(data: ScanDataset) -> Arrays:
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
                return data.shown("FORMAT-001", [changed], "axes-untold")
    raise NotApplicable.because("axes-untold")


def _cube(data: ScanDataset) -> Arrays:
    frames = data.frames()
    side = frames.shape[1]
    if frames.ndim != 3 or frames.shape[2] != side or data.n_frames < side:
        raise NotApplicable.because("no-cube")
    cut = {}
    for name, array in data.arrays.items():
        reading = data.binding.readings.get(name)
        axes = reading.possible_axes(data.scan.dimension) if reading else ()
        cut[name] = np.take(array, np.arange(side), axis=axes[0]) if axes else array
    return data.shown("FORMAT-002", _undecided(ScanDataset(cut, data.contract, data.scan)), "axes-told")


def _undecided(cube: ScanDataset) -> Iterator[Arrays]:
    """A cube, then one without an object to predict patterns from, then one of noise besides."""
    yield cube.arrays
    if cube.scan.object in cube.arrays:
        placeholder = {cube.scan.object: np.ones_like(cube.arrays[cube.scan.object])}
        yield cube.arrays | placeholder
        frames = cube.frames()
        noise = np.random.default_rng(0).permuted(frames.reshape(-1)).reshape(frames.shape)
        yield cube.with_frames(noise) | placeholder


def _fortran(data: ScanDataset) -> Arrays:
    if data.contract.storage.order != "C":
        raise NotApplicable.because("any-order")
    for spec in data.contract.arrays.values():
        array = data.arrays.get(spec.name)
        if array is not None and not (turned := np.asfortranarray(array)).flags.c_contiguous:
            return data.arrays | {spec.name: turned}
    raise NotApplicable.because("one-axis")


def _more_axes(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.x)
    return data.changed(spec.name, data.arrays[spec.name].reshape(-1, 1, 1))


def _fewer_positions(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.x)
    return data.changed(spec.name, data.arrays[spec.name][:-1])


def _small_object(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.object)
    array = data.arrays[spec.name]
    return data.changed(spec.name, array[:0])


def _other_dtype(data: ScanDataset) -> Arrays:
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
                return data.changed(spec.name, array.astype(dtype))
    spec = data.spec(data.scan.x)
    return data.changed(spec.name, data.arrays[spec.name].astype("complex128"))


def _metadata(data: ScanDataset, change: Callable[[dict[str, Any]], str]) -> Array:
    if data.contract.metadata is None:
        raise NotApplicable.because("no-metadata")
    held = data.arrays.get(data.contract.metadata.member)
    # A pickled text is a str like any other here: nobody unpickled it.
    text = plain_text(held) if held is not None and not held.shape else None
    document = json.loads(text) if text else {}
    return np.array(change(document))


def _with_metadata(data: ScanDataset, array: Array) -> Arrays:
    return data.arrays | {data.contract.metadata.member if data.contract.metadata else "": array}


def _no_json(data: ScanDataset) -> Arrays:
    return _with_metadata(data, _metadata(data, lambda _: "not JSON"))


def _wrong_metadata(data: ScanDataset) -> Arrays:
    if data.contract.metadata is None or data.contract.metadata.schema is None:
        raise NotApplicable.because("not-asked")
    return _with_metadata(data, _metadata(data, lambda document: json.dumps(document | {"physics_parameters": "many"})))


def _pickled_metadata(data: ScanDataset) -> Arrays:
    return _with_metadata(data, _metadata(data, json.dumps).astype(object))


def _object_array(data: ScanDataset) -> Arrays:
    return with_pickle(data.arrays, data.contract)


LAYOUT: Final[Mapping[str, Callable[[ScanDataset], Arrays]]] = {
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
    "META-001": _no_json,
    "META-002": _wrong_metadata,
    "META-004": _pickled_metadata,
}
