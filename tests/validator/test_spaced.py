"""Indices evenly spaced along an axis."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.spaced import spaced


def test_examples():
    assert spaced(10_000, 5).tolist() == [0, 2500, 5000, 7499, 9999]
    assert spaced(3, 5).tolist() == [0, 1, 2]
    assert spaced(0, 5).tolist() == []


@given(st.integers(0, 2**18), st.integers(2, 2000))
def test_both_ends_are_there_and_none_comes_twice(count, most):
    found = spaced(count, most)
    assert len(found) == min(count, most)
    assert (np.diff(found) > 0).all()
    if count:
        assert (found[0], found[-1]) == (0, count - 1)
        assert np.abs(found - np.linspace(0, count - 1, len(found))).max() <= 0.5
