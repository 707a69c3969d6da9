"""How often each value occurs in the patterns."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..picture import Plot
from .making import series
from .sight import Shown, Sight

BINS: Final = 64
CODES: Final = (
    "NORM-001", "NORM-002", "VALUE-001", "VALUE-002", "VALUE-003", "VALUE-004", "SCAN-006",
)  # fmt: skip


def gather(sight: Sight) -> Shown | str:
    reading = sight.patterns
    if (why := sight.without(sight.scan.frames)) or reading is None:
        return why
    facts = sight.case.facts_of(reading)
    samples = list(facts.samples.values()) if facts else []
    if not samples:
        return "the patterns are no stack of planes that one pass can sample"
    frames = samples[0].frames
    values = frames[np.isfinite(frames)]
    if not values.size:
        return f"nothing in the sampled frames of {sight.scan.frames} is finite"
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(high - low):
        return "the values reach farther than a histogram can"
    counts, edges = np.histogram(values, bins=_edges(values, low, high))
    quantity = sight.quantity()
    drawn = [series("bars", "pixels", edges, np.append(counts, 0))]
    bound = sight.bound()
    if bound is not None and low <= bound <= max(high, low + (high - low) * 2):
        drawn.append(series("bound", f"bound {bound:g}", [bound], [0.0]))
    zeros = np.count_nonzero(values == 0) / values.size
    told = f"{values.size:,} finite values of {len(frames):,} sampled frames, {zeros:.1%} of them zero"
    median = float(np.median(values))
    return Shown(
        caption=f"{told}; how many is on a logarithmic scale.",
        codes={sight.scan.frames: CODES},
        panels=(
            Plot(
                title=f"How often each {quantity.removesuffix('s')} occurs",
                alt=f"Histogram of {told}; from {low:.4g} to {high:.4g}, median {median:.4g}.",
                x_label=quantity,
                y_label="pixels",
                series=tuple(drawn),
                log=True,
            ),
        ),
    )


def _edges(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], low: float, high: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Edges of bins; whole numbers get bins of whole numbers, so that no comb appears."""
    if not high > low:
        return np.linspace(low - 0.5, high + 0.5, 4) if abs(low) < 1e12 else np.linspace(low * 0.9, low * 1.1, 4)
    if high - low < 1e9 and not (values != np.rint(values)).any():
        width = max(1, -(-int(high - low + 1) // BINS))
        return np.arange(low - 0.5, high + width, width, dtype=np.float64)
    return np.linspace(low, high, BINS + 1)
