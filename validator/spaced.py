"""Indices evenly spaced along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np


def spaced(count: int, most: int) -> np.ndarray[Any, Any]:
    """At most so many indices of a row of ``count``, evenly spaced, both ends among them: int64, ascending."""
    # Farther apart than one, no two are rounded to the same.
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).round().astype(np.int64)
