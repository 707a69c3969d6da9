"""Scans to simulate with: n positions with a mean step, as x and y around zero, in pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]
Scan = Callable[[int, float, "np.random.Generator"], tuple[Array, Array]]


def raster(count: int, step: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Row by row on a square grid, each position off by up to a fifth of a step."""
    columns = int(np.ceil(np.sqrt(count)))
    index = np.arange(count)
    jitter = rng.uniform(-0.2, 0.2, (2, count))
    x, y = index % columns + jitter[0], index // columns + jitter[1]
    return _centred(x * step), _centred(y * step)


def fermat(count: int, step: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """A Fermat spiral (Huang et al., Opt. Express 22, 12634, 2014): even density, no grid."""
    index = np.arange(count) + 0.5
    radius, angle = step * np.sqrt(index / np.pi), index * np.pi * (3 - np.sqrt(5))
    return radius * np.cos(angle), radius * np.sin(angle)


def concentric(count: int, step: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Circles one step apart, positions one step apart along each."""
    x, y = [np.zeros(1)], [np.zeros(1)]
    held, ring = 1, 1
    while held < count:
        points = max(1, round(2 * np.pi * ring))
        angle = 2 * np.pi * (np.arange(points) + rng.uniform()) / points
        x.append(step * ring * np.cos(angle))
        y.append(step * ring * np.sin(angle))
        held, ring = held + points, ring + 1
    return np.concatenate(x)[:count], np.concatenate(y)[:count]


SCANS: Final[Mapping[str, Scan]] = {"raster": raster, "fermat": fermat, "concentric": concentric}


def _centred(values: Array) -> Array:
    result: Array = values - (values.min() + values.max()) / 2
    return result
