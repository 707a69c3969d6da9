"""A small dataset for tools to look at."""

from __future__ import annotations

import numpy as np


def dataset(path, **changed):
    """A dataset that keeps ptychopinn/canonical; a placeholder object, so that nothing else is asked of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    arrays = {
        "diffraction": random.random((5, 16, 16), dtype=np.float32),
        "probeGuess": np.full((16, 16), 1 + 0j, np.complex64),
        "objectGuess": np.full((40, 40), 1 + 0j, np.complex64),
        "xcoords": np.linspace(12, 28, 5),
        "ycoords": np.linspace(28, 12, 5),
    }
    np.savez(path, **{**arrays, **changed})
