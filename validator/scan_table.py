"""The scan table: one row a frame, with its position, totals and neighbours, checked by pandera (polars).

Polars and pandera are imported here, and only for a table with rows that may fail: the tests of its schema are asked of
plain arrays first, which takes a tenth of a millisecond in place of a quarter of a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from npzschema.contracts import Scan
from npzschema.contracts.forward_model import footprint
from npzschema.contracts.model import Dims

from .binding import Reading
from .case import Case
from .interrupts import uninterrupted
from .neighbours import nearest
from .numbered import numbered
from .repeats import repeated
from .table_libraries import ready

Array = np.ndarray[Any, Any]

Test = Callable[[Callable[[str], Any]], Any]
"""What a row keeps, of columns by their names: arrays, or expressions of polars."""

MAX_ROWS = 1 << 18
"""More positions than this are not checked row by row; the report says so."""

SLICE: Final = 1 << 11
"""Rows judged at a time: pandera's list of failures takes a kilobyte a row."""

MEASURED: Final = 1 << 20
"""Pixels of a probe by which its diameter is measured, at most: of larger ones, evenly spaced pixels do."""

MIN_FOR_MEDIAN = 4
"""A median over fewer frames says nothing about what is usual."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanTable:
    """Columns of one length, and what they are measured by. Sizes are rows x columns, in object pixels.

    A column is missing where its array is, or where nothing decides how it is read.
    """

    scan: Scan
    rows: int
    columns: Mapping[str, Array] = field(default_factory=dict)
    object_shape: tuple[int, int] = (0, 0)
    patch: tuple[int, int] = (0, 0)
    footprint: float = math.nan
    in_metres: Mapping[str, float] = field(default_factory=dict)
    saturated: float = math.inf

    def position(self, frame: int) -> tuple[float, float]:
        return float(self.columns["x"][frame]), float(self.columns["y"][frame])

    def _range(self, axis: int) -> tuple[float, float]:
        margin = self.patch[axis] / 2 - (self.scan.inside_tolerance or 0)
        return margin, self.object_shape[axis] - margin

    @property
    def _judges_place(self) -> bool:
        """Whether positions can be compared with the object."""
        return (
            self.scan.inside_tolerance is not None
            and not self.in_metres
            and all(side >= patch > 0 for side, patch in zip(self.object_shape, self.patch, strict=True))
        )

    def inside(self, x: Array, y: Array) -> Array:
        """Which positions have their patch inside the object; all, where that cannot be told."""
        if not self._judges_place:
            return np.ones(len(x), dtype=bool)
        (x_low, x_high), (y_low, y_high) = self._range(1), self._range(0)
        kept: Array = (x >= x_low) & (x <= x_high) & (y >= y_low) & (y <= y_high)
        return kept

    @property
    def leaves_object(self) -> bool:
        """Whether any position is told to have its patch outside the object."""
        if not {"x", "y"} <= set(self.columns) or not self._judges_place or not 0 < self.rows <= MAX_ROWS:
            return False
        ranges = ((self.columns["x"], self._range(1)), (self.columns["y"], self._range(0)))
        return any(bool(((values < low) | (values > high)).any()) for values, (low, high) in ranges)

    @property
    def fits_nowhere(self) -> bool:
        """Whether most positions lie further apart than the object leaves room for: no shift brings them inside."""
        sides = ((self.columns["x"], self._range(1)), (self.columns["y"], self._range(0)))
        found = ((np.sort(values[np.isfinite(values)]), high - low) for values, (low, high) in sides)
        # A few may be wrong by themselves.
        return any(bool(values[-1 - n // 10] - values[n // 10] > room) for values, room in found if (n := values.size))

    def inside_words(self) -> str:
        (x_low, x_high), (y_low, y_high) = self._range(1), self._range(0)
        return f"x in {x_low:g} to {x_high:g}, y in {y_low:g} to {y_high:g}"

    def failures(self) -> Mapping[str, tuple[int, ...]]:
        """Rows that fail, by keyword of the contract's ``scan``.

        Raises:
            ThreadsError: the libraries that tell which fail cannot run here.
        """
        if not 0 < self.rows <= MAX_ROWS:
            return {}
        # What depends on other rows is a column of its own, so that rows can be judged in slices.
        columns = {**self.columns, **self._repeats()}
        # Each test is asked of the arrays first. Most tables keep everything: then there is nothing to list.
        tests = {keyword: (test, ~test(columns.__getitem__)) for keyword, test in self._tests().items()}
        doubtful = {keyword: test for keyword, (test, rows) in tests.items() if rows.any()}
        if not doubtful:
            return {}
        ready()
        # Interrupted, polars waits for ever.
        with uninterrupted():
            return self._failures(columns, doubtful, np.any([rows for _, rows in tests.values()], axis=0))

    def _failures(
        self, columns: Mapping[str, Array], tests: Mapping[str, Test], doubtful: Array
    ) -> Mapping[str, tuple[int, ...]]:
        """The same of some tests; ``doubtful``: the rows that may fail, (n,)."""
        import pandera.polars as pa
        import polars as pl

        # A list of columns: of a mapping, polars makes them in threads that it starts for that.
        frame = pl.DataFrame([pl.Series(name, values, nan_to_null=True) for name, values in columns.items()])

        def asked(keyword: str, test: Test) -> Any:
            # A row that has no value in a column is not judged by it.
            kept = test(pl.col).fill_null(True)
            return pa.Check(lambda data: data.lazyframe.select(kept), name=keyword, error=keyword)

        schema = pa.DataFrameSchema(checks=[asked(keyword, test) for keyword, test in tests.items()])
        failed: dict[str, Array] = {}
        for start in range(0, self.rows, SLICE):
            if not doubtful[start : start + SLICE].any():
                continue
            try:
                schema.validate(frame.slice(start, SLICE), lazy=True)
            except pa.errors.SchemaErrors as errors:
                cases = errors.failure_cases
                for keyword in cases["check"].unique().to_list():
                    rows = cases.filter(pl.col("check") == keyword)["index"].to_numpy()
                    failed.setdefault(keyword, np.zeros(self.rows, dtype=bool))[start + rows] = True
        return {keyword: numbered(rows) for keyword, rows in failed.items()}

    def _repeats(self) -> dict[str, Array]:
        """Whether each position is one of several, and each frame; what has no place is no repetition."""
        have, found = self.columns, dict[str, Array]()
        if self.scan.distinct and {"x", "y"} <= set(have):
            found["again"] = repeated([have["x"], have["y"]]) & ~(np.isnan(have["x"]) | np.isnan(have["y"]))
        if self.scan.repeated and "digest" in have:
            found["copied"] = repeated([have["digest"], have["total"], have["maximum"]])
        return found

    def _tests(self) -> dict[str, Test]:
        """Keyword to what is true where a row keeps it. Of an array, what is NaN keeps nothing."""
        scan, have = self.scan, self.columns
        tests: dict[str, Test] = {}
        if {"x", "y"} <= set(have) and self._judges_place:
            (x_low, x_high), (y_low, y_high) = self._range(1), self._range(0)
            tests["insideTolerance"] = lambda col: (
                (col("x") >= x_low) & (col("x") <= x_high) & (col("y") >= y_low) & (col("y") <= y_high)
            )
        if scan.distinct and {"x", "y"} <= set(have):
            tests["distinct"] = lambda col: ~col("again")
        if scan.blank_fraction is not None and "total" in have:
            floor = scan.blank_fraction * _median(have["total"], default=0.0)
            tests["blankFraction"] = lambda col: (col("total") >= floor) & (col("maximum") != 0)
        if scan.hot_factor is not None and "maximum" in have:
            ceiling, saturated = _ceiling(have["maximum"], scan.hot_factor), self.saturated
            tests["hotFactor"] = lambda col: (col("maximum") <= ceiling) & (col("maximum") < saturated)
        if scan.repeated and "digest" in have:
            tests["repeated"] = lambda col: ~col("copied") | (col("maximum") == 0)
        if scan.minimum_overlap is not None and "overlap" in have and not self.in_metres:
            least = scan.minimum_overlap
            tests["minimumOverlap"] = lambda col: col("overlap") >= least
        return tests


def build(case: Case, scan: Scan) -> ScanTable:
    """The table of a file."""
    table = placed(case, scan)
    # More rows are not judged, and looking for the nearest of so many takes its time.
    if (
        not {"x", "y"} <= set(table.columns)
        or scan.minimum_overlap is None
        or not math.isfinite(table.footprint)
        or not 2 <= table.rows <= MAX_ROWS
    ):
        return table
    # Positions outside the object are told as such (SCAN-001); to nobody are they neighbours.
    x, y = table.columns["x"], table.columns["y"]
    inside = table.inside(x, y)
    at = np.where(inside, x, np.nan), np.where(inside, y, np.nan)
    overlap = 1 - nearest(*at, (1 - scan.minimum_overlap) * table.footprint) / table.footprint
    return replace(table, columns={**table.columns, "overlap": overlap})


def placed(case: Case, scan: Scan) -> ScanTable:
    """The same without looking for the nearest neighbours."""
    columns: dict[str, Array] = {}
    frames = case.binding.reading(scan.frames)
    facts = case.frames_of(frames) if frames else None
    rows = case.binding.sizes.get(scan.dimension, 0)
    saturated = math.inf
    if frames and facts is not None:
        counts = case.holds_counts(frames)
        with np.errstate(invalid="ignore"):
            # Whatever is stored, frames are compared as amplitudes.
            as_amplitude = (lambda values: np.sqrt(np.maximum(values, 0))) if counts else np.asarray
            # What is not finite or negative is told already, and says nothing about blankness.
            usable = np.isfinite(facts.maximum) & (facts.minimum >= 0)
            columns["total"] = np.where(usable, as_amplitude(facts.total), np.nan)
            columns["maximum"] = np.where(np.isfinite(facts.maximum), as_amplitude(facts.maximum), np.nan)
        # With a sign: pandera's list of failures has no room for 64 bits without one.
        columns["digest"] = facts.digest.view(np.int64)
        saturated = _saturation(frames)
        rows = len(facts.total)
    in_metres: dict[str, float] = {}
    x, y = (_positions(case, name, rows) for name in (scan.x, scan.y))
    diameter = math.nan
    if x is not None and y is not None:
        # Positions that fit in another reading are that one fault: their rows are judged as they fit.
        if case.forward and case.forward.verdict and case.forward.verdict.other_fits:
            x, y = case.forward.verdict.placed(x, y)
        columns |= {"x": x, "y": y}
        in_metres = {
            name: largest
            for name, values in ((scan.x, x), (scan.y, y))
            if (largest := _metres(values, scan.pixel_extent)) is not None
        }
        # A probe of another size than the patterns is told already, and no measure of anything.
        if not any(scan.probe in dissent.arrays for dissent in case.binding.dissents):
            diameter = _diameter(case, case.binding.reading(scan.probe))
    obj = case.binding.reading(scan.object)
    return ScanTable(
        scan=scan,
        rows=rows,
        columns=columns,
        object_shape=_plane(obj, obj.spec.dims[0]) if obj else (0, 0),
        patch=_patch(case, frames),
        footprint=diameter,
        in_metres=in_metres,
        saturated=saturated,
    )


def _patch(case: Case, frames: Reading | None) -> tuple[int, int]:
    """Rows and columns of a frame; none where arrays contradict each other on them."""
    axes = case.contract.frame_axes()
    disputed = any(set(axes) & set(dissent.sizes) for dissent in case.disputes)
    return (0, 0) if disputed else _plane(frames, axes)


def patterns_constant(case: Case) -> bool:
    """Whether all pixels of all frames are the same, and that is told (VALUE-004)."""
    frames = case.binding.reading(case.contract.scan.frames) if case.contract.scan else None
    facts = case.facts_of(frames)
    return bool(frames and facts and frames.spec.values.varies and facts.range.constant and facts.range.count > 1)


def hot_frames(case: Case, reading: Reading) -> Array:
    """Bool, (n_frames,): whether SCAN-006 tells of the largest amplitude of the patterns; empty for other arrays."""
    scan = case.contract.scan
    frames = case.binding.reading(scan.frames) if scan else None
    facts = case.frames_of(frames) if frames else None
    told = scan is not None and reading.spec.name in (scan.frames, *case.contract.twins(scan.frames))
    if not told or scan is None or scan.hot_factor is None or frames is None or facts is None:
        return np.zeros(0, dtype=bool)
    counts = case.holds_counts(frames)
    maxima = np.sqrt(np.maximum(facts.maximum, 0)) if counts else facts.maximum
    above = (maxima > _ceiling(maxima, scan.hot_factor)) | (maxima >= _saturation(frames))
    return np.asarray(np.isfinite(maxima) & above)


def _saturation(frames: Reading) -> float:
    """The amplitude beyond which an integer dtype holds none."""
    dtype = frames.header.dtype
    return math.sqrt(np.iinfo(dtype).max) if dtype.kind in "iu" else math.inf


def _ceiling(maxima: Array, factor: float) -> float:
    ceiling = factor * _median(maxima, default=math.inf)
    return ceiling if ceiling > 0 else math.inf


def _median(values: Array, default: float) -> float:
    usual = np.sort(values[np.isfinite(values)])
    n = usual.size
    # As np.median has it, which imports numpy's masked arrays.
    return float(usual[(n - 1) // 2 : n // 2 + 1].mean()) if n >= MIN_FOR_MEDIAN else default


def _positions(case: Case, name: str, rows: int) -> Array | None:
    """Float64 coordinates, the surplus cut off, NaN where not finite; None where there are too few."""
    reading = case.binding.reading(name)
    facts = case.facts_of(reading)
    if facts is None or facts.values is None or facts.values.dtype.kind not in "fiu":
        return None
    values = facts.values.reshape(-1)[:rows].astype(np.float64, copy=False)
    if len(values) < rows or not rows:
        return None
    # Most are not copied: there may be very many.
    return np.where(np.isfinite(values), values, np.nan) if facts.range.nonfinite else values


def _metres(values: Array, extent: float | None) -> float | None:
    """The largest coordinate, where all are too small for pixels. Zeros alone, as of a line scan, have no unit."""
    if extent is None or len(values) < 2 or np.isnan(values).all():
        return None
    largest = float(np.nanmax(np.abs(values)))
    return largest if 0 < largest < extent else None


def _plane(reading: Reading | None, axes: Dims) -> tuple[int, int]:
    """Rows and columns of an array, by an order of its symbols."""
    if reading is None or reading.layout is None:
        return 0, 0
    sizes = reading.sizes()
    symbols = [symbol for symbol in axes if symbol in sizes]
    return (sizes[str(symbols[0])], sizes[str(symbols[1])]) if len(symbols) == 2 else (0, 0)


def _diameter(case: Case, reading: Reading | None) -> float:
    """Diameter of the probe; NaN where it is a placeholder."""
    facts = case.facts_of(reading)
    if (
        reading is None
        or reading.layout is None
        or facts is None
        or facts.values is None
        or facts.range.constant
        or facts.range.nonfinite
    ):
        return math.nan
    planes = [axis for axis, symbol in enumerate(reading.layout.dims) if isinstance(symbol, str)][-2:]
    if len(planes) < 2:
        return math.nan
    modes = tuple(axis for axis in range(facts.values.ndim) if axis not in planes)
    step = math.ceil(math.sqrt(math.prod(facts.values.shape[axis] for axis in planes) / MEASURED))
    some = facts.values[tuple(slice(None, None, step if axis in planes else 1) for axis in range(facts.values.ndim))]
    return step * footprint((np.square(some.real, dtype=float) + np.square(some.imag, dtype=float)).sum(axis=modes))
