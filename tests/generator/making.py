"""What the tests of the generator share: simulated sources, plain-numpy oracles, and the command in this process."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest

from npzschema.generator import Experiment, simulate
from npzschema.generator.cli import run
from npzschema.terminal import UsageError

REAL = Path(os.environ.get("NPZSCHEMA_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real files are not here; NPZSCHEMA_REAL_DATA names their folder"
)

CANONICAL, LEGACY, FIXTURE = "ptychopinn/canonical", "ptychopinn/legacy-hwn", "ptychopinn/fixture-v1"
RAW, COUNTS, CI = "ptychopinn/raw-npz", "ptychopinn/raw-counts", "ptychopinn/ci-intensity-v2"


def simulated(path, contract=CANONICAL, *, n=20, size=16, **more):
    """A simulated file of a contract."""
    simulate(path, Experiment(positions=n, size=size, **more), contract=contract)
    return path


def arrays_of(path):
    """The arrays by numpy alone."""
    with np.load(path, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def rich(path, n=20, size=16, seed=0):
    """Arrays of a canonical dataset with everything that is optional, all different per position."""
    simulated(path, n=n, size=size, seed=seed)
    arrays = arrays_of(path)
    path.unlink()
    rng = np.random.default_rng(seed)
    patches = rng.normal(size=(n, size, size)) + 1j * rng.normal(size=(n, size, size))
    return arrays | {
        "xcoords_start": arrays["xcoords"] + 0.25,
        "ycoords_start": arrays["ycoords"] - 0.5,
        "scan_index": np.arange(n) * 3 + 7,
        "Y": patches.astype(np.complex64),
    }


def legacy(arrays):
    """The same dataset as legacy files have it: patterns (H, W, N), double precision throughout."""
    wide = {"float32": np.float64, "complex64": np.complex128}
    made = {name: array.astype(wide.get(array.dtype.name, array.dtype)) for name, array in arrays.items()}
    made["diffraction"] = np.ascontiguousarray(made["diffraction"].transpose(1, 2, 0))
    return made


def save(path, arrays, *, compressed=True):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def same(first, second):
    """Two dicts of arrays, equal in names, dtypes, shapes and every bit."""
    assert sorted(first) == sorted(second)
    for name, array in first.items():
        other = second[name]
        assert (array.dtype, array.shape) == (other.dtype, other.shape), name
        assert np.ascontiguousarray(array).tobytes() == np.ascontiguousarray(other).tobytes(), name


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def held(folder):
    """Every file below a folder with its bytes' digest."""
    return {str(path.relative_to(folder)): digest(path) for path in Path(folder).rglob("*") if path.is_file()}


def command(*argv):
    """generate-npz in this process: status, output, error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        status = run([str(one) for one in argv], out, err)
    except UsageError as error:
        return 2, out.getvalue(), f"generate-npz: {error}\n"
    return status, out.getvalue(), err.getvalue()


def refused(folder, *argv):
    """The one line of a command that must fail and leave its folder as it was."""
    before = held(folder)
    status, out, err = command(*argv)
    assert (status, out) == (2, ""), (status, out, err)
    assert err.count("\n") == 1
    assert held(folder) == before
    return err


def predicted(probe, obj, x, y):
    """``|FFT(probe * patch)|`` of each position, orthonormal, centred, by bilinear shifts; written out once more."""
    side = probe.shape[-1]
    out = []
    for column, row in zip(np.asarray(x, float) - side / 2, np.asarray(y, float) - side / 2, strict=True):
        c, r = int(np.floor(column)), int(np.floor(row))
        u, v = column - c, row - r
        cut = obj[r : r + side + 1, c : c + side + 1]
        patch = (cut[:-1, :-1] * (1 - v) + cut[1:, :-1] * v) * (1 - u) + (cut[:-1, 1:] * (1 - v) + cut[1:, 1:] * v) * u
        out.append(np.abs(np.fft.fftshift(np.fft.fft2(probe * patch, norm="ortho"))))
    return np.array(out)


def pairing(arrays, roll=0):
    """Correlation of predicted with measured amplitudes after the mean over frames is taken off both."""
    probe = arrays["probeGuess"].astype(np.complex128)
    model = predicted(
        probe,
        arrays["objectGuess"].astype(np.complex128),
        np.roll(arrays["xcoords"], roll),
        np.roll(arrays["ycoords"], roll),
    )
    measured = arrays["diffraction"].astype(np.float64)
    a, b = (one - one.mean(axis=0) for one in (model, measured))
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
