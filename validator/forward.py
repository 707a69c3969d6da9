"""The file tested against itself: patterns predicted from probe, object and positions, compared with those measured.

``m_i = |FFT(probe * object[patch at (x_i, y_i)])|`` is predicted for a sample of frames. From predictions and from
measured amplitudes their mean over frames is taken away, since it is the same for any pairing; what is left is
correlated. The spread of that correlation under random pairings of frames and positions is known in closed form
(the mean and variance of a sum over a random permutation; Hoeffding, Ann. Math. Stat. 22, 558, 1951), so nothing
here is drawn at random.

Significance alone accepts nothing: neighbouring patches overlap, so a wrong reading may correlate too. A reading
is compared with the others that are known to be confused with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np

from npzschema.contracts.forward_model import amplitudes

Array = np.ndarray[Any, Any]

QUICK: Final = 16
"""Frames with which readings are compared at first."""

WIDE: Final = 32
"""Frames with which the wider search compares."""

PIXELS: Final = 1 << 19
"""Pixels of all frames of one prediction: what bounds the time."""

LEAST: Final = 8
"""Fewer frames say nothing."""

ALIKE: Final = 0.88
"""Correlation of mean patterns that another reading must reach. Right files of reasonable quality give above 0.93;
near-field data, which some readings resemble frame by frame, up to 0.84."""

SIGNIFICANT: Final = 6.0
"""Standard deviations of the null that a reading must reach to be believed."""

MARGIN: Final = 0.1
"""Correlation by which another reading must surpass the stated one."""

PAIRED: Final = 5.0
"""Standard errors by which frames must on average fit another reading better."""

CLEAR: Final = 0.5
"""Correlation below which the stated reading is poor enough to search wider."""

ROLLS: Final = tuple(step for k in range(1, 9) for step in (k, -k))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """Probe complex (P, H, W), object complex (HO, WO), positions of all frames (N,), a sample of frames (n, H, W).

    ``index``: which frames the sample holds; ``measured``: their amplitudes.
    """

    probe: Array
    object: Array
    x: Array
    y: Array
    index: Array
    measured: Array

    def thinned(self, frames: int) -> Scene:
        """The same with fewer frames, evenly spaced, and few enough for the pixel budget."""
        count = min(frames, max(LEAST + 2, PIXELS // self.measured[0].size), len(self.index))
        keep = np.unique(np.linspace(0, len(self.index) - 1, count).round().astype(int))
        return replace(self, index=self.index[keep], measured=self.measured[keep])


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Correlation of a reading, the null's deviation, and what each frame adds to the correlation, (n,).

    ``likeness``: correlation of the mean patterns, which hardly depends on positions: whether the model holds at all.
    """

    correlation: float
    sigma: float
    likeness: float = 0.0
    parts: Array = field(compare=False, repr=False, default_factory=lambda: np.zeros(0))

    @property
    def z(self) -> float:
        return self.correlation / self.sigma if self.sigma > 0 else 0.0

    def __str__(self) -> str:
        return f"{self.correlation:.2f} ({self.z:.0f} sigma)"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The stated reading, the best of the others, and whether that one is to be believed instead."""

    stated: Score
    best: Reading | None
    tried: int
    frames: int

    @property
    def other_fits(self) -> bool:
        return self.best is not None and surpasses(self.best.score, self.stated)

    @property
    def supported(self) -> bool:
        """Whether the stated reading is borne out at all."""
        return self.stated.z >= SIGNIFICANT / 2 and not self.other_fits


def surpasses(score: Score, other: Score) -> bool:
    """Whether a reading is significant, and better than another by a margin and, frame by frame, beyond chance."""
    ahead = score.correlation - max(other.correlation, 0.0)
    if score.z < SIGNIFICANT or ahead <= MARGIN or score.likeness < ALIKE:
        return False
    if len(score.parts) != len(other.parts):
        return ahead > 4 * math.hypot(score.sigma, other.sigma)
    # The same frames under two readings: a paired comparison is far sharper than that of two sums.
    difference = score.parts - other.parts
    spread = float(difference.std(ddof=1)) * math.sqrt(len(difference))
    return spread == 0 or float(difference.sum()) > PAIRED * spread


def score(predicted: Array, measured: Array) -> Score:
    """Correlation of predictions and measurements, frame by frame, (n, H, W) each, and its null's deviation."""
    n = len(predicted)
    means = predicted.mean(axis=0), measured.mean(axis=0)
    model, data = (predicted - means[0]).reshape(n, -1), (measured - means[1]).reshape(n, -1)
    norm = math.sqrt(float(np.vdot(model, model)) * float(np.vdot(data, data)))
    if norm == 0 or n < 2:
        # A reading that predicts nothing, or the same for all frames, is as bad as any.
        return Score(correlation=0.0, sigma=0.0, parts=np.zeros(n))
    products = model @ data.T
    # Rows and columns sum to zero already, up to rounding: the null's mean is zero.
    sigma = math.sqrt(float((products**2).sum()) / (n - 1))
    return Score(
        correlation=float(np.trace(products)) / norm,
        sigma=sigma / norm,
        likeness=_alike(*means),
        parts=np.diagonal(products) / norm,
    )


