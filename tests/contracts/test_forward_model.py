"""``contracts.forward_model`` against loops that spell the formulas out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.contracts.forward_model import FOOTPRINT_ENERGY, amplitudes, footprint, patches


def complex_of(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def pixel(obj, row, column):
    return obj[row, column] if 0 <= row < obj.shape[0] and 0 <= column < obj.shape[1] else 0


def between(obj, row, column):
    """Bilinear between the four neighbours."""
    r, c = math.floor(row), math.floor(column)
    down, right = row - r, column - c
    return (
        pixel(obj, r, c) * (1 - down) * (1 - right)
        + pixel(obj, r, c + 1) * (1 - down) * right
        + pixel(obj, r + 1, c) * down * (1 - right)
        + pixel(obj, r + 1, c + 1) * down * right
    )


def patch_of(obj, x, y, height, width):
    return np.array(
        [[between(obj, y - height / 2 + r, x - width / 2 + c) for c in range(width)] for r in range(height)]
    )


def far_field(wave):
    """The Fourier transform as a sum, its zero frequency at ``(H // 2, W // 2)``."""
    height, width = wave.shape
    rows = np.exp(-2j * np.pi * np.outer(np.arange(height) - height // 2, np.arange(height)) / height)
    columns = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(width) - width // 2) / width)
    return rows @ wave @ columns / math.sqrt(height * width)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (6, 10), (2, 4)])
def test_a_patch_at_a_whole_position_is_a_slice_centred_on_it(height, width):
    rng = np.random.default_rng(1)
    obj = complex_of(rng, 23, 29)
    x, y = rng.integers(5, 24, size=12), rng.integers(4, 19, size=12)
    cut = patches(obj, x, y, (height, width))
    assert cut.shape == (12, height, width)
    for one, column, row in zip(cut, x, y, strict=True):
        top, left = row - height // 2, column - width // 2
        np.testing.assert_array_equal(one, obj[top : top + height, left : left + width])


@pytest.mark.parametrize("shape", [(6, 6), (5, 5), (4, 7), (1, 1)])
def test_a_patch_between_pixels_is_bilinear(shape):
    rng = np.random.default_rng(2)
    obj = complex_of(rng, 17, 15)
    x, y = rng.uniform(-4, 19, size=20), rng.uniform(-4, 21, size=20)
    expected = [patch_of(obj, *at, *shape) for at in zip(x, y, strict=True)]
    np.testing.assert_allclose(patches(obj, x, y, shape), expected, rtol=0, atol=1e-12)


@given(
    x=st.floats(-60, 60, allow_nan=False),
    y=st.floats(-60, 60, allow_nan=False),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
)
def test_anywhere_inside_or_outside_the_object(x, y, height, width, rows, columns):
    obj = complex_of(np.random.default_rng(3), rows, columns)
    found = patches(obj, np.array([x]), np.array([y]), (height, width))[0]
    np.testing.assert_allclose(found, patch_of(obj, x, y, height, width), rtol=0, atol=1e-10)


def test_outside_the_object_there_is_nothing():
    obj = np.ones((10, 12), complex)
    cut = patches(obj, np.array([0.0, 12.0, 6.0, 500.0]), np.array([5.0, 5.0, 0.0, -500.0]), (4, 4))
    assert (cut[0, :, :2] == 0).all()
    assert (cut[0, :, 2:] == 1).all()
    assert (cut[1, :, :2] == 1).all()
    assert (cut[1, :, 2:] == 0).all()
    assert (cut[2, :2] == 0).all()
    assert (cut[2, 2:] == 1).all()
    assert (cut[3] == 0).all()
    assert (amplitudes(np.ones((4, 4), complex), obj, np.array([500.0]), np.array([-500.0])) == 0).all()


@pytest.mark.parametrize("far", [1e9, -1e9, 2.0**62, -(2.0**63), 1e300, -1e300])
def test_however_far_outside_there_is_nothing(far):
    obj = np.ones((10, 12), complex)
    x, y = np.array([far, 6.0, far]), np.array([5.0, far, far])
    for precise in (True, False):
        assert (patches(obj, x, y, (4, 4), precise=precise) == 0).all()


@pytest.mark.parametrize("shape", [(8, 8), (6, 10), (7, 7)])
def test_amplitudes_are_those_of_the_centred_orthonormal_transform(shape):
    rng = np.random.default_rng(4)
    obj, probe = complex_of(rng, 30, 33), complex_of(rng, *shape)
    x, y = rng.uniform(6, 26, size=5), rng.uniform(6, 24, size=5)
    expected = [np.abs(far_field(probe * patch_of(obj, *at, *shape))) for at in zip(x, y, strict=True)]
    found = amplitudes(probe, obj, x, y)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("side", [7, 8])
def test_a_flat_exit_wave_ends_in_the_zero_frequency(side):
    found = amplitudes(np.ones((side, side)), np.ones((40, 40)), np.array([20.0]), np.array([20.0]))[0]
    assert found[side // 2, side // 2] == pytest.approx(side)
    assert found.sum() == pytest.approx(side)


def test_modes_add_in_intensity():
    rng = np.random.default_rng(5)
    obj, modes = complex_of(rng, 24, 24), complex_of(rng, 3, 8, 8)
    x, y = rng.uniform(5, 19, size=4), rng.uniform(5, 19, size=4)
    intensity = 0
    for mode in modes:
        intensity = intensity + np.array(
            [np.abs(far_field(mode * patch_of(obj, *at, 8, 8))) ** 2 for at in zip(x, y, strict=True)]
        )
    np.testing.assert_allclose(amplitudes(modes, obj, x, y) ** 2, intensity, rtol=1e-10, atol=1e-12)
    coherent = amplitudes(modes.sum(axis=0), obj, x, y)
    assert not np.allclose(coherent, amplitudes(modes, obj, x, y), rtol=0.05)
    np.testing.assert_array_equal(amplitudes(modes[:1], obj, x, y), amplitudes(modes[0], obj, x, y))


@given(seed=st.integers(0, 1000), n_modes=st.integers(1, 3), side=st.integers(2, 9))
def test_energy_is_that_of_the_exit_wave(seed, n_modes, side):
    rng = np.random.default_rng(seed)
    obj, modes = complex_of(rng, 20, 18), complex_of(rng, n_modes, side, side)
    x, y = rng.uniform(0, 18, size=3), rng.uniform(0, 20, size=3)
    cut = patches(obj, x, y, (side, side))
    expected = (np.abs(modes[:, None] * cut[None]) ** 2).sum(axis=(0, 2, 3))
    np.testing.assert_allclose((amplitudes(modes, obj, x, y) ** 2).sum(axis=(1, 2)), expected, rtol=1e-10)


@pytest.mark.parametrize("held", [np.complex64, np.complex128])
def test_single_precision_is_close_to_double(held):
    rng = np.random.default_rng(6)
    obj, probe = complex_of(rng, 90, 80).astype(held), complex_of(rng, 2, 32, 32).astype(held)
    x, y = rng.uniform(10, 70, size=10), rng.uniform(10, 80, size=10)
    single, double = amplitudes(probe, obj, x, y, precise=False), amplitudes(probe, obj, x, y)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-5 * double.max())
    assert patches(obj, x, y, (4, 4), precise=False).dtype == np.complex64
    assert patches(obj, x, y, (4, 4)).dtype == np.complex128


def test_inputs_are_left_alone():
    rng = np.random.default_rng(7)
    given_ = [complex_of(rng, 2, 6, 6), complex_of(rng, 20, 20), rng.uniform(0, 20, 5), rng.uniform(0, 20, 5)]
    kept = [one.copy() for one in given_]
    amplitudes(*given_)
    for one, before in zip(given_, kept, strict=True):
        np.testing.assert_array_equal(one, before)


@given(
    st.lists(st.integers(0, 5) | st.integers(0, 10**6), min_size=1, max_size=80),
    st.sampled_from([1, 2.0**-100, 2.0**40]),
)
def test_the_footprint_is_of_the_fewest_pixels_that_hold_most(pixels, scale):
    intensity = np.array(pixels, dtype=float).reshape(-1, 1) * scale
    found = footprint(intensity)
    if not any(pixels):
        assert math.isnan(found)
        return
    area = next(
        count for count in range(1, len(pixels) + 1) if sum(sorted(pixels)[-count:]) >= FOOTPRINT_ENERGY * sum(pixels)
    )
    assert found == pytest.approx(2 * math.sqrt(area / math.pi))
