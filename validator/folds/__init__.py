"""Fold: one pass over the chunks of an array, every accumulator fed with the same chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from ..dataset import ArrayHeader
from ..prefetch import prefetched
from .digests import digest_fold
from .facts import Facts, FrameFacts, Sample
from .fingerprint import FingerprintFold
from .frames import FrameFold
from .keep import KeepFold
from .lattice import SampleFold, lattice_of
from .ranges import RangeFold
from .rows import rows_of
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
    cast: bool = True,
    fingerprints: Iterable[tuple[int, ...]] = (),
    cheap: bool = False,
) -> Facts:
    """Everything the rules ask of one array's values, in one pass.

    Args:
        header: the array; its dtype must be a number or bool.
        chunks: its items in storage order, 1-D.
        frame_axes: axes (of ``header.shape``) that may count frames; totals and extremes are taken for each.
        keep: keep the values, up to a limit.
        cast: a cast may come: it is asked what one would lose.
        fingerprints: orders of axes, for fingerprints of the values that do not depend on how they are stored.
        cheap: chunks cost little to read, so that whoever reads them ahead has time for a part of the rest.
    """
    rows = {axis: one for axis in frame_axes if (one := rows_of(header, axis)) is not None}
    frames = {axis: FrameFold(header, one, cast=cast) for axis, one in rows.items()}
    digests = {axis: digest_fold(header, one) for axis, one in rows.items()}
    samples = {axis: some for axis in frame_axes if (some := SampledFold.along(header, axis)) is not None}
    sample = SampleFold(header) if frame_axes and header.dtype.kind == "f" else None
    kept = KeepFold(header) if keep else None
    prints = {order: FingerprintFold(header, order) for order in fingerprints}
    # Whatever counts frames knows the extremes of the whole array too: one pass less over each chunk.
    ranges = None if frames else RangeFold(header, cast=cast)
    here: list[Fold] = [
        one for one in (ranges, *frames.values(), *samples.values(), kept, *prints.values()) if one is not None
    ]
    early: list[Fold] = [*digests.values(), *([sample] if sample else [])]
    if not cheap:
        early, here = [], [*here, *early]
    for _ in _fed(prefetched(_fed(chunks, early), header.count * header.dtype.itemsize), here):
        pass
    return Facts(
        range=ranges.facts() if ranges else next(iter(frames.values())).range_facts(),
        frames={
            axis: FrameFacts(
                total=one.total,
                minimum=one.minimum,
                maximum=one.maximum,
                nonfinite=one.nonfinite,
                digest=digests[axis].digests(),
            )
            for axis, one in frames.items()
        },
        samples={axis: one.sample() for axis, one in samples.items()},
        values=kept.values() if kept else None,
        lattice=lattice_of(sample, header.dtype) if sample else None,
        fingerprints={order: one.value for order, one in prints.items()},
    )


def _fed(chunks: Iterable[Chunk], folds: Sequence[Fold]) -> Iterator[Chunk]:
    """The same chunks, each given to the folds on its way."""
    start = 0
    for chunk in chunks:
        for accumulator in folds:
            accumulator.add(chunk, start)
        yield chunk
        start += chunk.size


__all__ = ["Facts", "Fold", "FrameFacts", "Sample", "fold"]
