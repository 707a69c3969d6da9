"""A conforming dataset of a contract with a scan, as the breakers see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from npzschema.contracts import ArraySpec, Contract, Scan, rules
from npzschema.validator.binding import bind
from npzschema.validator.dataset import MappingDataset
from npzschema.validator.engine import validate

from .errors import NotApplicable

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]


def with_array(arrays: Arrays, contract: Contract, name: str, array: Array) -> Arrays:
    """The arrays with one changed, under every name that it has."""
    return arrays | dict.fromkeys((name, *(other for other in contract.twins(name) if other in arrays)), array)


class ScanDataset:
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
        return with_array(self.arrays, self.contract, name, stored)

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
