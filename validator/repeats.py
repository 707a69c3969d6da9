"""Which rows of a table are the same as another in every column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def repeated(columns: Sequence[Array]) -> Array:
    """Bool, (n,), of columns of n numbers each; NaN is the same as NaN.

    By sorting: hashes of rows, as libraries for tables take them, need many times the memory of the columns.
    """
    if any(_distinct(values) for values in columns):
        return np.zeros(len(columns[0]), dtype=bool)
    order = np.lexsort(columns)
    same = np.ones(max(0, len(order) - 1), dtype=bool)
    for values in columns:
        ordered = values[order]
        one, other = ordered[1:], ordered[:-1]
        same &= (one == other) | ((one != one) & (other != other))  # noqa: PLR0124 - NaN differs from itself
    found = np.zeros(len(order), dtype=bool)
    found[order[1:][same]] = True
    found[order[:-1][same]] = True
    return found


def _distinct(values: Array) -> bool:
    """Whether all are numbers, and no two of them are the same."""
    ordered = np.sort(values)
    # NaN comes last.
    return bool((ordered[1:] != ordered[:-1]).all()) and not (len(ordered) and ordered[-1] != ordered[-1])
