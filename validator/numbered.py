"""Frame numbers as findings carry them."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np


def numbered(marks: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Where a row of bools is true, ascending.

    The numbers are the same objects in all findings: of its own, each would take five times the memory.
    """
    return tuple(itertools.compress(_numbers(len(marks)), marks.tolist()))


@functools.lru_cache(maxsize=1)
def _numbers(count: int) -> tuple[int, ...]:
    return tuple(range(count))
