"""What only the forward model speaks for: refused without the step's name, and with it mended to what was before."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import npzschema
from npzschema import ValidationError
from npzschema.contracts import Contract, from_document
from npzschema.generator import Experiment, GeneratorError, Output, convert, fixture, simulate

from .making import command

STEP = {"PHYS-001": "pairing", "PHYS-002": "positions", "PHYS-003": "centre", "PHYS-004": "detector"}

FAULTS = {
    "rolled": ("PHYS-001", lambda a: a | {name: np.roll(a[name], 2) for name in ("xcoords", "ycoords")}),
    "swapped": ("PHYS-002", lambda a: a | {"xcoords": a["ycoords"], "ycoords": a["xcoords"]}),
    "flipped": ("PHYS-002", lambda a: a | {"xcoords": a["objectGuess"].shape[1] - a["xcoords"]}),
    "corner": ("PHYS-002", lambda a: a | {name: a[name] - 16 for name in ("xcoords", "ycoords")}),
    "unshifted": ("PHYS-003", lambda a: a | {"diffraction": np.fft.ifftshift(a["diffraction"], axes=(1, 2))}),
    "transposed": (
        "PHYS-004",
        lambda a: a | {"diffraction": np.ascontiguousarray(a["diffraction"].transpose(0, 2, 1))},
    ),
    "reversed": ("PHYS-004", lambda a: a | {"diffraction": np.ascontiguousarray(a["diffraction"][:, :, ::-1])}),
}


TWO_FAULTS = {
    "unshifted and reversed": ("unshifted", "reversed", ["centre", "detector"]),
    "unshifted and transposed": ("unshifted", "transposed", ["centre", "detector"]),
    "swapped and reversed": ("swapped", "reversed", ["positions", "detector"]),
    "swapped and unshifted": ("swapped", "unshifted", ["positions", "centre"]),
    "flipped and reversed": ("flipped", "reversed", ["positions", "detector"]),
    "corner and unshifted": ("corner", "unshifted", ["positions", "centre"]),
}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("right") / "right.npz"
    simulate(path, Experiment(positions=60, size=32, object="siemens", scan="fermat", object_shape=(96, 90), seed=3))
    with np.load(path) as data:
        return dict(data)


@pytest.mark.parametrize("fault", FAULTS)
def test_refused_without_its_name_and_mended_with_it(right: dict[str, np.ndarray], fault: str, tmp_path: Path) -> None:
    code, inject = FAULTS[fault]
    source, target = tmp_path / "wrong.npz", tmp_path / "mended.npz"
    np.savez(source, **inject(right))
    report = npzschema.validate(source)
    assert report.codes == {code}
    (finding,) = [one for one in report.findings if one.code == code]
    assert f"generate-npz convert --allow {STEP[code]} " in finding.remedy
    with pytest.raises(GeneratorError, match=f"--allow {STEP[code]} would"):
        convert(source, target)
    assert not target.exists()
    made = convert(source, target, allow=[STEP[code]])
    assert made.report.ok
    with np.load(target) as mended:
        assert mended["_metadata"] == right["_metadata"]
        for name in right.keys() - {"_metadata"}:
            np.testing.assert_allclose(mended[name], right[name], rtol=0, atol=1e-9, err_msg=name)


def test_the_index_of_the_scan_stays_with_its_positions(tmp_path: Path) -> None:
    """The first frame is lost: positions, and what counts them, are moved back to the frames that are left."""
    source, moved, cut = (tmp_path / f"{name}.npz" for name in ("wrong", "moved", "cut"))
    with np.load(
        simulate(source, Experiment(positions=50, size=32, scan="fermat", object_shape=(200, 150), seed=8)).path
    ) as data:
        right = dict(data)
    np.savez(source, **right | {"diffraction": right["diffraction"][1:]})
    status, told, _ = command("convert", "--allow", "pairing", "--allow", "drop", source, moved)
    assert status == 0
    assert "nothing found" not in told
    convert(moved, cut, allow=["drop"])
    with np.load(cut) as mended:
        for name in ("xcoords", "ycoords", "scan_index"):
            np.testing.assert_array_equal(mended[name], right[name][1:])


def of_step(step: str) -> str:
    return next(code for code, name in STEP.items() if name == step)


@pytest.mark.parametrize("faults", TWO_FAULTS)
def test_two_faults_are_mended_where_both_steps_are_named(
    right: dict[str, np.ndarray], faults: str, tmp_path: Path
) -> None:
    """Neither reading alone fits: the first step is planned, and what it makes shows the second."""
    first, second, allow = TWO_FAULTS[faults]
    source, target = tmp_path / "wrong.npz", tmp_path / "mended.npz"
    np.savez(source, **FAULTS[second][1](FAULTS[first][1](right)))
    (finding,) = [one for one in npzschema.validate(source).findings if one.code.startswith("PHYS")]
    assert (finding.code, finding.level) == (of_step(allow[0]), "error")
    # A command is offered only where it mends the whole file.
    assert f"convert {' '.join(f'--allow {name}' for name in sorted(allow))} {source} " in finding.remedy
    for named, other in ((allow[:1], allow[1]), (allow[1:], allow[0])):
        with pytest.raises(GeneratorError, match=f"{of_step(other)} .*; --allow {other} would"):
            convert(source, target, allow=named)
        assert [one.name for one in tmp_path.iterdir()] == ["wrong.npz"]
    made = convert(source, target, allow=allow)
    assert made.report.ok
    assert not [one for one in made.report.findings if one.code.startswith("PHYS")]
    assert [step["step"] for step in made.steps] == allow
    with np.load(target) as mended:
        for name in right.keys() - {"_metadata"}:
            np.testing.assert_allclose(mended[name], right[name], rtol=0, atol=1e-9, err_msg=name)


def test_a_dry_run_foresees_both(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    source = tmp_path / "wrong.npz"
    np.savez(source, **FAULTS["reversed"][1](FAULTS["swapped"][1](right)))
    status, out, _ = command("convert", "--dry-run", source)
    assert status == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == ["with --allow positions", "with --allow detector"]
    assert [one.name for one in tmp_path.iterdir()] == ["wrong.npz"]


def test_two_faults_beside_the_legacy_order(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    source, target = tmp_path / "wrong.npz", tmp_path / "mended.npz"
    broken = FAULTS["reversed"][1](FAULTS["swapped"][1](right))
    np.savez(source, **broken | {"diffraction": np.ascontiguousarray(broken["diffraction"].transpose(1, 2, 0))})
    made = convert(source, target, allow=["positions", "detector"])
    assert [step["step"] for step in made.steps] == ["transpose", "positions", "detector"]
    with np.load(target) as mended:
        np.testing.assert_array_equal(mended["diffraction"], right["diffraction"])
        np.testing.assert_allclose(mended["xcoords"], right["xcoords"], atol=1e-9)


@pytest.mark.parametrize("faults", ["unshifted and reversed", "swapped and unshifted"])
def test_a_fixture_is_cut_from_what_both_steps_mend(right: dict[str, np.ndarray], faults: str, tmp_path: Path) -> None:
    first, second, allow = TWO_FAULTS[faults]
    source, target = tmp_path / "wrong.npz", tmp_path / "cut.npz"
    np.savez(source, **FAULTS[second][1](FAULTS[first][1](right)))
    with pytest.raises(GeneratorError, match=f"--allow {allow[1]} would"):
        fixture(source, target, subset_size=40, contract="ptychopinn/canonical", allow=allow[:1])
    assert [one.name for one in tmp_path.iterdir()] == ["wrong.npz"]
    made = fixture(source, target, subset_size=40, contract="ptychopinn/canonical", allow=allow)
    assert [step["step"] for step in made.steps if step["step"] in STEP.values()] == allow
    with np.load(target) as cut:
        np.testing.assert_array_equal(cut["diffraction"], right["diffraction"][:40])
        np.testing.assert_allclose(cut["xcoords"], right["xcoords"][:40], atol=1e-9)


@pytest.mark.parametrize("faults", TWO_FAULTS)
@pytest.mark.parametrize("stored", [np.savez, np.savez_compressed])
def test_load_gives_what_convert_writes(
    right: dict[str, np.ndarray], faults: str, stored: Callable[..., None], tmp_path: Path
) -> None:
    first, second, allow = TWO_FAULTS[faults]
    source, target = tmp_path / "wrong.npz", tmp_path / "mended.npz"
    stored(source, **FAULTS[second][1](FAULTS[first][1](right)))
    for named, other in ((allow[:1], allow[1]), (allow[1:], allow[0])):
        with pytest.raises(ValidationError, match=rf"{of_step(other)} .*allow=\['{other}'\] would"):
            npzschema.load(source, mend=True, allow=named)
    made = convert(source, target, allow=allow)
    data = npzschema.load(source, mend=True, allow=allow)
    assert data.report.ok
    assert data.steps == made.steps
    # Another process knows no more than what is pickled.
    for one in (data, pickle.loads(pickle.dumps(data))):
        with np.load(target) as mended:
            assert sorted(one) == sorted(mended.files)
            for name in mended.files:
                np.testing.assert_array_equal(one[name], mended[name], strict=True, err_msg=name)


def test_a_step_that_is_not_needed_is_told(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    lost = np.random.default_rng(5).permutation(len(right["xcoords"]))
    np.savez(tmp_path / "right.npz", **right)
    np.savez(tmp_path / "lost.npz", **right | {name: right[name][lost] for name in ("xcoords", "ycoords")})
    status, out, _ = command("convert", "--allow", "positions", tmp_path / "right.npz", tmp_path / "made.npz")
    assert (status, out.splitlines()[0]) == (0, "  --allow positions: nothing found that this would mend")
    status, out, _ = command(
        "convert", "--allow", "positions", "--allow", "centre", tmp_path / "lost.npz", tmp_path / "other.npz"
    )
    assert status == 0
    first, second, last = out.splitlines()
    assert first == "  --allow positions --allow centre: nothing found that this would mend"
    assert second.startswith("  PHYS-001 warning  xcoords: ")
    assert "written, valid" in last
    status, out, _ = command("convert", tmp_path / "lost.npz", tmp_path / "third.npz")
    assert (status, out.splitlines()) == (0, [second, last.replace("other.npz", "third.npz")])


def test_nominal_positions_go_along(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    source, target = tmp_path / "wrong.npz", tmp_path / "mended.npz"
    x, y = right["xcoords"], right["ycoords"]
    np.savez(source, **right | {"xcoords": y, "ycoords": x, "xcoords_start": y + 0.25, "ycoords_start": x - 0.25})
    convert(source, target, allow=["positions"])
    with np.load(target) as mended:
        np.testing.assert_allclose(mended["xcoords_start"], x - 0.25, atol=1e-9)
        np.testing.assert_allclose(mended["ycoords_start"], y + 0.25, atol=1e-9)


def test_a_zero_frequency_a_few_pixels_off_is_moved_when_asked(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    """It is a warning only: without the step's name the file is valid, and copied as it is."""
    source, target = tmp_path / "off.npz", tmp_path / "mended.npz"
    np.savez(source, **right | {"diffraction": np.roll(right["diffraction"], 3, axis=2)})
    report = npzschema.validate(source)
    assert report.ok
    assert "--allow centre" in next(one.remedy for one in report.findings if one.code == "PHYS-003")
    convert(source, target, allow=["centre"])
    with np.load(target) as mended:
        np.testing.assert_array_equal(mended["diffraction"], right["diffraction"])


