"""``scan``: the scan table, row by row, by a pandera schema built from the contract (SCAN-001 to SCAN-008)."""

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case
from ..findings import Deviation
from ..scan_table import ScanTable, build, patterns_constant
from ..words import share


def check(case: Case) -> Iterator[Deviation]:
    scan = case.contract.scan
    if scan is None or not case.facts:
        return
    table = build(case, scan)
    if table.in_metres:
        names = list(table.in_metres)
        largest = max(table.in_metres.values())
        yield Deviation(
            code="SCAN-003",
            array=names[0],
            message=f"positions are at most {largest:.3g}: they look like metres, the contract says object pixels",
            expected="object pixels",
            found="metres",
            at=("pixelExtent",),
        )
    failures = table.failures()
    if patterns_constant(case):
        # Told as a whole (VALUE-004): each frame says the same again.
        failures = {keyword: rows for keyword, rows in failures.items() if keyword not in _OF_FRAMES}
    for keyword, describe in _TOLD.items():
        frames = failures.get(keyword)
        if frames:
            yield describe(table, frames)


def _outside(table: ScanTable, frames: tuple[int, ...]) -> Deviation:
    frame = frames[0]
    x, y = table.position(frame)
    rows, columns = table.object_shape
    return Deviation(
        code="SCAN-001",
        array=table.scan.x,
        message=f"{share(len(frames), table.rows, 'position', 'has its patch', 'have their patches')} "
        f"outside the object of {rows}x{columns} pixels; "
        f"the first is x = {x:.4g}, y = {y:.4g} with a patch of {table.patch[0]}x{table.patch[1]}",
        expected=table.inside_words(),
        found=f"x = {x:.6g}, y = {y:.6g}",
        frames=frames,
        at=("insideTolerance",),
        about="spread" if table.fits_nowhere else "",
    )


def _duplicates(table: ScanTable, frames: tuple[int, ...]) -> Deviation:
    return Deviation(
        code="SCAN-002",
        array=table.scan.x,
        message=f"{share(len(frames), table.rows, 'position')} not distinct",
        expected="distinct positions",
        found=f"{len(frames):,} that are not",
        frames=frames,
        at=("distinct",),
    )


def _blank(table: ScanTable, frames: tuple[int, ...]) -> Deviation:
    return Deviation(
        code="SCAN-005",
        array=table.scan.frames,
        message=f"{share(len(frames), table.rows, 'frame')} blank: all zero, or below "
        f"{table.scan.blank_fraction:g} of the median total",
        expected=f"at least {table.scan.blank_fraction:g} of the median",
        found=f"{len(frames):,} blank",
        frames=frames,
        at=("blankFraction",),
    )


def _hot(table: ScanTable, frames: tuple[int, ...]) -> Deviation:
    return Deviation(
        code="SCAN-006",
        array=table.scan.frames,
        message=f"{share(len(frames), table.rows, 'frame')} hot or saturated: the largest amplitude is above "
        f"{table.scan.hot_factor:g} times the median over frames, or at the dtype's limit",
        expected=f"at most {table.scan.hot_factor:g} times the median",
        found=f"{len(frames):,} hot",
        frames=frames,
        at=("hotFactor",),
    )


def _repeated(table: ScanTable, frames: tuple[int, ...]) -> Deviation:
    return Deviation(
        code="SCAN-007",
        array=table.scan.frames,
        message=f"{share(len(frames), table.rows, 'frame')} the same as another in every pixel",
        expected="distinct frames",
        found=f"{len(frames):,} that are not",
        frames=frames,
        at=("repeated",),
    )


def _sparse(table: ScanTable, frames: tuple[int, ...]) -> Deviation:
    return Deviation(
        code="SCAN-008",
        array=table.scan.x,
        message=f"{share(len(frames), table.rows, 'position', 'overlaps', 'overlap')} the nearest other "
        f"by less than {table.scan.minimum_overlap:.0%} "
        f"of the probe's footprint, {table.footprint:.0f} pixels across",
        expected=f"at least {table.scan.minimum_overlap:.0%}",
        found=f"{len(frames):,} below",
        frames=frames,
        at=("minimumOverlap",),
    )


_TOLD = {
    "insideTolerance": _outside,
    "distinct": _duplicates,
    "blankFraction": _blank,
    "hotFactor": _hot,
    "repeated": _repeated,
    "minimumOverlap": _sparse,
}

_OF_FRAMES = frozenset({"blankFraction", "hotFactor", "repeated"})
