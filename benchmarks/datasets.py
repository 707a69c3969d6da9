"""Datasets of a wanted size, made on disk: counts as compressible as measured ones, or noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from npzschema.generator.simulate import Experiment, counts, truth
from npzschema.generator.write import NpzWriter

Array = np.ndarray[Any, Any]

SIDE: Final = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What is made: ``mebibytes`` of patterns of 128x128, in a form, stored or deflated.

    ``writer``: generate-npz deflates in pieces that start afresh, numpy in one stream.
    """

    mebibytes: int
    form: Literal["canonical", "legacy"] = "canonical"
    deflated: bool = True
    content: Literal["counts", "noise"] = "counts"
    writer: Literal["generate-npz", "numpy"] = "generate-npz"

    @property
    def words(self) -> str:
        how = "deflated" if self.deflated else "stored"
        told = f"{self.mebibytes:,} MiB {how}"
        told += (", legacy" if self.form == "legacy" else "") + (", noise" if self.content == "noise" else "")
        return told + (" by numpy" if self.writer == "numpy" else "")


def make(path: Path, kind: Kind) -> Path:
    """Write the dataset. Patterns are amplitudes of simulated counts, float32, or float64 in the legacy form."""
    legacy = kind.form == "legacy"
    real, complex_ = ("float64", "complex128") if legacy else ("float32", "complex64")
    frames = max(16, (kind.mebibytes << 20) // (np.dtype(real).itemsize * SIDE * SIDE))
    # Half of the pixels empty, deflates 5.6 times as float32: measured files give 5.5 and 6.8.
    experiment = Experiment(positions=min(frames, 256), size=SIDE, object="siemens", photons=5e5)
    made = truth(experiment)
    block = np.sqrt(np.concatenate(list(counts(experiment, made))) / experiment.photons)
    rng = np.random.default_rng(1)
    order = rng.integers(0, len(block), frames)
    # Scaled a little differently each time, so that no two frames are the same.
    scale = 1 + rng.random(frames) / 10

    def canonical() -> Iterator[Array]:
        for start in range(0, frames, 64):
            chosen = slice(start, start + 64)
            yield _noisy((block[order[chosen]] * scale[chosen, None, None]).astype(real), kind, rng)

    def transposed() -> Iterator[Array]:
        for pixel in np.ascontiguousarray(block.reshape(len(block), -1).T):
            yield _noisy((pixel[order] * scale).astype(real), kind, rng)

    with open(path, "wb+") as file:
        writer = NpzWriter(file, "isal" if kind.deflated else "none")
        shape = (SIDE, SIDE, frames) if legacy else (frames, SIDE, SIDE)
        writer.add("diffraction", np.dtype(real), shape, transposed() if legacy else canonical())
        writer.add_array("probeGuess", made.probe.astype(complex_))
        writer.add_array("objectGuess", made.object.astype(complex_))
        jitter = rng.uniform(-0.2, 0.2, (2, frames))
        for name, values, off in (("xcoords", made.x, jitter[0]), ("ycoords", made.y, jitter[1])):
            placed = values[order] + off
            writer.add_array(name, placed)
            if legacy:
                writer.add_array(f"{name}_start", placed)
        writer.close()
    if kind.writer == "numpy":
        with np.load(path) as made_file:
            arrays = dict(made_file)
        (np.savez_compressed if kind.deflated else np.savez)(path, **arrays)
    return path


def _noisy(block: Array, kind: Kind, rng: np.random.Generator) -> Array:
    """Noise in every pixel does not compress: the worst that deflate meets."""
    if kind.content == "noise":
        block += (rng.random(block.shape, dtype=np.float32) * 0.01).astype(block.dtype)
    return block
