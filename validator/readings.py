"""Other ways to read a file that are few: positions, centre and detector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from .scene import Scene
from .score import correlating, correlation
from .trial import Affine, Trial, moved, moved_each, trial
from .words import enumerate_words

Array = np.ndarray[Any, Any]


def near(scene: Scene, predicted: Array, data: Array) -> Iterator[Trial]:
    """Axes of the positions swapped or flipped, and other orders of the detector's pixels: always compared.

    ``predicted``: patterns at the stated positions. ``data``, here and below: the measured frames, centred.
    """
    yield from _detector(scene, predicted, data)
    yield from moved_each(scene, symmetries(scene), data)


def symmetries(scene: Scene) -> Iterator[tuple[str, str, Affine]]:
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
    yield from _signs(scene, ends)
    if abs(ends[0] - columns) >= 1 or abs(ends[1] - rows) >= 1:
        yield from _flips("scan", ends)
        yield from _turns("scan", (ends[1], ends[0]))


def _signs(scene: Scene, ends: tuple[float, float]) -> Iterator[tuple[str, str, Affine]]:
    """Positions beside the object: of the other sign, or that and counted from elsewhere too."""
    rows, columns = scene.object.shape
    out_x = scene.x.min() < 0 or scene.x.max() > columns
    out_y = scene.y.min() < 0 or scene.y.max() > rows
    if not (out_x or out_y):
        return
    yield from _flips("sign", (0.0, 0.0), "of the other sign")
    # What is not flipped, and lies beside the object, is laid on it too.
    shift_x = (columns - ends[0]) / 2 if out_x else 0.0
    shift_y = (rows - ends[1]) / 2 if out_y else 0.0
    for name, words, affine in _flips("scan laid on the object", ((columns + ends[0]) / 2, (rows + ends[1]) / 2)):
        yield (
            name,
            words,
            affine._replace(x0=affine.x0 if affine.xx < 0 else shift_x, y0=affine.y0 if affine.yy < 0 else shift_y),
        )


def _flips(about: str, ends: tuple[float, float], place: str = "") -> Iterator[tuple[str, str, Affine]]:
    place, name = place or f"flipped about the middle of the {about}", about.replace(" ", "-")
    yield f"flip-x-{name}", f"x {place}", Affine(xx=-1, x0=ends[0])
    yield f"flip-y-{name}", f"y {place}", Affine(yy=-1, y0=ends[1])
    yield f"flip-xy-{name}", f"x and y {place}", Affine(xx=-1, x0=ends[0], yy=-1, y0=ends[1])


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
    fit = correlating(predicted)

    def ordered(kind: str, name: str, words: str, order: Callable[[Array], Array], **values: int) -> Trial:
        one = trial(kind, name, words, predicted, scene.measured, fit(order(data)), **values)
        return replace(one, order=order)

    words = "the zero frequency moved from the corner to the centre"
    yield ordered("centre", "fftshift", words, partial(np.fft.fftshift, axes=(1, 2)))
    rows, columns = _offset(predicted, data)
    if rows or columns:
        down, right = round(-rows * scene.step[0]), round(-columns * scene.step[1])
        words = f"the zero frequency moved by {down:+d} rows and {right:+d} columns"
        order = partial(np.roll, shift=(-rows, -columns), axis=(1, 2))
        yield ordered("centre", "offset", words, order, roll_rows=down, roll_columns=right)
    for name, words, (rows, columns) in orders(*predicted.shape[1:]):
        order = partial(turned, name=name, roll_rows=rows, roll_columns=columns)
        yield ordered("detector", name, words, order, roll_rows=rows, roll_columns=columns)


def orders(height: int, width: int) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Other orders of the detector's pixels, and by how many rows and columns they are rolled then."""
    for name, words, _ in _ORIENTATIONS:
        if height != width and name.startswith("transpose"):
            continue
        # An even detector has its centre beside its middle: reversed, it is off by one pixel.
        rolls = {(0, 0), (int("rows" in name or "both" in name), int("columns" in name or "both" in name))}
        yield from ((name, words, roll) for roll in sorted(rolls))


def _offset(predicted: Array, data: Array) -> tuple[int, int]:
    """By how many rows and columns the zero frequency is off the centre: the best of all, by one cross-correlation."""
    mean: Array = predicted.mean(axis=0)
    spectrum: Any = 0
    for one, model in zip(data, predicted, strict=True):
        # Frame by frame: the spectra of all of them are more than the frames.
        spectrum = spectrum + np.fft.rfft2(one) * np.fft.rfft2(model - mean).conj()
    map_ = np.fft.irfft2(spectrum, s=data.shape[1:])
    place = np.unravel_index(int(map_.argmax()), map_.shape)
    rows, columns = (int(at) - side if at > side // 2 else int(at) for at, side in zip(place, map_.shape, strict=True))
    return rows, columns


def far(scene: Scene, data: Array) -> Iterator[Trial]:
    """Flips about other middles, corner for centre, other scales."""
    x, y = scene.x, scene.y
    yield from moved_each(scene, _other_middles(scene), data)
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


def turned(frames: Array, name: str, roll_rows: int, roll_columns: int) -> Array:
    """Frames (n, H, W) with the detector's pixels in another order, by the name of a reading."""
    turn = next(turn for one, _, turn in _ORIENTATIONS if one == name)
    other = turn(frames)
    return np.roll(other, (roll_rows, roll_columns), axis=(1, 2)) if roll_rows or roll_columns else other


def probes(scene: Scene, data: Array) -> Iterator[Trial]:
    """The probe seen from another side: what it explains, a shift of all positions explains in part."""
    for swapped in (False, True):
        for rows, columns in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            if (swapped, rows, columns) == (False, 1, 1):
                continue
            probe = scene.probe.swapaxes(-1, -2) if swapped else scene.probe
            done = ["transposed"] * swapped + ["turned upside down"] * (rows < 0) + ["mirrored"] * (columns < 0)
            turned = replace(scene, probe=np.ascontiguousarray(probe[..., ::rows, ::columns]))
            predicted = turned.predicted(scene.x, scene.y)
            words = f"the probe {enumerate_words(done, 'and')}"
            name, fit = words.removeprefix("the ").replace(" ", "-"), correlation(predicted, data)
            yield trial("probe", name, words, predicted, scene.measured, fit)
