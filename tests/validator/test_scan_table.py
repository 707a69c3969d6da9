"""The scan table against plain loops over its rows."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema import validate
from npzschema.contracts.model import Scan
from npzschema.validator.neighbours import MOST_PAIRS, nearest
from npzschema.validator.scan_table import ScanTable

SCAN = Scan(dimension="N", frames="d", x="x", y="y")


def table(columns, **keywords):
    settings = {name: keywords.pop(name) for name in list(keywords) if name in Scan.__dataclass_fields__}
    scan = Scan(dimension="N", frames="d", x="x", y="y", **settings)
    made = {name: np.asarray(values) for name, values in columns.items()}
    return ScanTable(scan=scan, rows=len(next(iter(made.values()))), columns=made, **keywords)


def brute_nearest(x, y):
    out = np.full(len(x), np.nan)
    for i in range(len(x)):
        distances = [np.hypot(x[i] - x[j], y[i] - y[j]) for j in range(len(x)) if j != i]
        distances = [distance for distance in distances if np.isfinite(distance)]
        if distances and np.isfinite(x[i]) and np.isfinite(y[i]):
            out[i] = min(distances)
    return out


COORDINATE = st.floats(-1e3, 1e3) | st.integers(-5, 5).map(float) | st.just(np.nan)


@given(st.lists(st.tuples(COORDINATE, COORDINATE), max_size=40))
def test_nearest_equals_brute_force(points):
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    assert np.allclose(nearest(x, y), brute_nearest(x, y), rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("shape", [(7, 7), (1, 40), (40, 1)])
def test_nearest_on_a_raster(shape):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    assert nearest(x.ravel(), y.ravel()) == pytest.approx(np.ones(x.size))


def test_nearest_of_a_spiral():
    angle = np.arange(300) * 2.399963
    x, y = np.sqrt(np.arange(300)) * np.cos(angle), np.sqrt(np.arange(300)) * np.sin(angle)
    assert nearest(x, y) == pytest.approx(brute_nearest(x, y))


@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=30))
def test_inside_and_distinct_equal_a_loop(points):
    x, y = np.array(points, dtype=np.float64).T
    made = table({"x": x, "y": y}, inside_tolerance=1, distinct=True, object_shape=(60, 50), patch=(20, 20))
    failures = made.failures()
    # rows of 60, columns of 50, half a patch of 10, tolerance of 1
    outside = [
        i for i in range(len(x)) if np.isfinite([x[i], y[i]]).all() and not (9 <= x[i] <= 41 and 9 <= y[i] <= 51)
    ]
    again = [i for i in range(len(x)) for j in range(len(x)) if i != j and x[i] == x[j] and y[i] == y[j]]
    assert failures.get("distinct", ()) == tuple(sorted(set(again)))
    half = [i for i in range(len(x)) if np.isfinite(x[i]) != np.isfinite(y[i])]
    assert tuple(i for i in failures.get("insideTolerance", ()) if i not in half) == tuple(outside)


@given(st.lists(st.floats(0, 100), min_size=4, max_size=30), st.floats(0.01, 0.9))
def test_blank_equals_a_loop(totals, fraction):
    made = table({"total": totals, "maximum": totals}, blank_fraction=fraction)
    floor = fraction * float(np.median(totals))
    expected = tuple(i for i, total in enumerate(totals) if total < floor or total == 0)
    assert made.failures().get("blankFraction", ()) == expected


@given(st.lists(st.floats(0, 100), min_size=4, max_size=30), st.floats(1.1, 10))
def test_hot_equals_a_loop(maxima, factor):
    made = table({"total": maxima, "maximum": maxima}, hot_factor=factor, saturated=99.0)
    ceiling = factor * float(np.median(maxima))
    expected = tuple(i for i, one in enumerate(maxima) if (ceiling > 0 and one > ceiling) or one >= 99.0)
    assert made.failures().get("hotFactor", ()) == expected


def test_a_median_of_three_frames_says_nothing():
    made = table({"total": [1.0, 1e-9, 1.0], "maximum": [1.0, 1e9, 1.0]}, blank_fraction=0.5, hot_factor=2)
    assert made.failures() == {}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=30), st.floats(0, 30))
def test_the_nearest_other_beyond_a_distance_that_is_near_enough(points, near):
    x, y = np.array(points, dtype=np.float64).T
    exact = [min(math.hypot(x[i] - x[j], y[i] - y[j]) for j in range(len(x)) if j != i) for i in range(len(x))]
    np.testing.assert_allclose(nearest(x, y), exact, rtol=1e-12)
    found = nearest(x, y, near)
    # Within the distance it tells no more than that; beyond it, exactly.
    assert ((found <= near) == (np.array(exact) <= near)).all()
    np.testing.assert_allclose(found[found > near], np.array(exact)[found > near], rtol=1e-12)


def test_no_rows_and_no_columns():
    assert ScanTable(scan=SCAN, rows=0).failures() == {}
    assert table({"x": np.zeros(0), "y": np.zeros(0)}, distinct=True).failures() == {}


def test_positions_that_are_missing_are_not_judged():
    x = np.array([np.nan, np.nan, 5.0, 5.0])
    assert table({"x": x, "y": np.array([1.0, 1.0, 2.0, 2.0])}, distinct=True).failures() == {"distinct": (2, 3)}


def test_digests_of_64_bits_without_a_sign(datasets):
    # With the scan axis last digests fill all 64 bits, which pandera's list of failures has no room for.
    arrays = datasets.legacy_hwn()
    arrays["diffraction"][:, :, 3] = arrays["diffraction"][:, :, 11]
    report = validate(arrays, "ptychopinn/legacy-hwn")
    assert report.verdict == "valid"
    assert [(finding.code, finding.frames) for finding in report.findings] == [("SCAN-007", (3, 11))]


def test_the_footprint_is_that_of_the_probe(datasets):
    """Overlap by hand: the disc as large as the fewest pixels that hold 90 % of the probe's intensity."""
    arrays = datasets.canonical()
    energy = np.sort((np.abs(arrays["probeGuess"].astype(complex)) ** 2).ravel())[::-1]
    area = next(n for n in range(1, energy.size) if energy[:n].sum() >= 0.9 * energy.sum())
    diameter = 2 * np.sqrt(area / np.pi)
    x = np.arange(20) * diameter * np.where(np.arange(20) < 10, 0.79, 0.81)
    arrays["xcoords"], arrays["ycoords"] = x + 20, np.full(20, 40.0)
    arrays["objectGuess"] = np.tile(arrays["objectGuess"], (1, 6))
    distance = brute_nearest(arrays["xcoords"], arrays["ycoords"])
    expected = tuple(np.flatnonzero(1 - distance / diameter < 0.2))
    finding = next(one for one in validate(arrays).findings if one.code == "SCAN-008")
    assert finding.frames == expected
    assert 0 < len(expected) < 20


