"""Draw the pictures of the rules' pages: what the code compares, as the eye sees it. Needs matplotlib.

python docs/draw_pictures.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from npzschema.contracts.forward_model import amplitudes
from npzschema.generator.simulate import Experiment, counts, truth
from npzschema.validator.forward import score

Array = np.ndarray[Any, Any]
IMAGES: Final = Path(__file__).resolve().parent / "images"
FRAME: Final = 18


def main() -> None:
    """Make all pictures anew."""
    IMAGES.mkdir(exist_ok=True)
    mpl.rcParams["font.size"] = 8
    experiment = Experiment(positions=64, size=64, photons=2e5, object="siemens", scan="fermat", seed=4)
    made = truth(experiment)
    measured = np.sqrt(np.concatenate(list(counts(experiment, made))) / experiment.photons)

    def predicted(x: Array, y: Array) -> Array:
        return amplitudes(made.probe, made.object, x, y)

    right = predicted(made.x, made.y)
    rolled = predicted(np.roll(made.x, 1), np.roll(made.y, 1))
    swapped = predicted(made.y, made.x)
    _compare(
        "PHYS-001", measured, rolled, right, "each position moved to the next frame", "frame i with position i + 1"
    )
    _compare("PHYS-002", measured, swapped, right, "x and y as stored", "x and y swapped")
    corner = np.fft.ifftshift(measured, axes=(1, 2))
    _compare(
        "PHYS-003",
        corner,
        right,
        np.fft.ifftshift(right, axes=(1, 2)),
        "zero frequency in the centre",
        "zero frequency in the corner",
    )
    transposed = measured.transpose(0, 2, 1)
    _compare(
        "PHYS-004",
        transposed,
        right,
        right.transpose(0, 2, 1),
        "rows and columns as stored",
        "rows and columns exchanged",
    )
    _slices(measured)


def _compare(code: str, measured: Array, stated: Array, better: Array, stated_words: str, better_words: str) -> None:
    figure = Figure(figsize=(7.2, 2.6), layout="constrained")
    panels = (
        ("measured", measured),
        (f"predicted: {stated_words}\ncorrelation {score(stated, measured).correlation:.2f}", stated),
        (f"predicted: {better_words}\ncorrelation {score(better, measured).correlation:.2f}", better),
    )
    for axes, (title, frames) in zip(figure.subplots(1, 3), panels, strict=True):
        axes.imshow(np.log10(frames[FRAME] + 1e-3), cmap="viridis")
        axes.set_title(title)
        axes.set_axis_off()
    figure.savefig(IMAGES / f"{code}.png", dpi=90, metadata={"Software": None})


def _slices(measured: Array) -> None:
    """FORMAT-001: slices along the scan axis are patterns, slices along a detector axis are not."""
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    rows = (("scan axis", measured), ("detector axis", measured.transpose(1, 0, 2)))
    for line, (word, cube) in zip(figure.subplots(2, 4), rows, strict=True):
        for axes, index in zip(line, (12, 24, 36, 48), strict=True):
            axes.imshow(np.log10(cube[index] + 1e-3), cmap="viridis")
            axes.set_title(f"{word}, slice {index}")
            axes.set_axis_off()
    figure.savefig(IMAGES / "FORMAT-001.png", dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    main()
