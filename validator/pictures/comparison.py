"""What probe, object and positions predict, beside what was measured, under the stated and the better reading."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ..forward import Scene, Verdict, repaired, score
from ..picture import Image
from ..prepared import scene_of
from .making import DEPTH, ends_of, image, shrunk
from .sight import Shown, Sight

Array = np.ndarray[Any, Any]

CODES: Final = ("PHYS-001", "PHYS-002", "PHYS-003", "PHYS-004", "NORM-001")
FRAMES: Final = 16
SHOWN: Final = 2
SIDE: Final = 192


def gather(sight: Sight) -> Shown | str:
    test, reading = sight.case.forward, sight.patterns
    if test is None:
        return "the contract does not ask for the forward model"
    if test.verdict is None:
        return test.silent
    scene = scene_of(sight.case, sight.scan, reading, reading.layout) if reading and reading.layout else ""
    if isinstance(scene, str):
        return scene
    verdict = test.verdict
    few = scene if verdict.best and verdict.best.name == "stride" else scene.thinned(FRAMES)
    columns = _columns(few, verdict)
    rows = _rows(columns)
    # Predictions come in the units of probe and object: brought to those of the file, so that one scale holds all.
    measured = columns[0][1]
    top = float(measured[rows].max())
    panels = [panel for row in rows for panel in _row(columns, row, int(few.index[row]), top)]
    told = f"As stored, predictions and patterns correlate {verdict.stated} over {verdict.frames} frames"
    if verdict.best and verdict.other_fits:
        told += f"; with {verdict.best.words}, {verdict.best.score}"
    elif not verdict.supported:
        told += f"; none of {verdict.tried - 1} other readings fits either"
    return Shown(
        caption=f"{told}. Amplitudes on a logarithmic scale, predictions brought to the brightness of the measurement.",
        codes={sight.scan.x: CODES, sight.scan.frames: CODES},
        panels=tuple(panels),
        columns=len(columns) if len(columns) == 3 else 4,
    )


def _columns(scene: Scene, verdict: Verdict) -> list[tuple[str, Array]]:
    stated = scene.predicted(scene.x, scene.y)
    columns = [("measured", scene.measured), ("predicted as stored", stated)]
    best = verdict.best
    if best is None or not verdict.other_fits or best.kind == "probe" or "+" in best.name:
        # Of two readings at once there is no picture: one alone would not show what fits. Of the probe there is one.
        return columns
    if best.kind in ("centre", "detector"):
        return [*columns, (f"measured, with {best.words}", best.order(scene.measured))]
    if best.kind == "positions":
        return [*columns, (f"predicted with {best.words}", scene.predicted(*verdict.placed(scene.x, scene.y)))]
    values = dict(best.values)
    if best.name == "stride":
        return _strided(scene, int(values["stride"]), best.words)
    x, y = (repaired(positions, best.name, int(values["step"])) for positions in (scene.x, scene.y))
    return [*columns, (f"predicted with {best.words}", scene.predicted(x, y))]


def _strided(scene: Scene, stride: int, words: str) -> list[tuple[str, Array]]:
    """Position i belongs to frame ``stride * i``: here each sampled frame that is such a one."""
    rows = [row for row, frame in enumerate(scene.index) if frame % stride == 0 and frame // stride < len(scene.x)]
    kept = scene.index[rows]
    x, y = scene.x.copy(), scene.y.copy()
    x[kept], y[kept] = scene.x[kept // stride], scene.y[kept // stride]
    stated, better = scene.predicted(scene.x, scene.y), scene.predicted(x, y)
    nothing = np.zeros_like(stated)
    nothing[rows] = better[rows]
    return [("measured", scene.measured), ("predicted as stored", stated), (f"predicted with {words}", nothing)]


def _rows(columns: list[tuple[str, Array]]) -> list[int]:
    """Frames that show the difference best, in order; without another reading those in the middle of the scan."""
    (_, measured), (_, stated) = columns[:2]
    n = len(measured)
    if len(columns) < 3:
        return sorted({n // 3, 2 * n // 3})[:SHOWN]
    words, other = columns[2]
    better = score(stated, other) if words.startswith("measured") else score(other, measured)
    gain = better.parts - score(stated, measured).parts
    return sorted(int(row) for row in np.argsort(-gain)[:SHOWN])


def _row(columns: list[tuple[str, Array]], row: int, frame: int, top: float) -> list[Image]:
    panels = []
    brightness = math.sqrt(float((columns[0][1][row].astype(np.float64) ** 2).sum()))
    for words, frames in columns:
        plane = frames[row].astype(np.float64)
        energy = math.sqrt(float((plane**2).sum()))
        plane = plane * (brightness / energy) if energy > 0 else plane
        small = shrunk(plane, "mean", SIDE)
        ends = (top * DEPTH**0.5 / 4, top) if top > 0 else ends_of([small], "log")
        panels.append(
            image(
                small,
                title=f"Frame {frame:,}: {words}",
                about=f"Frame {frame:,}, {words}, on a logarithmic scale.",
                size=(plane.shape[0], plane.shape[1]),
                scale="log",
                ends=ends,
                unit="amplitude",
            )
        )
    return panels