@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_the_edge_of_the_object(datasets, offset):
    """A patch of 32 about x reaches from x - 16 to x + 16; it may stand out by one pixel."""
    arrays = datasets.canonical()
    arrays["xcoords"][:4] = [15 - offset, 75 + offset, 15, 75]
    arrays["ycoords"][4:8] = [15 - offset, 81 + offset, 15, 81]
    found = {finding.code: finding.frames for finding in validate(arrays).findings}
    assert found.get("SCAN-001", ()) == ((0, 1, 4, 5) if offset else ())


PROGRAM = """
import sys
import npzschema
report = npzschema.validate(sys.argv[1], headers_only=sys.argv[2] == "headers")
print(report.verdict, *sorted({"polars", "pandera"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("how", "blank", "loaded"),
    [("headers", (4,), "valid"), ("whole", (), "valid"), ("whole", (4,), "valid pandera polars")],
)
def test_polars_and_pandera_load_only_for_rows_that_may_fail(datasets, tmp_path, how, blank, loaded):
    path = tmp_path / "scan.npz"
    arrays = datasets.canonical()
    arrays["diffraction"][list(blank)] = 0
    path.write_bytes(datasets.saved(arrays))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path), how], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == loaded.split()


def test_pandera_judges_the_rows(datasets, monkeypatch):
    import pandera.polars as pa

    seen = []
    validate_ = pa.DataFrameSchema.validate

    def spy(self, data, **options):
        seen.append((sorted(check.name for check in self.checks), data.height))
        return validate_(self, data, **options)

    monkeypatch.setattr(pa.DataFrameSchema, "validate", spy)
    assert validate(datasets.canonical()).findings == ()
    assert seen == []
    arrays = datasets.canonical()
    arrays["diffraction"][4] = 0
    assert [(one.code, one.frames) for one in validate(arrays).findings] == [("SCAN-005", (4,))]
    assert seen[0] == (["blankFraction"], 20)

    # What the arrays leave in doubt is pandera's to say.
    monkeypatch.setattr(pa.DataFrameSchema, "validate", lambda _, data, **__: data)
    assert validate(arrays).findings == ()


VALUE = st.sampled_from([0.0, 1.0, 2.0, 50.0, np.nan])


@given(st.lists(st.tuples(VALUE, VALUE, VALUE, VALUE, VALUE, st.integers(0, 3)), min_size=1, max_size=20))
def test_what_is_asked_of_arrays_first_hides_nothing_from_pandera(rows):
    *values, digest = (np.array(column) for column in zip(*rows, strict=True))
    columns = dict(zip(("x", "y", "total", "maximum", "overlap"), values, strict=True)) | {"digest": digest}
    keywords = {"distinct": True, "repeated": True, "blank_fraction": 0.5, "hot_factor": 2, "minimum_overlap": 1.5}
    made = table(columns, inside_tolerance=1, object_shape=(60, 50), patch=(2, 2), **keywords)
    every = np.ones(len(rows), dtype=bool)
    with_repeats = {**made.columns, **made._repeats()}
    assert made.failures() == made._failures(with_repeats, made._tests(), every)


def test_a_far_position_does_not_make_the_search_for_neighbours_quadratic():
    """All others lie side by side along the longer axis: what is not found in bounded work is not judged."""
    count = 4 * MOST_PAIRS
    x, y = np.zeros(count), np.random.default_rng(0).permutation(count).astype(float)
    x[0] = 1e9
    found = nearest(x, y)
    assert np.isnan(found).sum() > count // 2
    assert np.all(found[np.isfinite(found)] >= 1)
