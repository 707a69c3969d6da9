"""Conforming datasets as dicts of arrays, by plain numpy alone: nothing here imports npzschema.

Patterns are computed, not drawn: ``|FFT(probe * patch)|``, orthonormal and centred, with Poisson noise.
"""

from __future__ import annotations

import io
import json

import numpy as np

N, SIDE = 20, 32
ROWS, COLUMNS = 96, 90
PAIR = {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "count_intensity"}


def probe_of(side=SIDE, width=0.16):
    """A Gaussian with a parabolic phase, which spreads the far field over the detector."""
    r, c = np.mgrid[:side, :side] - (side - 1) / 2
    square = (r * r + c * c) / side**2
    return (np.exp(-square / (2 * width**2)) * np.exp(1.2j * side * square)).astype(np.complex64)


def object_of(rows=ROWS, columns=COLUMNS, seed=1):
    """Blobs of absorption and phase, band-limited so that neighbouring frames resemble each other."""
    rng = np.random.default_rng(seed)
    fr, fc = np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :]
    low_pass = np.exp(-(fr * fr + fc * fc) / (2 * 0.08**2))
    fields = [np.fft.ifft2(np.fft.fft2(rng.normal(size=(rows, columns))) * low_pass).real for _ in range(2)]
    absorption, phase = (field / np.abs(field).max() for field in fields)
    return ((0.8 + 0.2 * absorption) * np.exp(1.5j * phase)).astype(np.complex64)


def positions_of(n=N, side=SIDE, rows=ROWS, columns=COLUMNS, seed=2):
    """A raster with jitter about the middle of the object, every patch inside."""
    rng = np.random.default_rng(seed)
    across = int(np.ceil(np.sqrt(n)))
    down = -(-n // across)
    step = min(side / 5, (columns - side - 4) / max(across - 1, 1), (rows - side - 4) / max(down - 1, 1))
    x = columns / 2 + step * (np.arange(across) - (across - 1) / 2)
    y = rows / 2 + step * (np.arange(down) - (down - 1) / 2)
    grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
    jitter = rng.uniform(-0.9, 0.9, size=(2, across * down))
    return (grid_x.reshape(-1) + jitter[0])[:n], (grid_y.reshape(-1) + jitter[1])[:n]


def counts_of(probe, whole, x, y, photons=2e5, seed=3):
    """Poisson counts (N, H, W), float64, with the zero frequency in the centre."""
    side = len(probe)
    scale = np.sqrt(photons / (np.abs(probe) ** 2).sum())
    frames = []
    for column, row in zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True):
        patch = whole[row - side // 2 : row - side // 2 + side, column - side // 2 : column - side // 2 + side]
        far = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(scale * probe * patch), norm="ortho"))
        frames.append(np.abs(far) ** 2)
    return np.random.default_rng(seed).poisson(frames).astype(np.float64)


def counts(n=N, side=SIDE, rows=ROWS, columns=COLUMNS, photons=2e5):
    """Raw detector counts under their legacy name, as ``ptychopinn/raw-counts`` has them."""
    probe, whole = probe_of(side), object_of(rows, columns)
    x, y = positions_of(n, side, rows, columns)
    return {
        "diff3d": counts_of(probe, whole, x, y, photons).astype(np.uint16),
        "probeGuess": probe,
        "objectGuess": whole,
        "xcoords": x,
        "ycoords": y,
    }


def canonical(n=N, side=SIDE, rows=ROWS, columns=COLUMNS):
    """``ptychopinn/canonical``: float32 amplitudes scaled so that the largest is 1."""
    made = counts(n, side, rows, columns)
    amplitude = np.sqrt(made.pop("diff3d").astype(np.float64))
    return {
        "diffraction": (amplitude / amplitude.max()).astype(np.float32),
        **made,
        "xcoords_start": made["xcoords"] - 0.25,
        "ycoords_start": made["ycoords"] + 0.25,
        "scan_index": np.arange(n, dtype=np.int64) * 3 + 7,
    }


def legacy_hwn(n=N, side=SIDE, rows=ROWS, columns=COLUMNS):
    """``ptychopinn/legacy-hwn``: unscaled float64 amplitudes (H, W, N), double precision throughout."""
    made = counts(n, side, rows, columns)
    amplitude = np.sqrt(made["diff3d"].astype(np.float64))
    return {
        "diffraction": np.ascontiguousarray(amplitude.transpose(1, 2, 0)),
        "probeGuess": made["probeGuess"].astype(np.complex128),
        "objectGuess": made["objectGuess"].astype(np.complex128),
        "xcoords": made["xcoords"],
        "ycoords": made["ycoords"],
        "xcoords_start": made["xcoords"] - 0.25,
        "ycoords_start": made["ycoords"] + 0.25,
    }


def ci_intensity_v2():
    """``ptychopinn/ci-intensity-v2``: counts as float32, and metadata that says so."""
    made = counts()
    return {**made, "diff3d": made["diff3d"].astype(np.float32), "_metadata": np.array(json.dumps(PAIR))}


def fixture_v1():
    """``ptychopinn/fixture-v1``: 64 frames of 64x64 under both names. A cube, by contract."""
    made = canonical(64, 64, 140, 150)
    return {**made, "diff3d": made["diffraction"].copy()}


def saved(arrays, *, compressed=True):
    """The bytes of an NPZ file."""
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()
