"""Cubes: what decides their axes, what the report says about it, and that nothing is decided without evidence."""

# ruff: noqa: ARG005 - the changes in the tables share one signature

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from npzschema import validate
from npzschema.contracts import from_document, load
from npzschema.validator.prepared import Parts


def coded(report, code):
    return [one for one in report.findings if one.code == code]


def axes_of(report):
    return report.arrays["diffraction"].axes


def last(array):
    """(N, H, W) as (H, W, N)."""
    return np.ascontiguousarray(array.transpose(1, 2, 0))


@pytest.fixture(scope="module", params=[32, 48, 64])
def cube(request, datasets):
    side = request.param
    return datasets.canonical(side, side, 2 * side + 20, 2 * side + 31)


def legacy(cube):
    return {**cube, "diffraction": last(cube["diffraction"])}


def correlations(text):
    return tuple(float(one) for one in re.findall(r"(-?\d\.\d\d) \(-?\d+ sigma\)", text))


# By the forward model


def test_a_canonical_cube_is_valid(cube):
    report = validate(cube)
    assert report.ok
    assert not coded(report, "FORMAT-001") + coded(report, "FORMAT-002")
    assert axes_of(report) == ("N", "H", "W")


def test_a_legacy_cube_is_told_with_both_correlations(cube):
    report = validate(legacy(cube))
    assert report.codes == {"FORMAT-001"}
    assert not coded(report, "FORMAT-002")
    assert axes_of(report) == ("H", "W", "N")
    (finding,) = coded(report, "FORMAT-001")
    assert "(H, W, N)" in finding.evidence
    assert "(N, H, W)" in finding.evidence
    right, *wrong = correlations(finding.evidence)
    assert right > 0.5
    assert len(wrong) == 2
    assert max(wrong) < 0.3
    assert finding.fix["axes"] == [2, 0, 1]


def test_a_cube_with_the_scan_axis_in_the_middle_is_told(cube):
    """No contract declares that order, and sizes never tell; probe, object and positions do."""
    report = validate(cube | {"diffraction": np.moveaxis(cube["diffraction"], 0, 1).copy()})
    assert report.codes == {"FORMAT-001"}
    (finding,) = coded(report, "FORMAT-001")
    assert finding.found == "(H, N, W)"
    assert finding.fix["axes"] == [1, 0, 2]


def test_a_file_says_the_same_as_arrays_in_memory(cube, datasets, tmp_path):
    for name, arrays in (("canonical", cube), ("legacy", legacy(cube))):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(datasets.saved(arrays))
        on_disk, in_memory = validate(path), validate(arrays)
        assert [(one.code, one.evidence) for one in on_disk.findings] == [
            (one.code, one.evidence) for one in in_memory.findings
        ]
        assert on_disk.notes == in_memory.notes


def test_fortran_order_does_not_matter(cube):
    for arrays, codes in ((cube, set()), (legacy(cube), {"FORMAT-001"})):
        stored = {**arrays, "diffraction": np.asfortranarray(arrays["diffraction"])}
        assert validate(stored).codes == codes


def test_headers_alone_decide_no_cube(cube):
    for arrays in (cube, legacy(cube)):
        report = validate(arrays, headers_only=True)
        assert report.ok
        assert [one.level for one in coded(report, "FORMAT-002")] == ["warning"]
        assert axes_of(report) is None
        assert not [note for note in report.notes if "forward model: positions" in note]


def test_the_caller_may_know_better(cube):
    report = validate(legacy(cube), axes={"diffraction": ("H", "W", "N")})
    assert report.codes == {"FORMAT-001"}


def test_both_names_of_the_patterns_are_decided_alike(cube):
    report = validate({**cube, "diff3d": cube["diffraction"].copy()})
    assert report.ok
    assert not coded(report, "FORMAT-002")


def test_counts_in_a_cube(datasets):
    made = datasets.counts(32, 32)
    assert validate(made, "ptychopinn/raw-counts").codes == set()
    report = validate({**made, "diff3d": last(made["diff3d"])}, "ptychopinn/raw-counts")
    assert report.codes == {"FORMAT-001"}
    assert correlations(coded(report, "FORMAT-001")[0].evidence)[0] > 0.5


def test_a_fault_of_the_positions_beside_the_order_of_axes(datasets):
    made = datasets.canonical(32, 32)
    swapped = {**made, "xcoords": made["ycoords"], "ycoords": made["xcoords"]}
    assert validate(swapped).codes == {"PHYS-002"}
    assert validate(legacy(swapped)).codes == {"FORMAT-001", "PHYS-002"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.25, 0.5, 0.625])
