"""How far each scan position is from the nearest other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .repeats import repeated

Array = np.ndarray[Any, Any]

MOST_PAIRS = 1 << 10
"""Positions that one is compared with on average, in search of the nearest; a raster of 2**18 needs five hundred."""


def nearest(x: Array, y: Array, near: float = 0.0) -> Array:
    """Distance of each position to the nearest other; NaN where a coordinate is.

    ``near``: a distance at which the search may stop; what is told is then no more than that. Most positions of a scan
    share a square of half that side with another, and need no search.
    The others are sorted by one coordinate; each looks to both sides at growing lags, until the lag alone is
    farther than the best it has found. Positions that lie on a line are done in a few steps, those of a raster in
    about the square root of their number. Where a few far ones leave all others side by side, it may take as many
    steps as there are positions: it stops there, and NaN stands for what was not found.
    """
    result = np.full(len(x), np.nan)
    here = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(here) < 2:
        return result
    along, across = (x[here], y[here]) if np.ptp(x[here]) >= np.ptp(y[here]) else (y[here], x[here])
    order = np.argsort(along, kind="stable")
    along, across = along[order], across[order]
    best = np.where(_together(along, across, near / 2), near / math.sqrt(2), np.inf)
    work = MOST_PAIRS * len(order)
    for side in (1, -1):
        active = np.flatnonzero(best > near)
        for lag in range(1, len(order)):
            other = active + side * lag
            inside = (other >= 0) & (other < len(order))
            active, other = active[inside], other[inside]
            gap = np.abs(along[other] - along[active])
            open_ = (gap < best[active]) & (best[active] > near)
            active, other, gap = active[open_], other[open_], gap[open_]
            work -= active.size
            if not active.size:
                break
            if work < 0:
                best[active] = np.nan
                break
            best[active] = np.minimum(best[active], np.hypot(gap, across[other] - across[active]))
    result[here[order]] = best
    return result


def _together(along: Array, across: Array, side: float) -> Array:
    """Which positions share a square of a grid with another."""
    if side <= 0:
        return np.zeros(len(along), dtype=bool)
    squares = np.floor(along / side), np.floor(across / side)
    return repeated(squares) & np.isfinite(squares[0]) & np.isfinite(squares[1])
