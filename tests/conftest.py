"""Hypothesis profiles: ``ci`` (the default) tries the same examples every time, ``long`` ten times as many."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Opening archives is slower than what Hypothesis takes for granted, and how slow depends on the machine.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=60, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, max_examples=600, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
