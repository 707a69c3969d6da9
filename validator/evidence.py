"""What the content says where sizes do not.

That is the axis order of cubes, and whether frames, positions, probe and object belong together.
The forward model is the strongest evidence; where it cannot be asked or does not decide, slices may. Where neither is
sure, nothing is decided, and why is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from npzschema.contracts import Quantity, Scan
from npzschema.contracts.model import same_axes

from .binding import Binding, Layout, Reading
from .case import Case, ForwardTest
from .folds import Facts
from .forward import ALIKE, SIGNIFICANT, Score, Verdict, judge, plain, residuals, stated_of
from .prepared import Parts, parts_of, scene_of
from .slices import frames_along
from .solve import agree
from .words import axes

CORRELATED: Final = 0.3
"""Correlation below which the model holds too badly to tell amplitudes from intensities."""

CLEARLY: Final = 0.7
"""Ratio of residuals below which one quantity fits clearly better; measured files give 0.58 and lower."""

DECENTLY: Final = 0.5
"""Residual that the better one must stay below: of two that hardly fit, neither is told from the other."""

PLAINLY: Final = 0.3
"""Correlation that one order of axes must reach where another cannot be compared."""


def _as_decided(reading: Reading, layout: Layout | None, why: str) -> Reading:
    if layout is None:
        return replace(reading, evidence=why)
    same = next((one for one in reading.layouts if one.dims == layout.dims), layout)
    if not same_axes(same.dims, reading.layouts[0].dims):
        return reading
    return replace(reading, layout=same, alternatives=(), evidence=why)


def _beside(reading: Reading, patterns: Layout | None) -> Reading:
    """Another array of the patterns' shape. Where these lie in another order than is meant, it may, too.

    In a cube sizes do not tell, and its content is not looked at.
    """
    if patterns is None or patterns.legacy is None or reading.layout is None or len(set(reading.header.shape)) > 1:
        return reading
    if not same_axes(patterns.dims, reading.layout.dims):
        return reading
    told = f"the patterns lie in {axes(patterns.dims)}, and this array need not"
    return replace(reading, alternatives=(Layout(patterns.dims, patterns.legacy),), evidence=told)


def _patterns(case: Case) -> Reading | None:
    """How the patterns are read: under the name that the scan knows, else another name of the same array."""
    frames = case.contract.scan.frames if case.contract.scan else None
    return next((one for name in (frames, *case.contract.twins(frames)) if (one := case.binding.reading(name))), None)


class Evidence:
    """Asks the content, once for each question."""

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self._facts = facts
        self._judged: dict[tuple[Any, ...], ForwardTest] = {}
        self._plain: dict[tuple[Any, ...], Score] = {}

    def decided(self, case: Case) -> Binding:
        """The binding, with axes that sizes left open decided where the content is sure."""
        scan, binding = case.contract.scan, case.binding
        reading = _patterns(case) if scan else None
        if scan is None or reading is None or reading.layout is None:
            return binding
        layout, why = self._layout(case, scan, reading)
        alike = {reading.spec.name, *case.contract.twins(reading.spec.name)}
        # What sizes leave open in the patterns they leave open in every array of that shape.
        readings = dict(binding.readings)
        for name, one in binding.readings.items():
            if one.header.shape != reading.header.shape or one.named:
                continue
            if name not in alike:
                readings[name] = _beside(one, layout)
            elif one.alternatives:
                readings[name] = _as_decided(one, layout, why)
        if readings == binding.readings:
            return binding
        shapes = {name: one.header.shape for name, one in readings.items()}
        layouts = {name: one.layout for name, one in readings.items() if one.layout}
        sizes, dissents, witnesses = agree(layouts, shapes)
        ordered = {symbol: sizes[symbol] for symbol in case.contract.dimensions if symbol in sizes}
        return Binding(sizes=ordered, readings=readings, dissents=dissents, witnesses=witnesses)

    def _layout(self, case: Case, scan: Scan, reading: Reading) -> tuple[Layout | None, str]:
        """How the patterns lie, or None, and what says so: sizes, or else their content."""
        if reading.decided or not case.facts:
            return (reading.layout if reading.decided else None), reading.evidence
        layout, why = self._by_model(case, scan, reading)
        if layout is None:
            layout, told = self._by_slices(scan, reading)
            # What decided stands alone; where nothing did, all that was asked is told.
            why = told if layout or not why else f"{why}; {told}"
        return layout, why

    def test(self, case: Case) -> ForwardTest | None:
        """The verdict of the forward model, or why it is silent; None where the contract does not ask for it."""
        scan = case.contract.scan
        if scan is None or scan.forward_model is None or not case.facts:
            return None
        reading = case.binding.reading(scan.frames)
        if reading is None or reading.layout is None:
            return ForwardTest(silent=f"there is no {scan.frames} that can be read")
        if reading.alternatives:
            asked, silent = self._orders(case, scan, reading)
            undecided = "the axis order of the patterns is undecided"
            return ForwardTest(
                silent=undecided if asked else silent[0][0],
                orders=self._by_model(case, scan, reading)[1] if asked else "",
            )
        parts = parts_of(case, scan, reading, reading.layout)
        if isinstance(parts, str):
            return ForwardTest(silent=parts)
        key = _key(case, scan, reading, reading.layout)
        if key not in self._judged:
            self._judged[key] = _judged(parts)
        return self._judged[key]

    def _by_model(self, case: Case, scan: Scan, reading: Reading) -> tuple[Layout | None, str]:
        """The order of axes under which the model holds, or None, and what it says of each."""
        if scan.forward_model is None:
            return None, ""
        asked, silent = self._orders(case, scan, reading)
        if not asked:
            return None, f"forward model not asked: {silent[0][0]}"
        (best, layout), *others = asked
        told = f"read as {axes(layout.dims)} the patterns correlate {best} with those that probe, object and positions "
        told += "predict" + "".join(f", as {axes(other.dims)} {score}" for score, other in others)
        told += "".join(f", as {axes(other.dims)} they cannot be compared: {why}" for why, other in silent)
        # What cannot be compared is no rival; then the other must hold plainly, and does not win by default.
        least = 2 * others[0][0].correlation + 0.05 if others else PLAINLY
        if best.z >= SIGNIFICANT and best.likeness >= ALIKE and best.correlation >= least:
            return layout, told
        return None, f"{told}: not sure enough"

    def _orders(
        self, case: Case, scan: Scan, reading: Reading
    ) -> tuple[list[tuple[Score, Layout]], list[tuple[str, Layout]]]:
        """How well the model holds under each order of axes, the best first; and why it cannot be asked of others."""
        asked: list[tuple[Score, Layout]] = []
        silent: list[tuple[str, Layout]] = []
        for layout in (*reading.layouts, *reading.elsewhere(scan.dimension)):
            scene = scene_of(case, scan, reading, layout)
            if isinstance(scene, str):
                silent.append((scene, layout))
                continue
            key = _key(case, scan, reading, layout)
            if key not in self._plain:
                # Where nobody knows whether they are amplitudes, the better of both counts.
                roots = [replace(scene, measured=np.sqrt(scene.measured))] if case.quantity(reading) is None else []
                self._plain[key] = max(map(plain, (scene, *roots)), key=lambda score: score.correlation)
            asked.append((self._plain[key], layout))
        return sorted(asked, key=lambda one: -one[0].correlation), silent

    def _by_slices(self, scan: Scan, reading: Reading) -> tuple[Layout | None, str]:
        facts = self._facts.get(reading.header.name)
        if facts is None:
            return None, "slices were not read"
        by_axis = {
            layout.dims.index(scan.dimension): layout for layout in reading.layouts if scan.dimension in layout.dims
        }
        if len(by_axis) != len(reading.layouts):
            return None, "slices cannot be compared"
        axis, told = frames_along(facts, by_axis.keys())
        return by_axis[axis] if axis is not None else None, told


def _judged(parts: Parts) -> ForwardTest:
    """What the forward model says of the stated reading."""
    scene = parts.scene()
    if isinstance(scene, str):
        return ForwardTest(silent=scene)
    known = stated_of(scene)
    verdict = judge(scene, known)
    fits = residuals(known, counts=parts.counts) if verdict.supported else None
    return ForwardTest(verdict=verdict, residuals=fits, quantity=_quantity(verdict, fits))


def _quantity(verdict: Verdict, fits: tuple[float, float] | None) -> Quantity | None:
    """The reading that explains the patterns clearly better; None where neither does, or the model hardly holds."""
    if fits is None or verdict.stated.z < SIGNIFICANT or verdict.stated.correlation < CORRELATED:
        return None
    amplitude, intensity = fits
    if min(fits) > DECENTLY or min(fits) >= CLEARLY * max(fits):
        return None
    return "intensity" if intensity < amplitude else "amplitude"


def forward_words(test: ForwardTest) -> str:
    """One line on what the forward model said."""
    if test.verdict is None:
        return (
            f"forward model: {test.silent}; {test.orders}" if test.orders else f"forward model not asked: {test.silent}"
        )
    verdict = test.verdict
    best = (
        f"; the best of {verdict.tried - 1} other readings {verdict.best.score} ({verdict.best.name})"
        if verdict.best
        else ""
    )
    told = f"forward model: positions as stated correlate {verdict.stated} over {verdict.frames} frames{best}"
    if verdict.compared:
        told += f"; {verdict.compared}"
    if test.residuals:
        told += "; residual {:.2f} as amplitudes, {:.2f} as intensities".format(*test.residuals)
    return told


def _key(case: Case, scan: Scan, reading: Reading, layout: Layout) -> tuple[Any, ...]:
    members = [
        one.header.name for name in (scan.probe, scan.object, scan.x, scan.y) if (one := case.binding.reading(name))
    ]
    return (reading.header.name, layout.dims, case.quantity(reading) or reading.spec.quantity, *members)
