"""Hypothesis profiles, ``ci`` (the default; the same examples every time) and ``long``; and the shared datasets."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Opening archives is slower than what Hypothesis takes for granted, and how slow depends on the machine.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=60, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, max_examples=600, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def datasets():
    """``tests/datasets.py``, loaded by its path: in importlib mode nothing is on ``sys.path``."""
    path = Path(__file__).parent / "datasets.py"
    spec = importlib.util.spec_from_file_location("npzschema_test_datasets", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
