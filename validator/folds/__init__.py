"""Fold: one pass over the chunks of an array, every accumulator fed with the same chunk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from ..dataset import ArrayHeader
from .facts import Facts, FrameFacts, Sample
from .fingerprint import FingerprintFold
from .frames import FrameFold
from .keep import KeepFold
from .lattice import SampleFold, lattice_of
from .ranges import RangeFold
from .sampled import SampledFold

Chunk = np.ndarray[Any, Any]


class Fold(Protocol):
    """An accumulator. ``start`` is the index of the chunk's first item, in storage order."""

    def add(self, chunk: Chunk, start: int) -> None: ...


def fold(
    header: ArrayHeader,
    chunks: Iterable[Chunk],
    *,
    frame_axes: Sequence[int] = (),
    keep: bool = False,
    fingerprint: Sequence[int] | None = None,
) -> Facts:
    """Everything the rules ask of one array's values, in one pass.

    Args:
        header: the array; its dtype must be a number or bool.
        chunks: its items in storage order, 1-D.
        frame_axes: axes (of ``header.shape``) that may count frames; totals and extremes are taken for each.
        keep: keep the values, up to a limit.
        fingerprint: order of axes for a fingerprint of the values that does not depend on how they are stored.
    """
    ranges = RangeFold(header)
    samples = {axis: some for axis in frame_axes if (some := SampledFold.along(header, axis)) is not None}
    frames = {axis: one for axis in frame_axes if (one := FrameFold.along(header, axis)) is not None}
    sample = SampleFold(header) if frame_axes and header.dtype.kind == "f" else None
    kept = KeepFold(header) if keep else None
    print_ = FingerprintFold(header, fingerprint) if fingerprint is not None else None
    folds: list[Fold] = [one for one in (*frames.values(), *samples.values(), sample, kept, print_) if one is not None]
    # Whatever counts frames knows the extremes of the whole array too: one pass less over each chunk.
    if not frames:
        folds.insert(0, ranges)
    start = 0
    for chunk in chunks:
        for accumulator in folds:
            accumulator.add(chunk, start)
        start += chunk.size
    by_axis = {axis: one.facts() for axis, one in frames.items()}
    whole = next(iter(frames.values())).range_facts() if frames else ranges.facts()
    return Facts(
        range=whole,
        frames=by_axis,
        samples={axis: one.sample() for axis, one in samples.items()},
        values=kept.values() if kept else None,
        lattice=lattice_of(sample.values(), header.dtype) if sample else None,
        fingerprint=print_.value if print_ else None,
    )


__all__ = ["Facts", "Fold", "FrameFacts", "Sample", "fold"]
