"""The dataset that most tests start from."""

from __future__ import annotations

import pytest

from .making import rich


@pytest.fixture
def canonical(tmp_path):
    return rich(tmp_path / "made.npz")
