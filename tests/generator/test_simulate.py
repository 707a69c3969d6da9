"""simulate: every shipped contract, physics that agrees with the forward model, the same bytes for the same seed."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from npzschema.contracts import from_document, load, shipped
from npzschema.generator import Experiment, GeneratorError, picture, simulate
from npzschema.generator import simulate as function
from npzschema.generator.objects import OBJECTS
from npzschema.generator.probes import PROBES
from npzschema.generator.scans import SCANS
from npzschema.generator.simulate import counts, truth
from npzschema.validator.engine import validate

from .making import (
    CANONICAL,
    CI,
    COUNTS,
    FIXTURE,
    LEGACY,
    arrays_of,
    command,
    digest,
    pairing,
    predicted,
    refused,
    simulated,
)

module = sys.modules[counts.__module__]
assert callable(function)
DEFAULT = Experiment(positions=20, size=16)


@pytest.mark.parametrize("contract", shipped())
@pytest.mark.parametrize("seed", [0, 7])
def test_every_shipped_contract_is_kept(tmp_path, contract, seed):
    fixture = contract == FIXTURE
    path = simulated(tmp_path / "a.npz", contract, n=64 if fixture else 20, size=64 if fixture else 16, seed=seed)
    report = validate(path, contract, strict_archive=True)
    assert report.ok
    assert not [one.code for one in report.findings if one.level != "info" and one.code != "FORMAT-002"]
    arrays = arrays_of(path)
    assert {name for name, spec in load(contract).arrays.items() if spec.required} <= set(arrays)


@pytest.mark.parametrize("contract", [CANONICAL, CI])
def test_what_a_file_declares_is_what_it_is(tmp_path, contract):
    report = validate(simulated(tmp_path / "a.npz", contract))
    assert report.contract == contract
    assert report.ok


def own(**arrays):
    """The canonical contract with other forms of some arrays."""
    changed = {name: {"legacy": None, **form} for name, form in arrays.items()}
    document = {"id": "me/own", "version": "1.0.0", "title": "own", "extends": CANONICAL}
    return from_document({**document, "arrays": changed, "relations": []})


@pytest.mark.parametrize("order", list(permutations("NHW")))
@pytest.mark.parametrize("n", [20, 16])
def test_patterns_have_the_axes_of_the_contract(tmp_path, order, n):
    contract = own(diffraction={"dims": list(order)})
    plain = simulated(tmp_path / "plain.npz", n=n, photons=1e9)
    made = simulated(tmp_path / "own.npz", contract, n=n, photons=1e9)
    axes = ["NHW".index(symbol) for symbol in order]
    assert (arrays_of(made)["diffraction"] == arrays_of(plain)["diffraction"].transpose(axes)).all()
    assert validate(made, contract).codes <= {"FORMAT-002"}


def test_arrays_have_the_names_and_sizes_of_the_contract(tmp_path):
    """Those that its scan gives them, whatever they are called."""
    text = json.dumps(load(CANONICAL).document)
    names = {"xcoords": "px", "ycoords": "py", "probeGuess": "beam", "objectGuess": "sample", "scan_index": "number"}
    names |= {"xcoords_start": "px_start", "ycoords_start": "py_start"}
    symbols = {"N": "J", "H": "R", "W": "C", "HO": "RO", "WO": "CO"}
    for old, new in (names | symbols).items():
        text = text.replace(f'"{old}"', f'"{new}"')
    document = json.loads(text) | {"id": "me/other-names"}
    contract = from_document({key: value for key, value in document.items() if key != "declaredBy"})
    made = simulated(tmp_path / "own.npz", contract)
    arrays, plain = arrays_of(made), arrays_of(simulated(tmp_path / "plain.npz"))
    for old, new in names.items():
        assert (old in plain) == (new in arrays)
        if old in plain:
            np.testing.assert_array_equal(arrays[new], plain[old])
    np.testing.assert_array_equal(arrays["diffraction"], plain["diffraction"])
    assert validate(made, contract).ok


def test_patterns_of_other_axes_are_refused(tmp_path):
    with pytest.raises(GeneratorError, match="patterns of 4 axes cannot be simulated"):
        simulated(tmp_path / "own.npz", own(diffraction={"dims": ["N", 1, "H", "W"]}))


def test_patterns_are_those_of_the_positions_that_are_stored(tmp_path):
    contract = own(xcoords={"dtype": "int32"}, ycoords={"dtype": "int32"})
    arrays = arrays_of(simulated(tmp_path / "own.npz", contract, photons=1e12))
    plain = arrays_of(simulated(tmp_path / "plain.npz", photons=1e12))
    for name in ("xcoords", "ycoords"):
        assert (arrays[name] == np.rint(plain[name])).all()
    names = ("probeGuess", "objectGuess", "xcoords", "ycoords")
    assert np.allclose(predicted(*(arrays[name] for name in names)), arrays["diffraction"], atol=1e-4)


def test_positions_beyond_the_dtype_are_an_error(tmp_path):
    with pytest.raises(GeneratorError, match=r"xcoords: positions reach .* beyond int8"):
        simulated(tmp_path / "own.npz", own(xcoords={"dtype": "int8"}), object_shape=(600, 600))


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("obj", OBJECTS)
@pytest.mark.parametrize("scan", SCANS)
def test_every_probe_object_and_scan(tmp_path, probe, obj, scan):
    if obj == "photograph":
        pytest.importorskip("skimage")
    path = simulated(tmp_path / "a.npz", n=25, size=32, probe=probe, object=obj, scan=scan, photons=1e9)
    arrays = arrays_of(path)
    assert validate(path).ok
    assert np.abs(arrays["objectGuess"]).max() <= 1 + 1e-6
    assert (np.abs(arrays["probeGuess"].astype(np.complex128)) ** 2).sum() == pytest.approx(1, rel=1e-5)
    rows, columns = arrays["objectGuess"].shape
    for values, length in ((arrays["xcoords"], columns), (arrays["ycoords"], rows)):
        assert 16 <= values.min() <= values.max() <= length - 16
    # With so much light the patterns are the model's.
    assert pairing(arrays) > 0.99


class TestPhysics:
    def test_amplitudes_are_the_models_up_to_photon_noise(self, tmp_path):
        photons = 1e7
        arrays = arrays_of(simulated(tmp_path / "a.npz", n=16, size=32, photons=photons))
        expected = predicted(
            arrays["probeGuess"].astype(complex),
            arrays["objectGuess"].astype(complex),
            arrays["xcoords"],
            arrays["ycoords"],
        )
        bright = expected**2 * photons > 100
        # The square root of a Poisson count has a standard deviation of a half.
        residue = (arrays["diffraction"] - expected)[bright] * np.sqrt(photons)
        assert abs(residue.mean()) < 0.05
        assert residue.std() == pytest.approx(0.5, rel=0.05)

    def test_the_zero_frequency_is_in_the_centre(self, tmp_path):
        mean = arrays_of(simulated(tmp_path / "a.npz", size=32, probe="disc"))["diffraction"].mean(axis=0).astype(float)
        rows, columns = np.indices(mean.shape)
        weight = mean**2 / (mean**2).sum()
        assert (weight * rows).sum() == pytest.approx(16, abs=1)
        assert (weight * columns).sum() == pytest.approx(16, abs=1)
        assert mean[12:21, 12:21].mean() > 5 * mean[:4].mean()

    def test_photons_per_frame(self, tmp_path):
        arrays = arrays_of(simulated(tmp_path / "a.npz", COUNTS, n=30, size=32, photons=5000))
        totals = arrays["diff3d"].sum(axis=(1, 2))
        probe, obj = arrays["probeGuess"].astype(complex), arrays["objectGuess"].astype(complex)
        assert (np.abs(probe) ** 2).sum() == pytest.approx(5000, rel=1e-5)
        expected = (predicted(probe, obj, arrays["xcoords"], arrays["ycoords"]) ** 2).sum(axis=(1, 2))
        assert (totals < 5000 + 5 * np.sqrt(5000)).all()
        assert (np.abs(totals - expected) < 6 * np.sqrt(expected)).all()

    def test_counts_are_poisson(self):
        experiment = replace(DEFAULT, positions=2000, size=8, photons=300, object_shape=(20, 20))
        made = truth(experiment)
        # Every frame at one place: nothing but the noise differs.
        made.x[:], made.y[:] = 10, 10
        drawn = np.concatenate(list(counts(experiment, made)))
        mean, variance = drawn.mean(axis=0), drawn.var(axis=0)
        lit = mean > 1
        assert lit.sum() > 10
        assert (variance[lit] / mean[lit]).mean() == pytest.approx(1, rel=0.05)

    @pytest.mark.parametrize("overlap", [0.2, 0.5, 0.8])
    @pytest.mark.parametrize("probe", PROBES)
    def test_overlap_as_asked(self, overlap, probe):
        experiment = Experiment(positions=400, size=64, overlap=overlap, probe=probe)
        made = truth(experiment)
        energy = np.sort((np.abs(made.probe) ** 2).reshape(-1))[::-1]
        area = 1 + np.searchsorted(np.cumsum(energy), 0.9)
        footprint = 2 * np.sqrt(area / np.pi)
        along = np.diff(made.x.reshape(20, 20), axis=1).mean()
        assert 1 - along / footprint == pytest.approx(overlap, abs=0.03)

    @pytest.mark.parametrize("scan", ["fermat", "concentric"])
    def test_density_of_the_other_scans(self, scan):
        step = 5.0
        x, y = SCANS[scan](500, step, np.random.default_rng(0))
        assert len(x) == len(y) == 500
        radius = np.hypot(x, y).max()
        assert np.pi * radius**2 / 500 == pytest.approx(step**2, rel=0.15)

    @pytest.mark.parametrize("scan", SCANS)
    def test_scans_of_any_length_have_distinct_positions(self, scan):
        for count in (1, 2, 3, 7, 50):
            x, y = SCANS[scan](count, 3.0, np.random.default_rng(1))
            assert len({*zip(x.tolist(), y.tolist(), strict=True)}) == count

    def test_an_object_that_is_given_holds_the_scan(self, tmp_path):
        path = simulated(tmp_path / "a.npz", n=200, size=32, object_shape=(60, 47))
        arrays = arrays_of(path)
        assert arrays["objectGuess"].shape == (60, 47)
        assert arrays["xcoords"].max() <= 47 - 16
        assert arrays["ycoords"].max() <= 60 - 16
        assert validate(path).ok


class TestSameBytes:
    @pytest.mark.parametrize("contract", [CANONICAL, LEGACY, COUNTS])
    def test_for_one_seed_and_no_other(self, tmp_path, contract):
        files = [
            simulated(tmp_path / f"{name}.npz", contract, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
        ]
        assert digest(files[0]) == digest(files[1]) != digest(files[2])

    @pytest.mark.parametrize("contract", [CANONICAL, LEGACY, CI])
    def test_whatever_the_size_of_groups(self, tmp_path, monkeypatch, contract):
        whole = simulated(tmp_path / "whole.npz", contract)
        for size in (1, 16 * 256 * 3, 16 * 256 * 7):
            monkeypatch.setattr(module, "GROUP_BYTES", size)
            assert digest(simulated(tmp_path / f"{size}.npz", contract)) == digest(whole)

    def test_in_another_process(self, tmp_path):
        here = simulated(tmp_path / "here.npz", n=20, size=16)
        argv = ["simulate", "--positions", "20", "--size", "16", "--output", "there.npz"]
        subprocess.run(
            [sys.executable, "-m", "npzschema.generator.cli", *argv], cwd=tmp_path, check=True, capture_output=True
        )
        assert digest(here) == digest(tmp_path / "there.npz")

    def test_fewer_positions_are_the_first_of_more_where_the_scan_is_the_same(self):
        experiment = replace(DEFAULT, object_shape=(60, 60))
        made = truth(experiment)
        some = np.concatenate(list(counts(replace(experiment, positions=5), made)))
        assert (np.concatenate(list(counts(experiment, made)))[:5] == some).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"probe": "square"}, "no probe 'square'; there are gaussian, disc, zone-plate"),
        ({"object": "cat"}, "no object 'cat'"),
        ({"scan": "snake"}, "no scan 'snake'"),
        ({"positions": 0}, "asked for"),
        ({"positions": 1 << 60}, "cannot be simulated"),
        ({"size": 1}, "cannot be simulated"),
        ({"size": 1 << 20}, "cannot be simulated"),
        ({"overlap": 1.0}, "not between 0 and 1"),
        ({"overlap": -0.1}, "not between 0 and 1"),
        ({"overlap": float("nan")}, "not between 0 and 1"),
        ({"photons": 0.0}, "photons per frame cannot be simulated"),
        ({"photons": float("inf")}, "photons per frame cannot be simulated"),
        ({"photons": 1e30}, "photons per frame cannot be simulated"),
        ({"seed": -1}, "below 0"),
        ({"object_shape": (16, 40)}, "has no room for a probe"),
        ({"size": 4, "probe": "zone-plate"}, "no light on 4x4 pixels"),
    ],
)
def test_experiments_that_cannot_be_done(tmp_path, change, words):
    with pytest.raises(GeneratorError, match=words):
        simulate(tmp_path / "a.npz", replace(DEFAULT, **change))
    assert os.listdir(tmp_path) == []


def test_numbers_of_numpy_are_numbers(tmp_path):
    """They give the same bytes as Python's own, also where they are of lower precision."""
    plain = replace(DEFAULT, photons=1e4, overlap=0.5, object_shape=(60, 60))
    own = {
        "positions": np.int32(plain.positions),
        "size": np.uint8(plain.size),
        "seed": np.uint8(plain.seed),
        "photons": np.float32(1e4),
        "overlap": np.float16(0.5),
        "object_shape": (np.int64(60), np.int64(60)),
    }
    made = [
        simulate(tmp_path / f"{name}.npz", one, contract=CI).path.read_bytes()
        for name, one in (("plain", plain), ("numpy", replace(plain, **own)))
    ]
    assert made[0] == made[1]