def test_frames_that_are_not_finite_leave_the_others_to_tell(datasets, share, seed):
    """In the other order every slice has as many pixels that are not finite, and none of them can be compared."""
    made = datasets.canonical(32, 32)
    lost = np.random.default_rng(seed).permutation(32)[: int(32 * share)]
    made["diffraction"][lost] = np.nan
    for arrays, codes in ((made, {"VALUE-001"}), (legacy(made), {"VALUE-001", "FORMAT-001"})):
        report = validate(arrays)
        assert report.codes == codes
        note = next(one for one in report.notes if one.startswith("diffraction: "))
        assert correlations(note)[0] > 0.5
        assert (share > 0.5) <= ("cannot be compared: fewer than 8 frames are usable" in note)


# By slices

SILENCED = {
    "placeholder probe": lambda a: {**a, "probeGuess": np.ones_like(a["probeGuess"])},
    "placeholder object": lambda a: {**a, "objectGuess": np.ones_like(a["objectGuess"])},
    "no object": lambda a: {key: value for key, value in a.items() if key != "objectGuess"},
    "zero object": lambda a: {**a, "objectGuess": np.zeros_like(a["objectGuess"])},
}


@pytest.mark.parametrize("silence", SILENCED)
def test_without_the_model_slices_decide_or_nothing_does(cube, silence):
    expected = {"KEY-001"} if silence == "no object" else set()
    for arrays, axes in ((cube, ("N", "H", "W")), (legacy(cube), ("H", "W", "N"))):
        report = validate(SILENCED[silence](arrays))
        undecided = coded(report, "FORMAT-002")
        if undecided:
            assert {one.level for one in undecided} == {"warning"}
            assert report.codes == expected
            assert axes_of(report) is None
            continue
        assert axes_of(report) == axes
        assert report.codes == expected | ({"FORMAT-001"} if axes[0] == "H" else set())
        for one in coded(report, "FORMAT-001"):
            assert "slices along axis 2 resemble each other" in one.evidence
            assert "correlate" not in one.evidence
        assert any(note.startswith("forward model not asked") for note in report.notes)


def test_slices_do_decide_where_they_separate(datasets):
    made = SILENCED["placeholder object"](datasets.canonical(64, 64, 140, 150))
    assert not coded(validate(made), "FORMAT-002")
    (finding,) = coded(validate(legacy(made)), "FORMAT-001")
    assert "energies vary" in finding.evidence


@pytest.mark.parametrize("drift", [0.1, 0.4])
@pytest.mark.parametrize("contrast", [0.1, 0.4])
def test_a_lit_detector_under_a_beam_that_drifts_stays_undecided(datasets, drift, contrast):
    """As in near-field data: rows of the detector resemble each other, as each of them shows the drift."""
    made = SILENCED["placeholder object"](SILENCED["placeholder probe"](datasets.canonical(32, 32)))
    rng = np.random.default_rng(7)
    wide = np.fft.fftfreq(32)[:, None] ** 2 + np.fft.fftfreq(32)[None, :] ** 2
    speckle = np.fft.ifft2(np.fft.fft2(rng.normal(size=(32, 32, 32))) * np.exp(-60 * wide)).real
    beam = 1 + drift * np.linspace(-1, 1, 32)[:, None, None]
    frames = (beam * (1 + contrast * speckle / speckle.std())).clip(0).astype(np.float32)
    for arrays in ({**made, "diffraction": frames}, legacy({**made, "diffraction": frames})):
        report = validate(arrays)
        assert coded(report, "FORMAT-002")
        assert not coded(report, "FORMAT-001")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("draw", ["uniform", "poisson", "exponential"])
def test_frames_of_noise_stay_undecided(datasets, draw, seed):
    made = datasets.canonical(32, 32)
    rng = np.random.default_rng(seed)
    frames = {
        "uniform": lambda: rng.uniform(0, 1, (32, 32, 32)),
        "poisson": lambda: np.sqrt(rng.poisson(3, (32, 32, 32))),
        "exponential": lambda: rng.exponential(0.1, (32, 32, 32)),
    }[draw]()
    for arrays in (made, SILENCED["placeholder object"](made)):
        report = validate({**arrays, "diffraction": frames.astype(np.float32)})
        assert report.codes == set()
        assert [one.level for one in coded(report, "FORMAT-002")] == ["warning"]
        assert axes_of(report) is None


@pytest.mark.parametrize("seed", range(6))
def test_shuffled_positions_never_make_the_axes_wrong(datasets, seed):
    made = datasets.canonical(32, 32)
    order = np.random.default_rng(seed).permutation(32)
    broken = {**made, "xcoords": made["xcoords"][order], "ycoords": made["ycoords"][order]}
    assert axes_of(validate(broken)) in {None, ("N", "H", "W")}
    assert axes_of(validate(legacy(broken))) in {None, ("H", "W", "N")}