def _alike(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = math.sqrt(float(np.vdot(one, one)) * float(np.vdot(other, other)))
    return float(np.vdot(one, other)) / norm if norm > 0 else 0.0


def residual(predicted: Array, measured: Array) -> float:
    """Part of the measured amplitudes that no scale of the predicted ones explains, 0 to 1."""
    product = float(np.vdot(predicted, measured)) ** 2
    norm = float(np.vdot(predicted, predicted)) * float(np.vdot(measured, measured))
    return math.sqrt(max(0.0, 1 - product / norm)) if norm > 0 else 1.0


def residuals(scene: Scene, held: Array) -> tuple[float, float]:
    """Residuals of what a file holds, (n, H, W) like ``scene.measured``, read as amplitudes and as intensities."""
    quick = replace(scene, measured=held).thinned(QUICK)
    predicted = _predicted(quick, quick.x, quick.y)
    return residual(predicted, quick.measured), residual(predicted, np.sqrt(quick.measured))


def judge(scene: Scene) -> Verdict:
    """Compare the stated reading with the others; search wider where it does not clearly stand out."""
    quick = scene.thinned(QUICK)
    stated, first = _near(quick)
    tried = 1 + len(first)
    best = max(first, key=lambda one: one.score.correlation, default=None)
    rival = max(best.score.correlation, 0.0) if best else 0.0
    clear = stated.z >= SIGNIFICANT and stated.correlation > max(CLEAR, 1.25 * rival + MARGIN)
    if clear and not _leans(quick, stated):
        return Verdict(stated=_stated(scene), best=best, tried=tried, frames=len(scene.index))
    wide = scene.thinned(WIDE)
    stated, others = _near(wide)
    others += list(_far(wide))
    tried = 1 + len(others)
    best = max(others, key=lambda one: one.score.correlation, default=None)
    if best is None or best.kind == "pairing" or best.score.correlation < CLEAR or not surpasses(best.score, stated):
        # On a raster, a wrong pairing by one frame resembles a shift by one step: the better of both counts.
        shifted = _shift(wide)
        tried += 1
        if best is None or shifted.score.correlation > best.score.correlation:
            best = shifted
    return Verdict(stated=stated, best=best, tried=tried, frames=len(wide.index))


def _leans(scene: Scene, stated: Score) -> bool:
    """Whether a small shift of all positions already fits better: then the right one is farther that way."""
    return any(
        score(_predicted(scene, scene.x + dx, scene.y + dy), scene.measured).correlation > stated.correlation + 0.02
        for dx, dy in ((2, 0), (-2, 0), (0, 2), (0, -2))
    )


def plain(scene: Scene) -> Score:
    """The best of the stated reading and the eight symmetries: whether the frames are frames at all."""
    stated, others = _near(scene.thinned(QUICK))
    return max([stated, *(one.score for one in others)], key=lambda one: one.correlation)


def _predicted(scene: Scene, x: Array, y: Array) -> Array:
    """Amplitudes at the sampled frames, for positions of all frames."""
    return amplitudes(scene.probe, scene.object, x[scene.index], y[scene.index], precise=False)


def _stated(scene: Scene) -> Score:
    every = scene.thinned(len(scene.index))
    return score(_predicted(every, every.x, every.y), every.measured)


def _near(scene: Scene) -> tuple[Score, list[Reading]]:
    """The stated reading; those with the axes of the positions swapped or flipped; those of the detector."""
    predicted = _predicted(scene, scene.x, scene.y)
    readings = list(_detector(scene, predicted))
    readings += [_moved(scene, *one) for one in _symmetries(scene)]
    return score(predicted, scene.measured), readings


def _moved(scene: Scene, name: str, words: str, affine: Affine) -> Reading:
    predicted = _predicted(scene, *affine.apply(scene.x, scene.y))
    values = tuple(affine._asdict().items())
    return Reading(kind="positions", name=name, words=words, score=score(predicted, scene.measured), values=values)


def _symmetries(scene: Scene) -> Iterator[tuple[str, str, Affine]]:
    """The seven other symmetries of the square, flips taken about the middle of the object and of the scan."""
    x, y, (rows, columns) = scene.x, scene.y, scene.object.shape
    yield "swap", "x and y swapped", Affine(xx=0, xy=1, yx=1, yy=0)
    for about in ("object", "scan"):
        # Twice the middle, for coordinates that come from x or from y.
        of_object = about == "object"
        ends_x, ends_y = float(x.min() + x.max()), float(y.min() + y.max())
        if not of_object and abs(ends_x - columns) < 1 and abs(ends_y - rows) < 1:
            return
        middle = f"about the middle of the {about}"
        x_of_x, y_of_y = (columns, rows) if of_object else (ends_x, ends_y)
        x_of_y, y_of_x = (columns, rows) if of_object else (ends_y, ends_x)
        yield f"flip-x-{about}", f"x flipped {middle}", Affine(xx=-1, x0=x_of_x)
        yield f"flip-y-{about}", f"y flipped {middle}", Affine(yy=-1, y0=y_of_y)
        yield f"flip-xy-{about}", f"x and y flipped {middle}", Affine(xx=-1, x0=x_of_x, yy=-1, y0=y_of_y)
        swapped = {"xx": 0.0, "yy": 0.0}
        yield (
            f"swap-flip-x-{about}",
            f"x and y swapped, then x flipped {middle}",
            Affine(**swapped, xy=-1, x0=x_of_y, yx=1),
        )
        yield (
            f"swap-flip-y-{about}",
            f"x and y swapped, then y flipped {middle}",
            Affine(**swapped, xy=1, yx=-1, y0=y_of_x),
        )
        yield (
            f"swap-flip-xy-{about}",
            f"x and y swapped, then both flipped {middle}",
            Affine(**swapped, xy=-1, x0=x_of_y, yx=-1, y0=y_of_x),
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


def _detector(scene: Scene, predicted: Array) -> Iterator[Reading]:
    """Other orders of the detector's pixels under the stated positions."""
    shifted = np.fft.ifftshift(scene.measured, axes=(1, 2))
    yield Reading(
        kind="centre",
        name="fftshift",
        words="the zero frequency moved from the corner to the centre",
        score=score(predicted, shifted),
    )
    for name, words, turn in _ORIENTATIONS:
        turned = turn(scene.measured)
        if turned.shape != predicted.shape:
            continue
        # An even detector has its centre beside its middle: reversed, it is off by one pixel.
        rolls = {(0, 0), (int("rows" in name or "both" in name), int("columns" in name or "both" in name))}
        for roll in sorted(rolls):
            rolled = np.roll(turned, roll, axis=(1, 2))
            values = (("roll_rows", roll[0]), ("roll_columns", roll[1]))
            yield Reading(kind="detector", name=name, words=words, score=score(predicted, rolled), values=values)


def _far(scene: Scene) -> Iterator[Reading]:
    """Corner for centre, other scales, frames and positions out of step."""
    x, y = scene.x, scene.y
    (rows, columns), (height, width) = scene.object.shape, scene.probe.shape[-2:]
    yield _moved(
        scene, "corner", "positions taken as the upper left corner of the patch", Affine(x0=width / 2, y0=height / 2)
    )
    for factor, word in ((2.0, "doubled"), (0.5, "halved")):
        yield _moved(scene, f"scale-{word}", f"positions {word}", Affine(xx=factor, yy=factor))
        about = Affine(xx=factor, yy=factor, x0=columns / 2 * (1 - factor), y0=rows / 2 * (1 - factor))
        yield _moved(scene, f"scale-{word}-centred", f"positions {word} about the middle of the object", about)
    for step in ROLLS:
        if abs(step) < len(x):
            rolled = score(_predicted(scene, np.roll(x, -step), np.roll(y, -step)), scene.measured)
            yield Reading(
                kind="pairing",
                name="roll",
                words=f"frame i taken with position i {'+' if step > 0 else '-'} {abs(step)}",
                score=rolled,
                values=(("step", step),),
            )
    yield from _strides(scene)


def _strides(scene: Scene) -> Iterator[Reading]:
    """The first frames with every k-th position: then frame k * i belongs to position i."""
    held = {int(frame): row for row, frame in enumerate(scene.index)}
    for stride in range(2, 17):
        pairs = [(held[stride * at], at) for at in range(len(scene.x)) if stride * at in held]
        if len(pairs) < LEAST:
            continue
        rows, at = (np.array(side) for side in zip(*pairs, strict=True))
        predicted = amplitudes(scene.probe, scene.object, scene.x[at], scene.y[at], precise=False)
        yield Reading(
            kind="pairing",
            name="stride",
            words=f"frame {stride} * i taken with position i: first frames kept with every {stride}th position",
            score=score(predicted, scene.measured[rows]),
            values=(("stride", stride),),
        )


def _shift(scene: Scene) -> Reading:
    """The best shift of all positions, searched from coarse to fine."""
    small = scene.thinned(LEAST + 2)
    reach = min(scene.probe.shape[-2:]) / 4
    step = max(2.0, reach / 6)
    best, best_score = (0.0, 0.0), score(_predicted(small, small.x, small.y), small.measured)
    around = best
    ticks = np.arange(-reach, reach + step / 2, step)
    grid = [(float(dx), float(dy)) for dx in ticks for dy in ticks]
    while True:
        for dx, dy in grid:
            found = score(_predicted(small, small.x + dx, small.y + dy), small.measured)
            if found.correlation > best_score.correlation:
                best, best_score = (dx, dy), found
        if step <= 0.5:
            break
        around, step = best, step / 2
        grid = [(around[0] + i * step, around[1] + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    dx, dy = (round(value, 2) + 0.0 for value in best)
    return _moved(scene, "shift", f"all positions moved by {dx:+g} in x and {dy:+g} in y", Affine(x0=dx, y0=dy))


def turned(frames: Array, name: str, roll_rows: int, roll_columns: int) -> Array:
    """Frames (n, H, W) with the detector's pixels in another order, by the name of a reading."""
    turn = next(turn for one, _, turn in _ORIENTATIONS if one == name)
    rolled: Array = np.roll(turn(frames), (roll_rows, roll_columns), axis=(1, 2))
    return rolled
