"""PHYS-001 to PHYS-004 and the quantity of patterns, through ``validate``: codes, levels, mends, and silence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from npzschema import validate
from npzschema.validator import evidence
from npzschema.validator.forward import turned

SIDE = 32


def physical(report):
    return [(one.code, one.level) for one in report.findings if one.code.startswith("PHYS")]


def finding_of(report, code):
    (found,) = [one for one in report.findings if one.code == code]
    return found


@pytest.fixture(scope="module")
def right(datasets):
    """48 frames in the middle of an object with room around them."""
    return datasets.canonical(48, SIDE, 180, 188)


def expected_intensities(a, lens=0.0, probes=None):
    """Noiseless far-field intensities; with a lens, an extra quadratic phase on the exit wave."""
    r, c = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    bent = np.exp(1j * lens * (r * r + c * c))
    frames = []
    for column, row in zip(np.rint(a["xcoords"]).astype(int), np.rint(a["ycoords"]).astype(int), strict=True):
        half = SIDE // 2
        patch = a["objectGuess"][row - half : row + half, column - half : column + half]
        modes = a["probeGuess"][None] if probes is None else probes
        far = np.fft.fftshift(np.fft.fft2(modes * patch * bent, norm="ortho"), axes=(1, 2))
        frames.append((np.abs(far) ** 2).sum(axis=0))
    frames = np.array(frames)
    return frames / frames.max()


def placed(a, x, y):
    return {**{k: v for k, v in a.items() if not k.endswith("_start")}, "xcoords": x, "ycoords": y}


def shown(a, turn):
    return {**a, "diffraction": np.ascontiguousarray(turn(a["diffraction"]))}


def height(a):
    return a["objectGuess"].shape[0]


def width(a):
    return a["objectGuess"].shape[1]


FAULTS = [
    ("swap", lambda a: placed(a, a["ycoords"], a["xcoords"]), "PHYS-002", "xcoords"),
    ("flip x", lambda a: placed(a, width(a) - a["xcoords"], a["ycoords"]), "PHYS-002", "xcoords"),
    ("flip y", lambda a: placed(a, a["xcoords"], height(a) - a["ycoords"]), "PHYS-002", "xcoords"),
    ("flip both", lambda a: placed(a, width(a) - a["xcoords"], height(a) - a["ycoords"]), "PHYS-002", "xcoords"),
    ("flip and swap", lambda a: placed(a, height(a) - a["ycoords"], a["xcoords"]), "PHYS-002", "xcoords"),
    ("corner", lambda a: placed(a, a["xcoords"] - SIDE / 2, a["ycoords"] - SIDE / 2), "PHYS-002", "xcoords"),
    ("half", lambda a: placed(a, a["xcoords"] / 2, a["ycoords"] / 2), "PHYS-002", "xcoords"),
    (
        "double about the middle",
        lambda a: placed(a, 2 * a["xcoords"] - width(a) / 2, 2 * a["ycoords"] - height(a) / 2),
        "PHYS-002",
        "xcoords",
    ),
    ("shift", lambda a: placed(a, a["xcoords"] + 3, a["ycoords"] - 4), "PHYS-002", "xcoords"),
    ("roll", lambda a: placed(a, np.roll(a["xcoords"], 3), np.roll(a["ycoords"], 3)), "PHYS-001", "xcoords"),
    ("roll back", lambda a: placed(a, np.roll(a["xcoords"], -1), np.roll(a["ycoords"], -1)), "PHYS-001", "xcoords"),
    ("far roll", lambda a: placed(a, np.roll(a["xcoords"], 17), np.roll(a["ycoords"], 17)), "PHYS-001", "xcoords"),
    ("backwards", lambda a: placed(a, a["xcoords"][::-1], a["ycoords"][::-1]), "PHYS-001", "xcoords"),
    (
        "half about the middle of the scan",
        lambda a: placed(a, *((a[k] + (a[k].min() + a[k].max()) / 2) / 2 for k in ("xcoords", "ycoords"))),
        "PHYS-002",
        "xcoords",
    ),
    ("flip x of pixels", lambda a: placed(a, width(a) - 1 - a["xcoords"], a["ycoords"]), "PHYS-002", "xcoords"),
    ("zero off the centre", lambda a: shown(a, lambda d: np.roll(d, (7, -6), axis=(1, 2))), "PHYS-003", "diffraction"),
    ("zero in the corner", lambda a: shown(a, lambda d: np.fft.ifftshift(d, axes=(1, 2))), "PHYS-003", "diffraction"),
    ("transposed", lambda a: shown(a, lambda d: d.transpose(0, 2, 1)), "PHYS-004", "diffraction"),
    ("columns reversed", lambda a: shown(a, lambda d: d[:, :, ::-1]), "PHYS-004", "diffraction"),
    ("rows reversed", lambda a: shown(a, lambda d: d[:, ::-1]), "PHYS-004", "diffraction"),
    ("turned", lambda a: shown(a, lambda d: np.rot90(d, axes=(1, 2))), "PHYS-004", "diffraction"),
]


def test_the_right_file_has_nothing(right):
    report = validate(right)
    assert report.ok
    assert physical(report) == []


@pytest.mark.parametrize(("fault", "code", "array"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_a_fault_gives_its_code_and_no_other(right, fault, code, array):
    report = validate(fault(right))
    assert report.codes == {code}
    assert physical(report) == [(code, "error")]
    found = finding_of(report, code)
    assert found.array == array
    assert "sigma" in found.evidence
    assert "null" in found.evidence
    assert found.fix["array"] == array
    assert found.pointer == "/scan/forwardModel"
    json.dumps(found.fix)


@pytest.mark.parametrize(("fault", "code"), [pytest.param(*row[1:3], id=row[0]) for row in FAULTS])
def test_the_mend_as_data_mends(right, fault, code):
    wrong = fault(right)
    fix = finding_of(validate(wrong), code).fix
    if fix["step"] == "positions":
        v, x, y = fix["values"], wrong["xcoords"], wrong["ycoords"]
        mended = placed(wrong, v["xx"] * x + v["xy"] * y + v["x0"], v["yx"] * x + v["yy"] * y + v["y0"])
    elif fix["step"] == "pairing":
        step, sign = fix["values"]["step"], 1 if fix["reading"] == "roll" else -1
        order = (sign * np.arange(len(wrong["xcoords"])) + step) % len(wrong["xcoords"])
        mended = placed(wrong, wrong["xcoords"][order], wrong["ycoords"][order])
    elif fix["step"] == "centre" and fix["reading"] == "offset":
        by = fix["values"]["roll_rows"], fix["values"]["roll_columns"]
        mended = shown(wrong, lambda d: np.roll(d, by, axis=(1, 2)))
    elif fix["step"] == "centre":
        mended = shown(wrong, lambda d: np.fft.fftshift(d, axes=(1, 2)))
    else:
        assert fix["step"] == "detector"
        mended = shown(wrong, lambda d: turned(d, fix["reading"], **fix["values"]))
    assert validate(mended).codes == set()


def test_a_zero_frequency_a_few_pixels_off_is_a_warning_with_its_mend(right):
    """A phase ramp on probe or object looks the same."""
    report = validate(shown(right, lambda d: np.roll(d, (0, 3), axis=(1, 2))))
    assert physical(report) == [("PHYS-003", "warning")]
    (found,) = [one for one in report.findings if one.code == "PHYS-003"]
    assert found.fix["values"] == {"roll_rows": 0, "roll_columns": -3}


def test_another_reading_ahead_in_too_few_frames_is_undecided(right):
    few = {k: v[::4] if v.shape[:1] == (48,) else v for k, v in right.items()}
    report = validate(placed(few, few["ycoords"], few["xcoords"]))
    assert [code for code, _ in physical(report)] in (["PHYS-002"], ["PHYS-001"])
    if physical(report) == [("PHYS-002", "warning")]:
        (found,) = [one for one in report.findings if one.code == "PHYS-002"]
        assert "undecided" in found.message
        assert found.fix is None


@pytest.mark.parametrize("change", [np.transpose, np.fliplr, np.flipud], ids=lambda one: one.__name__)
def test_a_wrong_object_is_no_error_with_a_mend_that_writes_garbage(right, change):
    """No reading of positions or detector mends it: one that resembles the patterns is not to be believed."""
    report = validate({**right, "objectGuess": np.ascontiguousarray(change(right["objectGuess"]))})
    assert report.codes == set()
    assert physical(report) == [("PHYS-001", "warning")]


def test_dead_pixels_are_masked(right):
    gap = right["diffraction"].copy()
    gap[:, SIDE // 2 - 6 : SIDE // 2 - 4] = np.nan
    report = validate({**right, "diffraction": gap})
    assert report.codes == {"VALUE-001"}
    assert any("over 48 frames" in note for note in report.notes)
    swapped = validate({**placed(right, right["ycoords"], right["xcoords"]), "diffraction": gap})
    assert swapped.codes == {"VALUE-001", "PHYS-002"}


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_positions_are_a_warning(right, seed):
    order = np.random.default_rng(seed).permutation(48)
    report = validate(placed(right, right["xcoords"][order], right["ycoords"][order]))
    assert report.ok
    assert physical(report) == [("PHYS-001", "warning")]
    assert finding_of(report, "PHYS-001").fix is None


@pytest.mark.parametrize("form", ["file", "compressed", "legacy"])
def test_in_files_and_in_the_legacy_order(right, datasets, tmp_path, form):
    wrong = placed(right, right["ycoords"], right["xcoords"])
    if form == "legacy":
        wrong["diffraction"] = np.ascontiguousarray(wrong["diffraction"].transpose(1, 2, 0))
    path = tmp_path / "wrong.npz"
    path.write_bytes(datasets.saved(wrong, compressed=form != "file"))
    assert validate(path).codes == {"PHYS-002"} | ({"FORMAT-001"} if form == "legacy" else set())
    assert physical(validate(path, headers_only=True)) == []


def test_counts_too(datasets):
    made = datasets.counts(48, SIDE, 180, 188)
    wrong = {**made, "xcoords": made["ycoords"], "ycoords": made["xcoords"]}
    for contract in ("ptychopinn/raw-counts", "ptychopinn/raw-npz", "ptychopinn/canonical"):
        before = validate(made, contract)
        assert physical(before) == []
        after = validate(wrong, contract)
        assert after.codes == before.codes | {"PHYS-002"}


def test_without_an_object_raw_counts_are_not_asked(datasets):
    made = datasets.counts()
    del made["objectGuess"]
    report = validate(made, "ptychopinn/raw-counts")
    assert report.ok
    assert physical(report) == []


# Frames left out


@pytest.mark.parametrize("name", ["right", "swap"])
def test_frames_that_say_nothing_are_left_out(right, name):
    arrays = placed(right, right["ycoords"], right["xcoords"]) if name == "swap" else dict(right)
    held = arrays["diffraction"].copy()
    held[[2, 17], 3, 4] = np.nan
    held[30, 0, 0] = np.inf
    held[[5, 40]] = 0
    held[8] = -held[8] - 1e-6
    report = validate({**arrays, "diffraction": held})
    assert report.codes == {"VALUE-001", "VALUE-002"} | ({"PHYS-002"} if name == "swap" else set())
    assert name == "swap" or any("over 45 frames" in note for note in report.notes)


@pytest.mark.parametrize("n", range(1, 21))
def test_few_frames(datasets, n):
    report = validate(datasets.canonical(n))
    assert [one for one in physical(report) if one[1] == "error"] == []
    asked = not any("fewer than 8 frames" in note for note in report.notes)
    assert asked == (n >= 8)


@pytest.mark.parametrize("value", [1e300, -1e18, 1e10])
def test_absurd_positions_crash_nothing(right, value):
    x = right["xcoords"].copy()
    x[[3, 4]] = value
    report = validate(placed(right, x, right["ycoords"]))
    assert report.codes == {"SCAN-001"}


# Modes


def modes_of(probe):
    c = np.arange(SIDE)
    return np.array(
        [probe, 0.7 * probe * np.exp(2j * np.pi * c / 5), 0.5 * probe * np.exp(2j * np.pi * c / 4)[:, None]]
    )


@pytest.mark.parametrize("form", ["first", "last"])
def test_incoherent_modes(right, datasets, form):
    modes = modes_of(right["probeGuess"]).astype(np.complex64)
    rng = np.random.default_rng(0)
    counts = rng.poisson(2000 * expected_intensities(right, probes=modes)).astype(np.float32)
    arrays = {
        "diff3d": counts,
        "probeGuess": modes,
        **{key: right[key] for key in ("objectGuess", "xcoords", "ycoords")},
        "_metadata": np.array(json.dumps(datasets.PAIR)),
    }
    if form == "last":
        one = expected_intensities(right)
        arrays["probeGuess"] = right["probeGuess"][:, :, None]
        arrays["diff3d"] = rng.poisson(2000 * one).astype(np.float32)
    report = validate(arrays)
    assert report.contract == "ptychopinn/ci-intensity-v2"
    assert report.ok
    assert physical(report) == []
    assert any("positions as stated correlate 0.9" in note for note in report.notes)
    swapped = validate({**arrays, "xcoords": arrays["ycoords"], "ycoords": arrays["xcoords"]})
    assert swapped.codes == {"PHYS-002"}


# Amplitudes or intensities


def near(a, seed=0, spread=0.02):
    """A factor near 1 for each pixel: what is left lies on no lattice."""
    return 1 + spread * np.random.default_rng(seed).normal(size=a.shape)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_intensities_without_a_lattice_are_told_by_the_model(right, seed, scale):
    exact = expected_intensities(right)
    report = validate({**right, "diffraction": (scale * exact * near(exact, seed)).astype(np.float32)})
    assert report.codes == {"NORM-001"}
    found = finding_of(report, "NORM-001")
    assert "predicted patterns fit as amplitudes with a residual of" in found.evidence
    assert "mixed" not in found.evidence
    assert report.arrays["diffraction"].quantity == "intensity"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_amplitudes_without_a_lattice_are_right(right, seed, scale):
    exact = np.sqrt(expected_intensities(right))
    report = validate({**right, "diffraction": (scale * exact * near(exact, seed)).astype(np.float32)})
    assert report.ok
    assert report.arrays["diffraction"].quantity == "amplitude"


STUCK = (np.array([3, 20, 20, 28]), np.array([4, 3, 21, 9]))


@pytest.mark.parametrize("times", [2, 4, 9])
@pytest.mark.parametrize("holds", ["amplitude", "intensity"])
def test_stuck_pixels_do_not_decide_what_all_others_hold(right, times, holds):
    """They hold more than all others, in every frame, and are predicted by nothing."""
    exact = np.sqrt(expected_intensities(right)) if holds == "amplitude" else expected_intensities(right)
    frames = exact * near(exact)
    frames[:, STUCK[0], STUCK[1]] = times * frames.max() * 1.0137
    report = validate({**right, "diffraction": frames.astype(np.float32)})
    assert report.arrays["diffraction"].quantity == holds
    assert ("NORM-001" in report.codes) == (holds == "intensity")


@pytest.mark.parametrize("fits", [(0.9, 0.55), (0.55, 0.9)])
def test_of_two_quantities_that_hardly_fit_neither_is_told(right, monkeypatch, fits):
    monkeypatch.setattr(evidence, "residuals", lambda *_, **__: fits)
    exact = np.sqrt(expected_intensities(right))
    report = validate({**right, "diffraction": (exact * near(exact)).astype(np.float32)})
    assert report.ok
    assert "residual {:.2f} as amplitudes, {:.2f} as intensities".format(*fits) in report.notes[-1]


# A beam that is not the same for each frame


def fluctuating(frames, how, seed=0):
    n = len(frames)
    rng = np.random.default_rng(seed)
    gain = {
        "5 %": 1 + 0.05 * rng.normal(size=n),
        "20 %": np.abs(1 + 0.2 * rng.normal(size=n)),
        "decays": np.linspace(1, 0.6, n),
        "top-up": 1 - 0.1 * (np.arange(n) % 16) / 16,
    }[how]
    return (frames * gain[:, None, None]).astype(np.float32)


@pytest.mark.parametrize("how", ["5 %", "20 %", "decays", "top-up"])
def test_a_beam_that_changes_is_allowed_for(right, how):
    """Where the object hardly absorbs, all frames should hold the same."""
    weak = {**right, "objectGuess": np.exp(0.3j * np.angle(right["objectGuess"])).astype(np.complex64)}
    frames = np.sqrt(np.random.default_rng(1).poisson(1e6 * expected_intensities(weak)) / 1e6)
    changing = {**weak, "diffraction": fluctuating(frames, how)}
    report = validate(changing)
    assert report.ok
    assert physical(report) == []
    assert "compared at one energy" in report.notes[-1]
    swapped = validate(placed(changing, changing["ycoords"], changing["xcoords"]))
    assert swapped.codes == {"PHYS-002"}
    rolled = validate(shown(changing, lambda a: np.fft.fftshift(a, axes=(1, 2))))
    assert rolled.codes == {"PHYS-003"}
    steady = validate({**weak, "diffraction": frames.astype(np.float32)})
    assert physical(steady) == []
    assert "one energy" not in steady.notes[-1]


def test_amplitudes_where_intensities_are_meant(right, datasets):
    exact = np.sqrt(expected_intensities(right))
    arrays = {
        "diff3d": (40 * exact * near(exact)).astype(np.float32),
        **{key: right[key] for key in ("probeGuess", "objectGuess", "xcoords", "ycoords")},
        "_metadata": np.array(json.dumps(datasets.PAIR)),
    }
    assert validate(arrays).codes == {"NORM-001"}


def test_evidence_that_disagrees_condemns_no_floats(right):
    # Amplitudes, rounded to whole steps: the lattice says counts, the model amplitudes.
    rounded = np.rint(200 * np.sqrt(expected_intensities(right))).astype(np.float32) / 25
    report = validate({**right, "diffraction": rounded})
    assert report.codes == set()
    assert physical(report) == []


def test_evidence_that_disagrees_is_told_where_the_dtype_decides(right):
    rounded = np.rint(2000 * np.sqrt(expected_intensities(right))).astype(np.uint16)
    report = validate({**right, "diffraction": rounded})
    assert "NORM-001" in report.codes
    assert not [code for code in report.codes if code.startswith("PHYS")]
    found = finding_of(report, "NORM-001")
    assert "cannot hold square roots" in found.evidence
    assert "the evidence is mixed" in found.evidence


# Where the model does not hold


# Beyond pi / 32 the phase would turn by more than half a circle from pixel to pixel.
@pytest.mark.parametrize("lens", [0.02, 0.05, 0.09])
@pytest.mark.parametrize("fault", ["none", "swap"])
def test_near_field_data_are_no_error(right, lens, fault):
    exact = expected_intensities(right, lens=lens)
    arrays = {**right, "diffraction": np.sqrt(exact * near(exact) ** 2).astype(np.float32)}
    if fault == "none":
        assert validate(arrays).codes == set()
    else:
        codes = validate(placed(arrays, arrays["ycoords"], arrays["xcoords"])).codes
        assert codes <= {"PHYS-002"}


@pytest.mark.parametrize("seed", range(4))
def test_a_probe_or_an_object_of_another_experiment_is_a_warning(right, datasets, seed):
    other = datasets.object_of(180, 188, seed=100 + seed)
    report = validate({**right, "objectGuess": other})
    assert report.codes == set()
    assert physical(report) == [("PHYS-001", "warning")]
