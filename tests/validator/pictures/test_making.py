"""Small panels from arrays: shrinking, levels, ends of scales, thinned lines."""

from __future__ import annotations

import math

import numpy as np
import pytest

from npzschema.validator.picture import LEVELS, MASKED, NO_VALUE, Numbers
from npzschema.validator.pictures.making import POINTS, ends_of, envelope, image, series, shrunk


def levels(values, **kwargs):
    return image(np.asarray(values, dtype=float), title="t", about="a", size=(1, 1), **kwargs).levels.array()


def test_shrunk_keeps_small_planes_as_they_are():
    plane = np.arange(12.0).reshape(3, 4)
    assert shrunk(plane, side=4) is plane


def test_shrunk_takes_means_of_square_blocks_and_repeats_the_edge():
    plane = np.arange(20.0).reshape(4, 5)
    padded = np.column_stack([plane, plane[:, -1]])
    expected = [[padded[r : r + 2, c : c + 2].mean() for c in (0, 2, 4)] for r in (0, 2)]
    np.testing.assert_allclose(shrunk(plane, side=3), expected)


def test_a_single_hot_pixel_survives_shrinking():
    plane = np.zeros((1000, 700))
    plane[999, 699] = 5
    small = shrunk(plane, "max", side=50)
    assert small.shape == (50, 35)
    assert small[-1, -1] == 5


def test_one_nan_makes_its_whole_block_so():
    plane = np.zeros((8, 8))
    plane[0, 0] = np.nan
    for by in ("mean", "max"):
        assert np.isnan(shrunk(plane, by, side=4)).sum() == 1


def test_linear_levels_run_from_low_to_high():
    assert levels([[0, 1, 2]]).tolist() == [[0, round(LEVELS / 2), LEVELS]]


def test_log_levels_are_even_in_the_logarithm():
    got = levels([[1, 10, 100]], scale="log")
    assert got.tolist() == [[0, round(LEVELS / 2), LEVELS]]


def test_log_scale_shows_zero_at_its_end_and_negatives_as_no_value():
    assert levels([[0, -1, np.nan, np.inf, 100, 1]], scale="log").tolist() == [
        [0, NO_VALUE, NO_VALUE, NO_VALUE, LEVELS, 0]
    ]


def test_masked_pixels_are_neither_shown_nor_bad():
    made = levels([[0, 1, np.nan]], masked=np.array([[True, False, True]]))
    assert made.tolist() == [[MASKED, LEVELS, NO_VALUE]]


def test_phase_runs_over_the_whole_circle():
    assert levels([[-math.pi, 0, math.pi]], scale="phase").tolist() == [[0, round(LEVELS / 2), LEVELS]]


def test_the_text_tells_how_many_pixels_are_bad():
    made = image(np.array([[np.nan, 1.0, 2.0]]), title="t", about="A plane.", size=(1, 3), unit="counts")
    assert made.alt == "A plane. Values from 1 to 2 counts. 1 of 3 shown pixels are not finite."


@pytest.mark.parametrize("scale", ["linear", "log", "phase"])
@pytest.mark.parametrize(
    "values",
    [
        [],
        [0.0],
        [np.nan],
        [np.inf, -np.inf],
        [-5.0, -3.0],
        [1e-320],
        [1.7e308, -1.7e308],
        [3.0, 3.0],
        [0.0, 1e-30],
        [-1e308],
    ],
    ids=str,
)
def test_ends_are_finite_and_apart_whatever_the_values(values, scale):
    with np.errstate(all="ignore"):
        low, high = ends_of([np.array(values, dtype=float)], scale)
        assert math.isfinite(low)
        assert math.isfinite(high)
        assert low < high
        levels(np.array([values]).reshape(1, -1) if values else np.zeros((0, 0)), scale=scale)


def test_a_line_keeps_its_lowest_and_highest_points():
    values = np.zeros(100_000)
    values[[17, 54_321]] = [9, -9]
    kept = envelope(values)
    assert {17, 54_321} <= set(kept.tolist())
    assert len(kept) <= POINTS
    assert (np.diff(kept) > 0).all()


def test_short_lines_are_kept_whole():
    assert envelope(np.arange(5)).tolist() == [0, 1, 2, 3, 4]


def test_series_leave_out_what_is_not_finite_with_its_words():
    made = series("marks", "m", [0, np.nan, 2, 1e300], [1, 1, 2, 3], ["a", "b", "c", "d"])
    assert made.x.array().tolist() == [0, 2]
    assert made.words == ("a", "c")


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_numbers_are_little_endian_values(dtype):
    array = np.arange(6, dtype=">f8").reshape(2, 3)
    held = Numbers.of(array, dtype)
    assert held == Numbers.of(array.astype(dtype), dtype)
    assert held.data == array.astype(np.dtype(dtype).newbyteorder("<")).tobytes()
    np.testing.assert_array_equal(held.array(), array)
