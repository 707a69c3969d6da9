"""Two faults at once, which hide each other: neither reading alone fits, both together do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from .readings import orders, symmetries, turned
from .scene import Scene
from .score import EXPLAINED, SURE, centred, correlation
from .trial import HANDICAP, Affine, Trial, trial

Array = np.ndarray[Any, Any]

FEW: Final = 10
"""Frames for which every pair is tried; the best is compared with all."""

SEARCHED: Final = 1 << 16
"""Pixels of a frame at which every pair is tried, at most."""

PAIR: Final = 2
"""Faults at once. Of three, there would be too many to be sure of one."""


class _Part(NamedTuple):
    """One side of a pair: nothing, a reading, or two of the positions."""

    faults: int = 0
    name: str = ""
    words: str = ""


_AS_IT_IS: Final = _Part()
_CENTRE: Final = _Part(1, "fftshift", "the zero frequency moved from the corner to the centre")


class _Pair(NamedTuple):
    fit: float
    placed: _Part
    affine: Affine
    centre: _Part
    turn: _Part
    roll: tuple[int, int]

    @property
    def parts(self) -> list[_Part]:
        return [part for part in (self.placed, self.centre, self.turn) if part.faults]

    def seen(self, frames: Array) -> Array:
        return _seen(frames, self.centre, self.turn, self.roll)


def pairs(scene: Scene, data: Array, beyond: float) -> Iterator[Trial]:
    """The best of two readings at once: of the positions, of the centre and of the detector's pixels.

    It is the best of very many, so nothing comes of it unless it explains the patterns beyond doubt, and clearly
    more than any reading alone, which correlates ``beyond``. Its name begins with the reading that is to be mended
    first, and its kind and values are those of that one.
    """
    best = max(_tried(scene), key=lambda one: one.fit)
    if best.fit * HANDICAP <= beyond:
        return
    placed = best.affine != Affine()
    predicted = scene.predicted(*best.affine.apply(scene.x, scene.y))
    one = trial(
        "positions" if placed else "centre",
        "+".join(part.name for part in best.parts),
        " and ".join(part.words for part in best.parts),
        predicted,
        best.seen(scene.measured),
        correlation(predicted, best.seen(data)),
        **(best.affine._asdict() if placed else {}),
    )
    full = one.reading().score
    rival = max(beyond, _mirrored(scene, best, data))
    if one.correlation * HANDICAP > rival and full.z >= SURE and full.explained >= EXPLAINED:
        yield one


def afterwards(name: str) -> tuple[str, ...]:
    """Kinds of the readings that are left to be mended after the first, by the name of a pair; none for one reading."""
    return tuple("centre" if one == _CENTRE.name else "detector" for one in name.split("+")[1:])


def _mirrored(scene: Scene, best: _Pair, data: Array) -> float:
    """Correlation with the object mirrored and nothing else: with a symmetric probe, that makes the same patterns.

    One fault is likelier than two, and no step mends that one.
    """
    if not (best.turn.faults and best.placed.name.startswith(("swap", "flip"))):
        return 0.0
    flips = best.placed.name.removesuffix("-object").partition("flip-")[2]
    mirrored = scene.object[:: -1 if "y" in flips else 1, :: -1 if "x" in flips else 1]
    mirrored = mirrored.T if best.placed.name.startswith("swap") else mirrored
    return correlation(replace(scene, object=mirrored).predicted(scene.x, scene.y), data)


def _tried(scene: Scene) -> Iterator[_Pair]:
    few = scene.taken(scene.scattered(FEW)).within(SEARCHED)
    compared = centred(few.measured)
    placed = list(_placed(scene))
    models = np.stack([centred(few.predicted(*affine.apply(few.x, few.y))).reshape(-1) for _, affine in placed])
    turns = [(_AS_IT_IS, (0, 0))]
    turns += [(_Part(1, name, words), roll) for name, words, roll in orders(*few.measured.shape[1:])]
    for centre in (_AS_IT_IS, _CENTRE):
        for turn, roll in turns:
            fits = np.einsum("ij,j->i", models, _seen(compared, centre, turn, roll).reshape(-1))
            for (part, affine), fit in zip(placed, fits, strict=True):
                if part.faults + centre.faults + turn.faults == PAIR:
                    yield _Pair(float(fit), part, affine, centre, turn, roll)


def _placed(scene: Scene) -> Iterator[tuple[_Part, Affine]]:
    """Positions as they are, and in one other reading or two."""
    height, width = scene.probe.shape[-2:]
    corner = "positions taken as the upper left corner of the patch"
    yield _AS_IT_IS, Affine()
    yield _Part(1, "corner", corner), Affine(x0=width / 2, y0=height / 2)
    for name, words, one in symmetries(scene):
        yield _Part(1, name, words), one
        x0, y0 = one.apply(np.array(width / 2), np.array(height / 2))
        yield _Part(2, f"corner-{name}", f"{corner}, then {words}"), one._replace(x0=float(x0), y0=float(y0))


def _seen(frames: Array, centre: _Part, turn: _Part, roll: tuple[int, int]) -> Array:
    """Frames (n, H, W) with the zero frequency in the centre, then with their pixels in another order."""
    moved = np.fft.fftshift(frames, axes=(1, 2)) if centre.faults else frames
    return turned(moved, turn.name, *roll) if turn.faults else moved
