"""What a picture is made from: a file as the rules saw it, what they found, and a way to read parts of it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from npzschema.contracts import Scan

from ..binding import Layout, Reading
from ..case import Case
from ..dataset import Dataset
from ..findings import LEVELS, Finding
from ..picture import Image, Plot, Series
from . import second_read
from .making import MARKS, series

Array = np.ndarray[Any, Any]

MAX_FRAME: Final = 1 << 26
"""Bytes of one frame beyond which no picture of it is made."""

MAX_ITEMS: Final = 1 << 20
"""Items that a second read gathers at a time, some 40 bytes each."""

LABELLED: Final = 6
"""Offending frames that carry their number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a gatherer returns: a picture without its name. ``columns``: panels in a row, 0 for as many as fit."""

    caption: str
    codes: Mapping[str, tuple[str, ...]]
    panels: tuple[Image | Plot, ...]
    columns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sight:
    """One file. ``findings``: what the rules said of it."""

    case: Case
    scan: Scan
    dataset: Dataset
    findings: tuple[Finding, ...]

    @property
    def patterns(self) -> Reading | None:
        return self.case.binding.reading(self.scan.frames)

    def quantity(self) -> str:
        """What the patterns hold, as the word for a value of theirs."""
        reading = self.patterns
        held = (self.case.quantity(reading) or reading.spec.quantity) if reading else None
        return {"amplitude": "amplitude", "intensity": "counts"}.get(held or "", "value")

    def bound(self) -> float | None:
        """The contract's upper bound of the patterns, as a value that is stored."""
        reading = self.patterns
        if reading is None:
            return None
        values = reading.spec.values
        bound = values.exclusive_maximum if values.exclusive_maximum is not None else values.maximum
        other = self.case.other_quantity(reading)
        if bound is None or bound < 0 or other is None:
            return bound
        return bound**2 if other.quantity == "intensity" else bound**0.5

    def found(self, codes: Iterable[str]) -> tuple[Finding, ...]:
        """Findings of these codes, the gravest first."""
        wanted = frozenset(codes)
        some = [finding for finding in self.findings if finding.code in wanted]
        return tuple(sorted(some, key=lambda finding: -LEVELS.index(finding.level)))

    def offending(self, codes: Iterable[str], arrays: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
        """Frames by code, the gravest code first."""
        names = frozenset(arrays)
        told: dict[str, tuple[int, ...]] = {}
        for finding in self.found(codes):
            if finding.frames and finding.array in names:
                told[finding.code] = tuple(sorted({*told.get(finding.code, ()), *finding.frames}))
        return told

    def without(self, name: str | None) -> str:
        """Why an array cannot be shown, or nothing."""
        reading = self.case.binding.reading(name)
        if name is None:
            return "the contract names no such array"
        if reading is None:
            header = self.case.headers.get(name)
            if header is not None and header.pickled:
                return f"{name} is a pickled object array, which is never unpickled"
            return f"there is no {name} that can be read"
        if self.case.facts_of(reading) is None:
            return f"the values of {name} could not be read"
        return ""

    def coordinates(self) -> tuple[Array, Array] | str:
        """Positions as they are stored, (n,) float64 each; where one has more, the surplus is left out."""
        placed = []
        for name in (self.scan.x, self.scan.y):
            if why := self.without(name):
                return why
            facts = self.case.facts_of(self.case.binding.reading(name))
            if facts is None or facts.values is None or facts.values.dtype.kind not in "fiu":
                return f"{name} holds no real numbers that fit in memory"
            placed.append(facts.values.reshape(-1).astype(np.float64))
        n = min(map(len, placed))
        if n == 0:
            return "there are no positions"
        return placed[0][:n], placed[1][:n]

    def as_they_fit(self) -> tuple[Array, Array] | None:
        """Positions as the reading has them that fits better, where there is one."""
        verdict = self.case.forward.verdict if self.case.forward else None
        placed = self.coordinates()
        if verdict is None or verdict.best is None or not verdict.other_fits or isinstance(placed, str):
            return None
        return verdict.placed(*placed) if verdict.best.kind == "positions" else None

    def plane(self, name: str | None) -> Array | str:
        """Probe or object as it is stored, (rows, columns), its first mode; large ones thinned out. Or why not."""
        reading = self.case.binding.reading(name)
        if (why := self.without(name)) or reading is None:
            return why
        header, facts = reading.header, self.case.facts_of(reading)
        axes = _plane_axes(reading)
        if axes is None or not header.count:
            return f"{name} of shape {header.shape} is no plane"
        if facts is not None and facts.values is not None:
            at = tuple(slice(None) if axis in axes else 0 for axis in range(len(header.shape)))
            return facts.values[at] if axes[0] < axes[1] else facts.values[at].T
        step = thinning(header.shape[axes[0]] * header.shape[axes[1]])
        cut = tuple(slice(None, None, step) if axis in axes else 0 for axis in range(len(header.shape)))
        (plane,) = second_read.cuts(self.dataset, header, [cut])
        return plane if axes[0] < axes[1] else plane.T

    def frames(self, axis: int, wanted: Iterable[int], small: Callable[[Array], Array]) -> dict[int, Array] | str:
        """Some frames, rows first, each passed through ``small``; from the sample where they are in it. Or why not."""
        reading = self.patterns
        facts = self.case.facts_of(reading)
        if reading is None or reading.layout is None or facts is None:
            return self.without(self.scan.frames) or "the axes of the patterns are unknown"
        header = reading.header
        missing = sorted(set(wanted))
        told: dict[int, Array] = {}
        turn = self._turned(reading.layout, axis)
        sample = facts.samples.get(axis)
        if sample is not None and sample.whole:
            held = {int(frame): row for row, frame in enumerate(sample.index)}
            told = {frame: small(turn(sample.frames[held[frame]])) for frame in missing if frame in held}
            missing = [frame for frame in missing if frame not in told]
        if not missing:
            return told
        pixels = header.count // max(1, header.shape[axis])
        if pixels * header.dtype.itemsize > MAX_FRAME:
            return f"one frame is larger than {MAX_FRAME >> 20} MiB"
        if header.storage_axes[0] == axis:
            rest = [one for one in header.storage_axes if one != axis]
            order = [rest.index(one) for one in sorted(rest)]
            for frame, values in second_read.frames(self.dataset, header, missing):
                told[frame] = small(turn(values.transpose(order).squeeze()))
            return told
        step = thinning(pixels * len(missing))
        some = [
            tuple(frame if one == axis else slice(None, None, step) for one in range(len(header.shape)))
            for frame in missing
        ]
        for frame, values in zip(missing, second_read.cuts(self.dataset, header, some), strict=True):
            told[frame] = small(turn(values.squeeze()))
        return told

    def rows_first(self, frame: Array, axis: int) -> Array:
        """A frame with its axes as in the shape, brought to rows first."""
        reading = self.patterns
        return self._turned(reading.layout, axis)(frame) if reading and reading.layout else frame

    def _turned(self, layout: Layout, axis: int) -> Callable[[Array], Array]:
        """What brings a frame, its axes as in the shape, to rows first; a plane whatever it was."""
        reading = self.patterns
        stored = [symbol for at, symbol in enumerate(layout.dims) if at != axis and isinstance(symbol, str)]
        meant = list(self.case.contract.frame_axes()) if reading else stored
        swap = len(stored) == 2 and stored == meant[::-1] and stored != meant

        def turn(plane: Array) -> Array:
            plane = (
                plane if plane.ndim == 2 else plane.reshape(1, -1) if plane.ndim < 2 else plane.reshape(len(plane), -1)
            )
            return plane.T if swap else plane

        return turn

    def marks(self, frames: Mapping[str, tuple[int, ...]], x: Array, y: Array) -> list[Series]:
        """Offending frames at their places, a series for each code; a code that names most frames marks none."""
        told = []
        for code, every in frames.items():
            some = [frame for frame in every if frame < len(x)][:MARKS]
            if some and 2 * len(every) <= len(x):
                words = [str(frame) if at < LABELLED else "" for at, frame in enumerate(some)]
                told.append(series("marks", code, x[some], y[some], words))
        return told


def thinning(items: int) -> int:
    """Step along both axes of a plane that keeps a second read in bounds."""
    step = 1
    while items // (step * step) > MAX_ITEMS:
        step += 1
    return step


def _plane_axes(reading: Reading) -> tuple[int, int] | None:
    """Axes of the rows and columns; for shapes that no layout fits, the only two that are longer than one."""
    if reading.layout is not None:
        symbols = [at for at, symbol in enumerate(reading.layout.dims) if isinstance(symbol, str)][-2:]
    else:
        symbols = [at for at, length in enumerate(reading.header.shape) if length > 1]
    return (symbols[0], symbols[1]) if len(symbols) == 2 else None
