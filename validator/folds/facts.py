"""What the folds found, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]

Lattice = Literal["intensity", "amplitude"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeFacts:
    """Extremes and sums of the finite values of an array.

    ``minimum``, ``maximum`` and ``mean`` are of the values themselves for real arrays, NaN for complex ones and
    where nothing is finite. ``largest`` and ``smallest``: of the magnitudes of all components, the smallest
    above zero. ``phase``: whether any imaginary part is not zero. ``nonfinite_at``: for each axis of the shape, the
    indices that hold NaN or infinity.
    """

    count: int
    nonfinite: int = 0
    minimum: float = float("nan")
    maximum: float = float("nan")
    mean: float = float("nan")
    constant: bool = False
    largest: float = 0.0
    smallest: float = float("inf")
    fractional: bool = False
    phase: bool = False
    nonfinite_at: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FrameFacts:
    """Per frame, finite pixels only: totals, extremes (float64), and digests (equal where frames are)."""

    total: Array
    minimum: Array
    maximum: Array
    nonfinite: Array
    digest: Array


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """Some frames: which, and their values, float32 or float64, (frames, rows, columns).

    ``whole``: at all of their pixels; else evenly spaced ones, about the middle.
    """

    index: Array
    frames: Array
    whole: bool = True


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Facts:
    """All folds of one array.

    ``frames`` and ``samples``: by the axis that counts frames; ``fingerprints``: by the order of axes.
    """

    range: RangeFacts
    frames: Mapping[int, FrameFacts] = field(default_factory=dict)
    samples: Mapping[int, Sample] = field(default_factory=dict)
    values: Array | None = None
    lattice: Lattice | None = None
    fingerprints: Mapping[tuple[int, ...], int] = field(default_factory=dict)
