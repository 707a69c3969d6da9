"""A conforming dataset of a contract with a scan, as the breakers see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from npzschema.contracts import ArraySpec, Contract, Scan, rules
from npzschema.validator.binding import Binding, bind
from npzschema.validator.dataset import MappingDataset
from npzschema.validator.engine import IN_MEMORY, validate_dataset
from npzschema.validator.findings import Report

from .errors import NotApplicable

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


def with_array(arrays: Arrays, contract: Contract, name: str, array: Array) -> Arrays:
    """The arrays with one changed, under every name that it has."""
    return arrays | dict.fromkeys((name, *(other for other in contract.twins(name) if other in arrays)), array)


def checked(arrays: Mapping[str, Array], contract: Contract) -> Report:
    """What the validator says of some arrays against one contract."""
    return validate_dataset(MappingDataset(arrays), IN_MEMORY, contract, recognise=False)


def names_of(arrays: Collection[str], contract: Contract, spec: ArraySpec) -> tuple[str, ...]:
    """Every name under which an array is there: its own, legacy ones, and those that must be identical."""
    return tuple(name for name in dict.fromkeys((*spec.names(), *contract.twins(spec.name))) if name in arrays)


def expendable(arrays: Mapping[str, Array], contract: Contract, specs: Iterable[ArraySpec]) -> ArraySpec | None:
    """The first of some arrays without which all others are read as before; else the first of all, None of none.

    One name is better than two, and whatever counts frames comes last.
    """
    scan, headers = contract.scan, MappingDataset(arrays).headers
    counting = (scan.frames, scan.x, scan.y) if scan else ()
    held = [spec for spec in specs if spec.name in arrays]
    held.sort(key=lambda spec: (spec.name in counting, len(names_of(arrays, contract, spec))))
    whole = bind(contract, headers)
    for spec in held:
        names = names_of(arrays, contract, spec)
        # More positions than frames are that only as long as both coordinates say so.
        if spec.name in counting[1:] and whole.dissents:
            continue
        rest = bind(contract, {name: header for name, header in headers.items() if name not in names})
        layouts = all(rest.readings[name].layouts == whole.readings[name].layouts for name in rest.readings)
        if layouts and not (rest.dissents if spec.name in counting else _new(rest, whole, names)):
            return spec
    return held[0] if held else None


def _new(rest: Binding, whole: Binding, names: Collection[str]) -> bool:
    """Whether arrays contradict each other that did not before."""
    known = [({*dissent.arrays} - {*names}, dissent.sizes) for dissent in whole.dissents]
    return any(({*dissent.arrays}, dissent.sizes) not in known for dissent in rest.dissents)


class ScanDataset:
    """Arrays, and how the contract reads them: axes are found by symbol, never by position."""

    def __init__(self, arrays: Arrays, contract: Contract, scan: Scan) -> None:
        self.arrays, self.contract, self.scan = arrays, contract, scan
        self.binding = bind(contract, MappingDataset(arrays).headers)

    def spec(self, name: str | None) -> ArraySpec:
        if name is None or name not in self.arrays or name not in self.contract.arrays:
            raise NotApplicable.because("no-object" if name == self.scan.object else "not-asked")
        return self.contract.arrays[name]

    def changed(self, name: str, array: Array) -> Arrays:
        """The arrays with one changed, under every name that it has."""
        return with_array(self.arrays, self.contract, name, array)

    @property
    def n_frames(self) -> int:
        return self.binding.sizes.get(self.scan.dimension, 0)

    def needs_positions(self, count: int) -> None:
        """Positions are rows of the scan whether or not it is known which axis of the patterns counts frames."""
        # Those after the last frame belong to none.
        held = min(self.n_frames, *(self.arrays[self.spec(name).name].size for name in (self.scan.x, self.scan.y)))
        if held < count:
            raise NotApplicable.because("one-position")

    def needs_frames(self, count: int, otherwise: str = "one-frame") -> None:
        """Rules about single frames speak only where it is known what a frame is."""
        if not self.told_by_sizes() and not self._told_by_content():
            raise NotApplicable.because("frames-untold")
        if self.n_frames < count:
            raise NotApplicable.because(otherwise)

    def told_by_sizes(self) -> bool:
        """Whether sizes alone tell which axis of the patterns counts frames."""
        return self.binding.readings[self.spec(self.scan.frames).name].decided

    def _told_by_content(self) -> bool:
        facts = checked(self.arrays, self.contract).arrays
        return facts[self.scan.frames].axes is not None

    def shown(self, rule: str, changes: Iterable[Arrays], otherwise: str) -> Arrays:
        """The first of some changes that shows this and nothing else: what is found then depends on the data.

        Raises:
            NotApplicable: none does, for the reason ``otherwise``.
        """
        level = rules()[rule].level
        for changed in changes:
            report = checked(changed, self.contract)
            found = {finding.code for finding in report.findings if finding.level == level}
            if rule in found and report.codes <= {rule}:
                return changed
        raise NotApplicable.because(otherwise)

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
        return with_array(self.arrays, self.contract, name, stored)

    def _scan_axis(self) -> int:
        reading = self.binding.readings[self.scan.frames]
        axes = reading.possible_axes(self.scan.dimension)
        if not axes:
            raise NotApplicable.because("frames-untold")
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
