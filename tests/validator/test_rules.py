"""One fault, one finding: each row breaks a conforming dataset in one way and names exactly what is found."""

# ruff: noqa: ARG005 - the changes in the tables share one signature

from __future__ import annotations

import copy
import io
import json
import zipfile

import numpy as np
import pytest

import npzschema
from npzschema.contracts import from_document, load, rules

from ..pointers import resolve

BASES = {}


@pytest.fixture(scope="session")
def base(datasets):
    def make(name):
        if name not in BASES:
            BASES[name] = getattr(datasets, name)()
        return copy.deepcopy(BASES[name])

    return make


def told(report):
    """Codes, without the warning that the forward model does not fit: probe, object or positions were broken."""
    return sorted(one.code for one in report.findings if (one.code, one.level) != ("PHYS-001", "warning"))


def put(name, at, value):
    def change(a):
        a[name][at] = value

    return change


def replace(**makers):
    def change(a):
        for name, make in makers.items():
            a[name] = make(a)

    return change


def rename(old, new):
    def change(a):
        a[new] = a.pop(old)

    return change


def drop(*names):
    def change(a):
        for name in names:
            del a[name]

    return change


def meta(value):
    return replace(_metadata=lambda a: np.array(value))


def pickled(text):
    def change(a):
        held = np.empty((), dtype=object)
        held[()] = text
        a["_metadata"] = held

    return change


def surplus(extra):
    def change(a):
        for name in ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index"):
            if name in a:
                a[name] = np.concatenate([a[name], a[name][:extra] + 1])

    return change


def cut(n):
    """The first n of everything that has a scan axis first."""

    def change(a):
        for name in ("diffraction", "xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index"):
            a[name] = a[name][:n]

    return change


def one_mode(a):
    return a["probeGuess"][..., None]


def patches(a):
    return np.broadcast_to(a["probeGuess"], (20, 32, 32)).copy()


def without_probe_side(a):
    return a["probeGuess"][::2, ::2].copy()


BLANK = (slice(4, 6),)

