"""Speed and memory as ratios, side by side in one run: `make bench`.

Each row pairs our work with a peer that does the least a careful user would do by hand. Both run in turn, A B A B,
in fresh processes; the figure is the median of the ratios, since machines drift.

    python benchmarks/run.py [--rounds 5] [--sizes 16,256,1024] [--folder DIR]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import npzschema
from npzschema.contracts import load
from npzschema.generator.simulate import Experiment, counts, truth
from npzschema.generator.write import NpzWriter

SIDE = 128

PEER_CHECKS = """
import sys, numpy as np
with np.load(sys.argv[1]) as data:
    for name in data.files:
        array = data[name]
        assert np.isfinite(array).all()
        magnitude = np.abs(array) if array.dtype.kind == "c" else array
        magnitude.min(), magnitude.max(), magnitude.mean(), array.dtype, array.shape
"""

PEER_LOAD = (
    "import sys, numpy as np\nwith np.load(sys.argv[1]) as data:\n    [data[name].shape for name in data.files]\n"
)

PEER_CONVERT = """
import sys, numpy as np
with np.load(sys.argv[1]) as data:
    arrays = {name: data[name] for name in data.files}
arrays["diffraction"] = np.ascontiguousarray(arrays["diffraction"].transpose(2, 0, 1)).astype(np.float32)
for name in ("probeGuess", "objectGuess"):
    arrays[name] = arrays[name].astype(np.complex64)
np.savez_compressed(sys.argv[2], **arrays)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Wall seconds and peak memory, in MiB, of one process."""

    seconds: float
    peak: float


def run(*command: str) -> Run:
    """One process from start to end. Exit status 1 is a finding, not a failure."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {errors.decode(errors='replace')}")
    return Run(time.perf_counter() - began, usage.ru_maxrss / 1024)


def paired(ours: list[str], peer: list[str], rounds: int) -> tuple[float, float, float]:
    """Median seconds of either, and the median of the ratios peer / ours, after one round that is not counted."""
    pairs = [(run(*ours).seconds, run(*peer).seconds) for _ in range(rounds + 1)][1:]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(b / a for a, b in pairs),
    )


def dataset(
    path: Path, mebibytes: int, form: Literal["canonical", "legacy"], compression: Literal["isal", "none"]
) -> Path:
    """A dataset whose patterns take about ``mebibytes``, with noise and compressibility of counts."""
    itemsize = 4 if form == "canonical" else 8
    frames = max(16, (mebibytes << 20) // (itemsize * SIDE * SIDE))
    # Half of the pixels empty, deflates 5.6 times as float32: measured files give 5.5 and 6.8.
    experiment = Experiment(positions=min(frames, 256), size=SIDE, object="siemens", photons=5e5)
    made = truth(experiment)
    block = np.sqrt(np.concatenate(list(counts(experiment, made))) / experiment.photons)
    rng = np.random.default_rng(1)
    order = rng.integers(0, len(block), frames)
    # Scaled a little differently each time, so that no two frames are the same.
    scale = 1 + rng.random(frames) / 10
    complex_, real = ("complex64", "float32") if form == "canonical" else ("complex128", "float64")

    def canonical() -> Iterator[Any]:
        for start in range(0, frames, 64):
            chosen = slice(start, start + 64)
            yield (block[order[chosen]] * scale[chosen, None, None]).astype(real)

    def legacy() -> Iterator[Any]:
        pixels = np.ascontiguousarray(block.reshape(len(block), -1).T)
        for pixel in pixels:
            yield (pixel[order] * scale).astype(real)

    with open(path, "wb+") as file:
        writer = NpzWriter(file, compression)
        shape = (frames, SIDE, SIDE) if form == "canonical" else (SIDE, SIDE, frames)
        writer.add("diffraction", np.dtype(real), shape, canonical() if form == "canonical" else legacy())
        writer.add_array("probeGuess", made.probe.astype(complex_))
        writer.add_array("objectGuess", made.object.astype(complex_))
        jitter = rng.uniform(-1, 1, (2, frames))
        for name, values, off in (("xcoords", made.x, jitter[0]), ("ycoords", made.y, jitter[1])):
            placed = values[order] + off
            writer.add_array(name, placed)
            if form == "legacy":
                writer.add_array(f"{name}_start", placed)
        writer.close()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="16,256,1024", help="MiB of patterns, comma-separated")
    parser.add_argument("--folder", help="where datasets are made (default: a temporary folder)")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    python, validate = sys.executable, [sys.executable, "-m", "npzschema.validator.cli"]
    print(
        f"npzschema {npzschema.__version__}, Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}, {os.cpu_count()} cores"
    )
    print(f"contract {load('ptychopinn/canonical').version}; medians of {options.rounds} pairs\n")
    print(f"{'work':44} {'ours':>9} {'peer':>9}  ratio")

    def row(work: str, ours: list[str], peer: list[str]) -> None:
        mine, theirs, ratio = paired(ours, peer, options.rounds)
        print(f"{work:44} {mine:8.3f}s {theirs:8.3f}s  {ratio:5.2f} times as fast as the peer", flush=True)

    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        small = dataset(folder / "small.npz", 1, "canonical", "isal")
        imports = [python, "-c", "import numpy, jsonschema"]
        row("small file, headers only / imports", [*validate, "--headers-only", str(small)], imports)
        row(
            "small file, everything / imports + pandera",
            [*validate, str(small)],
            [python, "-c", "import numpy, jsonschema, pandera.polars"],
        )
        base = run(*validate, str(small)).peak
        for size in sizes:
            for compression in ("isal", "none"):
                path = dataset(folder / f"{size}_{compression}.npz", size, "canonical", compression)
                word = "deflated" if compression == "isal" else "stored"
                row(
                    f"{size} MiB {word}, everything / load + checks",
                    [*validate, str(path)],
                    [python, "-c", PEER_CHECKS, str(path)],
                )
                row(
                    f"{size} MiB {word}, headers only / load",
                    [*validate, "--headers-only", str(path)],
                    [python, "-c", PEER_LOAD, str(path)],
                )
                peak = run(*validate, str(path)).peak
                print(
                    f"{'':44} peak memory {peak:.0f} MiB, {peak - base:+.0f} against the small file's {base:.0f}",
                    flush=True,
                )
                path.unlink()
        size = min(256, max(sizes))
        legacy = dataset(folder / "legacy.npz", size, "legacy", "isal")
        convert = [python, "-m", "npzschema.generator.cli", "convert", "--force", str(legacy), str(folder / "out.npz")]
        row(
            f"{size} MiB convert / load, transpose, save",
            convert,
            [python, "-c", PEER_CONVERT, str(legacy), str(folder / "peer.npz")],
        )
        print(f"{'':44} peak memory {run(*convert).peak:.0f} MiB")


if __name__ == "__main__":
    main()
