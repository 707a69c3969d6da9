"""From arrays to small panels: shrink, quantise, thin out. Caps here bound the size of every report."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from ..picture import LEVELS, MASKED, NO_VALUE, Image, Numbers, Scale, Series, SeriesKind

Array = np.ndarray[Any, Any]

SIDE: Final = 256
"""Pixels of the longer side of an image."""

POINTS: Final = 1_000
"""Points of a line or a cloud."""

MARKS: Final = 200
"""Offending frames that are marked one by one."""

DEPTH: Final = 1e-4
"""Where a log scale ends, as a part of its highest value: 1e-8 in intensity."""


def shrunk(values: Array, by: Literal["mean", "max"] = "mean", side: int = SIDE) -> Array:
    """A plane, (rows, columns), in blocks of equal sides so that neither is longer than ``side``.

    ``max`` keeps single hot pixels in sight; one value that is not finite makes its whole block so.
    """
    factor = -(-max(values.shape) // side)
    if factor <= 1:
        return values
    rows, columns = (-(-length // factor) for length in values.shape)
    pads = [(0, blocks * factor - length) for blocks, length in zip((rows, columns), values.shape, strict=True)]
    blocks = np.pad(values, pads, mode="edge").reshape(rows, factor, columns, factor)
    result: Array = blocks.mean(axis=(1, 3)) if by == "mean" else blocks.max(axis=(1, 3))
    return result


def image(
    values: Array,
    *,
    title: str,
    about: str,
    size: tuple[int, int],
    scale: Scale = "linear",
    ends: tuple[float, float] | None = None,
    unit: str = "",
    masked: Array | None = None,
    over: Sequence[Series] = (),
) -> Image:
    """An image of a plane that is small already, (rows, columns), real.

    Args:
        values: what is shown; on a log scale negative values count as not finite.
        title: a few words.
        about: one sentence that begins the text for those who cannot see it; its numbers are added here.
        size: rows and columns before it was shrunk.
        scale: linear, log or phase.
        ends: values of the two ends; by default those of the data.
        unit: of the values.
        masked: where nothing is to be shown, bool, (rows, columns).
        over: what is drawn over it.
    """
    plane = values.astype(np.float64)
    shown = np.isfinite(plane) & (plane >= 0 if scale == "log" else True)
    low, high = ends if ends is not None and all(map(math.isfinite, ends)) else ends_of([plane], scale)
    if scale == "log":
        scaled = np.log(np.maximum(plane, low) / low) / math.log(high / low)
    else:
        scaled = (plane - low) / (high - low)
    levels = np.full(plane.shape, NO_VALUE, dtype=np.uint8)
    levels[shown] = np.rint(np.clip(scaled[shown], 0, 1) * LEVELS)
    if masked is not None:
        levels[masked & shown] = MASKED
    bad = np.count_nonzero(levels == NO_VALUE)
    words = "" if scale == "phase" else f" Values from {low:.3g} to {high:.3g}{' ' + unit if unit else ''}."
    if bad:
        words += f" {bad:,} of {plane.size:,} shown pixels are not finite{' or are negative' * (scale == 'log')}."
    return Image(
        title=title,
        alt=about + words,
        levels=Numbers.of(levels, "uint8"),
        low=low,
        high=high,
        scale=scale,
        size=size,
        unit=unit,
        over=tuple(over),
    )


def ends_of(planes: Sequence[Array], scale: Scale, trim: float = 0.0) -> tuple[float, float]:
    """Values of the two ends of a scale that holds all planes; different and finite whatever they hold.

    ``trim``: part of the values at either end that may lie beyond it.
    """
    if scale == "phase":
        return -math.pi, math.pi
    finite = np.concatenate([plane[np.isfinite(plane)].astype(np.float64).reshape(-1) for plane in planes])
    if scale == "log":
        positive = finite[finite > 0]
        if not positive.size:
            return DEPTH, 1.0
        high = float(positive.max())
        low = max(float(positive.min()), high * DEPTH, np.finfo(float).tiny)
        return (low, high) if low < high else (high / 10, high)
    if not finite.size:
        return 0.0, 1.0
    low, high = (
        float(end) for end in (np.quantile(finite, [trim, 1 - trim]) if trim else (finite.min(), finite.max()))
    )
    # Differences of huge values may overflow, those of tiny ones vanish.
    low, high = max(low, -1e300), min(high, 1e300)
    if not high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        return (low - 1.0, low + 1.0) if low == 0 else (low - abs(low) / 2, low + abs(low) / 2)
    return low, high


def series(
    kind: SeriesKind, label: str, x: Array | Sequence[float], y: Array | Sequence[float], words: Sequence[str] = ()
) -> Series:
    """Points that are few already; those that are not finite are left out."""
    across, down = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    # Pictures are kept in single precision.
    limit = float(np.finfo(np.float32).max)
    finite = (np.abs(across) < limit) & (np.abs(down) < limit)
    kept = tuple(word for word, some in zip(words, finite, strict=False) if some)
    return Series(kind=kind, label=label, x=Numbers.of(across[finite]), y=Numbers.of(down[finite]), words=kept)


def envelope(values: Array, most: int = POINTS) -> Array:
    """Indices at which a line must be drawn so that its lowest and highest points stay."""
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most // 2 + 1).astype(np.int64)
    filled = np.where(np.isfinite(values), values, 0)
    kept = [low + at for low, high in itertools.pairwise(edges) for at in _ends(filled[low:high])]
    return np.unique(np.array(kept, dtype=np.int64))


def _ends(values: Array) -> tuple[int, int]:
    return int(values.argmin()), int(values.argmax())