@pytest.mark.parametrize("n", range(1, 8))
def test_tiny_cubes_are_undecided(datasets, n):
    made = datasets.canonical(n, n)
    report = validate(made)
    assert not [code for code in report.codes if code.startswith(("PHYS", "FORMAT"))]
    assert axes_of(report) is None
    assert coded(report, "FORMAT-002")


# What the notes say


def note_of(arrays, contract="auto"):
    report = validate(arrays, contract)
    notes = [note for note in report.notes if note.startswith("forward model")]
    assert len(notes) == 1, report.notes
    return notes[0]


def with_nan(array):
    array = array.copy()
    array.flat[3] = np.nan
    return array


SILENT = [
    (
        "placeholder probe",
        lambda d, a: {**a, "probeGuess": np.full_like(a["probeGuess"], 2)},
        "probeGuess is a placeholder",
    ),
    (
        "placeholder object",
        lambda d, a: {**a, "objectGuess": np.ones_like(a["objectGuess"])},
        "objectGuess is a placeholder",
    ),
    ("no phase", lambda d, a: {**a, "probeGuess": np.abs(a["probeGuess"])}, "probeGuess has no phase"),
    (
        "no phase of the object",
        lambda d, a: {**a, "objectGuess": a["objectGuess"].real.copy()},
        "objectGuess has no phase",
    ),
    ("NaN in the probe", lambda d, a: {**a, "probeGuess": with_nan(a["probeGuess"])}, "probeGuess is not finite"),
    ("NaN in the object", lambda d, a: {**a, "objectGuess": with_nan(a["objectGuess"])}, "objectGuess is not finite"),
    ("NaN in a position", lambda d, a: {**a, "ycoords": with_nan(a["ycoords"])}, "ycoords is not finite"),
    ("few frames", lambda d, a: d.canonical(7), "fewer than 8 frames"),
    ("metres", lambda d, a: {**a, "xcoords": a["xcoords"] * 1e-8, "ycoords": a["ycoords"] * 1e-8}, "not in pixels"),
    ("small probe", lambda d, a: {**a, "probeGuess": a["probeGuess"][4:-4, 4:-4]}, "probeGuess is of another size"),
    ("no probe", lambda d, a: {k: v for k, v in a.items() if k != "probeGuess"}, "there is no probeGuess"),
    ("no positions", lambda d, a: {k: v for k, v in a.items() if k != "xcoords"}, "there is no xcoords"),
    ("few positions", lambda d, a: {**a, "xcoords": a["xcoords"][:-2]}, "fewer positions than there are frames"),
    ("no patterns", lambda d, a: {k: v for k, v in a.items() if k != "diffraction"}, "there is no diffraction"),
    ("blank", lambda d, a: {**a, "diffraction": np.zeros_like(a["diffraction"])}, "fewer than 8 frames are usable"),
]


@pytest.mark.parametrize(("change", "why"), [pytest.param(*row[1:], id=row[0]) for row in SILENT])
def test_the_report_says_why_the_model_was_not_asked(datasets, change, why):
    arrays = change(datasets, datasets.canonical())
    note = note_of(arrays)
    assert note.startswith("forward model not asked: ")
    assert why in note
    assert not [one for one in validate(arrays).findings if one.code.startswith("PHYS")]


def changed(**arrays):
    """The canonical contract with other axes."""
    document = json.loads(json.dumps(load("ptychopinn/canonical").document)) | {"id": "own/changed"}
    del document["declaredBy"], document["relations"]
    document["dimensions"]["P"] = {"description": "pixels"}
    for name, dims in arrays.items():
        document["arrays"][name] |= {"dims": dims, "legacy": []}
    if "objectGuess" in arrays:
        del document["dimensions"]["HO"]["minimum"], document["dimensions"]["WO"]
    return from_document(document)


@pytest.mark.parametrize(
    ("contract", "change", "why"),
    [
        (
            changed(objectGuess=["HO"]),
            lambda a: {**a, "objectGuess": a["objectGuess"][:, 0]},
            "objectGuess has no rows",
        ),
        (changed(probeGuess=["H"]), lambda a: {**a, "probeGuess": a["probeGuess"][:, 0]}, "probeGuess has no rows"),
        (changed(diffraction=[["N", "P"], ["N", "H", "W"]]), dict, "the patterns have other axes than (N, P)"),
        (
            changed(diffraction=[["N", "P"], ["N", "H", "W"]]),
            lambda a: {**a, "diffraction": a["diffraction"].reshape(len(a["diffraction"]), -1)},
            "the patterns cannot be sampled",
        ),
    ],
)
def test_contracts_for_other_data_leave_the_model_silent(datasets, contract, change, why):
    report = validate(change(datasets.canonical()), contract)
    assert report.ok
    assert f"forward model not asked: {why}" in report.notes[-1]


