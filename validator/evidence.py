"""What the content says where sizes do not.

That is the axis order of cubes, and whether frames, positions, probe and object belong together.
The forward model is the strongest evidence; where it cannot be asked, slices along the scan axis resemble each other
and carry similar energy, slices along a detector axis do not. Where neither is sure, nothing is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from npzschema.contracts import Quantity, Scan

from .binding import Binding, Layout, Reading, _agree, broken_bounds
from .case import Case, ForwardTest
from .folds import Facts, Sample
from .forward import ALIKE, LEAST, SIGNIFICANT, Scene, Score, Verdict, judge, plain, residuals
from .words import axes

Array = np.ndarray[Any, Any]

ENERGY_RATIO: Final = 3.0
"""How many times more slice energies must vary along a detector axis than along the scan axis."""

FALLS_OFF: Final = 0.3
"""How much slice energies vary at least along a detector axis, in their mean: patterns fall off from the centre. Where
the whole detector is lit, as in near-field data, a beam that drifts makes rows of the detector look like frames."""

CORRELATED: Final = 0.3
"""Correlation below which the model holds too badly to tell amplitudes from intensities."""

CLEARLY: Final = 0.7
"""Ratio of residuals below which one quantity fits clearly better; measured files give 0.37 and lower."""

LIKENESS: Final = 0.1
"""By how much the mean correlation of slices with their mean must differ."""


def _patterns(case: Case) -> Reading | None:
    """How the patterns are read: under the name that the scan knows, else another name of the same array."""
    frames = case.contract.scan.frames if case.contract.scan else None
    return next((one for name in (frames, *case.contract.twins(frames)) if (one := case.binding.reading(name))), None)


class Evidence:
    """Asks the content, once for each question."""

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self._facts = facts
        self._judged: dict[tuple[Any, ...], tuple[Verdict, tuple[float, float] | None]] = {}
        self._plain: dict[tuple[Any, ...], Score] = {}

    def decided(self, case: Case) -> Binding:
        """The binding, with axes that sizes left open decided where the content is sure."""
        scan, binding = case.contract.scan, case.binding
        reading = _patterns(case) if scan else None
        if scan is None or reading is None or reading.layout is None or not reading.alternatives or not case.facts:
            return binding
        chosen = self._by_model(case, scan, reading) or self._by_slices(scan, reading)
        if chosen is None:
            return binding
        layout, evidence = chosen
        readings = dict(binding.readings)
        for name, one in binding.readings.items():
            # A second name of the patterns is ambiguous in the same way.
            if one.layout and one.alternatives and one.header.shape == reading.header.shape:
                same = next((other for other in (one.layout, *one.alternatives) if other.dims == layout.dims), None)
                if same is not None:
                    readings[name] = replace(one, layout=same, alternatives=(), evidence=evidence)
        shapes = {name: one.header.shape for name, one in readings.items()}
        layouts = {name: one.layout for name, one in readings.items() if one.layout}
        sizes, dissents, witnesses = _agree(layouts, shapes)
        ordered = {symbol: sizes[symbol] for symbol in case.contract.dimensions if symbol in sizes}
        return Binding(sizes=ordered, readings=readings, dissents=dissents, witnesses=witnesses)

    def test(self, case: Case) -> ForwardTest | None:
        """The verdict of the forward model, or why it is silent; None where the contract does not ask for it."""
        scan = case.contract.scan
        if scan is None or scan.forward_model is None or not case.facts:
            return None
        reading = case.binding.reading(scan.frames)
        if reading is None or reading.layout is None:
            return ForwardTest(silent=f"there is no {scan.frames} that can be read")
        if reading.alternatives:
            return ForwardTest(silent="the axis order of the patterns is undecided")
        scene = scene_of(case, scan, reading, reading.layout)
        if isinstance(scene, str):
            return ForwardTest(silent=scene)
        key = _key(case, scan, reading, reading.layout)
        if key not in self._judged:
            verdict = judge(scene)
            self._judged[key] = verdict, residuals(scene, _held(case, reading, scene)) if verdict.supported else None
        verdict, fits = self._judged[key]
        return ForwardTest(verdict=verdict, residuals=fits, quantity=_quantity(verdict, fits))

    def _by_model(self, case: Case, scan: Scan, reading: Reading) -> tuple[Layout, str] | None:
        if scan.forward_model is None or reading.layout is None:
            return None
        scores: list[tuple[Score, Layout]] = []
        for layout in (reading.layout, *reading.alternatives):
            scene = scene_of(case, scan, reading, layout)
            if isinstance(scene, str):
                return None
            key = _key(case, scan, reading, layout)
            if key not in self._plain:
                self._plain[key] = plain(scene)
            scores.append((self._plain[key], layout))
        scores.sort(key=lambda one: -one[0].correlation)
        (best, layout), (second, other) = scores[0], scores[1]
        if best.z < SIGNIFICANT or best.likeness < ALIKE or best.correlation < 2 * second.correlation + 0.05:
            return None
        return layout, (
            f"read as {axes(layout.dims)} the patterns correlate {best} with those that probe, object and positions "
            f"predict, as {axes(other.dims)} {second}"
        )

    def _by_slices(self, scan: Scan, reading: Reading) -> tuple[Layout, str] | None:
        facts = self._facts.get(reading.header.name)
        if facts is None or reading.layout is None:
            return None
        told: list[tuple[float, float, Layout]] = []
        for layout in (reading.layout, *reading.alternatives):
            axis = layout.dims.index(scan.dimension) if scan.dimension in layout.dims else -1
            if axis not in facts.frames or axis not in facts.samples:
                return None
            totals = facts.frames[axis].total
            if len(totals) < LEAST or not totals.mean() > 0:
                return None
            told.append((float(totals.std() / totals.mean()), _likeness(facts.samples[axis]), layout))
        told.sort(key=lambda one: one[0])
        (spread, likeness, layout), (other_spread, other_likeness, _) = told[0], told[1]
        if other_spread < max(FALLS_OFF, ENERGY_RATIO * spread) or likeness < other_likeness + LIKENESS:
            return None
        return layout, (
            f"slices along axis {layout.dims.index(scan.dimension)} resemble each other ({likeness:.2f}) and their "
            f"energies vary by {spread:.1%}, those of the other axis {other_likeness:.2f} and {other_spread:.1%}"
        )


def _held(case: Case, reading: Reading, scene: Scene) -> Array:
    """The sampled frames as they are stored."""
    counts = (case.quantity(reading) or reading.spec.quantity) == "intensity"
    held: Array = scene.measured**2 if counts else scene.measured
    return held


def _quantity(verdict: Verdict, fits: tuple[float, float] | None) -> Quantity | None:
    """The reading that explains the patterns clearly better; None where neither does, or the model hardly holds."""
    if fits is None or verdict.stated.z < SIGNIFICANT or verdict.stated.correlation < CORRELATED:
        return None
    amplitude, intensity = fits
    if intensity < CLEARLY * amplitude:
        return "intensity"
    return "amplitude" if amplitude < CLEARLY * intensity else None


def forward_words(test: ForwardTest) -> str:
    """One line on what the forward model said."""
    if test.verdict is None:
        return f"forward model not asked: {test.silent}"
    verdict = test.verdict
    best = (
        f"; the best of {verdict.tried - 1} other readings {verdict.best.score} ({verdict.best.name})"
        if verdict.best
        else ""
    )
    told = f"forward model: positions as stated correlate {verdict.stated} over {verdict.frames} frames{best}"
    if test.residuals:
        told += "; residual {:.2f} as amplitudes, {:.2f} as intensities".format(*test.residuals)
    return told


def _likeness(sample: Sample) -> float:
    """Mean correlation of slices with their mean."""
    flat = np.nan_to_num(sample.frames.reshape(len(sample.frames), -1), posinf=0.0, neginf=0.0)
    flat = flat - flat.mean(axis=1, keepdims=True)
    mean = flat.mean(axis=0)
    norms = np.linalg.norm(flat, axis=1) * np.linalg.norm(mean)
    some = norms > 0
    return float(np.mean(np.einsum("ij,j->i", flat[some], mean) / norms[some])) if some.any() else 0.0


def _key(case: Case, scan: Scan, reading: Reading, layout: Layout) -> tuple[Any, ...]:
    members = [
        one.header.name for name in (scan.probe, scan.object, scan.x, scan.y) if (one := case.binding.reading(name))
    ]
    return (reading.header.name, layout.dims, case.quantity(reading) or reading.spec.quantity, *members)


def scene_of(case: Case, scan: Scan, reading: Reading, layout: Layout) -> Scene | str:
    """Everything the model needs, or why it cannot be asked."""
    facts = case.facts_of(reading)
    axis = layout.dims.index(scan.dimension) if scan.dimension in layout.dims else -1
    sample = facts.samples.get(axis) if facts else None
    if sample is None:
        return "the patterns cannot be sampled"
    if any(symbol != scan.dimension for symbol, _, _ in broken_bounds(case.contract, case.binding.sizes)):
        return "sizes are out of range"
    dissenting = {name for dissent in case.binding.dissents for name in dissent.arrays}
    complexes = []
    for name in (scan.probe, scan.object):
        plane = _complex_plane(case, name)
        if isinstance(plane, str):
            return plane
        if name in dissenting:
            return f"{name} is of another size"
        complexes.append(plane)
    probe, obj = complexes
    n_frames = reading.header.shape[axis]
    placed = []
    for name in (scan.x, scan.y):
        values = _coordinates(case, name, n_frames)
        if isinstance(values, str):
            return values
        placed.append(values)
    meant = [symbol for symbol in reading.spec.dims[0] if symbol != scan.dimension]
    stored = [symbol for symbol in layout.dims if symbol != scan.dimension]
    frames = sample.frames if stored == meant else sample.frames.transpose(0, 2, 1)
    if probe.shape[-2:] != frames.shape[1:]:
        return f"{scan.probe} is of another size than a frame"
    if obj.shape[0] != 1:
        return f"{scan.object} has several modes"
    measured, kept, dead = _usable(frames)
    if len(kept) < LEAST:
        return f"fewer than {LEAST} frames are usable"
    counts = (case.quantity(reading) or reading.spec.quantity) == "intensity"
    if counts:
        measured = np.sqrt(measured)
    return Scene(
        # Of no size: neither very large nor very small values overflow, and only shapes are compared.
        probe=_unit(probe),
        object=_unit(obj[0]),
        x=placed[0],
        y=placed[1],
        index=sample.index[kept],
        measured=measured.astype(np.float32),
        dead=dead,
    )


def _unit(values: Array) -> Array:
    largest = float(max(np.abs(values.real).max(), np.abs(values.imag).max()))
    return values / largest if largest > 0 else values


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
    return held[lit], rows[lit], dead


def _complex_plane(case: Case, name: str | None) -> Array | str:
    """Probe or object as (modes, rows, columns)."""
    reading = case.binding.reading(name)
    facts = case.facts_of(reading)
    if reading is None or facts is None or reading.layout is None or facts.values is None:
        return f"there is no {name} that can be read"
    if reading.header.dtype.kind != "c":
        return f"{name} has no phase"
    if facts.range.nonfinite:
        return f"{name} is not finite"
    if facts.range.constant or facts.range.largest == 0:
        return f"{name} is a placeholder"
    planes = [at for at, symbol in enumerate(reading.layout.dims) if isinstance(symbol, str)][-2:]
    modes = [at for at in range(facts.values.ndim) if at not in planes]
    ordered = facts.values.transpose(*modes, *planes)
    return ordered.reshape(-1, *ordered.shape[-2:])


def _coordinates(case: Case, name: str, n_frames: int) -> Array | str:
    reading = case.binding.reading(name)
    facts = case.facts_of(reading)
    if reading is None or facts is None or facts.values is None or facts.values.dtype.kind not in "fiu":
        return f"there is no {name} that can be read"
    values = facts.values.reshape(-1).astype(np.float64)
    if len(values) < n_frames:
        return f"{name} has fewer positions than there are frames"
    if facts.range.nonfinite:
        return f"{name} is not finite"
    extent = case.contract.scan.pixel_extent if case.contract.scan else None
    if extent is not None and 0 < facts.range.largest < extent:
        return f"{name} is not in pixels"
    return values[:n_frames]
