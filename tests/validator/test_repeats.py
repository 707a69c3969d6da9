"""Rows that are there twice, against a plain loop."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.repeats import repeated

FEW = st.sampled_from([0.0, -0.0, 1.0, 2.5, np.nan])


def same(one, other):
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))  # noqa: PLR0124


@given(st.lists(st.tuples(FEW, FEW, st.integers(0, 2)), max_size=20))
def test_repeats_equal_a_loop(rows):
    columns = [np.array(values) for values in zip(*rows, strict=True)] if rows else [np.zeros(0)] * 3
    expected = [any(i != j and same(rows[i], rows[j]) for j in range(len(rows))) for i in range(len(rows))]
    assert repeated(columns).tolist() == expected


def test_it_takes_a_few_times_the_memory_of_the_columns():
    columns = list(np.random.default_rng(0).uniform(size=(3, 1 << 16)))
    tracemalloc.start()
    try:
        assert not repeated(columns).any()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * sum(values.nbytes for values in columns)
