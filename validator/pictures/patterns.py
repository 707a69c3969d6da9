"""The mean pattern, on a log scale."""

from __future__ import annotations

from typing import Final

from .making import image, shrunk
from .probe import size_words
from .sight import Shown, Sight

CODES: Final = (
    "NORM-002", "VALUE-001", "VALUE-002", "VALUE-003", "VALUE-004", "SHAPE-003", "PHYS-003",
    "PHYS-004",
)  # fmt: skip


def gather(sight: Sight) -> Shown | str:
    reading = sight.patterns
    if (why := sight.without(sight.scan.frames)) or reading is None:
        return why
    axis = sight.case.scan_axis(reading)
    facts = sight.case.facts_of(reading)
    if axis is None or facts is None:
        return "the axis order of the patterns is undecided"
    sample = facts.samples.get(axis)
    if sample is None:
        return "the patterns are no stack of planes that one pass can sample"
    swapped = sight.rows_first(sample.frames.mean(axis=0), axis)
    plane = shrunk(swapped)
    n = len(sample.index)
    told = f"Mean of {n:,} frame{'s' * (n != 1)}, evenly spaced among {reading.header.shape[axis]:,}"
    of = "" if sample.whole else " of their pixels, evenly spaced"
    return Shown(
        caption=f"{told}; logarithmic. The zero frequency belongs in the middle. A pixel that is not finite in one of "
        "them is shown as not finite.",
        codes={sight.scan.frames: CODES},
        panels=(
            image(
                plane,
                title="Mean of the sampled frames",
                about=f"{told}, {size_words(swapped)}{of}, on a logarithmic scale.",
                size=swapped.shape,
                scale="log",
                unit=sight.quantity(),
            ),
        ),
    )
