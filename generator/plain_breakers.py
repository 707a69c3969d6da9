"""Break rules that ask for no scan, in datasets of contracts that have none: candidates, the first that shows it.

Each function yields changed copies of the arrays; :func:`first_shown` takes the first that breaks its rule alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from npzschema.contracts import ArraySpec, Contract, expand_dtypes, rules
from npzschema.contracts.model import KINDS

from .errors import NotApplicable
from .scan_dataset import checked, with_array

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
Breaker = Callable[[Arrays, Contract], Iterator[Arrays]]


def first_shown(arrays: Arrays, contract: Contract, rule: str) -> Arrays:
    """The first change that breaks this rule and no other.

    Raises:
        NotApplicable: the rule is about scans, or nothing in these arrays can break it alone.
    """
    if rule not in PLAIN:
        raise NotApplicable.because("no-scan")
    level = rules()[rule].level
    for changed in PLAIN[rule](arrays, contract):
        report = checked(changed, contract)
        if report.codes <= {rule} and any(one.code == rule and one.level == level for one in report.findings):
            return changed
    raise NotApplicable.because("not-alone")


def _held(arrays: Arrays, contract: Contract) -> Iterator[tuple[ArraySpec, Array]]:
    return ((spec, arrays[name]) for name, spec in contract.arrays.items() if name in arrays)


def _missing(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, _ in _held(arrays, contract):
        if spec.required:
            yield {name: array for name, array in arrays.items() if name != spec.name}


def _renamed(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, _ in _held(arrays, contract):
        for entry in spec.legacy_names():
            if entry.name and entry.name not in arrays:
                yield {(entry.name if name == spec.name else name): array for name, array in arrays.items()}


def _unknown(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    yield arrays | {"not_in_any_contract": np.arange(3)}


def _differing(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for pair in contract.identical:
        for name, other in (pair, pair[::-1]):
            if name in arrays and arrays[name].size:
                changed = arrays[name].copy()
                changed[np.unravel_index(0, changed.shape)] = 0 if changed.reshape(-1)[0] != 0 else 1
                yield arrays | {other: changed}


def _fortran(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, array in _held(arrays, contract):
        if not (turned := np.asfortranarray(array)).flags.c_contiguous:
            yield arrays | {spec.name: turned}


def _longer_shape(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, array in _held(arrays, contract):
        # No contract has as many axes as this.
        yield with_array(arrays, contract, spec.name, array.reshape(*array.shape, *(1,) * 4))


def _shorter(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, array in _held(arrays, contract):
        for axis in range(array.ndim):
            if array.shape[axis] > 1:
                yield with_array(arrays, contract, spec.name, np.take(array, range(array.shape[axis] - 1), axis=axis))


def _out_of_range(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for symbol in contract.dimensions:
        for count in (0, 9):
            changed = dict(arrays)
            for spec, array in _held(arrays, contract):
                dims = next((dims for dims in spec.dims if len(dims) == array.ndim), ())
                if symbol in dims:
                    changed[spec.name] = np.repeat(array, count, axis=dims.index(symbol))
            yield changed
    for spec, array in _held(arrays, contract):
        for axis in range(array.ndim):
            yield with_array(arrays, contract, spec.name, np.repeat(array, 9, axis=axis))


def _other_dtype(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, array in _held(arrays, contract):
        known = {*expand_dtypes(spec.dtype), *(one for entry in spec.legacy for one in expand_dtypes(entry.dtype))}
        legacy = [one for entry in spec.legacy_dtypes() for one in expand_dtypes(entry.dtype)]
        others = [one for names in KINDS.values() for one in names if one not in known and one != "str"]
        for dtype in (*legacy, *others, "bool"):
            if array.dtype.kind in "biufc" and dtype not in expand_dtypes(spec.dtype) and dtype != "str":
                values = array.real if array.dtype.kind == "c" and not dtype.startswith("complex") else array
                with np.errstate(over="ignore", invalid="ignore"):
                    yield with_array(arrays, contract, spec.name, values.astype(dtype))


def _filled(choose: Callable[[ArraySpec], Iterator[float]]) -> Breaker:
    """One item of each array replaced by a value that its contract forbids."""

    def change(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
        for spec, array in _held(arrays, contract):
            if array.dtype.kind not in "iufc" or not array.size:
                continue
            for value in choose(spec):
                for dtype in (array.dtype, *map(np.dtype, (one for one in expand_dtypes(spec.dtype) if one != "str"))):
                    if not _holds(dtype, value) or (array.dtype.kind == "c") > (dtype.kind == "c"):
                        continue
                    changed = array.astype(dtype, order="K")
                    changed[(0,) * array.ndim] = value
                    yield with_array(arrays, contract, spec.name, changed)

    return change


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return bool(np.isfinite(value)) and info.min <= int(value) <= info.max
    return dtype.kind in "fc" and (not np.isfinite(value) or abs(value) <= float(np.finfo(dtype).max))


def _nan(spec: ArraySpec) -> Iterator[float]:
    if spec.values.finite:
        yield float("nan")


def _low(spec: ArraySpec) -> Iterator[float]:
    if spec.values.exclusive_minimum is not None:
        yield spec.values.exclusive_minimum
    if spec.values.minimum is not None:
        yield np.floor(spec.values.minimum) - 1
        yield spec.values.minimum - 1 - abs(spec.values.minimum)


def _high(spec: ArraySpec) -> Iterator[float]:
    if spec.values.exclusive_maximum is not None:
        yield spec.values.exclusive_maximum
    if spec.values.maximum is not None:
        yield np.ceil(spec.values.maximum) + 1
        yield spec.values.maximum + 1 + abs(spec.values.maximum)


def _constant(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    for spec, array in _held(arrays, contract):
        if spec.values.varies and array.size > 1:
            yield with_array(arrays, contract, spec.name, np.full_like(array, array.reshape(-1)[0]))


def _metadata(change: Callable[[str], Array]) -> Breaker:
    def changed(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
        if contract.metadata is not None:
            held = arrays.get(contract.metadata.member)
            yield arrays | {contract.metadata.member: change("{}" if held is None else str(held[()]))}

    return changed


def with_pickle(arrays: Arrays, contract: Contract) -> Arrays:
    """The arrays with one more that is a pickle, under a name that is free."""
    free = next(name for name in ("notes", "other_notes") if name not in contract.known_names() and name not in arrays)
    return arrays | {free: np.array([None, "never unpickled"], dtype=object)}


def _pickled(arrays: Arrays, contract: Contract) -> Iterator[Arrays]:
    yield with_pickle(arrays, contract)


def _no_document(text: str) -> Array:
    return np.array(json.dumps([text]))


PLAIN: Final[Mapping[str, Breaker]] = {
    "FILE-006": _pickled,
    "KEY-001": _missing,
    "KEY-002": _renamed,
    "KEY-003": _unknown,
    "KEY-004": _differing,
    "FORMAT-003": _fortran,
    "SHAPE-001": _longer_shape,
    "SHAPE-002": _shorter,
    "SHAPE-003": _out_of_range,
    "DTYPE-001": _other_dtype,
    "VALUE-001": _filled(_nan),
    "VALUE-002": _filled(_low),
    "VALUE-003": _filled(_high),
    "VALUE-004": _constant,
    "META-001": _metadata(lambda _: np.array("not JSON")),
    "META-002": _metadata(_no_document),
    "META-004": _metadata(lambda text: np.array(text, dtype=object)),
}
"""Rules that a contract without a scan can ask for."""
