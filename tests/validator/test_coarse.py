"""Frames at fewer pixels: what is predicted for those is what a whole frame has there."""

from __future__ import annotations

import numpy as np
import pytest

from npzschema.contracts.forward_model import amplitudes
from npzschema.validator import coarse
from npzschema.validator.coarse import LARGEST, MODES, WAVES, fitted, halved, middle, picked, strongest, thinned


def probe_of(height, width, radius, modes=1):
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(y - height // 2, x - width // 2) <= radius
    return np.stack([disc * np.exp(1j * (at + 1) * (x + 2 * y) / 9) for at in range(modes)])


def object_of(side):
    rng = np.random.default_rng(4)
    return np.exp(1j * rng.uniform(-1, 1, (side, side)))


@pytest.mark.parametrize(
    ("length", "most"), [(8, 4), (1400, 512), (1401, 512), (513, 512), (7, 3), (5, 9), (2048, 512)]
)
def test_picked_pixels_hold_the_middle_and_lie_evenly(length, most):
    found = picked(length, most)
    assert length // 2 in found
    assert found[0] >= 0
    assert found[-1] < length
    assert len(found) <= most
    assert len(found) % 2 == length % 2
    assert np.ptp(np.diff(found)) <= 1


@pytest.mark.parametrize("shape", [(64, 64), (63, 63), (64, 48), (63, 48)])
@pytest.mark.parametrize("modes", [1, 3])
def test_a_window_predicts_every_other_pixel(shape, modes):
    """Exactly, where the pixels that are left lie on whole ones: here at a third of them."""
    window = tuple(side // 3 for side in shape)
    window = tuple(part - (side - part) % 2 for side, part in zip(shape, window, strict=True))
    whole = tuple(3 * part for part in window)
    probe, obj = probe_of(*whole, min(window) / 2 - 1, modes), object_of(200)
    x, y = np.array([80.3, 101.75]), np.array([90.5, 99.1])
    expected = thinned(amplitudes(probe, obj, x, y), window)
    found = amplitudes(middle(probe, window), obj, x, y)
    # Orthonormal transforms of three times as many pixels an axis.
    assert np.allclose(found, 3 * expected, atol=1e-9 * expected.max())


def test_small_frames_are_compared_as_they_are():
    probe, frames = np.ones((2, 256, 256), complex), np.zeros((8, 256, 256), np.float32)
    assert fitted(probe, frames)[0] is probe
    assert fitted(probe, frames)[1] is frames


@pytest.mark.parametrize(
    ("shape", "modes"), [((512, 512), 1), ((1024, 1024), 1), ((512, 512), 10), ((2048, 2048), 1), ((700, 1000), 2)]
)
def test_a_probe_in_the_middle_of_large_frames_is_compared_at_some_of_their_pixels(shape, modes):
    probe = probe_of(*shape, 30, modes)
    frames = np.zeros((8, *(len(picked(side)) for side in shape)), np.float32)
    window, pixels = fitted(probe, frames)
    assert window.shape[1:] == pixels.shape[1:]
    assert window.size <= WAVES
    assert window.shape[0] == min(modes, 10)


def test_a_probe_that_fills_its_frame_is_not_cut():
    probe = np.ones((1, 512, 512), complex)
    window, frames = fitted(probe, np.zeros((8, 512, 512), np.float32))
    assert window.shape == probe.shape
    assert frames.shape == (8, 512, 512)
    assert window.size <= LARGEST
    assert fitted(np.ones((1, 600, 600), complex), np.zeros((8, 512, 512), np.float32)) is None
    assert fitted(np.ones((1, 512, 640), complex), np.zeros((8, 512, 512), np.float32)) is None


def test_more_modes_than_can_be_sorted():
    frames = np.zeros((8, 64, 64), np.float32)
    assert fitted(np.ones((MODES + 1, 64, 64), complex), frames) is None
    probe = probe_of(64, 64, 10, MODES)
    window, _ = fitted(probe, frames)
    assert len(window) == WAVES // window[0].size < MODES


def test_the_strongest_modes_make_most_of_the_patterns():
    probe = probe_of(32, 32, 8, 4) * np.array([1, 0.1, 1, 0.01])[:, None, None]
    found = strongest(probe, 3)
    before, after = (np.abs(np.fft.fft2(one)) ** 2 for one in (probe, found))
    assert np.allclose(before.sum(axis=0), after.sum(axis=0), atol=1e-2 * before.sum(axis=0).max())
    assert strongest(probe, 4) is probe


@pytest.mark.parametrize(("shape", "most"), [((512, 512), 1 << 16), ((1, 100_000), 1 << 10), ((301, 77), 5000)])
def test_halved_ends_and_keeps_even_even(shape, most):
    found = halved(shape, most)
    assert found[0] * found[1] <= most or max(found) <= coarse.SMALLEST + 1
    assert all((a - b) % 2 == 0 for a, b in zip(shape, found, strict=True))
    assert halved((100, 100), 100)[0] == halved((100, 100), 100)[1]
