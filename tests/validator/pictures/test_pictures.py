"""Pictures of files: what they show is what the file holds, and where there is none the report says why."""

from __future__ import annotations

import base64
import json

import jsonschema
import numpy as np
import pytest

from npzschema.contracts import load, schema
from npzschema.generator import Experiment, simulate
from npzschema.generator.breakers import broken
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.picture import LEVELS, NO_VALUE
from npzschema.validator.pictures import PICTURES, decoded
from npzschema.validator.reporters.json import document

KEYS = [key for key, _ in PICTURES]
ALWAYS = set(KEYS) - {"axis-order"}


def pictures_of(arrays, contract="ptychopinn/canonical"):
    report = validate(arrays, contract, pictures=True)
    return {picture.key: picture for picture in report.pictures}


def shown(arrays, contract="ptychopinn/canonical"):
    return {key for key, picture in pictures_of(arrays, contract).items() if picture.panels}


def points(picture, kind, panel=0):
    drawn = getattr(picture.panels[panel], "over", None) or picture.panels[panel].series
    (one,) = [one for one in drawn if one.kind == kind]
    return np.stack([one.x.array(), one.y.array()], axis=1)


def values(panel):
    """What an image shows, from its levels."""
    part = panel.levels.array() / LEVELS
    if panel.scale == "log":
        return panel.low * (panel.high / panel.low) ** part
    return panel.low + part * (panel.high - panel.low)


@pytest.fixture(scope="module")
def good(datasets):
    return datasets.canonical()


def test_nobody_asked(good):
    assert validate(good).pictures is None


def test_pictures_change_nothing_else(good):
    plain, seen = validate(good), validate(good, pictures=True)
    assert {key for key in KEYS if key in {one.key for one in seen.pictures}} == ALWAYS
    for name in ("verdict", "findings", "binding", "notes", "recognised"):
        assert getattr(plain, name) == getattr(seen, name)


def test_a_good_file_shows_everything_that_is_due(good):
    assert shown(good) == ALWAYS


def test_probe_amplitude_and_phase(good):
    amplitude, phase = pictures_of(good)["probe"].panels
    probe = good["probeGuess"]
    step = (amplitude.high - amplitude.low) / LEVELS
    np.testing.assert_allclose(values(amplitude), np.abs(probe), atol=step)
    bright = np.abs(probe) > 0.03 * np.abs(probe).max()
    away = values(phase) - np.angle(probe)
    away = np.angle(np.exp(1j * away))[bright]
    assert np.abs(away).max() <= 2 * np.pi / LEVELS


def test_mean_pattern_is_the_mean_of_the_frames(good):
    (panel,) = pictures_of(good)["mean-pattern"].panels
    mean = good["diffraction"].astype(float).mean(axis=0)
    seen = mean > panel.low
    np.testing.assert_allclose(values(panel)[seen], mean[seen], rtol=np.log(panel.high / panel.low) / LEVELS)


def test_the_scan_path_goes_through_the_positions(good):
    expected = np.stack([good["xcoords"], good["ycoords"]], axis=1)
    pictures = pictures_of(good)
    np.testing.assert_allclose(points(pictures["object"], "path"), expected, rtol=1e-6)
    np.testing.assert_allclose(points(pictures["positions"], "points"), expected, rtol=1e-6)


