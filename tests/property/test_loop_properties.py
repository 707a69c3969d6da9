"""The closed loop: what the generator makes passes, converts back to itself, and is cut as numpy cuts it.

Issue 3, "Properties that must hold in CI"; the second of them is in test_breaker_properties.py.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npzschema.contracts import load, shipped
from npzschema.generator import Experiment, Output, convert, fixture, simulate
from npzschema.validator import dataset
from npzschema.validator.engine import validate

CANONICAL, LEGACY, FIXTURE = "ptychopinn/canonical", "ptychopinn/legacy-hwn", "ptychopinn/fixture-v1"
FEW = settings(max_examples=max(5, settings.default.max_examples // 3) if settings.default else 20)

experiments = st.builds(
    Experiment,
    positions=st.integers(1, 30),
    size=st.sampled_from([8, 12, 16]),
    probe=st.sampled_from(["gaussian", "disc"]),
    object=st.sampled_from(["smooth", "siemens"]),
    scan=st.sampled_from(["raster", "fermat", "concentric"]),
    overlap=st.sampled_from([0.3, 0.6, 0.9]),
    photons=st.sampled_from([1e3, 1e4, 1e5]),
    seed=st.integers(0, 1000),
)
free = st.sampled_from([name for name in shipped() if name != FIXTURE])


def loaded(path):
    """What the generator has written, by numpy alone, pickles refused: little-endian and in C order."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    with np.load(path, allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    for name, array in arrays.items():
        assert array.flags.c_contiguous, name
        assert array.dtype == array.dtype.newbyteorder("<"), name
    return arrays


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def saved(path, arrays):
    np.savez_compressed(path, **arrays)
    return path


def same(first, second):
    assert sorted(first) == sorted(second)
    for name, array in first.items():
        assert (array.dtype, array.shape, array.tobytes()) == (
            second[name].dtype,
            second[name].shape,
            second[name].tobytes(),
        ), name


def axes_of(experiment):
    """A cube's axes are told by whoever made it."""
    return {"diffraction": ("N", "H", "W")} if experiment.positions == experiment.size else None


class TestMadeDataPasses:
    """1. Every generated dataset passes its contract. 6. numpy's own load reads whatever the generator writes."""

    @given(experiments, free, st.sampled_from([("isal", None), ("isal", 0), ("zlib", 1), ("none", None)]))
    def test_simulated(self, experiment, name, how):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.npz"
            report = simulate(path, experiment, contract=name, options=Output(compression=how[0], level=how[1])).report
            assert report.ok
            assert validate(path, name, strict_archive=True).ok
            arrays = loaded(path)
        assert validate(arrays, name).ok
        assert report.binding["N"] == experiment.positions == len(arrays["xcoords"])


class TestConvert:
    """3. convert(legacy) equals canonical, array by array; convert(convert(x)) = convert(x), byte for byte."""

    @settings(parent=FEW)
    @given(experiments, st.booleans(), st.sampled_from(["C", "F"]), st.sampled_from("<>"))
    def test_legacy_equals_canonical(self, experiment, renamed, order, byte_order):
        with tempfile.TemporaryDirectory() as folder:
            made, source, out = (Path(folder) / name for name in ("made.npz", "in.npz", "out.npz"))
            simulate(made, experiment)
            canonical = loaded(made)
            wide = {"float32": "f8", "complex64": "c16"}
            stored = {
                name: np.asarray(
                    one.astype(byte_order + wide[one.dtype.name] if one.dtype.name in wide else one.dtype), order=order
                )
                for name, one in canonical.items()
            }
            stored["diffraction"] = np.asarray(stored["diffraction"].transpose(1, 2, 0), order=order)
            if renamed:
                stored["diff3d"] = stored.pop("diffraction")
            saved(source, stored)
            before = digest(source)
            cube = axes_of(experiment)
            convert(source, out, axes={"diffraction": ("H", "W", "N")} if cube else None)
            same(loaded(out), canonical)
            assert digest(source) == before

    @settings(parent=FEW)
    @given(
        experiments,
        st.sampled_from(["u2", "i4", "i8", "f4", "f8"]),
        st.sampled_from("<>"),
        st.sampled_from(["C", "F"]),
        st.booleans(),
    )
    def test_counts_become_their_roots(self, experiment, dtype, byte_order, order, legacy_order):
        with tempfile.TemporaryDirectory() as folder:
            made, source, out = (Path(folder) / name for name in ("made.npz", "in.npz", "out.npz"))
            simulate(made, experiment, contract="ptychopinn/raw-counts")
            arrays = loaded(made)
            counts = arrays["diff3d"]
            stored = np.asarray(counts.transpose(1, 2, 0) if legacy_order else counts, byte_order + dtype, order=order)
            saved(source, arrays | {"diff3d": stored})
            axes = {"diffraction": ("H", "W", "N") if legacy_order else ("N", "H", "W")}
            convert(source, out, allow=["normalise"], axes=axes)
            found = loaded(out)["diffraction"]
        exact = np.sqrt(counts.astype(np.float64))
        largest = exact.max() if exact.max() >= 10 else 1.0
        assert found.dtype == np.float32
        assert found.tobytes() == (exact / largest).astype(np.float32).tobytes()

    @settings(parent=FEW)
    @given(experiments, free, st.sampled_from([CANONICAL, "ptychopinn/raw-npz"]), st.booleans())
    def test_twice_is_once(self, experiment, name, target, both):
        with tempfile.TemporaryDirectory() as folder:
            source, first, second = (Path(folder) / one for one in ("in.npz", "1.npz", "2.npz"))
            simulate(source, experiment, contract=name)
            patterns = load(target).scan.frames
            cube = experiment.positions == experiment.size
            axes = {patterns: ("H", "W", "N") if name == LEGACY else ("N", "H", "W")} if cube else None
            convert(source, first, contract=target, axes=axes, keep_legacy_names=both, allow=["normalise"])
            again = {patterns: ("N", "H", "W")} if cube else None
            convert(first, second, contract=target, axes=again)
            assert digest(first) == digest(second)
            if both:
                arrays = loaded(first)
                assert arrays["diffraction"].tobytes() == arrays["diff3d"].tobytes()


