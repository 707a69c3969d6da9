"""The probe: amplitude and phase."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .making import image, shrunk
from .sight import Shown, Sight

FAINT: Final = 0.02
"""Part of the largest amplitude below which a phase is noise, and is not shown."""

CODES: Final = ("VALUE-001", "VALUE-004", "SHAPE-001", "SHAPE-002", "SHAPE-003")


def gather(sight: Sight) -> Shown | str:
    plane = sight.plane(sight.scan.probe)
    if isinstance(plane, str):
        return plane
    name = str(sight.scan.probe)
    small = shrunk(plane)
    amplitude = np.abs(small)
    panels = [
        image(amplitude, title="Amplitude", about=f"Amplitude of the probe, {size_words(plane)}.", size=plane.shape[:2])
    ]
    caption = f"{name}, {size_words(plane)}"
    # How little overlap is too little depends on how wide the probe is.
    codes: dict[str, tuple[str, ...]] = {name: CODES, sight.scan.x: ("SCAN-008",)}
    if np.iscomplexobj(small):
        top = np.max(amplitude, where=np.isfinite(amplitude), initial=0.0)
        panels.append(
            image(
                np.angle(small),
                title="Phase",
                about="Phase of the probe from minus pi to pi, on cyclic colours, where it is bright enough.",
                size=plane.shape[:2],
                scale="phase",
                unit="rad",
                masked=amplitude < FAINT * top,
            )
        )
        caption += f". The phase is left out where the amplitude is below {FAINT:.0%} of its largest value"
    else:
        caption += ". It is real: there is no phase to show"
        codes = {**codes, name: (*CODES, "DTYPE-001")}
    return Shown(caption=caption + ".", codes=codes, panels=tuple(panels))


def size_words(plane: np.ndarray[Any, Any]) -> str:
    """``64 rows by 64 columns``."""
    return f"{plane.shape[0]:,} rows by {plane.shape[1]:,} columns"
