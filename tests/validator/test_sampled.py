"""The sampled frames against numpy's indexing, in every order of storage and however the bytes are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.coarse import picked
from npzschema.validator.dataset import ArrayHeader
from npzschema.validator.folds import fold
from npzschema.validator.folds.rows import MAX_RUNS
from npzschema.validator.folds.sampled import FRAMES, SampledFold


def header_of(array):
    fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    return ArrayHeader(name="diffraction", shape=array.shape, dtype=array.dtype, fortran=fortran)


def sampled(array, axis, cuts=()):
    """The sample, fed with pieces of the array that end at ``cuts``."""
    header = header_of(array)
    accumulator = SampledFold.along(header, axis)
    if accumulator is None:
        return None
    flat = array.reshape(-1, order="F" if header.fortran else "C")
    ends = sorted({min(cut, flat.size) for cut in cuts} | {flat.size})
    start = 0
    for end in ends:
        if end > start:
            # Chunks are valid until the next only: what is kept must be copied.
            chunk = flat[start:end].copy()
            accumulator.add(chunk, start)
            chunk[...] = 77
        start = end
    return accumulator.sample()


def array_of(shape, dtype, *, fortran, seed=0):
    held = np.random.default_rng(seed).integers(0, 30_000, size=shape).astype(dtype)
    return np.asfortranarray(held) if fortran else held


@st.composite
def cases(draw):
    n = draw(st.one_of(st.integers(1, 12), st.integers(60, 150)))
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    axis = draw(st.sampled_from([0, 1, 2]))
    shape = ((n, rows, columns), (rows, n, columns), (rows, columns, n))[axis]
    dtype = draw(st.sampled_from(["f4", "f8", "f2", "u2", "i4", "u1", "i8"]))
    array = array_of(shape, dtype, fortran=draw(st.booleans()), seed=draw(st.integers(0, 99)))
    return array, axis, draw(st.lists(st.integers(1, array.size), max_size=12))


@given(cases())
def test_equals_indexing(case):
    array, axis, cuts = case
    found = sampled(array, axis, cuts)
    np.testing.assert_array_equal(found.frames, np.moveaxis(array, axis, 0)[found.index].astype(np.float64))
    assert np.can_cast(array.dtype, found.frames.dtype, "safe") or array.dtype.itemsize == 8


@given(st.integers(1, 40), st.sampled_from([0, 1, 2]), st.booleans())
def test_equals_indexing_with_chunks_of_one_length(length, axis, fortran):
    shape = ((70, 3, 5), (3, 70, 5), (3, 5, 70))[axis]
    array = array_of(shape, "f4", fortran=fortran)
    found = sampled(array, axis, range(length, array.size, length))
    np.testing.assert_array_equal(found.frames, np.moveaxis(array, axis, 0)[found.index])


@pytest.mark.parametrize("n", [1, 2, 7, 8, 63, 64, 65, 100, 129, 5000])
def test_frames_are_evenly_spaced_from_first_to_last(n):
    index = sampled(array_of((n, 2, 3), "u2", fortran=False), 0).index
    assert len(index) == min(n, FRAMES)
    assert index[0] == 0
    assert index[-1] == n - 1
    gaps = np.diff(index)
    assert n == 1 or gaps.max() - gaps.min() <= 1


def test_not_finite_values_are_kept_as_they_are():
    array = array_of((9, 4, 4), "f4", fortran=False)
    array[3, 1, 2], array[5, 0, 0] = np.nan, np.inf
    np.testing.assert_array_equal(sampled(array, 0, [7, 50]).frames, array)


def test_a_middle_axis_beside_one_of_length_one_is_as_good_as_the_first_or_the_last():
    array = array_of((1, 9, 6), "f4", fortran=False)
    np.testing.assert_array_equal(sampled(array, 1, [5]).frames, np.moveaxis(array, 1, 0))
    array = array_of((6, 9, 1), "f4", fortran=False)
    np.testing.assert_array_equal(sampled(array, 1, [5]).frames, np.moveaxis(array, 1, 0))


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((10, 4, 4), "c8"),
        ((10, 4, 4), "?"),
        ((10, 4), "f4"),
        ((10, 4, 4, 1), "f4"),
        ((0, 4, 4), "f4"),
        ((4, 0, 4), "f4"),
        ((2, MAX_RUNS, 2), "f4"),
    ],
)
def test_what_cannot_be_sampled(shape, dtype):
    axis = int(max(shape) == MAX_RUNS)
    assert SampledFold.along(ArrayHeader(name="diffraction", shape=shape, dtype=np.dtype(dtype)), axis) is None


@pytest.mark.parametrize("side", [512, 2048])
def test_of_large_frames_fewer_are_held(side):
    header = ArrayHeader(name="diffraction", shape=(1000, side, side), dtype=np.dtype("u2"))
    assert 8 < len(SampledFold.along(header, 0).index) < FRAMES


@pytest.mark.parametrize("fortran", [False, True])
def test_a_cube_is_sampled_every_way_in_one_pass(fortran):
    array = array_of((12, 12, 12), "f8", fortran=fortran)
    flat = array.reshape(-1, order="F" if fortran else "C")
    chunks = [flat[at : at + 100] for at in range(0, flat.size, 100)]
    facts = fold(header_of(array), chunks, frame_axes=[0, 1, 2])
    for axis in (0, 1, 2):
        sample = facts.samples[axis]
        np.testing.assert_array_equal(sample.frames, np.moveaxis(array, axis, 0)[sample.index])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("cuts", [[], [1000], [517, 1300, 1301, 9000, 200_000]])
def test_of_very_large_frames_some_pixels_are_held(order, axis, cuts):
    sides = (700, 9)
    shape = ((3, *sides), (sides[0], 3, sides[1]), (*sides, 3))[axis]
    array = np.asarray(np.random.default_rng(1).random(shape, np.float32), order=order)
    sample = sampled(array, axis, cuts)
    rows, columns = map(picked, sides)
    assert not sample.whole
    assert len(rows) < 700
    expected = np.moveaxis(array, axis, 0)[:, rows[:, None], columns]
    np.testing.assert_array_equal(sample.frames, expected)
