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

SCALED: Final = 0.2
"""Part by which positions are looked for closer together or farther apart."""

SURELY: Final = 0.9
"""What positions at another scale must explain of what noise lets be explained."""

SCALES: Final = 40
"""Scales that are tried on either side, at most."""

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


def rescaled(scene: Scene, one: Trial, data: Array) -> Iterator[Trial]:
    """A shift with the positions drawn closer or apart, too, where that fits better: they have another pixel size.

    By a shift alone a part of the scan fits, and the rest lies pixels off.
    """
    base = Affine(**dict(one.values))
    ends = [(float(values.min()), float(values.max())) for values in (scene.x, scene.y)]
    (x_middle, y_middle), half = ((low + high) / 2 for low, high in ends), max(high - low for low, high in ends) / 2
    if half < 1:
        return
    fit = _fit(scene)

    def affine(factor: float, dx: float, dy: float) -> Affine:
        x0, y0 = x_middle * (1 - factor) + base.x0 + dx, y_middle * (1 - factor) + base.y0 + dy
        return Affine(xx=factor, x0=x0, yy=factor, y0=y0)

    stated = fit(base)
    # By how many pixels the outermost positions move from one scale to the next.
    step = edge = max(2.0, min(scene.probe.shape[-2:]) / 24)
    ticks = np.arange(1, min(SCALES, np.ceil(SCALED * half / edge)) + 1) * edge / half
    reached, best = stated, (1.0, 0.0, 0.0)
    for factor in (*(1 + ticks), *(1 / (1 + ticks))):
        if (found := fit(affine(float(factor), 0.0, 0.0))) > reached:
            reached, best = found, (float(factor), 0.0, 0.0)
    while step >= 0.25:
        factor, dx, dy = best
        around = [(factor + by * step / half, dx, dy) for by in (-1, 1)]
        around += [(factor, dx + by, dy) for by in (-step, step)] + [(factor, dx, dy + by) for by in (-step, step)]
        better, at = max((fit(affine(*other)), other) for other in around)
        if better > reached:
            reached, best = better, at
        else:
            step /= 2
    factor, dx, dy = best
    if reached < stated + GAIN / 2 or abs(factor - 1) * half < 0.5:
        return
    words = (
        f"all positions scaled by {factor:.4g} about the middle of the scan and moved by "
        f"{base.x0 + dx:+.3g} in x and {base.y0 + dy:+.3g} in y"
    )
    scaled = moved(scene, "rescale", words, affine(*best), data)
    # A shift that is not the right one is followed by a scale that is not, either.
    if scaled.correlation >= one.correlation + GAIN / 2 and scaled.reading().score.explained >= SURELY:
        yield scaled


def _fit_of_shifts(scene: Scene, base: Affine) -> Callable[[tuple[float, float]], float]:
    """How well a few frames fit with the positions of a reading moved by (dx, dy)."""
    fit = _fit(scene)
    return lambda by: fit(base._replace(x0=base.x0 + by[0], y0=base.y0 + by[1]))


def _fit(scene: Scene) -> Callable[[Affine], float]:
    """How well a few frames fit with other positions."""
    pixels = scene.measured[0].size
    small = scene.thinned(max(4, (LEAST + 2) * min(SEARCHED, pixels) // pixels))
    small = replace(small, probe=strongest(small.probe, MODES))
    if pixels > WHOLE:
        small = small.within(SEARCHED)
    data = centred(small.measured)
    return lambda affine: correlation(small.predicted(*affine.apply(small.x, small.y)), data)


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