def test_totals_and_histogram_are_those_of_the_frames(good):
    pictures = pictures_of(good)
    frames = good["diffraction"].astype(float)
    np.testing.assert_allclose(points(pictures["totals"], "line")[:, 1], frames.sum(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(points(pictures["totals"], "line", 1)[:, 1], frames.max(axis=(1, 2)), rtol=1e-6)
    bars = points(pictures["histogram"], "bars")
    assert bars[:, 1].sum() == frames.size
    (at,) = [bars[i, 1] for i in range(len(bars) - 1) if bars[i, 0] <= 0 < bars[i + 1, 0]]
    assert at >= np.count_nonzero(frames == 0)


def test_the_legacy_order_is_seen_in_slices_along_either_axis(datasets):
    arrays = datasets.legacy_hwn()
    picture = pictures_of(arrays)["axis-order"]
    cube = arrays["diffraction"]
    titles = [panel.title for panel in picture.panels]
    assert titles == [f"Axis 2, slice {i}: a frame" for i in (5, 10, 15)] + [
        f"Axis 0, slice {i}: not a frame" for i in (8, 16, 24)
    ]
    for panel, plane in zip(picture.panels, [cube[:, :, i] for i in (5, 10, 15)], strict=False):
        seen = plane > panel.low * 1.01
        tolerance = np.log(panel.high / panel.low) / LEVELS
        np.testing.assert_allclose(values(panel)[seen], plane[seen], rtol=tolerance)
    assert picture.panels[4].size == cube[16].shape
    assert picture.shows("FORMAT-001", "diffraction")


def test_an_undecided_cube_shows_both_ways_to_read_it(datasets):
    rng = np.random.default_rng(1)
    arrays = datasets.canonical(32, 32)
    noise = rng.uniform(0.1, 1, size=(32, 32, 32)).astype(np.float32)
    arrays |= {"diffraction": noise, "objectGuess": np.ones_like(arrays["objectGuess"])}
    pictures = pictures_of(arrays)
    assert [panel.title[:6] for panel in pictures["axis-order"].panels] == ["Axis 0"] * 3 + ["Axis 2"] * 3
    assert pictures["worst-frames"].absent == "the axis order of the patterns is undecided"
    assert pictures["forward-model"].absent


@pytest.mark.parametrize("code", ["PHYS-001", "PHYS-002", "PHYS-003", "PHYS-004"])
def test_the_better_reading_looks_more_like_the_measurement(good, code):
    report = validate(broken(good, load("ptychopinn/canonical"), code), "ptychopinn/canonical", pictures=True)
    (picture,) = [one for one in report.pictures if one.key == "forward-model"]
    assert picture.columns == 3
    for row in range(0, len(picture.panels), 3):
        measured, stated, better = (np.log(values(panel)) for panel in picture.panels[row : row + 3])
        if code in ("PHYS-003", "PHYS-004"):
            # The measurement is what is read otherwise, so it is compared with the prediction.
            measured, better = better, measured
            stated, better = better, stated

        def alike(a, b):
            return np.corrcoef(a.ravel(), b.ravel())[0, 1]

        assert alike(measured, better) > alike(measured, stated)


def test_an_offset_of_the_zero_frequency_is_drawn_put_right(good):
    picture = pictures_of(good | {"diffraction": np.roll(good["diffraction"], (9, -7), axis=(1, 2))})["forward-model"]
    measured, stated, better = (np.log(values(panel)).ravel() for panel in picture.panels[:3])
    assert np.corrcoef(better, stated)[0, 1] > 0.9
    assert np.corrcoef(measured, stated)[0, 1] < 0.5


def test_a_scan_run_backwards_is_drawn_as_it_fits(tmp_path):
    experiment = Experiment(positions=60, size=32, overlap=0.2, probe="disc", object="siemens", scan="fermat")
    arrays = dict(np.load(simulate(tmp_path / "scan.npz", experiment).path))
    picture = pictures_of(arrays | {name: arrays[name][::-1].copy() for name in ("xcoords", "ycoords")})[
        "forward-model"
    ]
    assert len(picture.panels) == 6
    for row in (0, 3):
        measured, stated, better = (np.log(values(panel)).ravel() for panel in picture.panels[row : row + 3])
        assert "backwards" in picture.panels[row + 2].title
        assert np.corrcoef(better, measured)[0, 1] > 0.95
        assert np.corrcoef(stated, measured)[0, 1] < 0.75


def test_large_frames_are_shown_by_some_of_their_pixels_and_bad_ones_by_all():
    rng = np.random.default_rng(0)
    side = 520
    arrays = {
        "diffraction": rng.random((10, side, side), dtype="f4"),
        "probeGuess": rng.standard_normal((side, side)).astype("c8"),
        "objectGuess": rng.standard_normal((side + 9, side + 9)).astype("c8"),
        "xcoords": rng.uniform(side / 2, side / 2 + 9, 10),
        "ycoords": rng.uniform(side / 2, side / 2 + 9, 10),
    }
    arrays["diffraction"][3] *= 50
    pictures = pictures_of(arrays)
    assert "512 rows by 512 columns of their pixels, evenly spaced" in pictures["mean-pattern"].panels[0].alt
    assert all(panel.size == (side, side) for panel in pictures["worst-frames"].panels)


def test_positions_are_shown_as_they_fit(good):
    arrays = good | {"xcoords": good["ycoords"], "ycoords": good["xcoords"]}
    pictures = pictures_of(arrays)
    right = np.stack([good["xcoords"], good["ycoords"]], axis=1)
    np.testing.assert_allclose(points(pictures["positions"], "fit"), right, rtol=1e-5)
    np.testing.assert_allclose(points(pictures["object"], "fit"), right, rtol=1e-5)


def test_bad_frames_stand_beside_a_typical_one(good):
    frames = good["diffraction"].copy()
    frames[4, 3, 5] = np.nan
    frames[9] = 0
    frames[13, 0, 0] = 9
    picture = pictures_of(good | {"diffraction": frames})["worst-frames"]
    titles = [panel.title for panel in picture.panels]
    assert titles[0].endswith(": typical")
    assert set(titles[1:]) == {
        "Frame 4: not finite (VALUE-001)",
        "Frame 9: blank (SCAN-005)",
        "Frame 13: hot (SCAN-006)",
    }
    by_title = dict(zip(titles, picture.panels, strict=True))
    bad = by_title["Frame 4: not finite (VALUE-001)"]
    assert np.argwhere(bad.levels.array() == NO_VALUE).tolist() == [[3, 5]]
    assert [(one.x.array().tolist(), one.y.array().tolist()) for one in bad.over] == [([5.5], [3.5])]
    assert not by_title["Frame 9: blank (SCAN-005)"].levels.array().any()
    assert by_title["Frame 13: hot (SCAN-006)"].levels.array()[0, 0] == LEVELS
    assert len({(panel.low, panel.high) for panel in picture.panels}) == 1


def test_the_worst_of_many_offending_frames_are_chosen(good):
    frames = good["diffraction"] * 100
    frames[7] *= 1.5
    titles = [panel.title for panel in pictures_of(good | {"diffraction": frames})["worst-frames"].panels]
    assert titles[1].startswith("Frame 7: above the maximum")


@pytest.mark.parametrize("layout", ["NHW", "HWN", "fortran", "NHW1", "1NHW"])
def test_frames_beyond_the_sample_are_read_again(datasets, layout):
    """70 frames, of which 64 are sampled; the bad one is not among them."""
    arrays = datasets.canonical(70)
    sampled = np.unique(np.linspace(0, 69, 64).round().astype(int))
    (bad, *_) = sorted(set(range(70)) - set(sampled.tolist()))
    frames = arrays["diffraction"].copy()
    frames[bad, 2, 6] = np.nan
    stored = {
        "NHW": frames,
        "HWN": frames.transpose(1, 2, 0).copy(),
        "fortran": np.asfortranarray(frames),
        "NHW1": frames[..., None],
        "1NHW": frames[None],
    }[layout]
    report = validate(datasets.saved(arrays | {"diffraction": stored}), "ptychopinn/canonical", pictures=True)
    (picture,) = [one for one in report.pictures if one.key == "worst-frames"]
    (panel,) = [one for one in picture.panels if one.title.startswith(f"Frame {bad}:")]
    assert np.argwhere(panel.levels.array() == NO_VALUE).tolist() == [[2, 6]]
    seen = (frames[bad] > panel.low * 1.01) & (frames[bad] < panel.high)
    tolerance = np.log(panel.high / panel.low) / LEVELS
    np.testing.assert_allclose(values(panel)[seen], frames[bad][seen], rtol=tolerance)


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"probeGuess": None}, {"forward-model": "there is no probeGuess", "probe": "there is no probeGuess"}),
        ({"objectGuess": None}, {"forward-model": "there is no objectGuess", "object": "there is no objectGuess"}),
        ({"xcoords": None}, {"forward-model": "there is no xcoords", "positions": "there is no xcoords"}),
        ({"probeGuess": np.ones((32, 32), np.complex64)}, {"forward-model": "placeholder"}),
        ({"probeGuess": np.ones((32, 32), np.float32)}, {"forward-model": "no phase"}),
        ({"probeGuess": np.full((32, 32), np.nan, np.complex64)}, {"forward-model": "not finite"}),
        ({"objectGuess": np.zeros((96, 90), np.complex64)}, {"forward-model": "placeholder"}),
        ({"objectGuess": np.array(None, dtype=object)}, {"forward-model": "objectGuess", "object": "pickled object"}),
        ({"xcoords": np.full(20, np.nan)}, {"forward-model": "not finite", "positions": "is finite"}),
        ({"xcoords": np.array(["a"] * 20)}, {"forward-model": "xcoords", "positions": "xcoords"}),
        (
            {"diffraction": np.full((20, 32, 32), np.nan, np.float32)},
            {"forward-model": "usable", "histogram": "is finite"},
        ),
        (
            {"diffraction": np.zeros((20, 32, 32), np.complex64)},
            dict.fromkeys(("forward-model", "worst-frames", "totals", "mean-pattern", "histogram"), ""),
        ),
        (
            {"diffraction": None},
            dict.fromkeys(("forward-model", "worst-frames", "totals", "mean-pattern", "histogram"), "diffraction"),
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_shown_is_said(good, change, absent):
    arrays = {name: array for name, array in (good | change).items() if array is not None}
    pictures = pictures_of(arrays)
    assert {key for key, picture in pictures.items() if picture.absent} == set(absent)
    for key, words in absent.items():
        assert words in pictures[key].absent
        assert "fault of this tool" not in pictures[key].absent


@pytest.mark.parametrize(
    "change",
    [
        {"diffraction": np.full((20, 32, 32), 1e30, np.float32)},
        {"diffraction": np.full((20, 32, 32), 1.7e308)},
        {"diffraction": np.full((20, 32, 32), -1.0, np.float32)},
        {"diffraction": np.zeros((20, 32, 32), np.float32)},
        {"diffraction": np.full((20, 32, 32), 2**64 - 1, np.uint64)},
        {"diffraction": np.zeros((20, 32, 32), np.bool_)},
        {"diffraction": np.zeros((0, 32, 32), np.float32)},
        {"diffraction": np.ones((1, 32, 32), np.float32)},
        {"diffraction": np.ones((20, 32, 32, 1), np.float32)},
        {"diffraction": np.ones((20, 32), np.float32)},
        {"diffraction": np.ones((20, 32, 24), np.float32)},
        {"diffraction": np.ones((40, 32, 32), np.float32)},
        {"diffraction": np.ones((20, 1, 1), np.float32)},
        {"diffraction": np.ones(20, np.float32)},
        {"probeGuess": np.zeros((0, 0), np.complex64)},
        {"probeGuess": np.ones((3, 32, 32), np.complex64)},
        {"probeGuess": np.full((32, 32), np.inf, np.complex64)},
        {"probeGuess": np.ones((32, 32, 1), np.clongdouble)},
        {"objectGuess": np.ones((1, 96, 90), np.complex64)},
        {"objectGuess": np.ones(7, np.complex64)},
        {"objectGuess": np.full((96, 90), 1e38 + 1e38j, np.complex64)},
        {"xcoords": np.full(20, 1e300)},
        {"xcoords": np.full(20, 1e-6), "ycoords": np.full(20, 1e-6)},
        {"xcoords": np.arange(7.0)},
        {"xcoords": np.zeros(0)},
        {"xcoords": np.zeros((20, 1))},
        {"xcoords": np.zeros(20, np.complex128)},
        {"xcoords": np.arange(20, dtype=np.uint64) + 2**63},
    ],
    ids=lambda change: "-".join(f"{name}{array.shape}{array.dtype}" for name, array in change.items()),
)
def test_no_data_breaks_a_picture(datasets, good, change):
    """A gatherer that crashes becomes a line: none may."""
    for target in (good | change, datasets.saved(good | change)):
        report = validate(target, "ptychopinn/canonical", pictures=True)
        assert [one.absent for one in report.pictures if "fault of this tool" in one.absent] == []
        json.dumps(document([report]), allow_nan=False)


def test_a_gatherer_that_crashes_is_told_and_the_verdict_stands(good, monkeypatch):
    def crash(_):
        raise ZeroDivisionError("by design")

    def fault(_):
        raise Fault("FILE-003", "bad checksum")

    from npzschema.validator import pictures

    table = dict(pictures.PICTURES)
    monkeypatch.setattr(pictures, "PICTURES", table | {("probe", "Probe"): crash, ("object", "Object"): fault})
    report = validate(good, pictures=True)
    told = {one.key: one.absent for one in report.pictures}
    assert told["probe"] == "a fault of this tool: ZeroDivisionError: by design"
    assert told["object"] == "the file cannot be read a second time: bad checksum"
    assert report.ok


def test_headers_only_and_unreadable_files_have_no_pictures(datasets, good, tmp_path):
    assert validate(good, headers_only=True, pictures=True).pictures == ()
    path = tmp_path / "cut.npz"
    path.write_bytes(datasets.saved(good)[:-9])
    assert validate(path, pictures=True).pictures == ()


def test_a_damaged_member_leaves_the_pictures_of_the_others(good):
    report = validate(broken(good, load("ptychopinn/canonical"), "FILE-003"), "ptychopinn/canonical", pictures=True)
    told = {one.key: one.absent for one in report.pictures}
    assert told["probe"] == "the values of probeGuess could not be read"
    assert not told["object"]
    assert not told["totals"]


def test_a_large_object_is_thinned_out(good, monkeypatch):
    """An object that is not kept is read again, every few pixels of it."""
    from npzschema.validator.folds import keep
    from npzschema.validator.pictures import sight

    monkeypatch.setattr(keep, "MAX_BYTES", 40_000)
    monkeypatch.setattr(sight, "MAX_ITEMS", 3_000)
    panel = pictures_of(good)["object"].panels[0]
    assert panel.size == (96, 90)
    expected = np.abs(good["objectGuess"][::2, ::2])
    got = values(panel)
    assert got.shape == expected.shape
    inside = (expected > panel.low) & (expected < panel.high)
    np.testing.assert_allclose(got[inside], expected[inside], atol=(panel.high - panel.low) / LEVELS)


def test_json_carries_them_there_and_back(good):
    report = validate(good, pictures=True)
    made = json.loads(json.dumps(document([report])))
    jsonschema.Draft202012Validator(schema("report")).validate(made)
    assert tuple(map(decoded, made["files"][0]["pictures"])) == report.pictures


def test_json_without_pictures_is_as_it_was(good):
    assert "pictures" not in document([validate(good)])["files"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base64": "!!"}, "no base64"),
        ({"shape": [3, 3]}, "not what its shape says"),
        ({"dtype": "float32"}, "not what its shape says"),
        ({"shape": [1 << 60, 0]}, "longer than"),
        ({"shape": [1024]}, "no plane"),
    ],
)
def test_saved_arrays_that_do_not_fit_their_shape_are_refused(good, change, words):
    made = document([validate(good, pictures=True)])["files"][0]["pictures"]
    (probe,) = [one for one in made if one["key"] == "probe"]
    probe["panels"][0]["levels"].update(change)
    with pytest.raises(ValueError, match=words):
        decoded(probe)


def test_saved_points_that_are_not_finite_are_refused(good):
    made = document([validate(good, pictures=True)])["files"][0]["pictures"]
    (totals,) = [one for one in made if one["key"] == "totals"]
    line = totals["panels"][0]["series"][0]
    line["y"] = {"dtype": "float32", "shape": [20], "base64": base64.b64encode(np.full(20, np.nan, "<f4")).decode()}
    with pytest.raises(ValueError, match="not finite"):
        decoded(totals)
