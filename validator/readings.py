"""Other ways to read a file: positions, pairing, centre and detector, each as a trial that can be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from .score import LEAST, Scene, Score, centred, correlation, score

Array = np.ndarray[Any, Any]

ROLLS: Final = tuple(step for k in range(1, 9) for step in (k, -k))
"""Steps by which frames and positions are tried out of step."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One way to read a file. ``kind``: positions, pairing, centre or detector; ``words`` finish "with ...".

    ``values`` say it as data: the numbers of an :class:`Affine`, a step between frames and positions, or by how many
    rows and columns a reversed detector is rolled.
    """

    kind: str
    name: str
    words: str
    score: Score
    values: tuple[tuple[str, float | int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trial:
    """A reading that is not scored in full yet: its patterns, (n, H, W), and their correlation."""

    kind: str
    name: str
    words: str
    values: tuple[tuple[str, float | int], ...]
    predicted: Array
    measured: Array
    correlation: float

    def reading(self) -> Reading:
        """The reading, scored."""
        full = score(self.predicted, self.measured)
        return Reading(kind=self.kind, name=self.name, words=self.words, score=full, values=self.values)


def _trial(kind: str, name: str, words: str, predicted: Array, measured: Array, data: Array, **values: float) -> Trial:
    return Trial(
        kind=kind,
        name=name,
        words=words,
        values=tuple(values.items()),
        predicted=predicted,
        measured=measured,
        correlation=correlation(predicted, data),
    )


def near(scene: Scene, predicted: Array) -> Iterator[Trial]:
    """Axes of the positions swapped or flipped, and other orders of the detector's pixels: always compared.

    ``predicted``: patterns at the stated positions.
    """
    data = centred(scene.measured)
    yield from _detector(scene, predicted, data)
    for name, words, affine in _symmetries(scene):
        yield moved(scene, name, words, affine, data)


def moved(scene: Scene, name: str, words: str, affine: Affine, data: Array) -> Trial:
    """The trial of other positions; ``data`` are the measured frames, centred."""
    predicted = scene.predicted(*affine.apply(scene.x, scene.y))
    return _trial("positions", name, words, predicted, scene.measured, data, **affine._asdict())


def _symmetries(scene: Scene) -> Iterator[tuple[str, str, Affine]]:
    """The seven other symmetries of the square, flips taken about the middle of the object."""
    rows, columns = scene.object.shape
    yield "swap", "x and y swapped", Affine(xx=0, xy=1, yx=1, yy=0)
    yield from _flips("object", (columns, rows))
    yield from _turns("object", (columns, rows))


def _other_middles(scene: Scene) -> Iterator[tuple[str, str, Affine]]:
    """The same about other middles: those of an object that is not square, and of the scan."""
    x, y, (rows, columns) = scene.x, scene.y, scene.object.shape
    # Twice the middle, of x and of y.
    ends = float(x.min() + x.max()), float(y.min() + y.max())
    if rows != columns:
        # Flipped first and swapped then, or the other way round: on an object that is not square these differ.
        yield from _turns("object, other sides", (rows, columns))
    if abs(ends[0] - columns) >= 1 or abs(ends[1] - rows) >= 1:
        yield from _flips("scan", ends)
        yield from _turns("scan", (ends[1], ends[0]))


def _flips(about: str, ends: tuple[float, float]) -> Iterator[tuple[str, str, Affine]]:
    place = f"flipped about the middle of the {about}"
    yield f"flip-x-{about}", f"x {place}", Affine(xx=-1, x0=ends[0])
    yield f"flip-y-{about}", f"y {place}", Affine(yy=-1, y0=ends[1])
    yield f"flip-xy-{about}", f"x and y {place}", Affine(xx=-1, x0=ends[0], yy=-1, y0=ends[1])


def _turns(about: str, ends: tuple[float, float]) -> Iterator[tuple[str, str, Affine]]:
    place = f"flipped about the middle of the {about}"
    swap = Affine(xx=0, xy=1, yx=1, yy=0)
    name = about.replace(", ", "-").replace(" ", "-")
    yield f"swap-flip-x-{name}", f"x and y swapped, then x {place}", swap._replace(xy=-1, x0=ends[0])
    yield f"swap-flip-y-{name}", f"x and y swapped, then y {place}", swap._replace(yx=-1, y0=ends[1])
    yield (
        f"swap-flip-xy-{name}",
        f"x and y swapped, then both {place}",
        swap._replace(xy=-1, x0=ends[0], yx=-1, y0=ends[1]),
    )


_ORIENTATIONS: Final[tuple[tuple[str, str, Callable[[Array], Array]], ...]] = (
    ("transpose", "the detector's rows and columns exchanged", lambda a: a.transpose(0, 2, 1)),
    ("flip-columns", "the detector's columns reversed", lambda a: a[:, :, ::-1]),
    ("flip-rows", "the detector's rows reversed", lambda a: a[:, ::-1, :]),
    ("flip-both", "the detector's rows and columns reversed", lambda a: a[:, ::-1, ::-1]),
    ("transpose-flip-columns", "the detector turned by a quarter", lambda a: a.transpose(0, 2, 1)[:, :, ::-1]),
    ("transpose-flip-rows", "the detector turned by a quarter", lambda a: a.transpose(0, 2, 1)[:, ::-1, :]),
    ("transpose-flip-both", "the detector's other diagonal exchanged", lambda a: a.transpose(0, 2, 1)[:, ::-1, ::-1]),
)


def _detector(scene: Scene, predicted: Array, data: Array) -> Iterator[Trial]:
    """Other orders of the detector's pixels under the stated positions."""
    words = "the zero frequency moved from the corner to the centre"
    shifted = (np.fft.ifftshift(frames, axes=(1, 2)) for frames in (scene.measured, data))
    yield _trial("centre", "fftshift", words, predicted, *shifted)
    for name, words, turn in _ORIENTATIONS:
        if turn(scene.measured).shape != predicted.shape:
            continue
        # An even detector has its centre beside its middle: reversed, it is off by one pixel.
        rolls = {(0, 0), (int("rows" in name or "both" in name), int("columns" in name or "both" in name))}
        for roll in sorted(rolls):
            yield _trial(
                "detector",
                name,
                words,
                predicted,
                turned(scene.measured, name, *roll),
                turned(data, name, *roll),
                roll_rows=roll[0],
                roll_columns=roll[1],
            )


