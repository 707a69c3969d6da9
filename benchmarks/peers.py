"""What a careful user would write by hand, with numpy alone. Run as a program it does the same in a fresh process.

python benchmarks/peers.py load|check|convert|transpose IN.npz [OUT.npz]
"""

from __future__ import annotations

import sys

import numpy as np


def load(path: str) -> None:
    """Every array, loaded."""
    with np.load(path) as data:
        for name in data.files:
            assert data[name].shape is not None


def check(path: str) -> None:
    """Every array, loaded, and what the contract's documentation asks of it: finite, min, max, mean, dtype, shape."""
    with np.load(path) as data:
        for name in data.files:
            array = data[name]
            assert np.isfinite(array).all()
            magnitude = np.abs(array) if array.dtype.kind == "c" else array
            assert magnitude.min() <= magnitude.mean() <= magnitude.max()
            assert array.dtype.kind in "fciu"
            assert len(array.shape) in (1, 2, 3)


def convert(source: str, target: str) -> None:
    """Load, transpose, cast, save."""
    with np.load(source) as data:
        arrays = {name: data[name] for name in data.files}
    arrays["diffraction"] = np.ascontiguousarray(arrays["diffraction"].transpose(2, 0, 1)).astype(np.float32)
    for name in ("probeGuess", "objectGuess"):
        arrays[name] = arrays[name].astype(np.complex64)
    np.savez_compressed(target, **arrays)


def transpose(source: str, target: str) -> None:
    """Load, transpose, save: the axes are mended, and double precision stays."""
    with np.load(source) as data:
        arrays = {name: data[name] for name in data.files}
    arrays["diffraction"] = np.ascontiguousarray(arrays["diffraction"].transpose(2, 0, 1))
    np.savez_compressed(target, **arrays)


if __name__ == "__main__":
    {"load": load, "check": check, "convert": convert, "transpose": transpose}[sys.argv[1]](*sys.argv[2:])