def test_what_a_contract_fixes_is_not_asked_otherwise(tmp_path):
    with pytest.raises(GeneratorError, match="has N = 64, 20 is asked for"):
        simulate(tmp_path / "a.npz", replace(DEFAULT, size=64), contract=FIXTURE)
    assert command("simulate", "--contract", FIXTURE, "--output", tmp_path / "b.npz")[0] == 0


def test_counts_beyond_the_dtype_are_an_error(tmp_path):
    line = refused(tmp_path, "simulate", "--contract", COUNTS, "--photons", "1e15", "--output", tmp_path / "a.npz")
    assert "beyond uint32; simulate fewer photons" in line


def test_a_bright_beam_is_counted_in_32_bits(tmp_path):
    for probe, dtype in (("gaussian", np.uint16), ("disc", np.uint32)):
        simulate(tmp_path / f"{probe}.npz", replace(DEFAULT, size=32, probe=probe, photons=1e6), contract=COUNTS)
        with np.load(tmp_path / f"{probe}.npz") as data:
            assert data["diff3d"].dtype == dtype


def test_more_memory_than_there_is(tmp_path, monkeypatch):
    def none(*_):
        raise MemoryError

    monkeypatch.setitem(OBJECTS, "smooth", none)
    assert "not enough memory" in refused(tmp_path, "simulate", "--output", tmp_path / "a.npz")


