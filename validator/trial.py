"""A way to read a file other than the stated one, as a trial that can be scored."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from .scene import Scene
from .score import POORLY, RESEMBLING, SIGNIFICANT, Score, correlation, score

Array = np.ndarray[Any, Any]

SLIGHT: Final = 4
"""Pixels by which the zero frequency may be off the centre for a warning only."""

SLIGHT_SHIFT: Final = 1.5
"""Pixels by which all positions may be shifted for a warning only."""

FITTED: Final = ("shift", "rescale", "offset")
"""Readings that are the best of very many, searched for in two dimensions."""

HANDICAP: Final = 0.9
"""Part of a fitted reading's correlation that counts beside a reading of which there is but one."""

_SAME: Final = {"corner": "shift", "rescale": "shift", "fftshift": "offset", "reverse": "flip-xy"}
_ABOUT: Final = re.compile(r"-(object|scan|centred|sign).*")


class Affine(NamedTuple):
    """Other coordinates: ``x' = xx * x + xy * y + x0``, ``y' = yx * x + yy * y + y0``."""

    xx: float = 1.0
    xy: float = 0.0
    x0: float = 0.0
    yx: float = 0.0
    yy: float = 1.0
    y0: float = 0.0

    def apply(self, x: Array, y: Array) -> tuple[Array, Array]:
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0


def _as_stored(frames: Array) -> Array:
    return frames


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One way to read a file. ``kind``: positions, pairing, centre, detector or probe; ``words`` finish "with ...".

    ``values`` say it as data: the numbers of an :class:`Affine`, a step between frames and positions, or by how many
    rows and columns a reversed detector is rolled. ``order``: what it does to the frames that were compared.
    """

    kind: str
    name: str
    words: str
    score: Score
    values: tuple[tuple[str, float | int], ...] = ()
    order: Callable[[Array], Array] = field(compare=False, repr=False, default=_as_stored)

    @property
    def least(self) -> float:
        """What it must explain where it stands alone."""
        return RESEMBLING if self.name in FITTED else POORLY

    @property
    def beyond(self) -> float:
        """Standard deviations that are more than chance: it takes the best of very many farther."""
        return SIGNIFICANT if self.name in FITTED else SIGNIFICANT / 2

    @property
    def slight(self) -> bool:
        """A few pixels off: a phase ramp on probe or object looks the same, and does little harm."""
        values = dict(self.values)
        if self.name == "offset":
            return max(map(abs, values.values())) <= SLIGHT
        return self.name == "shift" and math.hypot(values["x0"], values["y0"]) < SLIGHT_SHIFT


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trial:
    """A reading that is not scored in full yet: its patterns, (n, H, W), and their correlation.

    ``order``: what it does to ``measured``. ``share``: the part of the sampled frames that it rests on.
    """

    kind: str
    name: str
    words: str
    values: tuple[tuple[str, float | int], ...]
    predicted: Array
    measured: Array
    correlation: float
    order: Callable[[Array], Array] = _as_stored
    share: float = 1.0

    @property
    def weight(self) -> float:
        """By how much the best is chosen."""
        return self.correlation * (HANDICAP if self.name in FITTED else 1.0) * math.sqrt(self.share)

    @property
    def family(self) -> str:
        """Readings of one family resemble each other: the same about another middle, or one that both amount to."""
        return "probe" if self.kind == "probe" else _SAME.get(self.name, _ABOUT.sub("", self.name))

    def reading(self) -> Reading:
        """The reading, scored."""
        full = score(self.predicted, self.order(self.measured))
        return Reading(
            kind=self.kind, name=self.name, words=self.words, score=full, values=self.values, order=self.order
        )


def trial(kind: str, name: str, words: str, predicted: Array, measured: Array, fit: float, **values: float) -> Trial:
    """A trial of frames as they are stored; ``fit`` is its correlation."""
    return Trial(
        kind=kind,
        name=name,
        words=words,
        values=tuple(values.items()),
        predicted=predicted,
        measured=measured,
        correlation=fit,
    )


def moved(scene: Scene, name: str, words: str, affine: Affine, data: Array) -> Trial:
    """The trial of other positions."""
    return next(moved_each(scene, [(name, words, affine)], data))


def moved_each(scene: Scene, readings: Iterable[tuple[str, str, Affine]], data: Array) -> Iterator[Trial]:
    """The trials of several."""
    every = list(readings)
    places = [affine.apply(scene.x, scene.y) for _, _, affine in every]
    for (name, words, affine), predicted in zip(every, scene.predicted_each(places), strict=True):
        fit = correlation(predicted, data)
        yield trial("positions", name, words, predicted, scene.measured, fit, **affine._asdict())
