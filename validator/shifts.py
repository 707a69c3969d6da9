"""All positions moved by the same: searched for, and as the last step of another reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from .coarse import strongest
from .scene import LEAST, Scene
from .score import centred, correlation
from .trial import Affine, Trial, moved

Array = np.ndarray[Any, Any]

NEAR: Final = 8.0
"""Pixels by which a reading's origin is looked for elsewhere."""

MODES: Final = 2
"""Probe modes with which a shift is looked for: what it moves, the strongest show; how well it fits, all of them."""

GAIN: Final = 0.02
"""Correlation that another origin must gain."""

WHOLE: Final = 1 << 16
"""Pixels of a frame beyond which a shift is searched for at fewer; how well it fits, all of them show."""

SEARCHED: Final = 128 * 128
"""Pixels of a frame beyond which fewer frames are used to search for a shift: larger ones tell more each."""


def shift(scene: Scene, data: Array) -> Trial:
    """The best shift of all positions, searched from coarse to fine."""
    fit = _fit_of_shifts(scene, Affine())

    reach = min(scene.probe.shape[-2:]) / 2
    step = max(2.0, reach / 12)
    ticks = np.arange(-reach, reach + step / 2, step)
    starts = [(float(dx), float(dy)) for dx in ticks for dy in ticks]
    close = np.arange(-NEAR, NEAR + step / 2, step)
    starts += [(at_x + float(dx), at_y + float(dy)) for at_x, at_y in _middles(scene) for dx in close for dy in close]
    best = max(starts, key=fit)
    while step > 0.5:
        step /= 2
        best = max(((best[0] + i * step, best[1] + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1)), key=fit)
    dx, dy = (round(value, 2) + 0.0 for value in best)
    return moved(
        scene,
        "shift",
        f"all positions moved by {dx:+g} in x and {dy:+g} in y",
        Affine(x0=dx, y0=dy),
        data,
    )


def _middles(scene: Scene) -> Iterator[tuple[float, float]]:
    """Shifts that are far and yet likely: positions counted from the middle of the object, or of anything else."""
    rows, columns = scene.object.shape
    yield columns / 2, rows / 2
    yield columns / 2 - float(scene.x.min() + scene.x.max()) / 2, rows / 2 - float(scene.y.min() + scene.y.max()) / 2


def _fit_of_shifts(scene: Scene, base: Affine) -> Callable[[tuple[float, float]], float]:
    """How well a few frames fit with the positions of a reading moved by (dx, dy)."""
    pixels = scene.measured[0].size
    small = scene.thinned(max(4, (LEAST + 2) * min(SEARCHED, pixels) // pixels))
    small = replace(small, probe=strongest(small.probe, MODES))
    if pixels > WHOLE:
        small = small.within(SEARCHED)
    x, y = base.apply(small.x, small.y)
    data = centred(small.measured)
    return lambda by: correlation(small.predicted(x + by[0], y + by[1]), data)


def refined(scene: Scene, one: Trial, data: Array) -> Iterator[Trial]:
    """The same reading of the positions, moved a little where that fits clearly better: its origin may be another."""
    base = Affine(**dict(one.values))
    fit = _fit_of_shifts(scene, base)
    best, step = (0.0, 0.0), 2.0
    stated = reached = fit(best)
    while step >= 0.5:
        around = [(best[0] + i * step, best[1] + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
        better, at = max((fit(one), one) for one in around)
        if better > reached and max(map(abs, at)) <= NEAR:
            reached, best = better, at
        else:
            step /= 2
    if reached < stated + GAIN:
        return
    dx, dy = best
    words = f"{one.words}, then moved by {dx:+g} in x and {dy:+g} in y"
    affine = base._replace(x0=base.x0 + dx, y0=base.y0 + dy)
    yield moved(scene, one.name, words, affine, data)


def leans(scene: Scene, data: Array, stated: float) -> bool:
    """Whether a small shift of all positions already fits better: then the right one is farther that way."""
    places = [(scene.x + dx, scene.y + dy) for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2))]
    return any(correlation(predicted, data) > stated + 0.02 for predicted in scene.predicted_each(places))
