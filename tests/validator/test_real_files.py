"""Measured data, as it is and with faults put into it. The files are no part of the project: skipped elsewhere."""

# ruff: noqa: ARG005 - the changes in the tables share one signature

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from npzschema import validate

FOLDER = Path(os.environ.get("NPZSCHEMA_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
NAMES = [
    f"{source}_{form}"
    for source in ("siemens", "run1084_semireal")
    for form in ("canonical", "legacy_hwn", "raw_diff3d")
]

pytestmark = pytest.mark.skipif(
    not all((FOLDER / f"{name}.npz").is_file() for name in NAMES),
    reason=f"the real files are not in {FOLDER}; set NPZSCHEMA_REAL_DATA to their folder",
)

LOADED = {}


def arrays_of(name):
    if name not in LOADED:
        with np.load(FOLDER / f"{name}.npz") as held:
            LOADED[name] = dict(held)
    return {key: value.copy(order="K") for key, value in LOADED[name].items()}


def warnings_of(report):
    """Without the warning that the forward model does not fit, where positions were broken on purpose."""
    return {one.code for one in report.findings if one.level == "warning" and one.code != "PHYS-001"}


@pytest.mark.parametrize(
    ("name", "codes", "warnings", "recognised"),
    [
        ("siemens_canonical", set(), set(), "ptychopinn/canonical"),
        ("siemens_legacy_hwn", {"FORMAT-001", "DTYPE-001", "VALUE-003"}, set(), "ptychopinn/legacy-hwn"),
        ("siemens_raw_diff3d", {"KEY-002", "NORM-001", "VALUE-003"}, set(), "ptychopinn/raw-counts"),
        ("run1084_semireal_canonical", set(), set(), "ptychopinn/canonical"),
        ("run1084_semireal_legacy_hwn", {"DTYPE-001", "FORMAT-001"}, set(), "ptychopinn/legacy-hwn"),
        ("run1084_semireal_raw_diff3d", {"KEY-002", "NORM-001"}, set(), "ptychopinn/raw-counts"),
    ],
)
def test_as_they_are(name, codes, warnings, recognised):
    report = validate(FOLDER / f"{name}.npz")
    assert report.codes == codes
    assert warnings_of(report) == warnings
    assert recognised in report.recognised
    assert report.contract == "ptychopinn/canonical"
    in_memory = validate(arrays_of(name))
    assert [(one.code, one.message, one.frames) for one in in_memory.findings] == [
        (one.code, one.message, one.frames) for one in report.findings
    ]


@pytest.mark.parametrize(
    ("name", "codes", "recognised"),
    [
        ("run1084_semireal_canonical", set(), "ptychopinn/canonical"),
        ("run1084_semireal_legacy_hwn", {"DTYPE-001"}, "ptychopinn/legacy-hwn"),
        ("run1084_semireal_raw_diff3d", {"KEY-002", "NORM-001"}, "ptychopinn/raw-counts"),
    ],
)
def test_sizes_alone_do_not_decide_a_cube(name, codes, recognised):
    report = validate(FOLDER / f"{name}.npz", headers_only=True)
    assert report.codes == codes
    assert warnings_of(report) == {"FORMAT-002"}
    assert recognised in report.recognised


def test_the_binding_of_the_legacy_file():
    report = validate(FOLDER / "siemens_legacy_hwn.npz")
    assert {symbol: report.binding[symbol] for symbol in "NHW"} == {"N": 48, "H": 128, "W": 128}
    assert report.arrays["diffraction"].axes == ("H", "W", "N")


@pytest.mark.parametrize("name", NAMES)
def test_statistics_are_those_of_numpy(name):
    report = validate(FOLDER / f"{name}.npz")
    for key, array in arrays_of(name).items():
        if array.dtype.kind == "c":
            continue
        told = report.arrays[key].statistics
        assert told["count"] == array.size
        assert told["minimum"] == array.min()
        assert told["maximum"] == array.max()
        assert told["mean"] == pytest.approx(array.astype(np.float64).mean(), rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 0.37, 1 / 255, 1e-3, 7.3e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["siemens_raw_diff3d", "run1084_semireal_raw_diff3d"])
def test_counts_as_floats_at_any_scale(name, dtype, scale):
    arrays = arrays_of(name)
    arrays["diffraction"] = (arrays.pop("diff3d") * scale).astype(dtype)
    expected = {"NORM-001"} | ({"VALUE-003"} if np.sqrt(arrays["diffraction"].max()) >= 10 else set())
    assert validate(arrays).codes == expected


@pytest.mark.parametrize("scale", [1.0, 0.37, 1 / 255, 1e-3])
@pytest.mark.parametrize("rounded", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["siemens_canonical", "run1084_semireal_canonical"])
def test_amplitudes_are_never_told_to_be_counts(name, rounded, scale):
    arrays = arrays_of(name)
    for held in (arrays["diffraction"], np.sqrt(np.square(arrays["diffraction"]) + 1e-3)):
        arrays["diffraction"] = (held.astype(rounded) * scale).astype(np.float32)
        assert validate(arrays).codes == set()


def change(**makers):
    def apply(a):
        for key, make in makers.items():
            a[key] = make(a)

    return apply


def put(key, at, value):
    def apply(a):
        a[key][at] = value

    return apply


def frames(first):
    """Index of frames in ``diffraction``, with the scan axis first or last."""
    return (lambda at: (at,)) if first else (lambda at: (slice(None), slice(None), at))


FAULTS = [
    # name, change of (arrays, frame index), codes added at error level, warnings added, frames by code
    ("nan", lambda a, f: put("diffraction", f([3, 30]), np.nan)(a), {"VALUE-001"}, set(), {"VALUE-001": (3, 30)}),
    (
        "negative",
        lambda a, f: a["diffraction"].__setitem__(f(5), -a["diffraction"][f(5)] - 1e-6),
        {"VALUE-002"},
        set(),
        {"VALUE-002": (5,)},
    ),
    ("blank", lambda a, f: put("diffraction", f([7, 8]), 0)(a), set(), {"SCAN-005"}, {"SCAN-005": (7, 8)}),
    (
        "repeated",
        lambda a, f: a["diffraction"].__setitem__(f(20), a["diffraction"][f(2)]),
        set(),
        {"SCAN-007"},
        {"SCAN-007": (2, 20)},
    ),
    (
        "duplicate",
        lambda a, f: [a[k].__setitem__(9, a[k][40]) for k in ("xcoords", "ycoords")],
        set(),
        {"SCAN-002"},
        {"SCAN-002": (9, 40)},
    ),
    (
        "metres",
        lambda a, f: change(xcoords=lambda a: a["xcoords"] * 1e-8, ycoords=lambda a: a["ycoords"] * 1e-8)(a),
        {"SCAN-003"},
        set(),
        {},
    ),
    ("nan position", lambda a, f: put("ycoords", 11, np.nan)(a), {"VALUE-001"}, set(), {"VALUE-001": (11,)}),
    (
        "centred",
        lambda a, f: change(
            xcoords=lambda a: a["xcoords"] - a["objectGuess"].shape[1],
            ycoords=lambda a: a["ycoords"] - a["objectGuess"].shape[0],
        )(a),
        {"PHYS-002"},
        set(),
        {},
    ),
    ("no probe", lambda a, f: a.pop("probeGuess"), {"KEY-001"}, set(), {}),
    ("small probe", lambda a, f: change(probeGuess=lambda a: a["probeGuess"][::2, ::2])(a), {"SHAPE-002"}, set(), {}),
    (
        "placeholder",
        lambda a, f: change(objectGuess=lambda a: np.ones_like(a["objectGuess"]))(a),
        set(),
        {"VALUE-004"},
        {},
    ),
    (
        "object array",
        lambda a, f: change(objectGuess=lambda a: np.array(None, dtype=object))(a),
        {"FILE-006"},
        set(),
        {},
    ),
    (
        "real Y",
        lambda a, f: change(
            Y=lambda a: np.zeros((len(a["xcoords"]), *a["probeGuess"].shape)) + a["xcoords"][:, None, None]
        )(a),
        {"DTYPE-001"},
        set(),
        {},
    ),
    (
        "surplus",
        lambda a, f: (
            [a.__setitem__(k, np.append(a[k], a[k][:2] + 0.5)) for k in a if k.startswith(("xc", "yc"))]
            and a.pop("scan_index", None)
        ),
        set(),
        {"SCAN-004"},
        {},
    ),
]


@pytest.mark.parametrize(("break_", "codes", "warnings", "told"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
@pytest.mark.parametrize("name", ["siemens_canonical", "siemens_legacy_hwn"])
def test_a_fault_is_found_with_its_frames(name, break_, codes, warnings, told):
    arrays = arrays_of(name)
    before = validate(arrays)
    break_(arrays, frames(name == "siemens_canonical"))
    after = validate(arrays)
    assert after.codes == before.codes | codes, [(finding.code, finding.message) for finding in after.findings]
    assert warnings_of(after) == warnings_of(before) | warnings
    for code, where in told.items():
        assert [finding.frames for finding in after.findings if finding.code == code] == [where]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_frame_is_named_in_a_cube_that_its_content_decides(bad):
    arrays = arrays_of("run1084_semireal_canonical")
    arrays["diffraction"][3, 5, 7] = bad
    report = validate(arrays)
    assert report.codes == {"VALUE-001"}
    assert next(one for one in report.findings if one.code == "VALUE-001").frames == (3,)


def test_transposed_lists_of_positions():
    arrays = arrays_of("siemens_canonical")
    for key in ("xcoords", "ycoords"):
        arrays[key] = arrays[key][:, None]
    report = validate(arrays)
    assert report.codes == {"SHAPE-001"}
    assert {finding.array for finding in report.findings if finding.level == "error"} == {"xcoords", "ycoords"}
    assert all(finding.fix["step"] == "squeeze" for finding in report.findings if finding.level == "error")


STOPPED = [
    ("siemens_canonical", "diffraction", 0, set()),
    ("siemens_legacy_hwn", "diffraction", -1, {"FORMAT-001", "DTYPE-001", "VALUE-003"}),
    ("siemens_raw_diff3d", "diff3d", 0, {"KEY-002", "NORM-001", "VALUE-003"}),
    ("run1084_semireal_canonical", "diffraction", 0, set()),
    ("run1084_semireal_legacy_hwn", "diffraction", -1, {"FORMAT-001", "DTYPE-001"}),
    ("run1084_semireal_raw_diff3d", "diff3d", 0, {"KEY-002", "NORM-001"}),
]


@pytest.mark.parametrize("headers_only", [False, True])
@pytest.mark.parametrize("truth", ["none", "whole", "cut"])
@pytest.mark.parametrize("kept", [48, 63])
@pytest.mark.parametrize(("name", "key", "axis", "codes"), STOPPED)
def test_a_stopped_scan_with_as_many_positions_as_detector_rows(name, key, axis, codes, kept, truth, headers_only):
    """Frames fewer than rows, positions as many: the probe bears the patterns out, and the surplus is all there is."""
    arrays = arrays_of(name)
    size, positions = arrays["probeGuess"].shape[0], len(arrays["xcoords"])
    for one, array in arrays.items():
        along = axis if one == key else 0
        if array.shape[along] == positions and one not in ("probeGuess", "objectGuess"):
            arrays[one] = np.take(array, np.arange(size) % array.shape[along], axis=along)
    arrays[key] = np.take(arrays[key], np.arange(kept), axis=axis)
    arrays.pop("Y", None)
    if truth != "none":
        count = size if truth == "whole" else kept
        arrays["Y"] = np.arange(1, count * size * size + 1).reshape(count, size, size).astype(np.complex64)
    report = validate(arrays, headers_only=headers_only)
    expected = codes - ({"VALUE-003"} if headers_only else set())
    assert report.codes == expected, [(one.code, one.message) for one in report.findings]
    # Repeated to as many as the detector has rows, positions are not distinct and frames not all different.
    allowed = {"SCAN-004"} | ({"SCAN-002", "SCAN-007"} if name.startswith("siemens") else set())
    assert "SCAN-004" in warnings_of(report) <= allowed
    assert report.arrays[key].axes == (("N", "H", "W") if axis == 0 else ("H", "W", "N"))
    surplus = next(one for one in report.findings if one.code == "SCAN-004")
    assert (surplus.expected, surplus.found) == (f"N = {kept}", f"N = {size}")


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("run1084_semireal_raw_diff3d", {"KEY-001", "NORM-001"}),
        ("siemens_raw_diff3d", {"KEY-001", "NORM-001", "SHAPE-003"}),
    ],
)
def test_patterns_under_their_second_name_alone(name, codes):
    """Their axes are decided, and their sizes borne out, as those of the first name would be."""
    report = validate(FOLDER / f"{name}.npz", contract="ptychopinn/fixture-v1")
    errors = [one.code for one in report.findings if one.level == "error"]
    assert sorted(errors) == sorted(codes)
    assert "FORMAT-002" not in warnings_of(report)
