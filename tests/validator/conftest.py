"""Files that validate-npz tells apart: each the one dataset of ``handmade``, whole or with a fault."""

from __future__ import annotations

import numpy as np
import pytest

from .asking import write
from .handmade import ARRAYS, archive, npy, parts


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "good.npz")


@pytest.fixture
def legacy(tmp_path):
    """Axes in the legacy order: FORMAT-001."""
    frames = np.ascontiguousarray(ARRAYS["diffraction"].transpose(1, 2, 0))
    return write(tmp_path / "legacy.npz", diffraction=npy(frames))


@pytest.fixture
def warned(tmp_path):
    """A note inside the archive, a warning, and an unknown array, an info."""
    path = tmp_path / "warned.npz"
    path.write_bytes(archive(parts(extra=npy(np.zeros(3)))))
    import zipfile

    with zipfile.ZipFile(path, "a") as held:
        held.writestr("README.txt", "hello")
    return str(path)


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.npz"
    path.write_bytes(archive(parts())[:-1])
    return str(path)
