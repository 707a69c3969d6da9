"""fixture: frames and everything per scan position are cut by the same indices, from any known layout."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest

from npzschema.contracts import from_document, load
from npzschema.generator import GeneratorError, Output, convert, fixture
from npzschema.generator.fixture import strided
from npzschema.validator.engine import validate

from .making import (
    CANONICAL,
    CI,
    COUNTS,
    FIXTURE,
    LEGACY,
    RAW,
    REAL,
    arrays_of,
    command,
    digest,
    held,
    legacy,
    needs_real,
    pairing,
    refused,
    rich,
    same,
    save,
    simulated,
)

PER_SCAN = ("diffraction", "xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index", "Y")


@pytest.fixture(scope="module")
def run1084_like(tmp_path_factory):
    """A legacy source as Run 1084 is: (H, W, N), double precision, an object that is not square."""
    path = tmp_path_factory.mktemp("source") / "run.npz"
    return simulated(path, LEGACY, n=200, size=64, object_shape=(227, 226))


def cut_by_numpy(arrays, indices):
    cut = {name: one[indices] if name in PER_SCAN else one for name, one in arrays.items() if name != "notes"}
    return cut | {"diff3d": cut["diffraction"]}


def test_fixture_outputs_match_contract(tmp_path, run1084_like):
    """The acceptance criteria of docs/generator_design.md."""
    made = fixture(run1084_like, tmp_path / "fixture.npz")
    found, source = arrays_of(made.path), arrays_of(run1084_like)
    sidecar = json.loads((tmp_path / "fixture.json").read_text())
    # Shapes and dtypes.
    assert {name: (one.dtype.name, one.shape) for name, one in found.items()} == {
        "diffraction": ("float32", (64, 64, 64)),
        "diff3d": ("float32", (64, 64, 64)),
        "probeGuess": ("complex64", (64, 64)),
        "objectGuess": ("complex64", (227, 226)),
        "xcoords": ("float64", (64,)),
        "ycoords": ("float64", (64,)),
        "xcoords_start": ("float64", (64,)),
        "ycoords_start": ("float64", (64,)),
    }
    assert found["diffraction"].tobytes() == found["diff3d"].tobytes()
    # Subset count, and the same indices for frames and positions.
    assert sidecar["subset_size"] == 64
    assert sidecar["indices"] == list(range(64))
    assert (found["diffraction"] == source["diffraction"].transpose(2, 0, 1)[:64].astype(np.float32)).all()
    for name in ("xcoords", "ycoords", "xcoords_start", "ycoords_start"):
        assert (found[name] == source[name][:64]).all()
    # Normalisation: never rescaled, within the bound.
    assert 0 <= found["diffraction"].min() < found["diffraction"].max() < 10
    assert found["diffraction"].max() == np.float32(source["diffraction"][:, :, :64].max())
    # Checksums.
    assert sidecar["sha256_checksum"] == digest(made.path)
    assert sidecar["source_dataset"]["sha256"] == digest(run1084_like)
    # Pairing: it is there, and it goes when positions are moved by a few frames.
    assert pairing(found) > 0.5
    assert abs(pairing(found, roll=17)) < 0.2
    # The validator says so too.
    assert made.report.ok
    assert validate(made.path, FIXTURE).ok


class TestIndices:
    @pytest.fixture
    def source(self, tmp_path):
        """As many frames as detector rows: what is cut by its first axis alone would cut the probe."""
        arrays = rich(tmp_path / "made.npz", n=20, size=20)
        # Noise, and a placeholder: nor does the content tell the axes.
        noise = np.random.default_rng(0).permuted(arrays["diffraction"].reshape(-1)).reshape(20, 20, 20)
        return arrays | {"objectGuess": np.ones_like(arrays["objectGuess"]), "diffraction": noise}

    @pytest.mark.parametrize("order", ["NHW", "HWN"])
    def test_a_cube_with_its_axes_named_keeps_its_probe(self, tmp_path, source, order):
        path = save(tmp_path / "in.npz", source if order == "NHW" else legacy(source))
        fixture(
            path,
            tmp_path / "out.npz",
            subset_size=np.int64(16),
            contract=CANONICAL,
            axes={"diffraction": tuple(order), "Y": ("N", "H", "W")},
        )
        same(arrays_of(tmp_path / "out.npz"), cut_by_numpy(source, np.arange(16)))

    def test_a_cube_without_names_is_refused(self, tmp_path, source):
        path = save(tmp_path / "in.npz", source)
        line = refused(
            tmp_path,
            "fixture",
            "--source",
            path,
            "--output",
            tmp_path / "o.npz",
            "--subset-size",
            16,
            "--contract",
            CANONICAL,
        )
        assert "FORMAT-002" in line
        assert "--axes" in line

    @pytest.mark.parametrize("positions", ["first", "strided"])
    @pytest.mark.parametrize("size", [16, 49, 50])
    @pytest.mark.parametrize("form", ["canonical", "legacy", "fortran", "big-endian"])
    def test_everything_is_cut_as_numpy_cuts_it(self, tmp_path, positions, size, form):
        arrays = rich(tmp_path / "made.npz", n=50, size=16)
        stored = arrays | {"notes": np.arange(50)}
        if form == "legacy":
            stored = legacy(stored)
        elif form == "fortran":
            stored = {name: np.asfortranarray(one) if one.ndim else one for name, one in stored.items()}
        elif form == "big-endian":
            stored = {name: one.astype(one.dtype.newbyteorder(">")) for name, one in stored.items()}
        made = fixture(
            save(tmp_path / "in.npz", stored),
            tmp_path / "out.npz",
            subset_size=size,
            positions=positions,
            contract=CANONICAL,
        )
        indices = json.loads((tmp_path / "out.json").read_text())["indices"]
        assert len(set(indices)) == size
        assert indices == sorted(indices)
        if positions == "first":
            assert indices == list(range(size))
        same(arrays_of(made.path), cut_by_numpy(arrays, indices))

    def test_strided_covers_the_scan_whatever_its_row_length(self):
        for columns in range(2, 40):
            for rows in (16, 17, 31):
                count = columns * rows
                x, y = np.arange(count) % columns * 5.0, np.arange(count) // columns * 5.0
                for size in {16, 31, 32, 64, count - 1, count}:
                    if 16 <= size <= count:
                        chosen = strided([x, y], count, size)
                        assert len(np.unique(chosen)) == size
                        assert (np.diff(chosen) > 0).all()
                        assert 0 <= chosen[0] <= chosen[-1] < count
                        for values in (x, y):
                            assert np.ptp(values[chosen]) > np.ptp(values) / 2

    def test_strided_keeps_the_farthest_positions_of_a_scan_that_hardly_moves(self):
        x, y = np.zeros(1000), np.zeros(1000)
        x[501], y[777], x[3] = 10, 20, -1
        chosen = strided([x, y], 1000, 16)
        assert len(np.unique(chosen)) == 16
        assert np.ptp(x[chosen]) == 11
        assert np.ptp(y[chosen]) == 20

    def test_strided_from_python_covers_both_ranges(self, tmp_path, run1084_like):
        found = arrays_of(fixture(run1084_like, tmp_path / "out.npz", positions="strided").path)
        source = arrays_of(run1084_like)
        for name in ("xcoords", "ycoords"):
            assert np.ptp(found[name]) > np.ptp(source[name]) / 2
        assert pairing(found) > 0.5


class TestLayouts:
    @pytest.fixture
    def arrays(self, tmp_path):
        return rich(tmp_path / "made.npz", n=30, size=16)

    def cut(self, tmp_path, stored, **more):
        path = save(tmp_path / "in.npz", stored)
        before = digest(path)
        made = fixture(path, tmp_path / "out.npz", subset_size=16, contract=CANONICAL, **more)
        assert digest(path) == before
        assert made.report.ok
        return arrays_of(made.path)

    def test_legacy_name(self, tmp_path, arrays):
        stored = {"diff3d" if name == "diffraction" else name: one for name, one in arrays.items()}
        same(self.cut(tmp_path, stored), cut_by_numpy(arrays, np.arange(16)))

    def test_counts(self, tmp_path, arrays):
        counts = np.random.default_rng(0).poisson(20, arrays["diffraction"].shape).astype(np.uint16)
        stored = {name: one for name, one in arrays.items() if name != "diffraction"} | {"diff3d": counts}
        found = self.cut(tmp_path, stored)["diffraction"]
        assert (found == np.sqrt(counts[:16].astype(np.float64)).astype(np.float32)).all()

    def test_surplus_positions(self, tmp_path, arrays):
        longer = {
            name: np.concatenate([one, one[-2:]])
            for name, one in arrays.items()
            if name in PER_SCAN and name != "diffraction"
        }
        same(self.cut(tmp_path, arrays | longer), cut_by_numpy(arrays, np.arange(16)))

    @pytest.mark.parametrize("contract", [CANONICAL, LEGACY, RAW, COUNTS, CI])
    def test_sources_of_every_shipped_form(self, tmp_path, contract):
        source = simulated(tmp_path / "in.npz", contract, n=70, size=64, object_shape=(130, 131), photons=2e4)
        made = fixture(source, tmp_path / "out.npz", allow=["normalise"])
        found, given = arrays_of(made.path), arrays_of(source)
        patterns = given.get("diffraction", given.get("diff3d")).astype(np.float64)
        patterns = patterns.transpose(2, 0, 1) if contract == LEGACY else patterns
        patterns = np.sqrt(patterns) if contract in (COUNTS, CI) else patterns
        scale = found["diffraction"].max() / patterns[:64].max()
        assert np.allclose(found["diffraction"], patterns[:64] * scale, rtol=1e-6)
        assert (found["diff3d"] == found["diffraction"]).all()
        assert pairing(found) > 0.5

    @pytest.mark.parametrize("contract", [RAW, COUNTS, CI, LEGACY])
    def test_fixtures_of_other_contracts(self, tmp_path, contract):
        source = simulated(tmp_path / "in.npz", contract, n=40, size=16)
        made = fixture(source, tmp_path / "out.npz", subset_size=20, contract=contract)
        found, given = arrays_of(made.path), arrays_of(source)
        name = "diffraction" if contract == LEGACY else "diff3d"
        cut = given[name][:, :, :20] if contract == LEGACY else given[name][:20]
        assert (found[name] == cut).all()
        assert (found["xcoords"] == given["xcoords"][:20]).all()
        assert validate(made.path, contract).ok

    def test_a_users_contract_with_a_fixed_number(self, tmp_path):
        mine = tmp_path / "mine.json"
        document = {
            "id": "my/small",
            "version": "1.0.0",
            "title": "mine",
            "extends": RAW,
            "dimensions": {"N": {"equals": 24}},
        }
        mine.write_text(json.dumps(document))
        source = simulated(tmp_path / "in.npz", CANONICAL, n=40, size=16)
        made = fixture(source, tmp_path / "out.npz", subset_size=24, contract=mine)
        assert (arrays_of(made.path)["diff3d"] == arrays_of(source)["diffraction"][:24]).all()


class TestErrors:
    @pytest.fixture
    def source(self, tmp_path):
        return simulated(tmp_path / "in.npz", n=70, size=64, object_shape=(130, 130))

    def line(self, tmp_path, source, *more):
        return refused(tmp_path, "fixture", "--source", source, "--output", tmp_path / "out.npz", *more)

    def test_numbers_of_positions(self, tmp_path, source):
        for size, contract, words in (
            (15, CANONICAL, "15 positions is too small; take at least 16"),
            (-1, CANONICAL, "too small"),
            (71, CANONICAL, "has 70 positions, 71 were asked for"),
            (32, FIXTURE, "has 64 positions, not 32; for another size name --contract ptychopinn/canonical"),
        ):
            assert words in self.line(tmp_path, source, "--subset-size", size, "--contract", contract)
        with pytest.raises(GeneratorError, match="no number of positions"):
            fixture(source, tmp_path / "out.npz", subset_size=20.0, contract=CANONICAL)
        with pytest.raises(GeneratorError, match="no way 'random'"):
            fixture(source, tmp_path / "out.npz", positions="random")

    def test_fewer_positions_than_a_fixture_has(self, tmp_path):
        source = simulated(tmp_path / "in.npz", n=40, size=64, object_shape=(130, 130))
        assert "has 40 positions, 64 were asked for" in self.line(tmp_path, source)

    @pytest.mark.parametrize("name", ["diffraction", "probeGuess", "objectGuess", "xcoords", "ycoords"])
    def test_a_missing_array(self, tmp_path, source, name):
        save(source, {key: one for key, one in arrays_of(source).items() if key != name})
        assert f"KEY-001 {name}: is missing" in self.line(tmp_path, source)

    def test_a_source_of_another_size(self, tmp_path):
        source = simulated(tmp_path / "in.npz", n=70, size=32, object_shape=(130, 130))
        line = self.line(tmp_path, source)
        assert "SHAPE-003" in line
        assert "for patterns of another size name --contract ptychopinn/canonical" in line

    def test_an_object_that_is_too_small(self, tmp_path):
        source = simulated(tmp_path / "in.npz", n=70, size=64, object_shape=(100, 130))
        line = self.line(tmp_path, source)
        assert "SHAPE-003" in line
        assert "at least 128" in line
        # Patterns of another size it does not have.
        assert "--contract" not in line

    def test_amplitudes_over_the_bound_name_the_option(self, tmp_path, source):
        arrays = arrays_of(source)
        save(source, arrays | {"diffraction": arrays["diffraction"] * np.float32(200)})
        line = self.line(tmp_path, source)
        assert "VALUE-003" in line
        assert "--allow normalise" in line
        assert command("fixture", "--source", source, "--output", tmp_path / "out.npz", "--allow", "normalise")[0] == 0

    @pytest.mark.parametrize("name", ["out.npz", "out.json", "elsewhere.json"])
    def test_an_existing_output(self, tmp_path, source, name):
        (tmp_path / name).write_text("old")
        more = ("--metadata-out", tmp_path / "elsewhere.json") if name == "elsewhere.json" else ()
        assert "exists already; --force replaces it" in self.line(tmp_path, source, *more)
        assert command("fixture", "--source", source, "--output", tmp_path / "out.npz", "--force", *more)[0] == 0
        assert validate(tmp_path / "out.npz", FIXTURE).ok

    def test_places_that_there_are_not(self, tmp_path, source):
        assert "there is no folder" in refused(
            tmp_path, "fixture", "--source", source, "--output", tmp_path / "no" / "out.npz"
        )
        assert "there is no folder" in self.line(tmp_path, source, "--metadata-out", tmp_path / "no" / "out.json")
        assert "is a directory" in refused(tmp_path, "fixture", "--source", source, "--output", tmp_path)

    def test_names_that_are_taken(self, tmp_path, source):
        assert "is the input itself" in refused(tmp_path, "fixture", "--source", source, "--output", source, "--force")
        assert "is the input itself" in self.line(tmp_path, source, "--metadata-out", source, "--force")
        assert "named for two outputs" in self.line(tmp_path, source, "--metadata-out", tmp_path / "out.npz")

    @pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "text"])
    def test_sources_that_cannot_be_read(self, tmp_path, kind):
        source = tmp_path / "none.npz"
        if kind == "folder":
            source.mkdir()
        elif kind == "pipe":
            os.mkfifo(source)
        elif kind == "text":
            source.write_text("not an archive")
        assert "cannot be read: FILE-001" in self.line(tmp_path, source)

    def test_a_contract_without_a_scan(self, tmp_path, source):
        mine = tmp_path / "mine.json"
        arrays = {"xcoords": {"dims": ["N"], "dtype": "float64"}}
        mine.write_text(
            json.dumps(
                {
                    "id": "my/other",
                    "version": "1.0.0",
                    "title": "t",
                    "dimensions": {"N": {"description": "n"}},
                    "arrays": arrays,
                }
            )
        )
        assert "no scan to cut from" in self.line(tmp_path, source, "--contract", mine)


def test_a_second_name_has_a_dtype_of_its_own(tmp_path):
    document = {"id": "me/own", "version": "1.0.0", "title": "t", "extends": FIXTURE}
    own = from_document(document | {"arrays": {"diff3d": {"dtype": "float64", "legacy": None}}})
    source = simulated(tmp_path / "in.npz", n=80, size=64, object_shape=(130, 130))
    found = arrays_of(fixture(source, tmp_path / "out.npz", contract=own).path)
    assert (found["diffraction"].dtype, found["diff3d"].dtype) == (np.float32, np.float64)
    assert (found["diffraction"] == found["diff3d"]).all()
    found = arrays_of(simulated(tmp_path / "made.npz", own, n=64, size=64))
    assert (found["diffraction"].dtype, found["diff3d"].dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("stored", [("N", "H", "W"), ("H", "W", "N")])
def test_arrays_are_cut_along_the_axis_that_counts_positions(tmp_path, stored):
    """Where a contract lists several orders of axes, the one in which an array lies counts, not the first."""
    own = from_document(
        {
            "id": "me/own",
            "version": "1.0.0",
            "title": "t",
            "extends": "ptychopinn/canonical",
            "dimensions": {"K": {"description": "channels"}},
            "arrays": {
                "diffraction": {"dims": [["H", "W", "N"], ["N", "H", "W"]], "legacy": None},
                "monitor": {"dims": [["N", "K"], ["K", "N"]], "dtype": "float64"},
            },
            "relations": [],
        }
    )
    order = ["NHW".index(symbol) for symbol in stored]
    arrays = rich(tmp_path / "rich.npz", n=30) | {"monitor": np.arange(4 * 30.0).reshape(4, 30)}
    source = save(tmp_path / "in.npz", arrays | {"diffraction": arrays["diffraction"].transpose(order)})
    found = arrays_of(fixture(source, tmp_path / "out.npz", contract=own, subset_size=20).path)
    assert np.array_equal(found["diffraction"], arrays["diffraction"][:20].transpose(order))
    assert np.array_equal(found["monitor"], arrays["monitor"][:, :20])


def test_same_source_options_and_version_give_the_same_bytes(tmp_path, run1084_like, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        fixture(run1084_like, tmp_path / folder / "out.npz")
    assert held(tmp_path / "a") == held(tmp_path / "b")
    # Neither names nor the time get into the NPZ.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    renamed = tmp_path / "renamed.npz"
    renamed.write_bytes(run1084_like.read_bytes())
    again = fixture(renamed, tmp_path / "other name.npz").path
    assert digest(again) == digest(tmp_path / "a" / "out.npz")
    for text in (b"run.npz", b"renamed", b"other name", b"2023", b"tmp"):
        assert text not in again.read_bytes()
    strided_ = fixture(run1084_like, tmp_path / "s.npz", positions="strided").path
    assert digest(strided_) != digest(again)
    assert digest(fixture(run1084_like, tmp_path / "z.npz", options=Output(compression="zlib")).path) != digest(again)
    same(arrays_of(tmp_path / "z.npz"), arrays_of(again))


@needs_real
class TestRealFiles:
    @pytest.mark.parametrize("name", ["canonical", "legacy_hwn", "raw_diff3d"])
    def test_siemens(self, tmp_path, name):
        made = fixture(
            REAL / f"siemens_{name}.npz", tmp_path / "out.npz", subset_size=32, contract=CANONICAL, allow=["normalise"]
        )
        found, meant = arrays_of(made.path), arrays_of(REAL / "siemens_canonical.npz")
        scale = found["diffraction"].max() / meant["diffraction"][:32].max()
        assert np.allclose(found["diffraction"], scale * meant["diffraction"][:32], rtol=3e-6, atol=1e-7)
        assert np.allclose(found["xcoords"], meant["xcoords"][:32])
        assert found["probeGuess"].shape == (128, 128)
        assert pairing(found) > 0.5
        assert abs(pairing(found, roll=9)) < 0.2

    @pytest.mark.parametrize(("name", "axes"), [("canonical", "NHW"), ("legacy_hwn", "HWN"), ("raw_diff3d", "NHW")])
    def test_run1084(self, tmp_path, name, axes):
        path = REAL / f"run1084_semireal_{name}.npz"
        made = fixture(path, tmp_path / "out.npz", axes={"diffraction": tuple(axes)}, allow=["normalise"])
        found, meant = arrays_of(made.path), arrays_of(REAL / "run1084_semireal_canonical.npz")
        scale = found["diffraction"].max() / meant["diffraction"].max()
        assert np.allclose(found["diffraction"], scale * meant["diffraction"], rtol=3e-6, atol=1e-7)
        assert (found["diff3d"] == found["diffraction"]).all()
        assert pairing(found) > 0.5


FREE = {
    "creation_info": {"script": "/home/me/prepare.py", "timestamp": "2025-03-04T05:06:07"},
    "data_transformations": [{"tool": "/opt/tool", "operation": "2025-03-04"}],
    "training_parameters": {"source": "/data/run1084.npz"},
    "merge_info": {},
    "note": "taken at 05:06",
}
NEEDED = {
    "schema_version": "1.0.0",
    "physics_parameters": {"nphotons": 1e6, "N": 16},
    "additional_parameters": {"scale_contract_version": "legacy_v1", "measurement_domain": "normalized_amplitude"},
}


class TestNoTimeAndNoFileName:
    """Of the source's metadata a fixture carries what its contract needs; the rest may hold times and paths."""

    def source(self, tmp_path, document):
        arrays = rich(tmp_path / "made.npz")
        return save(tmp_path / "in.npz", arrays | {"_metadata": np.array(json.dumps(document))})

    def test_what_is_carried_and_what_is_left_out(self, tmp_path):
        physics = NEEDED["physics_parameters"] | {"detector": "/dev/eiger"}
        extra = NEEDED["additional_parameters"] | {"dir": "/data"}
        document = {**FREE, **NEEDED, "physics_parameters": physics, "additional_parameters": extra}
        made = fixture(self.source(tmp_path, document), tmp_path / "out.npz", contract=CANONICAL, subset_size=16)
        assert json.loads(str(arrays_of(made.path)["_metadata"][()])) == NEEDED
        for member in ("/home/me", "05:06", "2025-03", "run1084", "/data"):
            assert all(member.encode("utf-32-le") not in one.tobytes() for one in arrays_of(made.path).values())
        (step,) = (one for one in made.steps if one["step"] == "trim")
        assert step["pointers"] == [
            *(f"/creation_info/{key}" for key in ("script", "timestamp")),
            "/data_transformations",
            "/training_parameters/source",
            "/merge_info",
            "/note",
            "/physics_parameters/detector",
            "/additional_parameters/dir",
        ]
        assert not step["lossless"]
        assert "left out /creation_info/script" in step["sentence"]
        assert step in json.loads(made.sidecar.read_text())["transformations"]

    def test_nothing_to_leave_out(self, tmp_path):
        made = fixture(self.source(tmp_path, NEEDED), tmp_path / "out.npz", contract=CANONICAL, subset_size=16)
        assert json.loads(str(arrays_of(made.path)["_metadata"][()])) == NEEDED
        assert not [one for one in made.steps if one["step"] == "trim"]

    def test_nothing_left(self, tmp_path):
        made = fixture(self.source(tmp_path, FREE), tmp_path / "out.npz", contract=CANONICAL, subset_size=16)
        assert "_metadata" not in arrays_of(made.path)

    def test_what_the_contract_requires_is_carried(self, tmp_path):
        document = json.loads(json.dumps(load(CANONICAL).document))
        document["id"] = "mine/one"
        document["metadata"]["schema"]["required"] = ["note"]
        made = fixture(
            self.source(tmp_path, FREE), tmp_path / "out.npz", contract=from_document(document), subset_size=16
        )
        assert json.loads(str(arrays_of(made.path)["_metadata"][()])) == {"note": FREE["note"]}

    @pytest.mark.parametrize(
        ("schema", "kept"),
        [
            (True, {}),
            ({"type": "number"}, {"n": 5}),
            ({"type": ["integer", "null"]}, {"n": 5}),
            ({"$ref": "#/$defs/count"}, {"n": 5}),
        ],
    )
    def test_schemas_of_every_form(self, tmp_path, schema, kept):
        document = {"id": "mine/one", "version": "1.0.0", "title": "t", "extends": CANONICAL}
        asked = {"properties": {"n": schema}, "$defs": {"count": {"type": "integer"}}}
        own = from_document(document | {"metadata": {"schema": asked}})
        made = fixture(
            self.source(tmp_path, {"n": 5, "when": "2020"}), tmp_path / "out.npz", contract=own, subset_size=16
        )
        found = arrays_of(made.path)
        assert ("_metadata" in found) == bool(kept)
        assert not kept or json.loads(str(found["_metadata"][()])) == kept

    def test_members_carry_no_time(self, tmp_path):
        made = fixture(self.source(tmp_path, NEEDED), tmp_path / "out.npz", contract=CANONICAL, subset_size=16)
        with zipfile.ZipFile(made.path) as archive:
            assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert not archive.comment
            assert not any(one.comment for one in archive.infolist())

    def test_convert_carries_all_of_it(self, tmp_path):
        convert(self.source(tmp_path, FREE), tmp_path / "out.npz")
        assert json.loads(str(arrays_of(tmp_path / "out.npz")["_metadata"][()])) == FREE
