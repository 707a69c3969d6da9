"""Other ways to read a file: positions, pairing, centre and detector, each as a trial that can be scored."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from .score import LEAST, Scene, Score, centred, correlation, score

Array = np.ndarray[Any, Any]

SLIGHT: Final = 4
"""Pixels by which the zero frequency may be off the centre for a warning only."""

SLIGHT_SHIFT: Final = 1.5
"""Pixels by which all positions may be shifted for a warning only."""

NEAR: Final = 8.0
"""Pixels by which a reading's origin is looked for elsewhere."""

GAIN: Final = 0.02
"""Correlation that another origin must gain."""

HANDICAP: Final = 0.9
"""Part of a fitted reading's correlation that counts beside a reading of which there is but one."""

SEARCHED: Final = 128 * 128
"""Pixels of a frame beyond which fewer frames are used to search for a shift: larger ones tell more each."""

FEW: Final = 10
"""Frames for which every pairing is tried."""

PREDICTED: Final = 1 << 26
"""Pixels, of every probe mode, that are predicted to try pairings: what bounds the time."""

GROUP: Final = 64
"""Positions predicted at a time."""


_ABOUT: Final = re.compile(r"-(object|scan|centred).*")


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

    ``share``: the part of the sampled frames that it rests on.
    """

    kind: str
    name: str
    words: str
    values: tuple[tuple[str, float | int], ...]
    predicted: Array
    measured: Array
    correlation: float
    share: float = 1.0

    @property
    def fitted(self) -> bool:
        """Whether it is the best of very many, searched for in two dimensions."""
        return self.name in ("shift", "offset")

    @property
    def weight(self) -> float:
        """By how much the best is chosen."""
        return self.correlation * (HANDICAP if self.fitted else 1.0) * math.sqrt(self.share)

    @property
    def family(self) -> str:
        """Readings of one family resemble each other: the same about another middle, or one that both amount to."""
        return {"corner": "shift", "fftshift": "offset"}.get(self.name, _ABOUT.sub("", self.name))

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


def near(scene: Scene, predicted: Array, data: Array) -> Iterator[Trial]:
    """Axes of the positions swapped or flipped, and other orders of the detector's pixels: always compared.

    ``predicted``: patterns at the stated positions. ``data``, here and below: the measured frames, centred.
    """
    yield from _detector(scene, predicted, data)
    for name, words, affine in _symmetries(scene):
        yield moved(scene, name, words, affine, data)


def moved(scene: Scene, name: str, words: str, affine: Affine, data: Array) -> Trial:
    """The trial of other positions."""
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
    shifted = (np.fft.fftshift(frames, axes=(1, 2)) for frames in (scene.measured, data))
    yield _trial("centre", "fftshift", words, predicted, *shifted)
    yield from _offset(scene, predicted, data)
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


def _offset(scene: Scene, predicted: Array, data: Array) -> Iterator[Trial]:
    """The zero frequency some pixels off the centre: the best of all offsets, by one cross-correlation."""
    apart = predicted - predicted.mean(axis=0)
    spectra = np.fft.rfft2(data) * np.fft.rfft2(apart).conj()
    map_ = np.fft.irfft2(spectra.sum(axis=0), s=data.shape[1:])
    place = np.unravel_index(int(map_.argmax()), map_.shape)
    rows, columns = (int(at) - side if at > side // 2 else int(at) for at, side in zip(place, map_.shape, strict=True))
    if rows or columns:
        words = f"the zero frequency moved by {-rows:+d} rows and {-columns:+d} columns"
        measured, moved_data = (np.roll(frames, (-rows, -columns), axis=(1, 2)) for frames in (scene.measured, data))
        values = {"roll_rows": -rows, "roll_columns": -columns}
        yield _trial("centre", "offset", words, predicted, measured, moved_data, **values)


def far(scene: Scene, data: Array) -> Iterator[Trial]:
    """Flips about other middles, corner for centre, other scales, frames and positions out of step."""
    x, y = scene.x, scene.y
    for name, words, affine in _other_middles(scene):
        yield moved(scene, name, words, affine, data)
    (rows, columns), (height, width) = scene.object.shape, scene.probe.shape[-2:]
    words = "positions taken as the upper left corner of the patch"
    yield moved(scene, "corner", words, Affine(x0=width / 2, y0=height / 2), data)
    for factor, word in ((2.0, "doubled"), (0.5, "halved")):
        yield moved(scene, f"scale-{word}", f"positions {word}", Affine(xx=factor, yy=factor), data)
        about = Affine(xx=factor, yy=factor, x0=columns / 2 * (1 - factor), y0=rows / 2 * (1 - factor))
        yield moved(scene, f"scale-{word}-centred", f"positions {word} about the middle of the object", about, data)
    # Coordinates of a coarser or finer grid, counted from the middle of the scan.
    middle = (float(x.min() + x.max()) / 2, float(y.min() + y.max()) / 2)
    for factor, word in ((2.0, "doubled"), (0.5, "halved")):
        about = Affine(xx=factor, yy=factor, x0=middle[0] * (1 - factor), y0=middle[1] * (1 - factor))
        yield moved(scene, f"scale-{word}-scan", f"positions {word} about the middle of the scan", about, data)
    yield from pairings(scene, data)


def pairings(scene: Scene, data: Array) -> Iterator[Trial]:
    """Frames and positions out of step by the best of all steps, in the same direction and in the other.

    A few frames are compared with the patterns predicted for every position, or for those nearby where there are many.
    """
    n = len(scene.x)
    few = scene.taken(scene.scattered(FEW))
    frames = few.index
    compared = centred(few.measured).reshape(len(frames), -1)
    pixels = compared.shape[1] * len(scene.probe)
    reach = min(n // 2, PREDICTED // (pixels * len(frames) * 2))
    whole = n * pixels <= PREDICTED
    wanted = np.arange(n) if whole else np.unique((frames[:, None] + np.arange(-reach, reach + 1)) % n)
    mean = scene.predicted(scene.x, scene.y).mean(axis=0).reshape(-1)
    products, power = np.zeros((n, len(frames))), np.full(n, np.inf)
    for start in range(0, len(wanted), GROUP):
        at = wanted[start : start + GROUP]
        apart = few.at(scene.x[at], scene.y[at]).reshape(len(at), -1) - mean
        products[at] = np.einsum("ik,jk->ij", apart, compared)
        power[at] = np.einsum("ik,ik->i", apart, apart)
    ranks = np.arange(len(frames))
    for name, sign in (("roll", 1), ("reverse", -1)):
        steps = np.arange(n)
        partners = (sign * frames[None, :] + steps[:, None]) % n
        with np.errstate(invalid="ignore", divide="ignore"):
            fits = products[partners, ranks].sum(axis=1) / np.sqrt(power[partners].sum(axis=1))
        if sign > 0:
            fits[0] = -np.inf
        step = int(np.argmax(np.nan_to_num(fits, nan=-1.0, neginf=-1.0)))
        order = (sign * np.arange(n) + step) % n
        step = step - n if sign > 0 and step > n // 2 else step
        words = (
            f"frame i taken with position i {'+' if step > 0 else '-'} {abs(step)}"
            if sign > 0
            else f"frame i taken with position {step} - i: the scan run backwards"
        )
        predicted = scene.predicted(scene.x[order], scene.y[order])
        yield _trial("pairing", name, words, predicted, scene.measured, data, step=step)


def repaired(values: Array, name: str, step: int) -> Array:
    """Positions as a pairing has them, by the name of a reading: that of frame i is ``i + step``, or ``step - i``."""
    order = (np.arange(len(values)) if name == "roll" else -np.arange(len(values))) + step
    return np.asarray(values[order % len(values)])


def hanging(reading: Reading, sampled: Array, count: int) -> bool:
    """Whether a pairing leaves frames without a position: those that wrap round the end of the scan do not fit.

    ``sampled``: the frames that were compared, of ``count``.
    """
    step = int(dict(reading.values).get("step", 0))
    partners = sampled + step if reading.name == "roll" else step - sampled
    wrapped = (partners < 0) | (partners >= count)
    if reading.kind != "pairing" or not wrapped.any() or wrapped.all():
        return False
    own = reading.score.own
    return bool(own[wrapped].mean() < own[~wrapped].mean() / 2)


def strides(scene: Scene) -> Iterator[Trial]:
    """The first frames with every k-th position: then frame k * i belongs to position i."""
    held = {int(frame): row for row, frame in enumerate(scene.index)}
    for stride in range(2, len(scene.index) // LEAST + 1):
        pairs = [(held[stride * at], at) for at in range(len(scene.x)) if stride * at in held]
        if len(pairs) < LEAST:
            continue
        rows, at = (np.array(side) for side in zip(*pairs, strict=True))
        words = f"frame {stride} * i taken with position i: first frames kept with one position in {stride}"
        predicted = Scene(
            probe=scene.probe, object=scene.object, x=scene.x, y=scene.y, index=at, measured=scene.measured
        ).predicted(scene.x, scene.y)
        measured = scene.measured[rows]
        trial = _trial("pairing", "stride", words, predicted, measured, centred(measured), stride=stride)
        yield replace(trial, share=len(rows) / len(scene.index))


def shift(scene: Scene, data: Array) -> Trial:
    """The best shift of all positions, searched from coarse to fine."""
    fit = _fit_of_shifts(scene, Affine())

    reach = min(scene.probe.shape[-2:]) / 2
    step = max(2.0, reach / 12)
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
        data,
    )


def _fit_of_shifts(scene: Scene, base: Affine) -> Callable[[tuple[float, float]], float]:
    """How well a few frames fit with the positions of a reading moved by (dx, dy)."""
    small = scene.thinned(max(4, (LEAST + 2) * min(SEARCHED, scene.measured[0].size) // scene.measured[0].size))
    x, y = base.apply(small.x, small.y)
    data = centred(small.measured)
    return lambda by: correlation(small.predicted(x + by[0], y + by[1]), data)


def refined(scene: Scene, trial: Trial, data: Array) -> Iterator[Trial]:
    """The same reading of the positions, moved a little where that fits clearly better: its origin may be another."""
    base = Affine(**dict(trial.values))
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
    words = f"{trial.words}, then moved by {dx:+g} in x and {dy:+g} in y"
    affine = base._replace(x0=base.x0 + dx, y0=base.y0 + dy)
    yield moved(scene, trial.name, words, affine, data)


def leans(scene: Scene, data: Array, stated: float) -> bool:
    """Whether a small shift of all positions already fits better: then the right one is farther that way."""
    return any(
        correlation(scene.predicted(scene.x + dx, scene.y + dy), data) > stated + 0.02
        for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2))
    )


def turned(frames: Array, name: str, roll_rows: int, roll_columns: int) -> Array:
    """Frames (n, H, W) with the detector's pixels in another order, by the name of a reading."""
    turn = next(turn for one, _, turn in _ORIENTATIONS if one == name)
    rolled: Array = np.roll(turn(frames), (roll_rows, roll_columns), axis=(1, 2))
    return rolled