class TestFixture:
    """5. fixture of a file and numpy indexing of the same file agree exactly."""

    @settings(parent=FEW)
    @given(
        # As many positions as rows, too: then the probe's rows are not positions.
        st.builds(Experiment, positions=st.integers(16, 40), size=st.sampled_from([8, 16, 20]), seed=st.integers(0, 99))
        | st.builds(Experiment, positions=st.just(20), size=st.just(20), seed=st.integers(0, 99)),
        st.data(),
        st.sampled_from(["first", "strided"]),
    )
    def test_agrees_with_numpy(self, experiment, data, positions):
        size = data.draw(st.integers(16, experiment.positions))
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
            simulate(source, experiment)
            arrays = loaded(source)
            n, side = arrays["diffraction"].shape[:2]
            per_scan = {
                "diffraction": arrays["diffraction"],
                "xcoords": arrays["xcoords"],
                "ycoords": arrays["ycoords"],
                "xcoords_start": arrays["xcoords"] + 0.25,
                "ycoords_start": arrays["ycoords"] - 0.5,
                "scan_index": np.arange(n) * 2,
                "Y": np.arange(n * side**2).reshape(n, side, side).astype(np.complex64),
            }
            arrays |= per_scan
            saved(source, arrays)
            made = fixture(
                source, out, subset_size=size, positions=positions, contract=CANONICAL, axes=axes_of(experiment)
            )
            found = loaded(out)
        # Which positions were taken is told by the index that each carries.
        indices = found["scan_index"] // 2
        assert len(indices) == size
        assert (np.diff(indices) > 0).all()
        cut = {name: array[indices] for name, array in per_scan.items()}
        same(found, arrays | cut | {"diff3d": cut["diffraction"]})
        if positions == "first":
            assert indices.tolist() == list(range(size))
        else:
            assert all(np.ptp(found[name]) > np.ptp(arrays[name]) / 2 for name in ("xcoords", "ycoords"))
        assert made.report.ok


class TestStatistics:
    """4. The validator's statistics equal plain numpy, wherever chunks end; reading never depends on member order."""

    @settings(parent=FEW)
    @given(experiments, free, st.sampled_from([1 << 18, 4096 + 8, 1000]), st.randoms(use_true_random=False))
    def test_of_what_is_made(self, experiment, name, chunk, random):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            path = Path(folder) / "a.npz"
            simulate(path, experiment, contract=name)
            arrays = loaded(path)
            names = list(arrays)
            random.shuffle(names)
            out = io.BytesIO()
            np.savez(out, **{key: arrays[key] for key in names})
            patch.setattr(dataset, "CHUNK", chunk)
            report, again = validate(path, name), validate(out.getvalue(), name)
        for key, facts in report.arrays.items():
            if arrays[key].dtype.kind in "fiu" and facts.statistics:
                values = arrays[key].astype(np.float64)
                assert facts.statistics["count"] == values.size
                assert facts.statistics["minimum"] == values.min()
                assert facts.statistics["maximum"] == values.max()
                assert np.isclose(facts.statistics["mean"], values.mean(), rtol=1e-9, atol=1e-300)
        assert (again.findings, again.binding, again.arrays) == (report.findings, report.binding, report.arrays)
