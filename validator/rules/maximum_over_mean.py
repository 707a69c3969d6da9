"""``values.maximumOverMean``: a largest value far above the mean (NORM-002)."""

from __future__ import annotations

from collections.abc import Iterator

from npzschema.contracts import ArraySpec

from ..binding import Reading
from ..case import Case
from ..findings import Deviation
from ..folds import Facts
from ..scan_table import hot_frames


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    reading = case.reading(spec)
    found = far_above_mean(case, reading) if reading is not None else None
    if found is not None:
        largest, ratio = found
        bound = spec.values.maximum_over_mean
        yield Deviation(
            code="NORM-002",
            array=spec.name,
            message=f"the largest value, {largest:.4g}, is {ratio:,.0f} times the mean; "
            f"the contract says less than {bound:g} times",
            expected=f"less than {bound:g}",
            found=f"{ratio:.6g}",
            at=("maximumOverMean",),
        )


def far_above_mean(case: Case, reading: Reading) -> tuple[float, float] | None:
    """The largest value, and how often the mean it is, where that is more than the contract allows; else None."""
    facts, bound = case.facts_of(reading), reading.spec.values.maximum_over_mean
    # The mean of square roots is not the root of the mean: counts are judged once they are mended.
    if bound is None or facts is None or case.other_quantity(reading):
        return None
    largest, mean = _without_hot_frames(case, reading, facts)
    return (largest, largest / mean) if mean > 0 and largest >= bound * mean else None


def _without_hot_frames(case: Case, reading: Reading, facts: Facts) -> tuple[float, float]:
    """The largest value and the mean; frames that are told as hot (SCAN-006) are judged there."""
    hot, frames = hot_frames(case, reading), case.frames_of(reading)
    if not hot.any() or frames is None or len(frames.maximum) != len(hot):
        return facts.range.maximum, facts.range.mean
    usual = ~hot
    pixels = usual.sum() * (facts.range.count // len(usual)) - frames.nonfinite[usual].sum()
    return float(frames.maximum[usual].max(initial=0)), float(frames.total[usual].sum() / pixels) if pixels else 0.0