def test_an_existing_output_needs_force(tmp_path):
    path = simulated(tmp_path / "a.npz")
    assert "exists already" in refused(tmp_path, "simulate", "--output", path)
    before = digest(path)
    assert command("simulate", "--output", path, "--force", "--seed", 3)[0] == 0
    assert digest(path) != before


def test_metadata_is_json_with_the_dose(tmp_path):
    document = json.loads(str(arrays_of(simulated(tmp_path / "a.npz", photons=5e4))["_metadata"]))
    assert document["physics_parameters"] == {"N": 16, "nphotons": 5e4}


class TestPicture:
    @pytest.fixture(autouse=True)
    def matplotlib(self):
        pytest.importorskip("matplotlib")

    @pytest.mark.parametrize("contract", [CANONICAL, LEGACY, COUNTS])
    def test_a_png_of_some_size(self, tmp_path, contract):
        argv = (
            "simulate",
            "--contract",
            contract,
            "--positions",
            20,
            "--size",
            16,
            "--output",
            tmp_path / "a.npz",
            "--png",
            tmp_path / "a.png",
        )
        assert command(*argv)[0] == 0
        data = (tmp_path / "a.png").read_bytes()
        assert data.startswith(b"\x89PNG")
        assert int.from_bytes(data[16:20], "big") > 500

    def test_what_forbids_it_is_told_before_anything_is_written(self, tmp_path):
        (tmp_path / "old.png").write_text("old")
        for png, words in (
            ("old.png", "exists already"),
            ("a.jpg", "let its name end in .png"),
            ("a.npz", "for both the dataset and its picture"),
            ("no/a.png", "no folder"),
        ):
            assert words in refused(tmp_path, "simulate", "--output", tmp_path / "a.npz", "--png", tmp_path / png)

    def test_what_fails_later_leaves_nothing(self, tmp_path, monkeypatch):
        from matplotlib.figure import Figure

        def full(*_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Figure, "savefig", full)
        made = tmp_path / "a.npz"
        status, out, err = command("simulate", "--positions", 9, "--output", made, "--png", tmp_path / "a.png")
        assert (status, out) == (2, "")
        assert err == f"generate-npz: {made}: cannot be written: {os.strerror(errno.ENOSPC).lower()}\n"
        assert not list(tmp_path.iterdir())

    def test_the_mean_pattern_is_that_of_the_frames(self, tmp_path, monkeypatch):
        from npzschema.validator.archive import open_archive
        from npzschema.validator.dataset import ArchiveDataset
        from npzschema.validator.source import FileSource

        path = simulated(tmp_path / "a.npz", LEGACY, n=20)
        contract = load(LEGACY)
        with FileSource(path) as source:
            drawn = picture._arrays(ArchiveDataset(open_archive(source)), contract, contract.scan)
            assert np.allclose(drawn["diffraction"], arrays_of(path)["diffraction"].mean(axis=2))
            patterns = replace(contract.arrays["diffraction"], dims=(("N", "H", "W"), ("H", "W", "N")))
            either = replace(contract, arrays={**contract.arrays, "diffraction": patterns})
            again = picture._arrays(ArchiveDataset(open_archive(source)), either, contract.scan)
            assert (again["diffraction"] == drawn["diffraction"]).all()
            monkeypatch.setattr(picture, "MOST_FRAMES", 5)
            drawn = picture._arrays(ArchiveDataset(open_archive(source)), contract, contract.scan)
            assert np.allclose(drawn["diffraction"], arrays_of(path)["diffraction"][:, :, ::4].mean(axis=2))


@pytest.mark.slow
@pytest.mark.parametrize("contract", [CANONICAL, LEGACY])
def test_memory_does_not_follow_the_number_of_frames(tmp_path, contract):
    def peak(positions):
        code = (
            "import resource, subprocess, sys;"
            "subprocess.run([sys.executable, '-m', 'npzschema.generator.cli', *sys.argv[1:]], check=True,"
            "stdout=subprocess.DEVNULL);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        argv = [
            "simulate",
            "--contract",
            contract,
            "--positions",
            str(positions),
            "--size",
            "32",
            "--object-shape",
            "300x300",
            "--output",
            f"{positions}.npz",
        ]
        made = subprocess.run(
            [sys.executable, "-c", code, *argv], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return int(made.stdout) << 10

    # 100,000 frames of 32x32 in float64 are 800 MB; positions grow, and what the validator keeps of frames.
    assert peak(100_000) < peak(1_000) + (96 << 20)
