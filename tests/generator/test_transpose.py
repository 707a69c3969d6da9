"""Turning matrices block by block equals numpy's transpose."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.generator.transpose import transposed


def cut(flat, sizes):
    """1-D pieces; ``sizes`` repeats until the array ends."""
    at, turn = 0, 0
    while at < flat.size:
        step = sizes[turn % len(sizes)]
        yield flat[at : at + step].copy()
        at, turn = at + step, turn + 1


def turned(matrix, sizes, block, folder=None):
    bands = list(transposed(cut(matrix.reshape(-1), sizes), *matrix.shape, matrix.dtype, folder, block=block))
    return bands, np.concatenate([band.copy() for band in bands]) if bands else np.empty(
        (matrix.shape[1], 0), matrix.dtype
    )


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.integers(1, 97), min_size=1, max_size=5),
    st.integers(1, 4000),
    st.sampled_from(["f4", "f8", "c16", "u1", "M8[s]", "U2"]),
)
def test_any_shape_any_chunks_any_block_equals_numpy(rows, columns, sizes, block, dtype):
    matrix = np.arange(rows * columns).reshape(rows, columns).astype(dtype)
    _, found = turned(matrix, sizes, block)
    assert found.dtype == matrix.dtype
    assert (found == matrix.T).all()


def test_many_blocks_and_many_bands(tmp_path):
    matrix = np.random.default_rng(0).random((300, 200))
    bands, found = turned(matrix, [1000], 64 * 1024, tmp_path)
    assert len(bands) > 5
    assert (found == matrix.T).all()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_nothing_gives_nothing(shape):
    assert list(transposed([], *shape, np.dtype("f4"))) == []


def test_memory_is_a_block_and_some_also_where_the_last_block_is_not_full():
    columns, block = 10_000, 32 << 20
    high = block // (4 * columns)
    rows = 2 * high - 1
    line = np.zeros(columns, "f4")
    tracemalloc.start()
    try:
        count = sum(len(band) for band in transposed([line] * rows, rows, columns, line.dtype, block=block))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == columns
    assert peak < 1.5 * block


def test_memory_of_rows_that_are_very_long():
    """A hundred of them at a time would be as much as a block."""
    columns, block = 1 << 18, 32 << 20
    line = np.zeros(columns, "f4")
    tracemalloc.start()
    try:
        for _ in transposed([line] * 64, 64, columns, line.dtype, block=block):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * block