def far(scene: Scene) -> Iterator[Trial]:
    """Flips about other middles, corner for centre, other scales, frames and positions out of step."""
    x, y, data = scene.x, scene.y, centred(scene.measured)
    for name, words, affine in _other_middles(scene):
        yield moved(scene, name, words, affine, data)
    (rows, columns), (height, width) = scene.object.shape, scene.probe.shape[-2:]
    words = "positions taken as the upper left corner of the patch"
    yield moved(scene, "corner", words, Affine(x0=width / 2, y0=height / 2), data)
    for factor, word in ((2.0, "doubled"), (0.5, "halved")):
        yield moved(scene, f"scale-{word}", f"positions {word}", Affine(xx=factor, yy=factor), data)
        about = Affine(xx=factor, yy=factor, x0=columns / 2 * (1 - factor), y0=rows / 2 * (1 - factor))
        yield moved(scene, f"scale-{word}-centred", f"positions {word} about the middle of the object", about, data)
    for step in ROLLS:
        if abs(step) < len(x):
            words = f"frame i taken with position i {'+' if step > 0 else '-'} {abs(step)}"
            predicted = scene.predicted(np.roll(x, -step), np.roll(y, -step))
            yield _trial("pairing", "roll", words, predicted, scene.measured, data, step=step)


def strides(scene: Scene) -> Iterator[Trial]:
    """The first frames with every k-th position: then frame k * i belongs to position i."""
    held = {int(frame): row for row, frame in enumerate(scene.index)}
    for stride in range(2, len(scene.index) // LEAST + 1):
        pairs = [(held[stride * at], at) for at in range(len(scene.x)) if stride * at in held]
        if len(pairs) < LEAST:
            continue
        rows, at = (np.array(side) for side in zip(*pairs, strict=True))
        words = f"frame {stride} * i taken with position i: first frames kept with every {stride}th position"
        predicted = Scene(
            probe=scene.probe, object=scene.object, x=scene.x, y=scene.y, index=at, measured=scene.measured
        ).predicted(scene.x, scene.y)
        measured = scene.measured[rows]
        yield _trial("pairing", "stride", words, predicted, measured, centred(measured), stride=stride)


def shift(scene: Scene) -> Trial:
    """The best shift of all positions, searched from coarse to fine."""
    small = scene.thinned(LEAST + 2)
    data = centred(small.measured)

    def fit(at: tuple[float, float]) -> float:
        return correlation(small.predicted(small.x + at[0], small.y + at[1]), data)

    reach = min(scene.probe.shape[-2:]) / 4
    step = max(2.0, reach / 6)
    ticks = np.arange(-reach, reach + step / 2, step)
    best = max(((float(dx), float(dy)) for dx in ticks for dy in ticks), key=fit)
    while step > 0.5:
        step /= 2
        best = max(((best[0] + i * step, best[1] + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1)), key=fit)
    dx, dy = (round(value, 2) + 0.0 for value in best)
    return moved(
        scene,
        "shift",
        f"all positions moved by {dx:+g} in x and {dy:+g} in y",
        Affine(x0=dx, y0=dy),
        centred(scene.measured),
    )


def leans(scene: Scene, stated: float) -> bool:
    """Whether a small shift of all positions already fits better: then the right one is farther that way."""
    data = centred(scene.measured)
    return any(
        correlation(scene.predicted(scene.x + dx, scene.y + dy), data) > stated + 0.02
        for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2))
    )


def turned(frames: Array, name: str, roll_rows: int, roll_columns: int) -> Array:
    """Frames (n, H, W) with the detector's pixels in another order, by the name of a reading."""
    turn = next(turn for one, _, turn in _ORIENTATIONS if one == name)
    rolled: Array = np.roll(turn(frames), (roll_rows, roll_columns), axis=(1, 2))
    return rolled
