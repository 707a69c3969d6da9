"""What a cast loses, against doing the cast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator.casts import cast_loss, loses
from npzschema.validator.dataset import ArrayHeader
from npzschema.validator.folds import fold


def facts(array):
    return fold(ArrayHeader(name="a", shape=array.shape, dtype=array.dtype), [array]).range


def loss(array, target):
    return cast_loss(array.dtype, np.dtype(target), facts(array))


@pytest.mark.parametrize(
    ("array", "target", "words"),
    [
        (np.array([1.0, 2.5]), "float32", None),
        (np.array([0.1, 1 / 3]), "float32", None),
        (np.array([1e39]), "float32", "beyond float32"),
        (np.array([-1e39]), "float32", "beyond float32"),
        (np.array([1.0, 1e-40]), "float32", "underflow"),
        (np.array([0.0, 1.0]), "float32", None),
        (np.array([np.nan, np.inf, 1.0]), "float32", None),
        (np.array([1 + 1e-40j]), "complex64", "underflow"),
        (np.array([1.0, 3e-8], dtype="f4"), "float16", "underflow"),
        (np.array([1.0, 7e4], dtype="f4"), "float16", "beyond float16"),
        (np.array([1.0, 0.1, 0], dtype="f4"), "float16", None),
        (np.array([1.0, 3e-8]), "float16", "underflow"),
        (np.array([1 + 1j]), "complex64", None),
        (np.array([1 + 1e39j]), "complex64", "beyond complex64"),
        (np.array([1 + 1j]), "float64", "imaginary"),
        (np.array([1 + 0j, complex(2, -0.0)]), "float64", None),
        (np.array([1e39 + 0j]), "float32", "beyond float32"),
        (np.array([1e-40 + 0j]), "float32", "underflow"),
        (np.array([0.1 + 0j]), "float32", None),
        (np.array([complex(1, np.nan)]), "float64", "imaginary"),
        (np.array([0, 1, 1], dtype="u1"), "bool", None),
        (np.array([0, 2], dtype="u1"), "bool", "other than 0 and 1"),
        (np.array([-1, 0], dtype="i1"), "bool", "other than 0 and 1"),
        (np.array([0.0, 1.0]), "bool", None),
        (np.array([0.5, 1.0]), "bool", "other than 0 and 1"),
        (np.array([np.nan, 1.0]), "bool", "other than 0 and 1"),
        (np.array([], dtype="u1"), "bool", None),
        (np.array([1.5]), "int64", "fractions"),
        (np.array([2.0, np.nan]), "int64", "NaN"),
        (np.array([2.0, 300.0]), "uint8", "beyond uint8"),
        (np.array([-1.0]), "uint8", "beyond uint8"),
        (np.array([2.0, 255.0]), "uint8", None),
        (np.array([], dtype="f8"), "uint8", None),
        (np.array([], dtype="f8"), "float32", None),
        (np.array([2**24 + 1]), "float32", "rounded"),
        (np.array([2**24]), "float32", None),
        (np.array([-(2**24) - 1]), "float32", "rounded"),
        (np.array([70000], dtype="u4"), "float32", None),
        (np.array([7], dtype="i8"), "uint8", None),
        (np.array([7], dtype="u1"), "float64", None),
        (np.array([1.5], dtype="f2"), "float32", None),
        (np.array([1.0], dtype="f4"), "complex64", None),
        (np.array([True]), "float32", None),
    ],
)
def test_table(array, target, words):
    found = loss(array, target)
    assert (found is None) == (words is None), found
    assert words is None or words in found
    # The step that does it asks the values in hand.
    if np.isfinite(array).all():
        with np.errstate(all="ignore"):
            kept = (array.real if np.dtype(target).kind != "c" else array).astype(target)
        assert loses(array, kept) == (words is not None)


@given(
    st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=8),
    st.sampled_from(["i1", "u1", "i2", "u2", "i4", "f4", "f8"]),
)
def test_integers(numbers, target):
    array = np.array(numbers, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        exact = (array.astype(target).astype(np.float64) == array).all()
    if loss(array, target) is None:
        assert exact
    elif np.dtype(target).kind in "iu":
        assert not exact


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=8))
def test_double_to_single(numbers):
    array = np.array(numbers)
    finite = array[np.isfinite(array)]
    with np.errstate(over="ignore", under="ignore"):
        cast = finite.astype(np.float32).astype(np.float64)
    if loss(array, "float32") is None:
        assert np.allclose(cast, finite, rtol=2**-24, atol=0)
    else:
        tiny = (finite != 0) & (np.abs(finite) < np.finfo(np.float32).tiny)
        assert tiny.any() or (np.abs(finite) > np.finfo(np.float32).max).any()
