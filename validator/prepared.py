"""A file made ready for the forward model, or why that cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from npzschema.contracts import Scan

from . import coarse
from .binding import Layout, Reading, broken_bounds
from .case import Case
from .folds import keep
from .scene import LEAST, Scene
from .words import axes

Array = np.ndarray[Any, Any]

POSITIONS: Final = 1 << 20
"""Frames of which any may belong to any position, at most."""

TAME: Final = (1e-9, 1e9)
"""Patterns whose largest value lies within can be squared in single precision."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Parts:
    """What a scene is made of, as it lies in the file: probe (P, H, W), object (HO, WO), positions (N,), frames.

    ``frames``: the sampled ones, (n, rows, columns), all their pixels or evenly spaced ones; ``index``: which they
    are; ``whole``: pixels that a frame has; ``counts``: whether frames hold counts, not amplitudes. ``name``: of
    the probe.
    """

    name: str
    probe: Array
    object: Array
    x: Array
    y: Array
    frames: Array
    index: Array
    whole: tuple[int, int]
    counts: bool

    def scene(self) -> Scene | str:
        """The scene, or why there is none."""
        # Of no size: neither very large nor very small values overflow, and only shapes are compared.
        fitted = coarse.fitted(_unit(self.probe), self.frames)
        if fitted is None:
            rows, columns = self.whole
            return (
                f"frames of {rows}x{columns} pixels that {self.name} of {len(self.probe):,} "
                f"mode{'s' * (len(self.probe) > 1)} fills are too large to be predicted"
            )
        probe, frames = fitted
        measured, kept, dead = _usable(frames)
        if len(kept) < LEAST:
            return f"fewer than {LEAST} frames are usable"
        largest = float(measured.max())
        if not TAME[0] < largest < TAME[1]:
            # Of no size, for the same reason.
            measured = measured / largest
        if self.counts:
            measured = np.sqrt(measured)
        return Scene(
            probe=probe,
            # In the precision that patterns are predicted with.
            object=_unit(self.object).astype(np.complex64, copy=False),
            x=self.x,
            y=self.y,
            index=self.index[kept],
            measured=measured.astype(np.float32, copy=False),
            dead=dead,
            whole=self.whole,
        )


def scene_of(case: Case, scan: Scan, reading: Reading, layout: Layout) -> Scene | str:
    """Everything the model needs, or why it cannot be asked."""
    parts = parts_of(case, scan, reading, layout)
    return parts if isinstance(parts, str) else parts.scene()


def parts_of(case: Case, scan: Scan, reading: Reading, layout: Layout) -> Parts | str:
    """What there is of it in the file, or why it cannot be used; nothing is computed yet."""
    facts = case.facts_of(reading)
    axis = layout.dims.index(scan.dimension) if scan.dimension in layout.dims else -1
    sample = facts.samples.get(axis) if facts else None
    if sample is None:
        return "the patterns cannot be sampled"
    if any(symbol != scan.dimension for symbol, _, _ in broken_bounds(case.contract, case.binding.sizes)):
        return "sizes are out of range"
    planes = _planes(case, scan)
    if isinstance(planes, str):
        return planes
    placed = _placed(case, scan, reading.header.shape[axis])
    if isinstance(placed, str):
        return placed
    probe, obj = planes
    meant = list(case.contract.frame_axes())
    stored = [symbol for symbol in layout.dims if symbol != scan.dimension]
    if set(stored) != set(meant):
        return f"the patterns have other axes than {axes(reading.spec.dims[0])}"
    frames = sample.frames if stored == meant else sample.frames.transpose(0, 2, 1)
    rows, columns = (reading.header.shape[layout.dims.index(symbol)] for symbol in meant)
    if probe.shape[-2:] != (rows, columns):
        return f"{scan.probe} is of another size than a frame"
    if obj.shape[0] != 1:
        return f"{scan.object} has several modes"
    return Parts(
        name=scan.probe or "",
        probe=probe,
        object=obj[0],
        x=placed[0],
        y=placed[1],
        frames=frames,
        index=sample.index,
        whole=(rows, columns),
        counts=case.holds_counts(reading),
    )


