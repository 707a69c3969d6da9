"""convert: every kind of mend, lossless unless asked by name."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from itertools import pairwise

import numpy as np
import pytest

import npzschema
from npzschema import ValidationError
from npzschema.contracts import ContractError, from_document, load
from npzschema.contracts.forward_model import amplitudes
from npzschema.contracts.steps import LOSSY
from npzschema.generator import Experiment, GeneratorError, Output, convert, fixture, simulate
from npzschema.generator import transpose as transposing
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


def steps_of(made):
    return [(step["step"], step["array"]) for step in made.steps]


def converted(tmp_path, arrays, **more):
    """Source arrays through convert: what numpy reads, and the steps."""
    source = save(tmp_path / "in.npz", arrays)
    before = digest(source)
    made = convert(source, tmp_path / "out.npz", **more)
    assert digest(source) == before
    assert made.report.ok
    assert validate(made.path, more.get("contract", CANONICAL), axes=more.get("axes")).ok
    assert sorted(os.listdir(tmp_path)) == ["in.npz", "out.npz"]
    return arrays_of(made.path), steps_of(made)


class TestMends:
    def test_nothing_to_mend_keeps_every_bit(self, tmp_path, canonical):
        found, steps = converted(tmp_path, canonical)
        same(found, canonical)
        assert steps == []

    def test_legacy_becomes_canonical_array_by_array(self, tmp_path, canonical):
        found, steps = converted(tmp_path, legacy(canonical))
        same(found, canonical)
        assert ("transpose", "diffraction") in steps
        assert {array for step, array in steps if step == "cast"} == {"diffraction", "probeGuess", "objectGuess", "Y"}

    def test_rename(self, tmp_path, canonical):
        found, steps = converted(
            tmp_path, {"diff3d" if name == "diffraction" else name: one for name, one in canonical.items()}
        )
        same(found, canonical)
        assert steps == [("rename", "diffraction")]

    @pytest.mark.parametrize("dtype", ["float64", "float16"])
    def test_cast(self, tmp_path, canonical, dtype):
        stored = canonical["diffraction"].astype(dtype)
        # Off the lattice of counts' square roots at this precision, so that nothing but the dtype is wrong.
        found, steps = converted(tmp_path, canonical | {"diffraction": stored})
        assert (found["diffraction"] == stored.astype(np.float32)).all()
        assert steps == [("cast", "diffraction")]

    def test_a_kind_of_dtype_is_written_as_its_widest(self, tmp_path, canonical):
        stored = np.arange(20) * 1000.0
        found, steps = converted(tmp_path, canonical | {"scan_index": stored})
        assert found["scan_index"].dtype == np.int64
        assert (found["scan_index"] == stored).all()
        assert steps == [("cast", "scan_index")]

    def test_negative_counts_are_told_without_a_warning_of_numpy(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", canonical | {"diffraction": np.full((20, 16, 16), -1, np.int16)})
        assert "VALUE-002" in refused(tmp_path, "convert", source, tmp_path / "out.npz")

    def test_a_cast_rounds_to_the_nearest(self, tmp_path, canonical):
        stored = canonical["probeGuess"].astype(np.complex128) * (1 + 1e-9)
        found, _ = converted(tmp_path, canonical | {"probeGuess": stored})
        assert (found["probeGuess"] == stored.astype(np.complex64)).all()

    @pytest.mark.parametrize("dtype", ["uint16", "uint8", "int32", "float32", "float64"])
    def test_the_square_root_of_counts(self, tmp_path, canonical, dtype):
        counts = np.random.default_rng(0).poisson(20, canonical["diffraction"].shape).astype(dtype)
        counts[counts > 99] = 99
        found, steps = converted(tmp_path, canonical | {"diffraction": counts})
        assert found["diffraction"].dtype == np.float32
        assert (found["diffraction"] == np.sqrt(counts.astype(np.float64)).astype(np.float32)).all()
        assert steps == [("sqrt", "diffraction")]

    def test_amplitudes_that_were_rounded_are_not_taken_for_counts(self, tmp_path):
        arrays = arrays_of(simulated(tmp_path / "sim.npz", photons=1e8))
        os.unlink(tmp_path / "sim.npz")
        arrays["diffraction"] = np.rint(arrays["diffraction"] / arrays["diffraction"].max() * 60_000).astype(np.uint16)
        source = save(tmp_path / "in.npz", arrays)
        for options in ([], ["--allow", "normalise"]):
            told = refused(tmp_path, "convert", *options, source, tmp_path / "out.npz")
            assert "--allow sqrt would take the square root although the evidence is mixed" in told
        before = arrays["diffraction"].astype(np.float64)
        found, steps = converted(tmp_path, arrays, allow=["sqrt", "normalise"])
        assert steps == [("sqrt", "diffraction"), ("normalise", "diffraction")]
        exact = np.sqrt(before) / np.sqrt(before.max())
        assert (found["diffraction"] == exact.astype(np.float32)).all()
        with pytest.raises(GeneratorError, match="--allow sqrt would"):
            fixture(source, tmp_path / "cut.npz", subset_size=16, contract=CANONICAL, allow=["normalise"])
        assert not (tmp_path / "cut.npz").exists()
        with pytest.raises(ValidationError, match="sqrt"):
            npzschema.load(source, mend=True)

    def test_squeeze(self, tmp_path, canonical):
        longer = {
            "diffraction": canonical["diffraction"][..., None],
            "probeGuess": canonical["probeGuess"][..., None],
            "objectGuess": canonical["objectGuess"][..., None],
            "xcoords": canonical["xcoords"][:, None],
            "Y": canonical["Y"][..., None],
        }
        found, steps = converted(tmp_path, canonical | longer)
        same(found, canonical)
        assert sorted(steps) == sorted(("squeeze", name) for name in longer)

    @pytest.mark.parametrize(
        ("stored", "expected"),
        [
            (lambda a: a.transpose(1, 2, 0)[..., None], ["squeeze", "transpose"]),
            (lambda a: a.transpose(1, 2, 0)[None], ["squeeze", "transpose"]),
            (lambda a: a[None, ..., None], ["squeeze"]),
            (lambda a: a.transpose(1, 0, 2), ["transpose"]),
        ],
        ids=["H, W, N, 1", "1, H, W, N", "1, N, H, W, 1", "H, N, W"],
    )
    def test_axes_of_any_order_and_too_many(self, tmp_path, canonical, stored, expected):
        odd = {"diffraction": np.ascontiguousarray(stored(canonical["diffraction"]))}
        found, steps = converted(tmp_path, canonical | odd)
        same(found, canonical)
        assert [step for step, _ in steps] == expected

    def test_memory_and_byte_order(self, tmp_path, canonical):
        odd = {
            name: np.asfortranarray(one).astype(one.dtype.newbyteorder(">"), order="K") if one.ndim else one
            for name, one in canonical.items()
        }
        found, steps = converted(tmp_path, odd)
        same(found, canonical)
        assert {step for step, _ in steps} == {"native"}
        with np.load(tmp_path / "out.npz") as loaded:
            assert all(loaded[name].flags.c_contiguous for name in loaded.files)

    def test_all_mends_of_one_array_at_once(self, tmp_path, canonical):
        counts = np.random.default_rng(0).poisson(20, canonical["diffraction"].shape).astype(">u2")
        stored = {name: one for name, one in canonical.items() if name != "diffraction"}
        stored["diff3d"] = np.asfortranarray(counts.transpose(1, 2, 0))
        found, steps = converted(tmp_path, stored)
        assert (found["diffraction"] == np.sqrt(counts.astype(np.float64)).astype(np.float32)).all()
        assert {step for step, _ in steps} == {"rename", "transpose", "sqrt", "native"}

    def test_pickled_metadata_becomes_plain_text(self, tmp_path, canonical):
        text = json.dumps({"schema_version": "1.0.0", "note": "größe ünd 漢字"}, ensure_ascii=False)
        found, steps = converted(tmp_path, canonical | {"_metadata": np.array(text, dtype=object)})
        assert found["_metadata"].shape == ()
        assert str(found["_metadata"]) == text
        assert steps == [("unpickle-metadata", "_metadata")]

    def test_integer_positions_are_cast_and_a_float_index_too(self, tmp_path, canonical):
        whole = {
            "xcoords": np.rint(canonical["xcoords"]).astype(np.int32),
            "scan_index": canonical["scan_index"].astype(np.float64),
        }
        found, steps = converted(tmp_path, canonical | whole)
        assert found["xcoords"].dtype.kind == "f"
        assert (found["xcoords"] == whole["xcoords"]).all()
        assert found["scan_index"].dtype.kind == "i"
        assert sorted(steps) == [("cast", "scan_index"), ("cast", "xcoords")]


class TestLossySteps:
    def test_normalise_only_by_name(self, tmp_path, canonical):
        stored = canonical | {"diffraction": (canonical["diffraction"] * 100).astype(np.float64)}
        source = save(tmp_path / "in.npz", stored)
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz")
        assert "VALUE-003" in line
        assert "--allow normalise" in line
        made = convert(source, tmp_path / "out.npz", allow=["normalise"])
        expected = (stored["diffraction"] / stored["diffraction"].max()).astype(np.float32)
        assert (arrays_of(made.path)["diffraction"] == expected).all()
        step = next(one for one in made.steps if one["step"] == "normalise")
        assert step["divisor"] == stored["diffraction"].max()
        assert not step["lossless"]

    @pytest.mark.parametrize("dtype", ["uint16", "int64", "float32", "float64"])
    @pytest.mark.parametrize("legacy_order", [False, True])
    def test_normalised_counts_are_rounded_once(self, tmp_path, canonical, dtype, legacy_order):
        counts = np.random.default_rng(0).poisson(900, canonical["diffraction"].shape).astype(dtype)
        stored = np.ascontiguousarray(counts.transpose(1, 2, 0)) if legacy_order else counts
        source = save(tmp_path / "in.npz", canonical | {"diffraction": stored})
        found = arrays_of(convert(source, tmp_path / "out.npz", allow=["normalise"]).path)["diffraction"]
        exact = np.sqrt(counts.astype(np.float64)) / np.sqrt(np.float64(counts.max()))
        assert found.dtype == np.float32
        assert found.tobytes() == exact.astype(np.float32).tobytes()
        assert found.max() == 1

    def test_drop_only_by_name(self, tmp_path, canonical):
        per_scan = {name: one for name, one in canonical.items() if name != "diffraction" and one.shape[:1] == (20,)}
        stored = canonical | {name: np.concatenate([one, one[-3:]]) for name, one in per_scan.items()}
        source = save(tmp_path / "in.npz", stored)
        same(arrays_of(convert(source, tmp_path / "kept.npz").path), stored)
        same(arrays_of(convert(source, tmp_path / "cut.npz", allow=["drop"]).path), canonical)

    def test_a_lossy_cast_only_by_name(self, tmp_path, canonical):
        stored = canonical | {"probeGuess": canonical["probeGuess"].astype(np.complex128)}
        stored["probeGuess"][0, 0] = 1e-200
        source = save(tmp_path / "in.npz", stored)
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz")
        assert "underflow" in line
        assert "--allow cast" in line
        found = arrays_of(convert(source, tmp_path / "out.npz", allow=["cast"]).path)
        assert (found["probeGuess"] == stored["probeGuess"].astype(np.complex64)).all()

    def test_a_cast_that_overflows_fails_even_when_allowed(self, tmp_path, canonical):
        stored = canonical | {"objectGuess": canonical["objectGuess"].astype(np.complex128)}
        stored["objectGuess"][3, 3] = 1e300
        stored["probeGuess"] = np.ones_like(stored["probeGuess"])
        source = save(tmp_path / "in.npz", stored)
        assert "VALUE-001" in refused(tmp_path, "convert", source, tmp_path / "out.npz", "--allow", "cast")

    @pytest.mark.parametrize(
        ("allow", "code", "change"),
        [
            ("positions", "PHYS-002", lambda one: one.update(xcoords=one["objectGuess"].shape[1] - one["xcoords"])),
            (
                "centre",
                "PHYS-003",
                lambda one: one.update(diffraction=np.fft.ifftshift(one["diffraction"], axes=(1, 2))),
            ),
            ("detector", "PHYS-004", lambda one: one.update(diffraction=one["diffraction"].transpose(0, 2, 1).copy())),
            (
                "detector",
                "PHYS-004",
                lambda one: one.update(diffraction=np.roll(one["diffraction"][:, :, ::-1], 1, axis=2)),
            ),
        ],
    )
    @pytest.mark.parametrize("contract", [CANONICAL, LEGACY])
    def test_what_only_the_forward_model_speaks_for(self, tmp_path, allow, code, change, contract):
        canonical = rich(tmp_path / "made.npz", n=25, size=32)
        stored = dict(canonical)
        change(stored)
        source = save(tmp_path / "in.npz", legacy(stored))
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz", "--contract", contract)
        assert code in line
        assert f"--allow {allow}" in line
        found = arrays_of(convert(source, tmp_path / "out.npz", contract=contract, allow=[allow]).path)
        meant = canonical["diffraction"] if contract == CANONICAL else canonical["diffraction"].transpose(1, 2, 0)
        assert (found["diffraction"] == meant).all()
        assert np.allclose(found["xcoords"], canonical["xcoords"], rtol=0, atol=1e-9)

    def test_frames_out_of_step_cannot_be_mended(self, tmp_path):
        canonical = rich(tmp_path / "made.npz", n=25, size=32)
        rolled = {name: np.roll(canonical[name], 3) for name in ("xcoords", "ycoords")}
        source = save(tmp_path / "in.npz", canonical | rolled)
        assert "PHYS-001" in refused(tmp_path, "convert", source, tmp_path / "out.npz", "--allow", "positions")

    def test_a_step_that_there_is_not(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", canonical)
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz", "--allow", "everything")
        assert f"'everything' is no step that is taken by name; those are {', '.join(LOSSY)}" in line


class TestDryRun:
    def test_lists_what_would_be_done_and_writes_nothing(self, tmp_path, canonical):
        stored = legacy(canonical)
        stored["diffraction"] *= 100
        stored["probeGuess"][0, 0] = 1e-200
        source = save(tmp_path / "in.npz", stored)
        before = held(tmp_path)
        status, out, err = command("convert", source, tmp_path / "out.npz", "--dry-run")
        assert (status, err) == (0, "")
        assert held(tmp_path) == before
        lines = out.splitlines()
        assert "would do: diffraction: axes (H, W, N) brought into the order (N, H, W)" in lines
        assert (
            f"with --allow normalise: diffraction: divided by the largest value, {stored['diffraction'].max():.6g}"
            in lines
        )
        (cast,) = (line for line in lines if line.startswith("with --allow cast: probeGuess"))
        assert "underflow" in cast

    def test_says_what_is_in_the_way(self, tmp_path, canonical):
        del canonical["probeGuess"]
        source = save(tmp_path / "in.npz", canonical)
        told = (2, "in the way: KEY-001 probeGuess: is missing\n", "")
        assert command("convert", source, "--dry-run") == told

    def test_says_when_there_is_nothing(self, tmp_path, canonical):
        assert command("convert", save(tmp_path / "in.npz", canonical), "--dry-run")[1] == "nothing to mend\n"

    def test_an_unreadable_file_is_one_line(self, tmp_path):
        (tmp_path / "in.npz").write_bytes(b"PK\x03\x04 nothing")
        assert "cannot be read" in refused(tmp_path, "convert", tmp_path / "in.npz", "--dry-run")


def broken_sources():
    yield "missing array", lambda one: one.pop("objectGuess"), "KEY-001 objectGuess: is missing"
    yield "not finite", lambda one: one["diffraction"].__setitem__((3, 0, 0), np.nan), "VALUE-001"
    yield "object array", lambda one: one.update(notes=np.array([None, 1], dtype=object)), "FILE-006"
    yield "phase lost", lambda one: one.update(objectGuess=one["objectGuess"].real), "DTYPE-001"
    yield "sizes", lambda one: one.update(xcoords=one["xcoords"][:-1]), "SHAPE-002"
    yield "two names", lambda one: one.update(diff3d=one["diffraction"] * 2), "KEY-004"
    yield "metadata", lambda one: one.update(_metadata=np.array("no JSON")), "META-001"
    yield "metres", lambda one: one.update(xcoords=one["xcoords"] * 1e-9, ycoords=one["ycoords"] * 1e-9), "SCAN-003"


@pytest.mark.parametrize(
    ("change", "words"), [case[1:] for case in broken_sources()], ids=[case[0] for case in broken_sources()]
)
def test_what_cannot_be_mended_is_said_and_nothing_is_written(tmp_path, canonical, change, words):
    change(canonical)
    source = save(tmp_path / "in.npz", canonical)
    line = refused(tmp_path, "convert", source, tmp_path / "out.npz", "--metadata-out", tmp_path / "out.json")
    assert "cannot become ptychopinn/canonical" in line
    assert words in line


class TestNames:
    @pytest.mark.parametrize("stored", ["diffraction", "diff3d"])
    def test_both_names_identical(self, tmp_path, canonical, stored):
        arrays = {stored if name == "diffraction" else name: one for name, one in canonical.items()}
        found, steps = converted(tmp_path, arrays, keep_legacy_names=True)
        same(found, canonical | {"diff3d": canonical["diffraction"]})
        assert steps[-1] == ("copy", "diff3d")

    def test_by_option(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", legacy(canonical))
        options = (source, tmp_path / "out.npz", "--keep-legacy-names")
        _, foreseen, _ = command("convert", "--dry-run", *options)
        status, said, _ = command("convert", *options)
        assert status == 0
        assert foreseen.replace("would do:", " ").splitlines() == said.splitlines()[:-1]
        assert "diff3d: diffraction once more" in foreseen
        same(arrays_of(tmp_path / "out.npz"), canonical | {"diff3d": canonical["diffraction"]})

    def test_a_file_with_both_keeps_both(self, tmp_path, canonical):
        stored = legacy(canonical)
        found, steps = converted(tmp_path, stored | {"diff3d": stored["diffraction"]}, keep_legacy_names=True)
        same(found, canonical | {"diff3d": canonical["diffraction"]})
        assert "copy" not in {step for step, _ in steps}

    def test_arrays_that_the_contract_does_not_know_pass_through(self, tmp_path, canonical):
        unknown = {
            "notes": np.array(["a", "längerer Text"]),
            "mask": np.ones((16, 16), dtype=bool),
            "table": np.array([(1, 2.5)], dtype=[("frame", "<i2"), ("dose", "<f8")]),
            "when": np.array(["2024-01-01T00:00"], dtype="M8[s]"),
            "empty": np.empty((0, 3), dtype=np.int8),
            "zero_d": np.array(4.5),
            "raw bytes": np.array([b"xy"]),
            "half": np.arange(3, dtype=np.float16),
            "cube": np.asfortranarray(np.arange(27).reshape(3, 3, 3)),
        }
        found, steps = converted(tmp_path, canonical | unknown)
        same(found, canonical | unknown)
        assert steps == []

    def test_metadata_is_kept_to_the_letter(self, tmp_path, canonical):
        text = '{"physics_parameters":  {"nphotons": 1e6},\n "b": 1, "a": "µ"}'
        found, _ = converted(tmp_path, legacy(canonical) | {"_metadata": np.array(text)})
        assert str(found["_metadata"]) == text

    @pytest.mark.parametrize("target", [CANONICAL, RAW, LEGACY])
    @pytest.mark.parametrize("said", [LEGACY, CANONICAL, f"{RAW}@1.0.0", {"id": RAW, "version": "1.0.0"}])
    @pytest.mark.parametrize("where", ["at the top", "inside"])
    def test_a_declared_contract_is_the_one_that_is_kept(self, tmp_path, canonical, target, said, where):
        document = (
            {"contract": said} if where == "at the top" else {"additional_parameters": {"contract": said, "k": 1}}
        )
        source = save(tmp_path / "in.npz", legacy(canonical) | {"_metadata": np.array(json.dumps(document))})
        made = convert(source, tmp_path / "out.npz", contract=target)
        alone = validate(made.path)
        assert (alone.contract, alone.ok) == (target, True)
        own = said["id"] if isinstance(said, dict) else said.partition("@")[0]
        assert (("declare", "_metadata") in steps_of(made)) == (own != target)

    def test_a_contract_that_nobody_knows_stays_declared(self, tmp_path, canonical):
        text = '{"contract": "mylab/ours"}'
        found, steps = converted(tmp_path, legacy(canonical) | {"_metadata": np.array(text)}, contract=CANONICAL)
        assert str(found["_metadata"]) == text
        assert ("declare", "_metadata") not in steps

    def test_a_changed_quantity_is_declared_anew(self, tmp_path):
        source = simulated(tmp_path / "in.npz", CI, photons=2e3)
        made = convert(source, tmp_path / "out.npz", allow=["normalise"])
        declared = json.loads(str(arrays_of(made.path)["_metadata"]))
        assert declared["additional_parameters"] == {
            "scale_contract_version": "legacy_v1",
            "measurement_domain": "normalized_amplitude",
        }
        assert declared["physics_parameters"]["nphotons"] == 2e3
        assert ("declare", "_metadata") in steps_of(made)
        # What the file says of itself is what it is.
        report = validate(made.path)
        assert report.contract == CANONICAL
        assert report.ok
        assert "with --allow" not in command("convert", made.path, "--dry-run")[1]


class TestTargets:
    def test_raw_npz(self, tmp_path, canonical):
        found, steps = converted(tmp_path, legacy(canonical), contract=RAW)
        # Y, which this contract does not know, passes through as it is; double precision is allowed in it.
        expected = {name: one for name, one in legacy(canonical).items() if name != "diffraction"}
        expected["diff3d"] = canonical["diffraction"].astype(np.float64)
        same(found, expected)
        assert steps == [("rename", "diff3d"), ("transpose", "diff3d")]

    def test_legacy_hwn_from_canonical(self, tmp_path, canonical):
        found, steps = converted(tmp_path, canonical, contract=LEGACY)
        same(found, canonical | {"diffraction": canonical["diffraction"].transpose(1, 2, 0).copy()})
        assert steps == [("transpose", "diffraction")]

    def test_legacy_hwn_needs_the_nominal_positions(self, tmp_path, canonical):
        del canonical["xcoords_start"]
        source = save(tmp_path / "in.npz", canonical)
        assert "KEY-001 xcoords_start" in refused(
            tmp_path, "convert", source, tmp_path / "out.npz", "--contract", LEGACY
        )

    def test_amplitudes_do_not_become_counts(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", canonical)
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz", "--contract", COUNTS)
        assert "cannot become ptychopinn/raw-counts" in line

    def test_there_and_back_again(self, tmp_path, canonical):
        source = save(tmp_path / "a.npz", canonical)
        for first, second, contract in (("a", "b", LEGACY), ("b", "c", RAW), ("c", "d", CANONICAL)):
            convert(tmp_path / f"{first}.npz", tmp_path / f"{second}.npz", contract=contract)
        same(arrays_of(tmp_path / "d.npz"), canonical)
        assert digest(convert(source, tmp_path / "e.npz").path) == digest(tmp_path / "d.npz")

    def test_fixture_contract_from_a_file_of_64_frames(self, tmp_path):
        arrays = rich(tmp_path / "made.npz", n=64, size=64)
        big = np.ones((130, 130), dtype=np.complex64)
        big[: arrays["objectGuess"].shape[0], : arrays["objectGuess"].shape[1]] = arrays["objectGuess"][:130, :130]
        source = save(tmp_path / "in.npz", arrays | {"objectGuess": big})
        made = convert(source, tmp_path / "out.npz", contract=FIXTURE, axes={"diffraction": ("N", "H", "W")})
        found = arrays_of(made.path)
        assert (found["diff3d"] == arrays["diffraction"]).all()
        assert ("copy", "diff3d") in steps_of(made)

    def test_a_users_contract_by_path(self, tmp_path, canonical):
        mine = tmp_path / "mine.json"
        mine.write_text(
            json.dumps(
                {
                    "id": "my/own",
                    "version": "0.1.0",
                    "title": "mine",
                    "extends": CANONICAL,
                    "finding": None,
                    "declaredBy": None,
                }
            )
        )
        source = save(tmp_path / "in.npz", legacy(canonical))
        assert convert(source, tmp_path / "out.npz", contract=mine).report.contract == "my/own"
        assert convert(source, tmp_path / "out2.npz", contract=load(mine)).report.contract == "my/own"

    def test_a_contract_that_there_is_not(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", canonical)
        with pytest.raises(ContractError):
            convert(source, tmp_path / "out.npz", contract="ptychopinn/none")
        assert "contract refused" in refused(
            tmp_path, "convert", source, tmp_path / "out.npz", "--contract", "ptychopinn/none"
        )


class TestCubes:
    @pytest.fixture
    def cube(self, tmp_path):
        """A cube whose object is a placeholder: neither sizes nor content tell its axes."""
        arrays = rich(tmp_path / "made.npz", n=16, size=16)
        return arrays | {"objectGuess": np.ones_like(arrays["objectGuess"])}

    @pytest.mark.parametrize("order", ["NHW", "HWN"])
    def test_read_by_what_the_content_tells(self, tmp_path, order):
        arrays = rich(tmp_path / "made.npz", n=16, size=16)
        source = save(tmp_path / "in.npz", arrays if order == "NHW" else legacy(arrays))
        made = convert(source, tmp_path / "out.npz", axes={"Y": ("N", "H", "W")})
        assert ("transpose" in {step["step"] for step in made.steps}) == (order == "HWN")
        same(arrays_of(made.path), arrays)

    @pytest.mark.parametrize("order", ["NHW", "HWN"])
    def test_refused_without_axes_and_right_with_them(self, tmp_path, cube, order):
        stored = cube if order == "NHW" else legacy(cube)
        source = save(tmp_path / "in.npz", stored)
        line = refused(tmp_path, "convert", source, tmp_path / "out.npz")
        assert "FORMAT-002" in line
        assert "--axes diffraction=N,H,W" in line
        named = ("--axes", f"diffraction={','.join(order)}")
        if order == "HWN":
            # The other array of that shape may lie either way then.
            line = refused(tmp_path, "convert", source, tmp_path / "out.npz", *named)
            assert "--axes Y=N,H,W or --axes Y=H,W,N" in line
            named += ("--axes", "Y=N,H,W")
        assert command("convert", source, tmp_path / "out.npz", *named)[0] == 0
        same(arrays_of(tmp_path / "out.npz"), cube)
        # Per-scan arrays stay whole; the probe, whose rows are as many as frames, too.
        assert arrays_of(tmp_path / "out.npz")["probeGuess"].shape == (16, 16)

    def test_axes_that_do_not_fit(self, tmp_path, cube):
        source = save(tmp_path / "in.npz", cube)
        for text, words in (
            ("diffraction=N,H", "known are (N, H, W) or (H, W, N)"),
            ("diffraction=N,Q,W", "no contract has the axes (N, Q, W)"),
            ("difraction=N,H,W", "which is no array"),
            ("diffraction", "is not ARRAY=A,B,C"),
            ("diffraction=²,H,W", "no contract has the axes"),
            ("diffraction=" + "9" * 5000 + ",H,W", "no contract has the axes"),
        ):
            assert words in refused(tmp_path, "convert", source, tmp_path / "out.npz", "--axes", text)


class TestSameBytes:
    def test_convert_of_convert(self, tmp_path, canonical):
        source = save(
            tmp_path / "in.npz",
            legacy(canonical) | {"_metadata": np.array("{}"), "zusätzlich": np.arange(4), "a": np.eye(3)},
        )
        first = convert(source, tmp_path / "1.npz").path
        second = convert(first, tmp_path / "2.npz").path
        assert digest(first) == digest(second)

    @pytest.mark.parametrize(("compression", "level"), [("isal", 0), ("isal", 3), ("zlib", 1), ("none", None)])
    def test_of_large_arrays_in_many_blocks(self, tmp_path, monkeypatch, compression, level):
        rng = np.random.default_rng(0)
        n, side = 700, 32
        arrays = rich(tmp_path / "made.npz", n=20, size=side) | {
            "diffraction": (np.sqrt(rng.poisson(4, (n, side, side))) / 10).astype(np.float32),
            **{name: rng.uniform(20, 25, n) for name in ("xcoords", "ycoords")},
        }
        # Without an object nobody looks for another reading of positions that mean nothing.
        arrays["objectGuess"] = np.ones_like(arrays["objectGuess"])
        for name in ("xcoords_start", "ycoords_start", "scan_index", "Y"):
            del arrays[name]
        source = save(tmp_path / "in.npz", legacy(arrays), compressed=False)
        monkeypatch.setattr(transposing.transposed, "__defaults__", (None, 300_000))
        options = Output(compression=compression, level=level)
        first = convert(source, tmp_path / "1.npz", options=options).path
        same(arrays_of(first), arrays)
        assert digest(convert(first, tmp_path / "2.npz", options=options).path) == digest(first)
        back = convert(first, tmp_path / "3.npz", contract=RAW, options=options).path
        assert digest(convert(back, tmp_path / "4.npz", options=options).path) == digest(first)

    def test_whatever_the_file_names_are(self, tmp_path, canonical):
        first = save(tmp_path / "in.npz", legacy(canonical))
        second = save(tmp_path / "another name.npz", legacy(canonical), compressed=False)
        assert digest(convert(first, tmp_path / "1.npz").path) == digest(convert(second, tmp_path / "zwei.npz").path)


class TestContractsOfYourOwn:
    @staticmethod
    def contract(quantity="intensity", dtype="float32", **more):
        patterns = {"required": True, "quantity": quantity, "dims": ["N", "H", "W"], "dtype": dtype, **more}
        position = {"required": True, "dims": ["N"], "dtype": "float64"}
        return from_document(
            {
                "id": "own/contract",
                "version": "1.0.0",
                "title": "own",
                "dimensions": {symbol: {"description": "a length"} for symbol in "NHW"},
                "arrays": {"p": patterns, "x": position, "y": position},
                "scan": {"dimension": "N", "frames": "p", "x": "x", "y": "y"},
            }
        )

    @pytest.fixture
    def counts(self):
        rng = np.random.default_rng(0)
        return {"p": rng.poisson(40, (30, 6, 7)), "x": rng.random(30) * 50, "y": rng.random(30) * 50}

    def test_a_square_detector_of_fixed_length(self, tmp_path):
        """Two axes of one length keep their order."""
        turned = {"dims": [16, 16, "N"], "rule": "FORMAT-001", "fix": "transpose"}
        contract = from_document(
            {
                "id": "own/contract",
                "version": "1.0.0",
                "title": "own",
                "dimensions": {"N": {"description": "a length"}},
                "arrays": {"p": {"dims": ["N", 16, 16], "dtype": "float64", "legacy": [turned]}},
            }
        )
        frames = np.random.default_rng(0).random((30, 16, 16))
        source = save(tmp_path / "in.npz", {"p": frames.transpose(1, 2, 0)})
        made = convert(source, tmp_path / "out.npz", contract=contract)
        assert steps_of(made) == [("transpose", "p")]
        assert (arrays_of(made.path)["p"] == frames).all()

    def test_two_names_of_one_array_keep_their_dtypes(self, tmp_path):
        arrays = {
            name: {"required": True, "dims": ["N"], "dtype": dtype}
            for name, dtype in (("a", "float32"), ("b", "float64"))
        }
        contract = from_document(
            {
                "id": "own/contract",
                "version": "1.0.0",
                "title": "own",
                "dimensions": {"N": {"description": "a length"}},
                "arrays": arrays,
                "relations": [{"identical": ["a", "b"]}],
            }
        )
        values = {name: np.arange(5).astype(dtype) for name, dtype in (("a", "float32"), ("b", "float64"))}
        both = save(tmp_path / "both.npz", values)
        one = save(tmp_path / "one.npz", {"a": values["a"]})
        for source in (both, one):
            made = convert(source, tmp_path / f"made_{source.name}", contract=contract)
            same(arrays_of(made.path), values)
            same(dict(npzschema.load(source, contract, mend=True)), values)

    SQUARED = ({"quantity": "amplitude", "dtype": "floating", "rule": "NORM-001", "fix": "square"},)

    def test_amplitudes_are_squared(self, tmp_path, counts):
        source = save(tmp_path / "in.npz", counts | {"p": np.sqrt(counts["p"])})
        made = convert(source, tmp_path / "out.npz", contract=self.contract(legacy=self.SQUARED))
        assert steps_of(made) == [("square", "p")]
        assert np.allclose(arrays_of(made.path)["p"], counts["p"], rtol=1e-6)
        bounded = self.contract(legacy=self.SQUARED, values={"maximum": 5})
        again = convert(source, tmp_path / "2.npz", contract=bounded, allow=["normalise"])
        assert steps_of(again) == [("square", "p"), ("normalise", "p")]
        exact = np.square(np.sqrt(counts["p"]))
        assert (arrays_of(again.path)["p"] == (exact / exact.max()).astype(np.float32)).all()

    @pytest.mark.parametrize(
        ("stored", "most", "dtype"),
        [("float32", 40, "uint16"), ("float64", 40, "uint16"), ("float64", 90_000, "uint32")],
    )
    def test_counts_are_whole_once_more(self, tmp_path, counts, stored, most, dtype):
        contract = self.contract(legacy=self.SQUARED, dtype=["uint16", "uint32"])
        counts["p"] = np.random.default_rng(1).poisson(most, (30, 6, 7))
        source = save(tmp_path / "in.npz", counts | {"p": np.sqrt(counts["p"]).astype(stored)})
        made = arrays_of(convert(source, tmp_path / "out.npz", contract=contract).path)["p"]
        assert made.dtype == dtype
        assert (made == counts["p"]).all()
        loaded = npzschema.load(source, contract, mend=True)
        assert (loaded["p"] == counts["p"]).all()

    @pytest.mark.parametrize(
        ("stored", "told"),
        [
            (lambda counts: np.sqrt(counts * 0.3), "values are not whole, as uint16 asks"),
            (lambda counts: np.sqrt(counts * 2000.0), "holds amplitudes, the contract says intensities"),
        ],
    )
    def test_what_is_no_count_is_not_made_one(self, tmp_path, counts, stored, told):
        contract = self.contract(legacy=self.SQUARED, dtype="uint16")
        source = save(tmp_path / "in.npz", counts | {"p": stored(counts["p"])})
        with pytest.raises(GeneratorError, match=told):
            convert(source, tmp_path / "out.npz", contract=contract)
        assert not (tmp_path / "out.npz").exists()

    def test_whole_positions_stay_whole(self, tmp_path):
        """The fitted ones lie between pixels here: they are not cut off to the next."""
        document = json.loads(json.dumps(load(CANONICAL).document)) | {"id": "own/whole"}
        del document["declaredBy"], document["relations"]
        for name in ("xcoords", "ycoords"):
            document["arrays"][name]["dtype"] = ["integer"]
            del document["arrays"][name]["legacy"]
        for name in ("xcoords_start", "ycoords_start", "Y"):
            del document["arrays"][name]
        contract = from_document(document)
        experiment = Experiment(positions=81, size=31, seed=3, photons=1e7)
        arrays = arrays_of(simulate(tmp_path / "made.npz", experiment).path)
        x, y = np.rint(arrays["xcoords"]), np.rint(arrays["ycoords"])
        predicted = amplitudes(arrays["probeGuess"], arrays["objectGuess"], x + 0.5, y + 0.5)
        corner = {"xcoords": (x - 15).astype(np.int64), "ycoords": (y - 15).astype(np.int64)}
        source = save(tmp_path / "in.npz", arrays | corner | {"diffraction": predicted.astype(np.float32)})
        with pytest.raises(GeneratorError, match="values are not whole, as int64 asks"):
            convert(source, tmp_path / "out.npz", contract=contract, allow=["positions"])

    def test_integers_are_never_divided(self, tmp_path, counts):
        contract = self.contract(dtype="uint16", values={"maximum": 5})
        source = save(tmp_path / "in.npz", counts | {"p": counts["p"].astype(np.uint16)})
        with pytest.raises(GeneratorError, match="VALUE-003") as raised:
            convert(source, tmp_path / "out.npz", contract=contract, allow=["normalise"])
        assert "--allow" not in str(raised.value)

    def test_an_imaginary_part_is_dropped_by_name_only(self, tmp_path, counts):
        legacy = [{"dtype": "complexfloating", "rule": "DTYPE-001", "fix": "cast"}]
        source = save(tmp_path / "in.npz", counts | {"p": counts["p"] * (1 + 2j)})
        contract = self.contract(legacy=legacy)
        with pytest.raises(GeneratorError, match="imaginary part would be dropped"):
            convert(source, tmp_path / "out.npz", contract=contract)
        made = convert(source, tmp_path / "out.npz", contract=contract, allow=["cast"])
        assert (arrays_of(made.path)["p"] == counts["p"]).all()


@needs_real
class TestRealFiles:
    @pytest.mark.parametrize(
        ("name", "axes"),
        [
            ("siemens_legacy_hwn", None),
            ("siemens_raw_diff3d", None),
            ("run1084_semireal_legacy_hwn", "HWN"),
            ("run1084_semireal_raw_diff3d", "NHW"),
        ],
    )
    def test_other_forms_become_the_canonical_one_up_to_scale(self, tmp_path, name, axes):
        made = convert(
            REAL / f"{name}.npz",
            tmp_path / "out.npz",
            allow=["normalise"],
            axes={"diffraction": tuple(axes)} if axes else None,
        )
        found, meant = (
            arrays_of(made.path),
            arrays_of(REAL / f"{name.split('_')[0]}{'_semireal' if axes else ''}_canonical.npz"),
        )
        for array in ("probeGuess", "objectGuess", "xcoords", "ycoords"):
            assert found[array].shape == meant[array].shape
            assert np.allclose(found[array], meant[array], rtol=1e-6, atol=0)
        scale = (found["diffraction"].astype(float) * meant["diffraction"]).sum() / (
            meant["diffraction"].astype(float) ** 2
        ).sum()
        assert np.allclose(found["diffraction"], scale * meant["diffraction"], rtol=3e-6, atol=1e-7)
        assert pairing(found) > 0.8

    @pytest.mark.parametrize("name", ["siemens_canonical", "run1084_semireal_canonical"])
    def test_the_canonical_ones_stay_as_they_are(self, tmp_path, name):
        axes = {"diffraction": ("N", "H", "W")} if "run1084" in name else None
        made = convert(REAL / f"{name}.npz", tmp_path / "out.npz", axes=axes)
        same(arrays_of(made.path), arrays_of(REAL / f"{name}.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("n", [16384, 16000], ids=["blocks full", "last block not full"])
def test_a_large_file_converts_in_bounded_memory(tmp_path, n):
    """500 MiB of patterns in less than 300 MiB; the same transposition in memory would take them twice."""
    rng = np.random.default_rng(0)
    side = 64
    arrays = rich(tmp_path / "made.npz", n=20, size=side)
    for name in ("xcoords_start", "ycoords_start", "scan_index", "Y"):
        del arrays[name]
    arrays |= {name: rng.uniform(40, 45, n) for name in ("xcoords", "ycoords")}
    arrays["objectGuess"] = np.ones_like(arrays["objectGuess"])
    row = np.sqrt(rng.poisson(9, (side, n))) / 20
    arrays["diffraction"] = np.broadcast_to(row, (side, side, n))
    assert arrays["diffraction"].nbytes >= 500 << 20
    save(tmp_path / "in.npz", arrays)
    script = "import sys; from npzschema.generator.cli import main; main()"

    code = (
        "import resource, subprocess, sys;"
        f"subprocess.run([sys.executable, '-c', {script!r}, 'convert', 'in.npz', 'out.npz'], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    made = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(made.stdout.split()[-1]) << 10 < 300 << 20
    with np.load(tmp_path / "out.npz") as loaded:
        assert (loaded["diffraction"] == arrays["diffraction"].transpose(2, 0, 1).astype(np.float32)).all()


def test_the_order_of_members_follows_the_contract(tmp_path, canonical):
    source = save(tmp_path / "in.npz", dict(reversed((canonical | {"b": np.eye(2), "a": np.eye(2)}).items())))
    with np.load(convert(source, tmp_path / "out.npz").path) as loaded:
        names = loaded.files
    known = [name for name in names if name in load(CANONICAL).arrays]
    order = list(load(CANONICAL).arrays)
    assert all(order.index(first) < order.index(second) for first, second in pairwise(known))
    assert names == [*known, "_metadata", "a", "b"]


class TestNothingVanishes:
    def test_what_is_no_array_is_said_to_be_left_out(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", canonical)
        with zipfile.ZipFile(source, "a") as archive:
            archive.writestr("notes.txt", "read me")
        status, out, _ = command("convert", "--dry-run", source)
        assert (status, out) == (0, "would do: left out: notes.txt, which is no array that can be read\n")
        made = convert(source, tmp_path / "out.npz")
        assert steps_of(made) == [("leave-out", "notes.txt")]

    def test_another_array_under_a_legacy_name_stays(self, tmp_path):
        document = {
            "id": "own/masked",
            "version": "1.0.0",
            "title": "own",
            "dimensions": {"H": {"description": "rows"}},
            "arrays": {
                "mask": {"dims": ["H"], "dtype": "float32", "legacy": [{"name": "msk", "rule": "KEY-002"}]},
            },
        }
        arrays = {"mask": np.arange(4, dtype=np.float32), "msk": np.arange(4, 8, dtype=np.float32)}
        source = save(tmp_path / "in.npz", arrays)
        same(arrays_of(convert(source, tmp_path / "out.npz", contract=from_document(document)).path), arrays)

    def test_a_dry_run_tells_a_copy_once(self, tmp_path):
        arrays = arrays_of(simulated(tmp_path / "in.npz", FIXTURE, n=64, size=64))
        source = save(tmp_path / "one.npz", {name: array for name, array in arrays.items() if name != "diffraction"})
        status, out, _ = command("convert", "--dry-run", "--keep-legacy-names", "--contract", FIXTURE, source)
        assert status == 0
        assert out.count("would do: diffraction") == 1

    def test_who_may_read_a_file_that_is_replaced_stays_so(self, tmp_path, canonical):
        source = save(tmp_path / "in.npz", legacy(canonical))
        (tmp_path / "out.npz").write_bytes(b"old")
        (tmp_path / "out.npz").chmod(0o600)
        made = convert(source, tmp_path / "out.npz", options=Output(force=True))
        assert stat.S_IMODE(os.stat(made.path).st_mode) == 0o600

    def test_integers_that_a_float_rounds_are_not_cast_in_silence(self, tmp_path, canonical):
        document = json.loads(json.dumps(load(CANONICAL).document)) | {"id": "own/wide"}
        del document["declaredBy"]
        document["arrays"]["counter"] = {
            "dims": ["N"],
            "dtype": "float64",
            "legacy": [{"dtype": "integer", "rule": "DTYPE-001", "fix": "cast"}],
        }
        contract = from_document(document)
        odd = np.full(len(canonical["xcoords"]), 2**53 + 1)
        source = save(tmp_path / "in.npz", canonical | {"counter": odd})
        with pytest.raises(GeneratorError, match="integers above 9,007,199,254,740,992 are rounded"):
            convert(source, tmp_path / "out.npz", contract=contract)
        save(source, canonical | {"counter": odd - 1})
        made = convert(source, tmp_path / "out.npz", contract=contract)
        assert (arrays_of(made.path)["counter"] == 2.0**53).all()

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ({"options": Output(compression="none", level=99)}, "without compression there is no level"),
            ({"options": Output(level="3")}, "isal has no level '3'"),
            ({"options": Output(level=2.5)}, "isal has no level 2.5"),
            ({"target": "out\0.npz"}, "no file can be called so"),
        ],
    )
    def test_values_of_another_kind_are_told(self, tmp_path, canonical, more, told):
        source = save(tmp_path / "in.npz", canonical)
        target = tmp_path / more.pop("target", "out.npz")
        with pytest.raises(GeneratorError, match=told):
            convert(source, target, **more)

    def test_a_probe_with_an_axis_of_length_one_is_mended_by_content(self, tmp_path):
        """A contract may know both shapes: what was named, or decided, stays."""
        arrays = arrays_of(simulated(tmp_path / "in.npz", CI, n=40, size=16))
        probe = arrays["probeGuess"].reshape(16, 16, 1)
        source = save(tmp_path / "probe.npz", arrays | {"probeGuess": probe})
        loaded = npzschema.load(source, CI, mend=True)
        assert (loaded["probeGuess"] == probe).all()
        made = convert(source, tmp_path / "out.npz", contract=CI, allow=["centre"])
        assert arrays_of(made.path)["probeGuess"].shape == (16, 16, 1)
