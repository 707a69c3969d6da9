"""Measured data under their own forward model. The files are no part of the project: skipped elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from npzschema import validate

FOLDER = Path(os.environ.get("NPZSCHEMA_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
SOURCES = ("siemens", "run1084_semireal")
NAMES = [f"{source}_{form}" for source in SOURCES for form in ("canonical", "legacy_hwn", "raw_diff3d")]

pytestmark = pytest.mark.skipif(
    not all((FOLDER / f"{name}.npz").is_file() for name in NAMES),
    reason=f"the real files are not in {FOLDER}; set NPZSCHEMA_REAL_DATA to their folder",
)

LOADED = {}
BEFORE = {}


def arrays_of(name):
    if name not in LOADED:
        with np.load(FOLDER / f"{name}.npz") as held:
            LOADED[name] = dict(held)
    return dict(LOADED[name])


def report_of(name):
    if name not in BEFORE:
        BEFORE[name] = validate(FOLDER / f"{name}.npz")
    return BEFORE[name]


def told(report):
    """Codes at any level above info."""
    return {one.code for one in report.findings if one.level != "info"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_held_against_the_physics(name):
    report = report_of(name)
    assert not [one for one in report.findings if one.code.startswith("PHYS")]
    (note,) = [one for one in report.notes if one.startswith("forward model")]
    stated = float(re.search(r"correlate (-?\d\.\d\d)", note)[1])
    # Calibrated by hand: 0.889 and 0.822.
    assert stated == pytest.approx(0.889 if "siemens" in name else 0.822, abs=0.02)


def test_the_canonical_cube_is_valid():
    report = report_of("run1084_semireal_canonical")
    assert report.ok
    assert not {"FORMAT-001", "FORMAT-002"} & told(report)
    assert report.arrays["diffraction"].axes == ("N", "H", "W")


def test_the_legacy_cube_is_told_by_evidence():
    report = report_of("run1084_semireal_legacy_hwn")
    (finding,) = [one for one in report.findings if one.code == "FORMAT-001"]
    assert finding.level == "error"
    assert "FORMAT-002" not in told(report)
    right, *wrong = (float(one) for one in re.findall(r"(-?\d\.\d\d) \(-?\d+ sigma\)", finding.evidence))
    assert right > 0.75
    assert max(wrong) < 0.3
    assert report.arrays["diffraction"].axes == ("H", "W", "N")


def test_the_raw_cube_is_decided_too():
    report = report_of("run1084_semireal_raw_diff3d")
    assert not {"FORMAT-001", "FORMAT-002"} & told(report)
    assert report.arrays["diff3d"].axes == ("N", "H", "W")


def placed(a, x, y):
    return {**a, "xcoords": x, "ycoords": y}


def shown(a, turn):
    """Frames (N, H, W) changed, whatever the order in which they are stored."""
    key = "diffraction" if "diffraction" in a else "diff3d"
    # Both orders of the axes occur; the names of the other arrays tell which.
    last = "xcoords_start" in a
    frames = turn(a[key].transpose(2, 0, 1) if last else a[key])
    return {**a, key: np.ascontiguousarray(frames.transpose(1, 2, 0) if last else frames)}


def rows(a):
    return a["objectGuess"].shape[0]


def columns(a):
    return a["objectGuess"].shape[1]


def side(a):
    return a["probeGuess"].shape[0]


FAULTS = {
    "swap": (lambda a: placed(a, a["ycoords"], a["xcoords"]), "PHYS-002"),
    "flip x": (lambda a: placed(a, columns(a) - a["xcoords"], a["ycoords"]), "PHYS-002"),
    "flip y": (lambda a: placed(a, a["xcoords"], rows(a) - a["ycoords"]), "PHYS-002"),
    "flip both": (lambda a: placed(a, columns(a) - a["xcoords"], rows(a) - a["ycoords"]), "PHYS-002"),
    "flip and swap": (lambda a: placed(a, rows(a) - a["ycoords"], a["xcoords"]), "PHYS-002"),
    "corner": (lambda a: placed(a, a["xcoords"] - side(a) / 2, a["ycoords"] - side(a) / 2), "PHYS-002"),
    "half": (lambda a: placed(a, a["xcoords"] / 2, a["ycoords"] / 2), "PHYS-002"),
    "double": (lambda a: placed(a, a["xcoords"] * 2, a["ycoords"] * 2), "PHYS-002"),
    "shift": (lambda a: placed(a, a["xcoords"] + 9, a["ycoords"] - 6), "PHYS-002"),
    "zero in the corner": (lambda a: shown(a, lambda d: np.fft.ifftshift(d, axes=(1, 2))), "PHYS-003"),
    "detector transposed": (lambda a: shown(a, lambda d: d.transpose(0, 2, 1)), "PHYS-004"),
    "detector columns reversed": (lambda a: shown(a, lambda d: d[:, :, ::-1]), "PHYS-004"),
    "detector rows reversed": (lambda a: shown(a, lambda d: d[:, ::-1]), "PHYS-004"),
    "detector turned": (lambda a: shown(a, lambda d: np.rot90(d, axes=(1, 2))), "PHYS-004"),
    "rolled by one": (lambda a: placed(a, np.roll(a["xcoords"], 1), np.roll(a["ycoords"], 1)), "PHYS-001"),
    "rolled by twenty": (lambda a: placed(a, np.roll(a["xcoords"], 20), np.roll(a["ycoords"], 20)), "PHYS-001"),
    "backwards": (lambda a: placed(a, a["xcoords"][::-1], a["ycoords"][::-1]), "PHYS-001"),
    "other corner": (lambda a: placed(a, a["xcoords"] + side(a) / 2, a["ycoords"] + side(a) / 2), "PHYS-002"),
    "rolled by minus three": (lambda a: placed(a, np.roll(a["xcoords"], -3), np.roll(a["ycoords"], -3)), "PHYS-001"),
}


FEW = ("swap", "corner", "zero in the corner", "detector transposed", "rolled by one")


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name in NAMES for fault in FAULTS if fault in FEW or "canonical" in name]
)
def test_a_fault_gives_its_code(name, fault):
    change, code = FAULTS[fault]
    report = validate(change(arrays_of(name)))
    errors = {one.code for one in report.findings if one.code.startswith("PHYS") and one.level == "error"}
    assert errors == {code}, [(one.code, one.level, one.message) for one in report.findings]
    # Doubled positions lie outside the object as well.
    assert report.codes - report_of(name).codes - {"SCAN-001"} == {code}
    assert "FORMAT-002" not in told(report)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", NAMES)
def test_shuffled_positions_are_a_warning_and_axes_never_wrong(name, seed):
    arrays = arrays_of(name)
    order = np.random.default_rng(seed).permutation(len(arrays["xcoords"]))
    report = validate(placed(arrays, arrays["xcoords"][order], arrays["ycoords"][order]))
    assert not [one for one in report.findings if one.code.startswith("PHYS") and one.level == "error"]
    codes = {one.code for one in report.findings}
    assert ("FORMAT-001" in codes) == ("legacy" in name) or "FORMAT-002" in codes
    assert "FORMAT-001" not in codes or "legacy" in name
    if "FORMAT-002" not in told(report):
        assert report.codes == report_of(name).codes
        assert "PHYS-001" in told(report)


@pytest.mark.parametrize("name", NAMES)
def test_a_placeholder_object_silences_the_model(name):
    arrays = arrays_of(name)
    arrays["objectGuess"] = np.ones_like(arrays["objectGuess"])
    report = validate(arrays)
    assert not [one for one in report.findings if one.code.startswith("PHYS")]
    assert "VALUE-004" in told(report)
    assert any("forward model not asked" in note for note in report.notes)
    codes = {one.code for one in report.findings}
    assert ("FORMAT-001" in codes) == ("legacy" in name) or "FORMAT-002" in codes
    assert "FORMAT-001" not in codes or "legacy" in name


@pytest.mark.parametrize("name", [name for name in NAMES if "semireal" in name])
def test_frames_and_gaps_that_are_not_finite_leave_a_cube_decided(name):
    key = "diff3d" if "raw" in name else "diffraction"
    for axis, chosen in ((2 if "legacy" in name else 0, 7), (0 if "legacy" in name else 1, slice(30, 34))):
        arrays = arrays_of(name)
        held = arrays[key].astype(np.float64 if "legacy" in name else np.float32)
        np.moveaxis(held, axis, 0)[chosen] = np.nan
        report = validate({**arrays, key: held})
        assert report.codes == report_of(name).codes | {"VALUE-001"}
        assert "FORMAT-002" not in told(report)


@pytest.mark.parametrize("source", SOURCES)
def test_a_wrong_object_gets_no_mend(source):
    arrays = arrays_of(f"{source}_canonical")
    arrays["objectGuess"] = np.ascontiguousarray(arrays["objectGuess"].T)
    report = validate(arrays)
    assert [(one.code, one.level) for one in report.findings if one.code.startswith("PHYS")] == [
        ("PHYS-001", "warning")
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_two_faults_at_once_are_told_by_a_measured_probe(source):
    arrays = arrays_of(f"{source}_canonical")
    arrays["xcoords"], arrays["ycoords"] = arrays["ycoords"], arrays["xcoords"]
    turned = np.ascontiguousarray(arrays["diffraction"].transpose(0, 2, 1))
    corner = np.fft.ifftshift(arrays["diffraction"], axes=(1, 2))
    for frames, found in ((turned, "swap+transpose"), (corner, "swap+fftshift")):
        report = validate({**arrays, "diffraction": frames})
        assert [(one.code, one.level, one.found) for one in report.findings if one.code.startswith("PHYS")] == [
            ("PHYS-002", "error", found)
        ]


@pytest.mark.parametrize("source", SOURCES)
def test_measured_intensities_without_a_lattice(source):
    arrays = arrays_of(f"{source}_raw_diff3d")
    counts = arrays.pop("diff3d").astype(np.float64)
    jitter = 1 + 0.01 * np.random.default_rng(0).normal(size=counts.shape)
    blurred = counts * jitter / counts.max()
    assert validate({**arrays, "diffraction": blurred.astype(np.float32)}).codes == {"NORM-001"}
    assert validate({**arrays, "diffraction": np.sqrt(blurred).astype(np.float32)}).codes == set()


@pytest.mark.parametrize("turn", [lambda probe: probe.T, lambda probe: probe[::-1, ::-1], lambda probe: probe[:, ::-1]])
def test_a_probe_seen_from_another_side_is_named_and_no_position_moved(turn):
    arrays = arrays_of("run1084_semireal_canonical")
    report = validate(arrays | {"probeGuess": np.ascontiguousarray(turn(arrays["probeGuess"]))})
    (finding,) = [one for one in report.findings if one.code.startswith("PHYS")]
    assert (finding.code, finding.level, finding.array, finding.fix) == ("PHYS-001", "error", "probeGuess", None)
    assert "Do not move the positions" in finding.remedy


@pytest.mark.parametrize("factor", [0.95, 0.98, 1.02, 1.05])
@pytest.mark.parametrize("source", SOURCES)
def test_positions_of_another_pixel_size_are_mended_to_a_pixel(source, factor):
    arrays = arrays_of(f"{source}_canonical")
    wrong = {name: arrays[name] * factor for name in ("xcoords", "ycoords")}
    (finding,) = [one for one in validate(arrays | wrong).findings if one.code.startswith("PHYS")]
    assert (finding.code, finding.found) == ("PHYS-002", "rescale")
    values = finding.fix["values"]
    np.testing.assert_allclose(values["xx"] * wrong["xcoords"] + values["x0"], arrays["xcoords"], atol=1)
    np.testing.assert_allclose(values["yy"] * wrong["ycoords"] + values["y0"], arrays["ycoords"], atol=1)