def _planes(case: Case, scan: Scan) -> tuple[Array, Array] | str:
    """Probe and object, (modes, rows, columns) each, or why they cannot be used."""
    dissenting = {name for dissent in case.binding.dissents for name in dissent.arrays}
    planes = []
    for name in (scan.probe, scan.object):
        plane = _complex_plane(case, name)
        if isinstance(plane, str):
            return plane
        if name in dissenting:
            return f"{name} is of another size"
        planes.append(plane)
    probe, obj = planes
    return probe, obj


def _placed(case: Case, scan: Scan, n_frames: int) -> tuple[Array, Array] | str:
    """Coordinates of all frames, (N,) each, or why they cannot be used."""
    if n_frames > POSITIONS:
        return f"there are {n_frames:,} frames, more than {POSITIONS:,}"
    placed = []
    for name in (scan.x, scan.y):
        values = _coordinates(case, name, n_frames)
        if isinstance(values, str):
            return values
        placed.append(values)
    x, y = placed
    return x, y


def _unit(values: Array) -> Array:
    largest = float(max(max(part.max(), -part.min()) for part in (values.real, values.imag)))
    if not largest > 0:
        return values
    # As real numbers: numpy divides complex ones by complex ones only.
    return np.asarray((np.ascontiguousarray(values).view(values.real.dtype) / largest).view(values.dtype))


def _usable(frames: Array) -> tuple[Array, Array, Array | None]:
    """Frames with what is not finite left out, their rows, and the pixels that are out in all of them.

    A frame that is blank or mostly not finite is dropped; a pixel that is not finite in any other is dead in all.
    What is below zero, noise or a mask, is taken for nothing.
    """
    finite = np.isfinite(frames)
    rows = np.arange(len(frames))
    dead: Array | None = None
    if not finite.all():
        rows = np.flatnonzero(finite.mean(axis=(1, 2)) > 1 / 2)
        dead = np.asarray(~finite[rows].all(axis=0))
        frames = frames[rows]
        frames[:, dead] = 0
        if dead.mean() > 1 / 2:
            rows, frames = rows[:0], frames[:0]
    held = np.maximum(frames, 0)
    lit = held.any(axis=(1, 2))
    return (held, rows, dead) if lit.all() else (held[lit], rows[lit], dead)


def _complex_plane(case: Case, name: str | None) -> Array | str:
    """Probe or object as (modes, rows, columns)."""
    reading = case.binding.reading(name)
    facts = case.facts_of(reading)
    if reading is None or facts is None or reading.layout is None:
        return f"there is no {name} that can be read"
    if facts.values is None:
        return _too_large(name, reading)
    if reading.header.dtype.kind != "c":
        return f"{name} has no phase"
    if facts.range.nonfinite:
        return f"{name} is not finite"
    if facts.range.constant or facts.range.largest == 0:
        return f"{name} is a placeholder"
    planes = [at for at, symbol in enumerate(reading.layout.dims) if isinstance(symbol, str)][-2:]
    if len(planes) < 2:
        return f"{name} has no rows and columns"
    modes = [at for at in range(facts.values.ndim) if at not in planes]
    ordered = facts.values.transpose(*modes, *planes)
    return ordered.reshape(-1, *ordered.shape[-2:])


def _too_large(name: str | None, reading: Reading) -> str:
    size = reading.header.count * reading.header.dtype.itemsize
    return (
        f"{name} takes {size / (1 << 20):,.0f} MiB; no more than {keep.MAX_BYTES >> 20} MiB of positions, probe and "
        "object together are kept"
    )


def _coordinates(case: Case, name: str, n_frames: int) -> Array | str:
    reading = case.binding.reading(name)
    facts = case.facts_of(reading)
    if reading is None or facts is None or reading.header.dtype.kind not in "fiu":
        return f"there is no {name} that can be read"
    if facts.values is None:
        return _too_large(name, reading)
    values = facts.values.reshape(-1).astype(np.float64)
    if len(values) < n_frames:
        return f"{name} has fewer positions than there are frames"
    if facts.range.nonfinite:
        return f"{name} is not finite"
    extent = case.contract.scan.pixel_extent if case.contract.scan else None
    if extent is not None and 0 < facts.range.largest < extent:
        return f"{name} is not in pixels"
    return values[:n_frames]
