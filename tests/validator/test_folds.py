"""One pass over chunks gives what plain numpy gives on the loaded array, wherever the chunks end."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npzschema.validator.dataset import ArrayHeader
from npzschema.validator.folds import fold
from npzschema.validator.folds.rows import rows_of

REAL = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">f4", ">f8", ">i2", ">u4"]


def header_of(array):
    fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    return ArrayHeader(name="a", shape=array.shape, dtype=array.dtype, fortran=fortran)


def chunks_of(array, cuts):
    """Items in storage order, native, cut at the given indices."""
    flat = array.ravel(order="K").astype(array.dtype.newbyteorder("="))
    edges = [0, *sorted({cut % (flat.size + 1) for cut in cuts}), flat.size]
    return [flat[low:high] for low, high in itertools.pairwise(edges) if high > low]


def run(array, cuts=(), **options):
    return fold(header_of(array), chunks_of(array, cuts), **options)


def by_frame(array, axis):
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


@st.composite
def stacks(draw, dtypes=REAL):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7))
    if dtype.kind == "f":
        numbers = st.floats(-1e4, 1e4, width=min(dtype.itemsize * 8, 64)) | st.sampled_from(
            [0.0, -0.0, np.nan, np.inf, -np.inf]
        )
    else:
        numbers = st.integers(np.iinfo(dtype).min, np.iinfo(dtype).max)
    array = draw(hnp.arrays(dtype, shape, elements=numbers))
    return np.asfortranarray(array) if draw(st.booleans()) else array


CUTS = st.lists(st.integers(0, 400), max_size=8)


@given(stacks(), CUTS)
def test_ranges_equal_numpy(array, cuts):
    facts = run(array, cuts).range
    native = array.astype(array.dtype.newbyteorder("="))
    finite = np.isfinite(native)
    good = native[finite]
    assert facts.count == array.size
    assert facts.nonfinite == array.size - finite.sum()
    if good.size:
        assert facts.minimum == float(good.min())
        assert facts.maximum == float(good.max())
        assert facts.mean == pytest.approx(
            good.astype(np.float64).mean(), rel=1e-9, abs=1e-9 * float(np.abs(good.astype(np.float64)).max())
        )
        assert facts.largest == max(abs(float(good.min())), abs(float(good.max())))
        assert facts.fractional == (array.dtype.kind == "f" and bool((good != np.rint(good)).any()))
    else:
        assert np.isnan([facts.minimum, facts.maximum, facts.mean]).all()
    assert facts.constant == bool(finite.all() and (native == native.flat[0]).all())
    for axis in range(array.ndim):
        others = tuple(other for other in range(array.ndim) if other != axis)
        # An axis along which nothing was marked may be left out.
        assert facts.nonfinite_at.get(axis, ()) == tuple(np.flatnonzero((~finite).any(axis=others)))


@given(stacks(), CUTS)
def test_frames_equal_numpy(array, cuts):
    last = array.ndim - 1
    facts = run(array, cuts, frame_axes=range(last + 1))
    native = array.astype(array.dtype.newbyteorder("="))
    for axis in range(last + 1):
        rows = by_frame(native, axis)
        finite = np.isfinite(rows)
        told = facts.frames[axis]
        assert (told.nonfinite == (~finite).sum(axis=1)).all()
        # Extremes are float64: integers beyond 2**53 are rounded by both sides alike.
        assert np.array_equal(
            told.minimum,
            np.where(finite, rows, np.inf if rows.dtype.kind == "f" else rows).astype(np.float64).min(axis=1),
        )
        assert np.array_equal(
            told.maximum,
            np.where(finite, rows, -np.inf if rows.dtype.kind == "f" else rows).astype(np.float64).max(axis=1),
        )
        total = np.where(finite, rows, 0).astype(np.float64)
        assert told.total == pytest.approx(total.sum(axis=1), rel=1e-9, abs=1e-9 * (np.abs(total).max() + 1))


@given(stacks(), CUTS)
def test_the_range_does_not_depend_on_whether_frames_are_counted(array, cuts):
    plain, framed = run(array, cuts).range, run(array, (), frame_axes=(0,)).range
    for name in ("count", "nonfinite", "minimum", "maximum", "constant", "largest", "smallest", "fractional"):
        assert np.array_equal(getattr(plain, name), getattr(framed, name), equal_nan=True), name
    if plain.nonfinite:
        assert plain.nonfinite_at == framed.nonfinite_at
    assert framed.mean == pytest.approx(plain.mean, rel=1e-9, abs=1e-9 * (plain.largest + 1), nan_ok=True)


@given(stacks(), CUTS, st.data())
def test_digests_tell_equal_frames_from_different_ones(array, cuts, data):
    axis = data.draw(st.integers(0, array.ndim - 1))
    n = array.shape[axis]
    view = np.moveaxis(array, axis, 0)
    source, target = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
    view[target] = view[source]
    digest = run(array, cuts, frame_axes=(axis,)).frames[axis].digest
    rows = [row.tobytes() for row in by_frame(array, axis)]
    for one in range(n):
        for other in range(n):
            assert (digest[one] == digest[other]) == (rows[one] == rows[other])


@pytest.mark.parametrize("dtype", ["f4", "u2", "f8", "u1"])
@pytest.mark.parametrize("first", [True, False])
def test_digests_of_frames_larger_than_a_block(dtype, first):
    # 9,801 pixels are more than two blocks of weights.
    rng = np.random.default_rng(5)
    frames = rng.integers(0, 200, size=(6, 99, 99)).astype(dtype)
    frames[4] = frames[1]
    frames[5] = frames[2]
    frames[5, 98, 98] += 1
    array = frames if first else np.ascontiguousarray(frames.transpose(1, 2, 0))
    axis = 0 if first else 2
    seen = [
        run(array, cuts, frame_axes=(axis,)).frames[axis].digest
        for cuts in ((), (1, 77, 9801, 20000, 30001), tuple(range(0, 58806, 613)))
    ]
    for digest in seen:
        assert np.array_equal(digest, seen[0])
        assert digest[4] == digest[1]
        assert len(np.unique(digest)) == 5


def test_digests_tell_permuted_pixels_apart():
    rng = np.random.default_rng(6)
    frame = rng.random((70, 70)).astype(np.float32)
    array = np.stack([frame, frame[::-1], frame[:, ::-1], frame.T, np.roll(frame, 1)])
    for one in (array, np.ascontiguousarray(array.transpose(1, 2, 0))):
        axis = one.shape.index(5)
        assert len(np.unique(run(one, frame_axes=(axis,)).frames[axis].digest)) == 5


@given(
    hnp.arrays(
        np.complex128,
        hnp.array_shapes(max_dims=2, max_side=6),
        elements=st.complex_numbers(max_magnitude=1e6) | st.just(complex(0, np.nan)),
    ),
    CUTS,
)
def test_complex_ranges(array, cuts):
    facts = run(array, cuts).range
    finite = np.isfinite(array)
    good = array[finite]
    assert facts.nonfinite == (~finite).sum()
    assert np.isnan(facts.minimum)
    assert facts.constant == bool(finite.all() and (array == array.flat[0]).all())
    if good.size:
        assert facts.largest == max(np.abs(good.real).max(), np.abs(good.imag).max())
        parts = np.abs(np.concatenate([good.real, good.imag]))
        assert facts.smallest == (parts[parts > 0].min() if (parts > 0).any() else np.inf)


@given(stacks(), CUTS)
def test_kept_values_are_the_array(array, cuts):
    kept = run(array, cuts, keep=True).values
    assert kept.shape == array.shape
    assert np.array_equal(kept, array, equal_nan=array.dtype.kind == "f")


def test_too_much_is_not_kept():
    header = ArrayHeader(name="a", shape=(1 << 24,), dtype=np.dtype("f8"))
    assert fold(header, [np.zeros(10)], keep=True).values is None


def fingerprint(array, order, cuts=()):
    return run(array, cuts, fingerprints=[order]).fingerprints[order]


@given(stacks(["f2", "f4", "u1", "i2"]), CUTS)
def test_fingerprints_do_not_depend_on_storage(array, cuts):
    order = tuple(range(array.ndim))
    wanted = fingerprint(np.ascontiguousarray(array), order)
    for other in (
        np.asfortranarray(array),
        array.astype(np.float64),
        np.asfortranarray(array.astype(">f8")),
        array.astype(np.float64).astype(">f8"),
    ):
        assert fingerprint(other, order, cuts) == wanted


@given(stacks(["f4", "u2"]), st.data())
def test_fingerprints_tell_values_apart(array, data):
    other = array.copy()
    at = tuple(data.draw(st.integers(0, length - 1)) for length in array.shape)
    other[at] = 7 if other[at] != 7 else 8
    order = tuple(range(array.ndim))
    assert fingerprint(array, order) != fingerprint(other, order)


@pytest.mark.parametrize("top", [2, 16, 256])
def test_fingerprints_of_masks_and_counts_differ_in_all_their_bits(top):
    """Of the 64 bits of a float few differ between small integers, and those are the upper ones."""
    rng = np.random.default_rng(3)
    found = [fingerprint(rng.integers(top, size=(3, 4, 5)), (0, 1, 2)) for _ in range(2000)]
    assert len(set(found)) == len(found)
    assert len({one & 0xFFFF for one in found}) > 1900
    assert len({one >> 48 for one in found}) > 1900


def test_fingerprints_can_count_another_order_of_axes():
    array = np.random.default_rng(1).random((3, 4, 5))
    moved = np.ascontiguousarray(array.transpose(1, 2, 0))
    assert fingerprint(array, (0, 1, 2)) == fingerprint(moved, (2, 0, 1))
    assert fingerprint(array, (0, 1, 2)) != fingerprint(moved, (0, 1, 2))


def test_minus_zero_is_zero_to_a_fingerprint():
    zero = np.zeros((2, 2))
    assert fingerprint(zero, (0, 1)) == fingerprint(-zero, (0, 1))


@pytest.mark.parametrize(
    ("shape", "dtype", "axis"),
    [((1 << 13, 1 << 9, 2), "f4", 1), ((0, 5, 5), "f4", 0), ((5, 5, 0), "f4", 2), ((4, 5), "c8", 0), ((4, 5), "?", 0)],
)
def test_what_cannot_be_folded_by_frame_is_left_out(shape, dtype, axis):
    header = ArrayHeader(name="a", shape=shape, dtype=np.dtype(dtype))
    assert rows_of(header, axis) is None


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i4", "?"])
def test_an_empty_array(dtype):
    facts = run(np.zeros((0, 3), dtype=dtype), keep=True, frame_axes=(0,), fingerprints=[(0, 1)])
    assert facts.range.count == 0
    assert not facts.range.constant
    assert np.isnan(facts.range.mean)
    assert facts.values.shape == (0, 3)


def test_a_scalar():
    facts = run(np.array(2.5), keep=True)
    assert facts.range.mean == 2.5
    assert facts.values == 2.5


def test_a_sum_that_overflows_single_precision():
    array = np.full((2, 8), 3e38, dtype=np.float32)
    facts = run(array, frame_axes=(0,))
    assert facts.range.nonfinite == 0
    assert facts.frames[0].total == pytest.approx([2.4e39, 2.4e39])
