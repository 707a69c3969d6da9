"""Which axis of the patterns counts frames, by slices alone: what there is to go by without probe and object.

Frames resemble each other, and far-field patterns fall off from their middle along both axes of the detector. Yet what
changes from frame to frame, the beam, the exposure, blank frames, may have any shape along the scan, and makes rows of
a detector that is lit throughout look like frames. So the axis that every order takes for the detector's must fall off
too, and what is left of a slice without the mean one must not go on along the scan and break off along the detector.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, Final, NamedTuple

import numpy as np

from .folds import Facts
from .scene import LEAST

Array = np.ndarray[Any, Any]

ENERGY_RATIO: Final = 3.0
"""How many times more slice energies must vary along a detector axis than along the scan axis."""

LIKENESS: Final = 0.1
"""By how much the mean correlation of slices with their mean must differ."""

FALLS_OFF: Final = 0.3
"""How much slice energies vary at least along a detector axis, in their mean; far-field patterns give above 0.5."""

ENDS: Final = 0.8
"""What the outer quarters of a detector axis hold at most, in what its inner half holds; these give below 0.65."""

ROUGH: Final = 1.0
"""How much neighbours along it differ at most, in its variance: 2 for noise, below 0.5 for these."""

GOES_ON: Final = 0.12
"""Correlation of neighbouring slices, without the mean one, above which speckle goes on along an axis."""

BLANK: Final = 0.01
"""Part of the mean energy below which a frame was not exposed, and is left out."""


class _Slices(NamedTuple):
    """Slices along one axis, and how alike they are.

    ``spread``: of the energies of those that are not blank; ``onward``: the correlation of neighbours without the mean
    slice; ``falling``: the spread of all energies where they fall off, else 0.
    """

    axis: int
    spread: float
    likeness: float
    onward: float
    falling: float

    def __str__(self) -> str:
        return (
            f"along axis {self.axis} slices resemble each other {self.likeness:.2f}, energies vary by {self.spread:.1%}"
        )

    def are_frames(self, other: _Slices) -> bool:
        return (
            other.falling > 0
            and other.falling >= ENERGY_RATIO * self.spread
            and self.likeness >= other.likeness + LIKENESS
            and self.onward <= GOES_ON + 2 * max(other.onward, 0.0)
        )


def frames_along(facts: Facts, axes: Collection[int]) -> tuple[int | None, str]:
    """Which of two axes of three counts frames, and what tells it; None, and why, where nothing does."""
    pair, common = sorted(set(axes)), {0, 1, 2} - set(axes)
    if len(pair) != 2 or len(common) != 1 or not all(axis in facts.frames and axis in facts.samples for axis in pair):
        return None, "slices cannot be compared"
    if not all(facts.samples[axis].whole for axis in pair):
        return None, "slices are too large to be compared"
    if min(len(facts.frames[axis].total) for axis in pair) < LEAST:
        return None, f"there are fewer than {LEAST} slices to compare"
    first, second = (_arranged(facts, axis, other) for axis, other in (pair, reversed(pair)))
    profile = first.sum(axis=(0, 1), dtype=np.float64)
    if not _falling(profile):
        return None, (
            f"along axis {common.pop()}, the detector's in either order, energies vary by {_spread(profile):.1%} and "
            "do not fall off to its ends as those of far-field patterns do, so slices tell nothing"
        )
    one, other = (
        # Neighbours along an axis lie side by side in what was sampled along the other.
        _slices(axis, facts.frames[axis].total, along, across.swapaxes(0, 1))
        for axis, along, across in ((pair[0], first, second), (pair[1], second, first))
    )
    if one.are_frames(other) == other.are_frames(one):
        return None, f"{one}, {other}: too little apart, or not as far-field patterns have it"
    if other.are_frames(one):
        one, other = other, one
    return one.axis, (
        f"slices along axis {one.axis} resemble each other ({one.likeness:.2f}) and their energies vary by "
        f"{one.spread:.1%}, those of the other axis {other.likeness:.2f} and {other.falling:.1%}"
    )


def _arranged(facts: Facts, axis: int, other: int) -> Array:
    """Slices sampled along one axis, (slices, other axis, common axis), zero where they are not finite."""
    rest = [one for one in range(3) if one != axis]
    planes = facts.samples[axis].frames
    planes = planes if rest[0] == other else planes.transpose(0, 2, 1)
    return np.nan_to_num(planes, posinf=0.0, neginf=0.0)


def _slices(axis: int, totals: Array, planes: Array, neighbours: Array) -> _Slices:
    lit = totals[totals > BLANK * totals.mean()]
    return _Slices(
        axis=axis,
        spread=_spread(lit),
        likeness=_likeness(planes),
        onward=_onward(neighbours),
        falling=_falling(totals),
    )


def _falling(profile: Array) -> float:
    """How much energies along an axis vary, where they fall off from one place; around the ends, as FFTs leave it, too.

    0 where they do not.
    """
    quarter = len(profile) // 4
    for one in (profile, np.fft.fftshift(profile)):
        outer = max(one[:quarter].mean(), one[-quarter:].mean())
        rough = float(np.square(np.diff(one)).sum())
        if outer <= ENDS * one[quarter:-quarter].mean() and rough < ROUGH * float(np.square(one - one.mean()).sum()):
            return spread if (spread := _spread(one)) >= FALLS_OFF else 0.0
    return 0.0


def _spread(energies: Array) -> float:
    """Standard deviation in terms of the mean; 0 where there is nothing."""
    return float(energies.std() / energies.mean()) if len(energies) and energies.mean() > 0 else 0.0


def _likeness(planes: Array) -> float:
    """Mean correlation of slices with their mean."""
    flat = planes.reshape(len(planes), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    mean = flat.mean(axis=0)
    norms = np.linalg.norm(flat, axis=1) * np.linalg.norm(mean)
    some = norms > 0
    return float(np.mean(np.einsum("ij,j->i", flat[some], mean) / norms[some])) if some.any() else 0.0


def _onward(planes: Array) -> float:
    """Correlation of neighbouring slices, without as much of the mean slice as each has."""
    flat = planes.reshape(len(planes), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    power = float(mean @ mean)
    if power > 0:
        flat -= np.outer(flat @ mean / power, mean)
    norm = math.sqrt(float(np.square(flat[1:]).sum()) * float(np.square(flat[:-1]).sum()))
    return float((flat[1:] * flat[:-1]).sum()) / norm if norm > 0 else 0.0
