"""Frames and positions out of step: every pairing of the scan as a trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .places import chosen
from .scene import LEAST, Scene
from .score import centred, correlation
from .spaced import spaced
from .trial import Reading, Trial, trial

Array = np.ndarray[Any, Any]

PREDICTED: Final = 1 << 26
"""Pixels, of every probe mode, that are predicted to try pairings: what bounds the time."""

POSITIONS: Final = 1 << 17
"""The same in positions: of small patterns each takes its time, too."""

STRIDED: Final = 1 << 21
"""Pixels, of every probe mode, that are predicted to try a stride."""

GROUP: Final = 1 << 20
"""Pixels predicted at a time, of no more than 64 positions: what bounds the memory."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Matches:
    """A few frames beside the patterns of every position, or of those nearby where there are many.

    ``index``: the frames, (f,); ``products`` with each position's pattern, (N, f); ``power`` of that pattern, (N,),
    infinite where it was not tried; ``own``: power of each frame, (f,).
    """

    index: Array
    products: Array
    power: Array
    own: Array

    def correlations(self, rank: int) -> Array:
        """Of each position's pattern and one frame, (N,); 0 where it was not tried."""
        norms = np.sqrt(self.power * self.own[rank])
        found: Array = np.divide(self.products[:, rank], norms, out=np.zeros_like(norms), where=norms > 0)
        return found

    @property
    def best(self) -> Array:
        """The largest of these for each frame, (f,)."""
        return np.array([self.correlations(rank).max() for rank in range(len(self.own))])

    def gain(self, reading: Reading) -> float:
        """What the frames would gain at the best of all positions over those that a pairing gives them."""
        partners, inside = partners_of(reading, self.index, len(self.power))
        frames = np.flatnonzero(inside)
        if not len(frames):
            return 0.0
        gains = [(found := self.correlations(rank)).max() - found[partners[rank]] for rank in frames.tolist()]
        return float(np.mean(gains))


def matches(scene: Scene) -> Matches:
    """Compare a few frames with every position that the bound on pixels allows."""
    n = len(scene.x)
    few = chosen(scene)
    frames = few.index
    compared = centred(few.measured).reshape(len(frames), -1)
    pixels = compared.shape[1] * len(scene.probe)
    reach = min(n // 2, PREDICTED // (pixels * len(frames) * 2), POSITIONS // (len(frames) * 2))
    whole = n * pixels <= PREDICTED and n <= POSITIONS
    wanted = np.arange(n) if whole else np.unique((frames[:, None] + np.arange(-reach, reach + 1)) % n)
    mean = scene.predicted(scene.x, scene.y).mean(axis=0).reshape(-1)
    products, power = np.zeros((n, len(frames))), np.full(n, np.inf)
    group = max(1, min(64, GROUP // compared.shape[1]))
    for start in range(0, len(wanted), group):
        at = wanted[start : start + group]
        apart = few.at(scene.x[at], scene.y[at]).reshape(len(at), -1) - mean
        products[at] = np.einsum("ik,jk->ij", apart, compared)
        power[at] = np.einsum("ik,ik->i", apart, apart)
    return Matches(index=frames, products=products, power=power, own=np.einsum("jk,jk->j", compared, compared))


def pairings(scene: Scene, found: Matches, data: Array) -> Iterator[Trial]:
    """Frames and positions out of step by the best of all steps, in the same direction and in the other."""
    n = len(scene.x)
    for name, sign in (("roll", 1), ("reverse", -1)):
        products, power = np.zeros(n), np.zeros(n)
        for rank, frame in enumerate(found.index):
            # Frame by frame: there may be very many positions.
            partners = (sign * frame + np.arange(n)) % n
            products += found.products[partners, rank]
            power += found.power[partners]
        with np.errstate(invalid="ignore", divide="ignore"):
            fits = products / np.sqrt(power)
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
        yield trial("pairing", name, words, predicted, scene.measured, correlation(predicted, data), step=step)


def repaired(values: Array, name: str, step: int) -> Array:
    """Positions as a pairing has them, by the name of a reading: that of frame i is ``i + step``, or ``step - i``."""
    order = (np.arange(len(values)) if name == "roll" else -np.arange(len(values))) + step
    return np.asarray(values[order % len(values)])


def partners_of(reading: Reading, frames: Array, count: int) -> tuple[Array, Array]:
    """The positions of some frames under a pairing, and which of them do not wrap round the end of the scan."""
    step = int(dict(reading.values).get("step", 0))
    partners = frames + step if reading.name == "roll" else step - frames
    return partners % count, (partners >= 0) & (partners < count)


def hanging(reading: Reading, sampled: Array, count: int) -> bool:
    """Whether a pairing leaves frames without a position: those that wrap round the end of the scan do not fit.

    ``sampled``: the frames that were compared, of ``count``.
    """
    if reading.kind != "pairing":
        return False
    wrapped = ~partners_of(reading, sampled, count)[1]
    if not wrapped.any() or wrapped.all():
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
        some = spaced(len(pairs), scene.affordable(len(pairs), STRIDED))
        rows, at = np.array(pairs)[some].T
        words = f"frame {stride} * i taken with position i: first frames kept with one position in {stride}"
        predicted = scene.at(scene.x[at], scene.y[at])
        measured = scene.measured[rows]
        fit = correlation(predicted, centred(measured))
        one = trial("pairing", "stride", words, predicted, measured, fit, stride=stride)
        yield replace(one, share=len(pairs) / len(scene.index))
