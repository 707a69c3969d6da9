from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def datasets():
    """``tests/datasets.py``, loaded by its path: in importlib mode nothing is on ``sys.path``."""
    path = Path(__file__).parents[1] / "datasets.py"
    spec = importlib.util.spec_from_file_location("npzschema_test_datasets", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
