"""Arrays of others whose single items are as large as a file: they cannot be copied piece by piece."""

from __future__ import annotations

import numpy as np

from .making import held, legacy, refused, rich, save


def test_they_are_refused_before_anything_is_read(tmp_path):
    arrays = legacy(rich(tmp_path / "made.npz"))
    save(tmp_path / "a.npz", arrays | {"extra": np.array([b"x"], dtype="S20000000")})
    before = held(tmp_path)
    told = refused(tmp_path, "convert", tmp_path / "a.npz", tmp_path / "b.npz")
    assert "extra: an item takes 19 MiB, more than 16 MiB" in told
    assert held(tmp_path) == before