def test_frames_that_lost_their_positions_are_told_not_guessed(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    """The first frames were taken with later positions, and those of the last frames are nowhere in the file."""
    source = tmp_path / "cut.npz"
    held = {name: right[name] for name in right}
    held["diffraction"] = right["diffraction"][:-5]
    held |= {name: values[5:] for name, values in right.items() if name.endswith(("coords", "coords_start"))}
    np.savez(source, **held)
    (finding,) = [one for one in npzschema.validate(source).findings if one.code == "PHYS-001"]
    assert "have no position in the file" in finding.message
    assert finding.fix is None
    with pytest.raises(GeneratorError, match="PHYS-001"):
        convert(source, tmp_path / "mended.npz", allow=["pairing"])


def test_an_odd_detector_as_an_fft_leaves_it(tmp_path: Path) -> None:
    source = tmp_path / "odd.npz"
    simulate(source, Experiment(positions=60, size=33, scan="fermat", object_shape=(100, 96), seed=4))
    with np.load(source) as data:
        arrays = dict(data)
    corner = arrays | {"diffraction": np.fft.ifftshift(arrays["diffraction"], axes=(1, 2))}
    np.savez(tmp_path / "corner.npz", **corner)
    (finding,) = npzschema.validate(tmp_path / "corner.npz").findings
    assert (finding.code, finding.found) == ("PHYS-003", "fftshift")
    convert(tmp_path / "corner.npz", tmp_path / "mended.npz", allow=["centre"])
    with np.load(tmp_path / "mended.npz") as mended:
        np.testing.assert_array_equal(mended["diffraction"], arrays["diffraction"])


OTHER_ORDERS = {
    "frames last": [["H", "W", "N"], ["N", "H", "W"]],
    "frames first": [["N", "H", "W"], ["H", "W", "N"]],
    "columns first": [["N", "H", "W"], ["W", "H", "N"]],
}


def with_orders(name: str, orders: list[list[str]]) -> Contract:
    """The canonical contract with one array that may have its axes in several orders."""
    return from_document(
        {
            "id": "me/own",
            "version": "1.0.0",
            "title": "t",
            "extends": "ptychopinn/canonical",
            "dimensions": {"K": {"description": "channels", "minimum": 1}},
            "arrays": {name: {"dims": orders, "dtype": "float32", "legacy": None}},
            "relations": [],
        }
    )


@pytest.mark.parametrize("fault", ["unshifted", "transposed", "reversed"])
@pytest.mark.parametrize("orders", OTHER_ORDERS.values(), ids=OTHER_ORDERS)
def test_frames_are_mended_in_the_order_in_which_they_lie(
    right: dict[str, np.ndarray], fault: str, orders: list[list[str]], tmp_path: Path
) -> None:
    contract, source = with_orders("diffraction", orders), tmp_path / "wrong.npz"
    order = ["NHW".index(symbol) for symbol in orders[1]]
    code, inject = FAULTS[fault]
    wrong = inject(right)
    np.savez(source, **wrong | {"diffraction": np.ascontiguousarray(wrong["diffraction"].transpose(order))})
    convert(source, tmp_path / "mended.npz", contract=contract, allow=[STEP[code]])
    with np.load(tmp_path / "mended.npz") as made:
        assert (made["diffraction"] == right["diffraction"].transpose(order)).all()


@pytest.mark.parametrize("orders", [[["N", "K"], ["K", "N"]], [["K", "N"], ["N", "K"]]])
def test_positions_are_dropped_along_the_axis_that_counts_them(
    right: dict[str, np.ndarray], orders: list[list[str]], tmp_path: Path
) -> None:
    contract, source = with_orders("monitor", orders), tmp_path / "wrong.npz"
    monitor = np.arange(20 * 60, dtype=np.float32).reshape(20, 60)
    np.savez(source, **right | {"diffraction": right["diffraction"][:50], "monitor": monitor})
    convert(source, tmp_path / "mended.npz", contract=contract, allow=["drop"])
    with np.load(tmp_path / "mended.npz") as made:
        assert np.array_equal(made["monitor"], monitor[:, :50])


def test_two_faults_in_a_cube_whose_axes_are_named(tmp_path: Path) -> None:
    """Named or decided by the content, the order of the axes is not asked again of what was made."""
    source, target = tmp_path / "cube.npz", tmp_path / "mended.npz"
    simulate(source, Experiment(positions=32, size=32, scan="fermat", object_shape=(96, 90), seed=6))
    with np.load(source) as data:
        arrays = dict(data)
    wrong = arrays | {"xcoords": arrays["ycoords"], "ycoords": arrays["xcoords"]}
    frames = np.fft.ifftshift(arrays["diffraction"], axes=(1, 2))
    np.savez(tmp_path / "wrong.npz", **wrong | {"diffraction": np.ascontiguousarray(frames.transpose(1, 2, 0))})
    allow = ["positions", "centre"]
    for axes in (None, {"diffraction": ("H", "W", "N")}):
        made = convert(tmp_path / "wrong.npz", target, allow=allow, axes=axes, options=Output(force=True))
        assert [step["step"] for step in made.steps] == ["transpose", *allow]
        data = npzschema.load(tmp_path / "wrong.npz", mend=True, allow=allow, axes=axes)
        with np.load(target) as mended:
            np.testing.assert_array_equal(mended["diffraction"], arrays["diffraction"])
            for name in mended.files:
                np.testing.assert_array_equal(data[name], mended[name], strict=True, err_msg=name)


NOMINAL = ("xcoords_start", "ycoords_start")


@pytest.mark.parametrize(
    ("began", "follows"),
    [
        (lambda values: values + 0.25, True),
        (lambda values: values * 5e-8, False),
    ],
    ids=["corrected by little", "metres"],
)
@pytest.mark.parametrize("step", ["positions", "pairing"])
def test_nominal_positions_follow_where_they_have_the_same_fault(
    right: dict[str, np.ndarray], tmp_path: Path, began: Callable[[np.ndarray], np.ndarray], follows: bool, step: str
) -> None:
    held = {name: values for name, values in right.items() if name not in NOMINAL}
    nominal = {f"{name}_start": began(held[name]) for name in ("xcoords", "ycoords")}
    width = held["objectGuess"].shape[1]
    if step == "positions":
        wrong = held | nominal | {"xcoords": width - held["xcoords"]}
        if follows:
            wrong |= {"xcoords_start": width - nominal["xcoords_start"]}
    else:
        along = {"xcoords", "ycoords", *nominal}
        wrong = {name: np.roll(values, 3) if name in along else values for name, values in (held | nominal).items()}
    np.savez(tmp_path / "wrong.npz", **wrong)
    made = convert(tmp_path / "wrong.npz", tmp_path / "made.npz", allow=[step])
    named = {one["array"] for one in made.steps if one["step"] == step}
    with np.load(made.path) as mended:
        np.testing.assert_allclose(mended["xcoords"], held["xcoords"], atol=1e-9)
        if step == "pairing" or follows:
            # Which frame a position belongs to is the same question in any unit.
            assert named == {"xcoords", *NOMINAL}
            for name, values in nominal.items():
                np.testing.assert_allclose(mended[name], values, atol=1e-9)
        else:
            assert named == {"xcoords"}
            for name in NOMINAL:
                np.testing.assert_array_equal(mended[name], wrong[name])


def test_nominal_positions_that_are_right_stay(right: dict[str, np.ndarray], tmp_path: Path) -> None:
    held = right | {f"{name}_start": right[name] for name in ("xcoords", "ycoords")}
    np.savez(tmp_path / "wrong.npz", **held | {"xcoords": held["objectGuess"].shape[1] - held["xcoords"]})
    made = convert(tmp_path / "wrong.npz", tmp_path / "made.npz", allow=["positions"])
    with np.load(made.path) as mended:
        for name in NOMINAL:
            np.testing.assert_array_equal(mended[name], held[name])