TABLE = [
    # name, base dataset, change, every code that is found (once each), frames of some
    ("conforming", "canonical", lambda a: None, [], {}),
    (
        "nan",
        "canonical",
        put("diffraction", ([3, 3, 17], [0, 1, 2], [5, 5, 31]), np.nan),
        ["VALUE-001"],
        {"VALUE-001": (3, 17)},
    ),
    ("infinity", "canonical", put("diffraction", (9, 9, 9), np.inf), ["VALUE-001"], {"VALUE-001": (9,)}),
    ("minus infinity", "canonical", put("diffraction", (9, 9, 9), -np.inf), ["VALUE-001"], {"VALUE-001": (9,)}),
    ("a whole frame of nan", "canonical", put("diffraction", 7, np.nan), ["VALUE-001"], {"VALUE-001": (7,)}),
    ("nothing but nan", "canonical", put("diffraction", ..., np.nan), ["VALUE-001"], {"VALUE-001": tuple(range(20))}),
    ("nan position", "canonical", put("xcoords", 5, np.nan), ["VALUE-001"], {"VALUE-001": (5,)}),
    ("nan probe", "canonical", put("probeGuess", (3, 3), np.nan), ["VALUE-001"], {"VALUE-001": ()}),
    ("imaginary nan in the object", "canonical", put("objectGuess", (3, 3), complex(0, np.nan)), ["VALUE-001"], {}),
    (
        "negative pixels",
        "canonical",
        put("diffraction", ([2, 11], [0, 0], [0, 0]), -1e-3),
        ["VALUE-002"],
        {"VALUE-002": (2, 11)},
    ),
    (
        "hot pixel beyond the bound",
        "canonical",
        put("diffraction", (6, 1, 1), 20.0),
        ["SCAN-006", "VALUE-003"],
        {"VALUE-003": (6,), "SCAN-006": (6,)},
    ),
    (
        "hot pixel below the bound",
        "canonical",
        put("diffraction", (6, 1, 1), 9.0),
        ["SCAN-006"],
        {"SCAN-006": (6,)},
    ),
    ("bound reached", "canonical", replace(diffraction=lambda a: a["diffraction"] * np.float32(10)), ["VALUE-003"], {}),
    ("blank frames", "canonical", put("diffraction", BLANK, 0), ["SCAN-005"], {"SCAN-005": (4, 5)}),
    (
        "nearly blank frame",
        "canonical",
        lambda a: a["diffraction"].__setitem__(8, a["diffraction"][8] * np.float32(1e-3)),
        ["SCAN-005"],
        {"SCAN-005": (8,)},
    ),
    (
        "all frames blank",
        "canonical",
        put("diffraction", ..., 0),
        ["VALUE-004"],
        {},
    ),
    ("all pixels the same", "canonical", put("diffraction", ..., 0.5), ["VALUE-004"], {}),
    (
        "repeated frames",
        "canonical",
        lambda a: a["diffraction"].__setitem__(9, a["diffraction"][8]),
        ["SCAN-007"],
        {"SCAN-007": (8, 9)},
    ),
    (
        "repeated frames, in two groups",
        "canonical",
        lambda a: a["diffraction"].__setitem__([0, 10], a["diffraction"][[19, 11]]),
        ["SCAN-007"],
        {"SCAN-007": (0, 10, 11, 19)},
    ),
    (
        "frame differs in one bit",
        "canonical",
        lambda a: (
            a["diffraction"].__setitem__(9, a["diffraction"][8]),
            a["diffraction"].__setitem__((9, 16, 16), np.nextafter(a["diffraction"][8, 16, 16], np.float32(2))),
        ),
        [],
        {},
    ),
    (
        "duplicate positions",
        "canonical",
        lambda a: [a[n].__setitem__(12, a[n][3]) for n in ("xcoords", "ycoords")],
        ["SCAN-002"],
        {"SCAN-002": (3, 12)},
    ),
    ("outside", "canonical", put("xcoords", 4, 3.0), ["SCAN-001"], {"SCAN-001": (4,)}),
    ("outside below", "canonical", put("ycoords", 19, 95.0), ["SCAN-001"], {"SCAN-001": (19,)}),
    (
        "centred positions",
        "canonical",
        replace(xcoords=lambda a: a["xcoords"] - 45, ycoords=lambda a: a["ycoords"] - 48),
        ["PHYS-002"],
        {},
    ),
    (
        "metres",
        "canonical",
        replace(xcoords=lambda a: a["xcoords"] * 1e-8, ycoords=lambda a: a["ycoords"] * 1e-8),
        ["SCAN-003"],
        {},
    ),
    ("x in metres", "canonical", replace(xcoords=lambda a: a["xcoords"] * 1e-8), ["SCAN-003"], {}),
    ("y in metres", "canonical", replace(ycoords=lambda a: a["ycoords"] * 1e-8), ["SCAN-003"], {}),
    (
        "object smaller than the probe both ways",
        "canonical",
        replace(objectGuess=lambda a: a["objectGuess"][:20, :20]),
        ["SHAPE-003"],
        {},
    ),
    (
        "sparse scan",
        "canonical",
        replace(
            objectGuess=lambda a: np.tile(a["objectGuess"], (4, 4)),
            xcoords=lambda a: a["xcoords"] * 4,
            ycoords=lambda a: a["ycoords"] * 4,
        ),
        ["SCAN-008"],
        {"SCAN-008": tuple(range(20))},
    ),
    ("scan index with gaps", "canonical", replace(scan_index=lambda a: a["scan_index"] ** 2), [], {}),
    ("small probe", "canonical", replace(probeGuess=without_probe_side), ["SHAPE-002"], {}),
    ("missing probe", "canonical", drop("probeGuess"), ["KEY-001"], {}),
    ("missing object", "canonical", drop("objectGuess"), ["KEY-001"], {}),
    ("missing patterns", "canonical", drop("diffraction"), ["KEY-001"], {}),
    ("missing x", "canonical", drop("xcoords"), ["KEY-001"], {}),
    ("misspelt probe", "canonical", rename("probeGuess", "probeGues"), ["KEY-001", "KEY-003"], {}),
    ("unknown array", "canonical", replace(note=lambda a: np.array("hello")), ["KEY-003"], {}),
    ("optional arrays missing", "canonical", drop("xcoords_start", "ycoords_start", "scan_index"), [], {}),
    ("legacy name", "canonical", rename("diffraction", "diff3d"), ["KEY-002"], {}),
    ("both names, equal", "canonical", replace(diff3d=lambda a: a["diffraction"].copy()), [], {}),
    (
        "both names, equal in double precision",
        "canonical",
        replace(diff3d=lambda a: a["diffraction"].astype(np.float64)),
        [],
        {},
    ),
    (
        "both names, equal in Fortran order",
        "canonical",
        replace(diff3d=lambda a: np.asfortranarray(a["diffraction"])),
        [],
        {},
    ),
    ("both names, equal and big-endian", "canonical", replace(diff3d=lambda a: a["diffraction"].astype(">f4")), [], {}),
    ("both names, different", "canonical", replace(diff3d=lambda a: np.square(a["diffraction"])), ["KEY-004"], {}),
    (
        "both names, one pixel differs",
        "canonical",
        replace(diff3d=lambda a: a["diffraction"] + (np.arange(20480).reshape(20, 32, 32) == 5000).astype(np.float32)),
        ["KEY-004"],
        {},
    ),
    ("both names, other shape", "canonical", replace(diff3d=lambda a: a["diffraction"][:10]), ["KEY-004"], {}),
    (
        "both names, a pixel zero and minus zero",
        "canonical",
        lambda a: (
            a["diffraction"].__setitem__((0, 0, 0), 0.0),
            a.__setitem__("diff3d", a["diffraction"].copy()),
            a["diff3d"].__setitem__((0, 0, 0), -0.0),
        ),
        [],
        {},
    ),
    ("real Y", "canonical", replace(Y=lambda a: patches(a).real.copy()), ["DTYPE-001"], {}),
    ("Y", "canonical", replace(Y=patches), [], {}),
    ("double Y", "canonical", replace(Y=lambda a: patches(a).astype(np.complex128)), ["DTYPE-001"], {}),
    ("Y with a channel", "canonical", replace(Y=lambda a: patches(a)[..., None]), ["SHAPE-001"], {}),
    ("Y of fewer frames", "canonical", replace(Y=lambda a: patches(a)[:7]), ["SHAPE-002"], {}),
    ("probe with a channel", "canonical", replace(probeGuess=one_mode), ["SHAPE-001"], {}),
    ("probe modes", "canonical", replace(probeGuess=lambda a: np.stack([a["probeGuess"]] * 3)), ["SHAPE-001"], {}),
    (
        "double probe",
        "canonical",
        replace(probeGuess=lambda a: a["probeGuess"].astype(np.complex128)),
        ["DTYPE-001"],
        {},
    ),
    (
        "placeholder object",
        "canonical",
        replace(objectGuess=lambda a: np.ones_like(a["objectGuess"])),
        ["VALUE-004"],
        {},
    ),
    ("zero probe", "canonical", replace(probeGuess=lambda a: np.zeros_like(a["probeGuess"])), ["VALUE-004"], {}),
    (
        "double patterns",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].astype(np.float64)),
        ["DTYPE-001"],
        {},
    ),
    (
        "half patterns",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].astype(np.float16)),
        ["DTYPE-001"],
        {},
    ),
    (
        "complex patterns",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].astype(np.complex64)),
        ["DTYPE-001"],
        {},
    ),
    ("boolean patterns", "canonical", replace(diffraction=lambda a: a["diffraction"] > 0.02), ["DTYPE-001"], {}),
    (
        "patterns of 128 bits",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].astype(np.longdouble)),
        ["DTYPE-001"],
        {},
    ),
    (
        "complex patterns of 256 bits",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].astype(np.clongdouble)),
        ["DTYPE-001"],
        {},
    ),
    (
        "structured patterns",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].view([("a", "<f4")])),
        ["DTYPE-001"],
        {},
    ),
    ("dates for positions", "canonical", replace(xcoords=lambda a: a["xcoords"].astype("M8[s]")), ["DTYPE-001"], {}),
    ("text patterns", "canonical", replace(diffraction=lambda a: a["diffraction"].astype("U4")), ["DTYPE-001"], {}),
    (
        "integer positions",
        "canonical",
        replace(xcoords=lambda a: np.rint(a["xcoords"]).astype(np.int32)),
        ["DTYPE-001"],
        {},
    ),
    (
        "floating scan index",
        "canonical",
        replace(scan_index=lambda a: a["scan_index"].astype(np.float64)),
        ["DTYPE-001"],
        {},
    ),
    ("single positions", "canonical", replace(xcoords=lambda a: a["xcoords"].astype(np.float32)), [], {}),
    (
        "positions as a column",
        "canonical",
        replace(xcoords=lambda a: a["xcoords"][:, None], ycoords=lambda a: a["ycoords"][:, None]),
        ["SHAPE-001", "SHAPE-001"],
        {},
    ),
    ("positions as a row", "canonical", replace(xcoords=lambda a: a["xcoords"][None, :]), ["SHAPE-001"], {}),
    ("big-endian", "canonical", replace(diffraction=lambda a: a["diffraction"].astype(">f4")), ["FORMAT-003"], {}),
    (
        "Fortran order",
        "canonical",
        replace(objectGuess=lambda a: np.asfortranarray(a["objectGuess"])),
        ["FORMAT-003"],
        {},
    ),
    (
        "one frame in Fortran order",
        "canonical",
        lambda a: a.update(
            {name: array[:1] for name, array in a.items() if len(array) == 20},
            diffraction=np.asfortranarray(a["diffraction"][:1]),
        ),
        ["FORMAT-003"],
        {},
    ),
    ("object array", "canonical", replace(objectGuess=lambda a: np.array(None, dtype=object)), ["FILE-006"], {}),
    (
        "object array beyond the contract",
        "canonical",
        replace(extra=lambda a: np.array([{}, None], dtype=object)),
        ["FILE-006"],
        {},
    ),
    (
        "legacy axes",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].transpose(1, 2, 0).copy()),
        ["FORMAT-001"],
        {},
    ),
    (
        "legacy axes, nan",
        "canonical",
        lambda a: (
            a["diffraction"].__setitem__((3, 4, 5), np.nan),
            a.__setitem__("diffraction", a["diffraction"].transpose(1, 2, 0).copy()),
        ),
        ["FORMAT-001", "VALUE-001"],
        {"VALUE-001": (3,)},
    ),
    (
        "legacy axes, repeated",
        "canonical",
        lambda a: (
            a["diffraction"].__setitem__(3, a["diffraction"][17]),
            a.__setitem__("diffraction", a["diffraction"].transpose(1, 2, 0).copy()),
        ),
        ["FORMAT-001", "SCAN-007"],
        {"SCAN-007": (3, 17)},
    ),
    (
        "legacy axes, surplus positions",
        "canonical",
        lambda a: (a.__setitem__("diffraction", a["diffraction"].transpose(1, 2, 0).copy()), surplus(3)(a)),
        ["FORMAT-001", "SCAN-004"],
        {},
    ),
    (
        "legacy axes, a channel",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].transpose(1, 2, 0)[..., None].copy()),
        ["FORMAT-001", "SHAPE-001"],
        {},
    ),
    (
        "legacy axes, an axis in front, nan",
        "canonical",
        lambda a: (
            a["diffraction"].__setitem__((3, 4, 5), np.nan),
            a.__setitem__("diffraction", a["diffraction"].transpose(1, 2, 0)[None].copy()),
        ),
        ["FORMAT-001", "SHAPE-001", "VALUE-001"],
        {"VALUE-001": (3,)},
    ),
    (
        "an axis in front of everything",
        "canonical",
        replace(**{k: lambda a, k=k: a[k][None] for k in ("diffraction", "probeGuess", "objectGuess", "xcoords")}),
        ["SHAPE-001"] * 4,
        {},
    ),
    (
        "the scan axis in the middle",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].transpose(1, 0, 2).copy()),
        ["FORMAT-001"],
        {},
    ),
    (
        "patterns of another size than everything else",
        "canonical",
        replace(Y=patches, diffraction=lambda a: a["diffraction"][:, :30, :30].copy()),
        ["SHAPE-002"],
        {},
    ),
    (
        "both names, the second in legacy order",
        "canonical",
        replace(diff3d=lambda a: a["diffraction"].transpose(1, 2, 0).copy()),
        [],
        {},
    ),
    (
        "both names, the first in legacy order",
        "canonical",
        lambda a: a.update(diff3d=a["diffraction"], diffraction=a["diffraction"].transpose(1, 2, 0).copy()),
        ["FORMAT-001"],
        {},
    ),
    (
        "both names, the second in legacy order and different",
        "canonical",
        replace(diff3d=lambda a: np.square(a["diffraction"]).transpose(1, 2, 0).copy()),
        ["KEY-004"],
        {},
    ),
    ("surplus positions", "canonical", surplus(3), ["SCAN-004"], {}),
    ("one surplus position", "canonical", surplus(1), ["SCAN-004"], {}),
    (
        "too few positions",
        "canonical",
        lambda a: [
            a.__setitem__(n, a[n][:-3]) for n in ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index")
        ],
        ["SHAPE-002"],
        {},
    ),
    ("one list of positions is shorter", "canonical", replace(xcoords=lambda a: a["xcoords"][:-1]), ["SHAPE-002"], {}),
    (
        "one list of positions is longer",
        "canonical",
        replace(ycoords=lambda a: np.append(a["ycoords"], 40.0)),
        ["SHAPE-002"],
        {},
    ),
    ("one frame", "canonical", cut(1), [], {}),
    ("three frames", "canonical", cut(3), [], {}),
    ("no frame", "canonical", cut(0), ["SHAPE-003"], {}),
    (
        "not square",
        "canonical",
        replace(
            diffraction=lambda a: a["diffraction"][:, :, :24].copy(),
            probeGuess=lambda a: a["probeGuess"][:, :24].copy(),
        ),
        ["SHAPE-003"],
        {},
    ),
    (
        "object smaller than the probe",
        "canonical",
        replace(objectGuess=lambda a: a["objectGuess"][:20]),
        ["SHAPE-003"],
        {},
    ),
    (
        "patterns with two axes",
        "canonical",
        replace(diffraction=lambda a: a["diffraction"].reshape(20, -1)),
        ["SHAPE-001"],
        {},
    ),
    ("counts", "counts", lambda a: None, ["KEY-002", "NORM-001", "VALUE-003"], {}),
    ("low counts", "counts", replace(diff3d=lambda a: a["diff3d"] // 200), ["KEY-002", "NORM-001"], {}),
    ("counts under the canonical name", "counts", rename("diff3d", "diffraction"), ["NORM-001", "VALUE-003"], {}),
    (
        "counts in single precision",
        "counts",
        replace(diff3d=lambda a: a["diff3d"].astype(np.float32)),
        ["KEY-002", "NORM-001", "VALUE-003"],
        {},
    ),
    (
        "counts in double precision",
        "counts",
        replace(diff3d=lambda a: a["diff3d"].astype(np.float64)),
        ["KEY-002", "NORM-001", "VALUE-003"],
        {},
    ),
    (
        "counts, scaled",
        "counts",
        replace(diff3d=lambda a: (a["diff3d"] * 3.7e-5).astype(np.float32)),
        ["KEY-002", "NORM-001"],
        {},
    ),
    (
        "counts, scaled, in double precision",
        "counts",
        replace(diff3d=lambda a: a["diff3d"] * 3.7e-5),
        ["KEY-002", "NORM-001"],
        {},
    ),
    (
        "counts, negative",
        "counts",
        replace(
            diff3d=lambda a: (
                (a["diff3d"] // 200).astype(np.int32) - (np.arange(20480).reshape(20, 32, 32) == 2048) * 1000
            )
        ),
        ["KEY-002", "NORM-001", "VALUE-002"],
        {"VALUE-002": (2,)},
    ),
    (
        "counts in the legacy order",
        "counts",
        replace(diff3d=lambda a: a["diff3d"].transpose(1, 2, 0).copy()),
        ["FORMAT-001", "KEY-002", "NORM-001", "VALUE-003"],
        {},
    ),
    (
        "counts, masked by -1",
        "counts",
        replace(diff3d=lambda a: np.where(np.arange(32) < 16, -1, a["diff3d"].astype(np.int32) // 200)),
        ["KEY-002", "NORM-001", "VALUE-002"],
        {"VALUE-002": tuple(range(20))},
    ),
    (
        "counts, saturated",
        "counts",
        lambda a: (a["diff3d"].__setitem__((slice(None), 16, 16), 20000), a["diff3d"].__setitem__((7, 16, 16), 65535)),
        ["KEY-002", "NORM-001", "SCAN-006", "VALUE-003"],
        {"SCAN-006": (7,)},
    ),
    (
        "counts, hot",
        "counts",
        lambda a: (a.__setitem__("diff3d", a["diff3d"] // 200), a["diff3d"].__setitem__((5, 0, 0), 60000)),
        ["KEY-002", "NORM-001", "SCAN-006", "VALUE-003"],
        {"SCAN-006": (5,), "VALUE-003": (5,)},
    ),
    (
        "metadata",
        "canonical",
        meta(json.dumps({"schema_version": "1", "physics_parameters": {"nphotons": 1e9}})),
        [],
        {},
    ),
    ("metadata as bytes", "canonical", meta(b"{}"), [], {}),
    ("metadata is no JSON", "canonical", meta("{nphotons: 1e9}"), ["META-001"], {}),
    ("metadata is a number", "canonical", meta(3.0), ["META-001"], {}),
    ("metadata is a list of texts", "canonical", meta(["{}"]), ["META-001"], {}),
    (
        "metadata of a wrong type",
        "canonical",
        meta(json.dumps({"physics_parameters": {"nphotons": "many"}})),
        ["META-002"],
        {},
    ),
    ("metadata is no object", "canonical", meta("[1]"), ["META-002"], {}),
    ("metadata, deeply nested", "canonical", meta("[" * 100_000 + "]" * 100_000), ["META-001"], {}),
    (
        "metadata names a contract of counts",
        "canonical",
        meta(json.dumps({"contract": "ptychopinn/raw-npz"})),
        ["KEY-002"],
        {},
    ),
    ("declared counts", "ci_intensity_v2", lambda a: None, [], {}),
    (
        "declared counts, under additional_parameters",
        "ci_intensity_v2",
        lambda a: a.__setitem__(
            "_metadata", np.array(json.dumps({"additional_parameters": json.loads(str(a["_metadata"]))}))
        ),
        [],
        {},
    ),
    (
        "declared counts, held as amplitudes",
        "ci_intensity_v2",
        replace(diff3d=lambda a: np.sqrt(a["diff3d"])),
        ["NORM-001"],
        {},
    ),
    (
        "declared counts, legacy axes",
        "ci_intensity_v2",
        replace(diff3d=lambda a: a["diff3d"].transpose(1, 2, 0).copy()),
        ["FORMAT-001"],
        {},
    ),
    (
        "declared counts, probe modes",
        "ci_intensity_v2",
        replace(probeGuess=lambda a: np.stack([a["probeGuess"]] * 3)),
        [],
        {},
    ),
    ("legacy file", "legacy_hwn", lambda a: None, ["DTYPE-001"] * 3 + ["FORMAT-001", "VALUE-003"], {}),
]


@pytest.mark.parametrize(
    ("start", "change", "expected", "frames"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
@pytest.mark.parametrize("stored", [False, True], ids=["in memory", "in a file"])
def test_one_fault_one_finding(base, datasets, start, change, expected, frames, stored):
    arrays = base(start)
    change(arrays)
    report = npzschema.validate(datasets.saved(arrays) if stored else arrays)
    assert told(report) == sorted(expected), [(finding.code, finding.message) for finding in report.findings]
    for code, where in frames.items():
        assert next(finding.frames for finding in report.findings if finding.code == code) == where
    document = load(report.contract).document
    for finding in report.findings:
        resolve(document, finding.pointer)
        assert finding.remedy
        assert finding.message


def test_the_array_that_all_others_outvote_is_the_one_to_blame(base):
    arrays = base("canonical")
    arrays["Y"] = patches(arrays)
    arrays["diffraction"] = arrays["diffraction"][:, :30, :30].copy()
    (finding,) = [one for one in npzschema.validate(arrays).findings if one.code == "SHAPE-002"]
    assert finding.array == "diffraction"


@pytest.mark.parametrize(
    ("start", "change", "code", "words"),
    [
        ("canonical", put("diffraction", (6, 1, 1), 20.0), "VALUE-003", "SCAN-006"),
        (
            "canonical",
            replace(diffraction=lambda a: a["diffraction"] * np.float32(10)),
            "VALUE-003",
            "--allow normalise",
        ),
        ("canonical", put("diffraction", ..., 0), "VALUE-004", "shutter"),
        ("canonical", replace(objectGuess=lambda a: np.ones_like(a["objectGuess"])), "VALUE-004", "reconstruction"),
        ("canonical", replace(probeGuess=lambda a: np.stack([a["probeGuess"]] * 3)), "SHAPE-001", "--contract"),
        ("canonical", replace(diffraction=lambda a: a["diffraction"].astype(np.complex64)), "DTYPE-001", "no cast"),
        ("legacy_hwn", lambda a: None, "FORMAT-001", "transposes"),
        ("legacy_hwn", drop("probeGuess"), "FORMAT-001", "First put KEY-001 right"),
        ("ci_intensity_v2", replace(diff3d=lambda a: np.sqrt(a["diff3d"])), "NORM-001", "--contract"),
        ("canonical", put("diffraction", (..., 3, 3), 140.0), "VALUE-003", "Mask the hot pixels"),
        (
            "canonical",
            replace(xcoords=lambda a: a["xcoords"] * 30, ycoords=lambda a: a["ycoords"] * 30),
            "SCAN-001",
            "No shift brings them all inside",
        ),
        ("canonical", put("xcoords", 0, 900.0), "SCAN-001", "Shift the positions"),
    ],
)
def test_remedies_fit_what_was_found(base, start, change, code, words):
    arrays = base(start)
    change(arrays)
    finding = next(one for one in npzschema.validate(arrays).findings if one.code == code)
    assert words in finding.remedy


def test_probe_modes_name_the_contract_that_allows_them(base):
    arrays = base("canonical")
    arrays["probeGuess"] = np.stack([arrays["probeGuess"]] * 3)
    (finding,) = [one for one in npzschema.validate(arrays).findings if one.code == "SHAPE-001"]
    assert "ptychopinn/ci-intensity-v2 allows (P, H, W)" in finding.message


def test_one_command_mends_every_error_of_a_file(base, datasets, tmp_path):
    path = tmp_path / "in.npz"
    path.write_bytes(datasets.saved(base("legacy_hwn")))
    errors = [one for one in npzschema.validate(path).findings if one.level == "error"]
    assert len({one.remedy for one in errors}) == 1
    assert errors[0].remedy.startswith("generate-npz convert --allow normalise ")


def finding_of(arrays, code, **options):
    return next(one for one in npzschema.validate(arrays, **options).findings if one.code == code)


def test_a_missing_second_name_is_copied_by_the_command(base, datasets, tmp_path):
    path = tmp_path / "in.npz"
    path.write_bytes(datasets.saved(base("canonical")))
    finding = finding_of(path, "KEY-001", contract="ptychopinn/fixture-v1")
    assert (finding.array, finding.fix) == ("diff3d", {"step": "copy", "array": "diff3d", "source": "diffraction"})


def test_no_contract_is_named_that_reads_the_axes_otherwise(base):
    arrays = base("canonical")
    arrays["probeGuess"] = np.stack([arrays["probeGuess"]] * 3, axis=-1)
    assert "allows" not in finding_of(arrays, "SHAPE-001").message


@pytest.mark.skipif(np.dtype("g").itemsize <= 8, reason="this machine has no longer doubles")
def test_long_doubles_are_to_be_cast(base):
    arrays = base("canonical")
    arrays["xcoords"] = arrays["xcoords"].astype("g")
    assert "Cast it" in finding_of(arrays, "DTYPE-001").remedy


def test_a_mend_against_the_evidence_is_not_offered(base):
    arrays = base("canonical")
    largest = arrays["diffraction"].max()
    arrays["diffraction"] = np.rint(arrays["diffraction"] / largest * 1000).astype(np.uint16)
    finding = finding_of(arrays, "NORM-001")
    assert "the evidence is mixed" in finding.evidence
    assert "if it is counts" in finding.remedy
    assert finding.remedy.startswith("Find out ")


def test_a_dead_pixel_of_a_counter_is_no_scale(base):
    """It holds the dtype's limit in every frame: divided by that, all others would be dim."""
    arrays = base("canonical")
    counts = np.rint(np.square(arrays["diffraction"]) * 1e4).astype(np.uint32)
    counts[:, 3, 4] = np.iinfo(np.uint32).max
    arrays["diffraction"] = counts
    assert "Mask the hot pixels" in finding_of(arrays, "VALUE-003").remedy
    assert finding_of(arrays, "NORM-001").remedy.startswith("First do what is said of VALUE-003; then ")


@pytest.mark.parametrize(
    "change",
    [
        lambda a: {"probeGuess": a["objectGuess"], "objectGuess": a["probeGuess"]},
        lambda a: {"diffraction": np.pad(a["diffraction"], ((0, 0), (4, 4), (4, 4)))},
    ],
    ids=["probe and object exchanged", "frames padded"],
)
def test_sizes_in_dispute_say_nothing_of_positions(base, change):
    arrays = base("canonical")
    arrays.update(change(arrays))
    assert told(npzschema.validate(arrays)) == ["SHAPE-002"]


def test_a_division_that_would_not_help_is_not_offered(base):
    """The largest value would be 1, which this contract excludes."""
    document = json.loads(json.dumps(load("ptychopinn/canonical").document)) | {"id": "own/below-one"}
    del document["declaredBy"]
    arrays = base("canonical")
    arrays["diffraction"] = arrays["diffraction"] * np.float32(20)
    for bound, offered in ((1, False), (1.5, True)):
        document["arrays"]["diffraction"]["values"] = {"minimum": 0, "exclusiveMaximum": bound}
        (finding,) = npzschema.validate(arrays, from_document(document)).findings
        assert finding.code == "VALUE-003"
        assert (finding.fix is not None) == offered


def test_axes_that_are_named_wrong_are_told_to_be_left_out(base):
    finding = finding_of(base("canonical"), "SHAPE-002", axes={"diffraction": ("H", "W", "N")})
    assert "leave --axes out" in finding.remedy
    arrays = base("canonical")
    arrays["xcoords"] = arrays["xcoords"][:-1]
    assert "--axes" not in finding_of(arrays, "SHAPE-002").remedy


def test_whole_counts_in_floats_can_be_cast(base):
    counts = np.rint(np.square(base("canonical")["diffraction"]) * 1e4)
    arrays = {"diff3d": counts, **{name: base("canonical")[name] for name in ("probeGuess", "xcoords", "ycoords")}}
    finding = finding_of(arrays, "DTYPE-001", contract="ptychopinn/raw-counts")
    assert "every value is whole" in finding.remedy
    arrays["diff3d"] = counts + 0.5
    assert "no cast gives back" in finding_of(arrays, "DTYPE-001", contract="ptychopinn/raw-counts").remedy


def test_without_values_an_undecided_order_is_to_be_looked_at_again(datasets):
    arrays = datasets.canonical(32, 32)
    finding = finding_of(arrays, "FORMAT-002", headers_only=True)
    assert finding.remedy.startswith("Check again without --headers-only")
    arrays["diffraction"] = arrays["diffraction"].astype(np.float64)
    told = finding_of(arrays, "DTYPE-001", headers_only=True).remedy
    assert told.startswith("First check it without --headers-only")


def own(change):
    document = json.loads(json.dumps(load("ptychopinn/canonical").document)) | {"id": "own/changed"}
    del document["declaredBy"]
    change(document)
    return from_document(document)


def hot(arrays, frame=3):
    arrays["diffraction"][frame] *= np.float32(50)


def test_hot_frames_say_nothing_of_other_arrays(base):
    """Neither that their pixels are hot, nor at a frame that the patterns do not have."""
    contract = own(lambda one: one["arrays"]["xcoords"].update(values={"maximum": 60}))
    arrays = base("canonical")
    hot(arrays)
    arrays["xcoords"][3] = 60.5
    (finding,) = [one for one in npzschema.validate(arrays, contract).findings if one.array == "xcoords"]
    assert (finding.code, finding.frames) == ("VALUE-003", (3,))
    assert "hot" not in finding.remedy
    for name in ("xcoords", "ycoords"):
        arrays[name] = np.append(arrays[name], 61.0)
    report = npzschema.validate(arrays, contract)
    assert report.verdict == "violations"
    assert not [one for one in report.findings if one.code.startswith("INTERNAL")]


def test_hot_frames_of_the_patterns_hide_nothing_of_another_stack(base):
    def change(one):
        one["arrays"]["Y"] = {"description": "truth", "dims": ["N", "H", "W"], "dtype": "float32", "required": False}
        one["arrays"]["Y"] |= {"values": {"maximumOverMean": 100}}

    contract = own(change)
    arrays = base("canonical")
    hot(arrays)
    arrays["Y"] = np.full_like(arrays["diffraction"], 0.1)
    arrays["Y"][3, 5, 5] = 90
    assert finding_of(arrays, "NORM-002", contract=contract).array == "Y"
    arrays["Y"] = arrays["Y"][:-2]
    assert not [one for one in npzschema.validate(arrays, contract).findings if one.code.startswith("INTERNAL")]


def test_a_bound_is_compared_with_what_is_told(base):
    """Counts under a bound on amplitudes are told as amplitudes."""

    def change(one):
        one["arrays"]["diffraction"]["values"] = {"minimum": 2}

    arrays = base("canonical")
    arrays["diffraction"] = (np.rint(np.square(arrays["diffraction"]) * 1e4) + 3).astype(np.uint16)
    finding = finding_of(arrays, "VALUE-002", contract=own(change))
    assert finding.message == "diffraction: values go down to 1.732 as amplitudes, the contract says at least 2"


def test_only_what_the_contract_says_of_storage_is_told(base):
    def change(one):
        one["storage"] = {"order": "C"}

    arrays = base("canonical")
    arrays["probeGuess"] = np.asfortranarray(arrays["probeGuess"]).astype(">c8", order="K")
    finding = finding_of(arrays, "FORMAT-003", contract=own(change))
    assert finding.message == "probeGuess: is stored in Fortran order; the contract says C order"
    assert finding_of(arrays, "FORMAT-003").message.endswith("; the contract says C order, little-endian")


def test_names_with_an_and_are_one(base):
    def change(one):
        one["arrays"]["a and b"] = {"description": "two", "dims": ["N"], "dtype": "float64", "required": False}
        one["arrays"]["c"] = {"description": "one", "dims": ["K"], "dtype": "float64", "required": False}
        one["arrays"]["d and e"] = {"description": "other", "dims": ["K"], "dtype": "float64", "required": False}
        one["dimensions"]["K"] = {"description": "K"}

    arrays = base("canonical") | {"c": np.arange(4.0), "d and e": np.arange(5.0)}
    message = finding_of(arrays, "SHAPE-002", contract=own(change)).message
    assert message in ("c: says K = 4; d and e says K = 5", "d and e: says K = 5; c says K = 4")


def test_no_command_names_a_contract_that_was_never_a_file(base, datasets, tmp_path):
    path = tmp_path / "in.npz"
    path.write_bytes(datasets.saved(base("legacy_hwn")))
    finding = finding_of(path, "FORMAT-001", contract=own(lambda one: None))
    assert finding.remedy == rules()["FORMAT-001"].mend


def test_damaged_metadata_is_told_once(base, datasets):
    arrays = {**base("canonical"), "_metadata": np.array('{"schema_version": "1.0"}')}
    held = io.BytesIO()
    np.savez(held, **arrays)
    raw = bytearray(held.getvalue())
    raw[raw.find('{"schema'.encode("utf-32-le")) + 8] ^= 1
    assert told(npzschema.validate(bytes(raw))) == ["FILE-003"]
    document = json.loads(json.dumps(load("ptychopinn/canonical").document)) | {"id": "own/described"}
    del document["declaredBy"]
    document["metadata"]["required"] = True
    held = io.BytesIO(datasets.saved(base("canonical")))
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("_metadata.npy", b"\x93NUMPY\x09\x00xx")
    assert told(npzschema.validate(held.getvalue(), from_document(document))) == ["FILE-010"]


def test_metadata_that_is_too_large_is_told_so(base, datasets, tmp_path):
    path = tmp_path / "in.npz"
    path.write_bytes(datasets.saved({**base("canonical"), "_metadata": np.array('{"a": "' + "x" * 1_200_000 + '"}')}))
    assert "too large" in finding_of(path, "META-001").message


def test_one_position_and_several_frames_are_counted_in_words():
    from npzschema.validator.words import plural

    assert (plural(1, "position"), plural(2_000, "frame"), plural(1, "axis", "axes"), plural(3, "axis", "axes")) == (
        "1 position",
        "2,000 frames",
        "1 axis",
        "3 axes",
    )