def test_an_undecided_order_of_axes_says_what_was_asked(datasets):
    """The model was asked for every order, and slices were; the finding has the figures of all."""
    made = datasets.canonical(32, 32)
    made["diffraction"] = np.random.default_rng(0).uniform(0, 1, (32, 32, 32)).astype(np.float32)
    (finding,) = coded(validate(made), "FORMAT-002")
    model, slices = finding.evidence.split("; ")
    assert "(N, H, W)" in model
    assert "(H, W, N)" in model
    assert model.endswith("not sure enough")
    assert max(map(abs, correlations(model))) < 0.2
    assert "(H, N, W)" in model
    assert len(correlations(model)) == 3
    assert "slices tell nothing" in slices
    assert note_of(made) == f"forward model: the axis order of the patterns is undecided; {model}"


def test_headers_alone_ask_nothing(cube):
    (finding,) = coded(validate(cube, headers_only=True), "FORMAT-002")
    assert finding.message.endswith("nothing in the sizes decides which")
    assert not finding.evidence


def test_the_report_says_what_the_model_answered(datasets):
    note = note_of(datasets.canonical())
    assert "positions as stated correlate 0." in note
    assert "over 20 frames" in note
    assert "other readings" in note
    assert "residual" in note


def test_a_surplus_of_positions_does_not_silence_the_model(datasets):
    made = datasets.canonical()
    for name in ("xcoords", "ycoords", "xcoords_start", "ycoords_start"):
        made[name] = np.append(made[name], made[name][:3] + 0.5)
    made["scan_index"] = np.arange(23)
    assert "positions as stated correlate" in note_of(made)
    report = validate(made)
    assert not [one for one in report.findings if one.code.startswith("PHYS")]
    (surplus,) = coded(report, "SCAN-004")
    assert "--allow drop" in surplus.remedy


@pytest.mark.parametrize(
    "order",
    [
        lambda n: np.delete(np.arange(n), n // 3),
        lambda n: np.random.default_rng(0).permutation(n)[:-1],
        lambda n: np.roll(np.arange(n), n // 2)[:-1],
    ],
    ids=["one lost", "shuffled", "halves swapped"],
)
def test_positions_that_are_too_many_hide_no_lost_pairing(datasets, order):
    """Nor are they dropped from the end, as if the scan had been stopped."""
    made = datasets.canonical(60)
    for name in ("scan_index", "Y"):
        made.pop(name, None)
    report = validate({**made, "diffraction": made["diffraction"][order(60)]})
    assert coded(report, "PHYS-001")
    (surplus,) = coded(report, "SCAN-004")
    assert surplus.fix is None
    assert "leave out their positions" in surplus.remedy


def test_no_frames_are_too_few(datasets):
    made = datasets.canonical()
    (finding,) = validate({**made, "diffraction": made["diffraction"][:0]}).findings
    assert (finding.code, finding.found) == ("SHAPE-003", "N = 0")


def test_another_cube_beside_legacy_patterns_is_not_guessed(datasets):
    """Sizes do not tell how it lies, and nobody looks at it."""
    made = datasets.canonical(32, 32)
    made["Y"] = (np.arange(32**3).reshape(32, 32, 32) * (1 + 1j)).astype(np.complex64)
    assert validate(made).findings == ()
    report = validate(legacy(made))
    (undecided,) = coded(report, "FORMAT-002")
    assert undecided.array == "Y"
    assert "the patterns lie in (H, W, N), and this array need not" in undecided.evidence
    (turned,) = coded(report, "FORMAT-001")
    assert turned.remedy.startswith("First name the axes of Y (--axes); then ")
    for order in (("N", "H", "W"), ("H", "W", "N")):
        named = validate(legacy(made), axes={"Y": order})
        assert {one.array for one in coded(named, "FORMAT-001")} == (
            {"diffraction", "Y"} if order[0] == "H" else {"diffraction"}
        )
        assert not coded(named, "FORMAT-002")
    # Where sizes tell, nothing is open.
    fewer = {name: array[:20] if len(array) == 32 and name != "probeGuess" else array for name, array in made.items()}
    assert not coded(validate(legacy(fewer)), "FORMAT-002")


def test_contracts_that_read_a_file_alike_are_judged_once(datasets, monkeypatch):
    made = []
    real = Parts.scene
    monkeypatch.setattr(Parts, "scene", lambda parts: made.append(parts) or real(parts))
    arrays = legacy(datasets.canonical())
    arrays |= {f"{name}_start": arrays[name] for name in ("xcoords", "ycoords")}
    assert "ptychopinn/legacy-hwn" in validate(arrays).recognised
    assert len(made) == 1
