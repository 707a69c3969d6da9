"""Frames and positions out of step: every pairing of the scan as a trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from .score import LEAST, Scene, centred
from .trial import Reading, Trial, trial

Array = np.ndarray[Any, Any]

FEW: Final = 10
"""Frames for which every pairing is tried."""

PREDICTED: Final = 1 << 26
"""Pixels, of every probe mode, that are predicted to try pairings: what bounds the time."""

GROUP: Final = 64
"""Positions predicted at a time."""


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
        yield trial("pairing", name, words, predicted, scene.measured, data, step=step)


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
        predicted = scene.at(scene.x[at], scene.y[at])
        measured = scene.measured[rows]
        one = trial("pairing", "stride", words, predicted, measured, centred(measured), stride=stride)
        yield replace(one, share=len(rows) / len(scene.index))
