"""load: what numpy.load gives, only where the contract is kept; mended in memory exactly as convert mends on disk."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npzschema
from npzschema import ContractError, GeneratorError, ValidationError
from npzschema.contracts import load as contract_of
from npzschema.generator import Output, convert, strategies
from npzschema.validator.source import FileSource

from .making import CANONICAL, LEGACY, RAW, REAL, arrays_of, digest, legacy, needs_real, same, save, simulated


@pytest.fixture
def reads(monkeypatch):
    """Every range of bytes that is read, in order."""
    seen = []
    real = FileSource.read

    def read(self, offset, length):
        seen.append((offset, length))
        return real(self, offset, length)

    monkeypatch.setattr(FileSource, "read", read)
    return seen


def all_of(data):
    return {name: np.asarray(data[name]) for name in data}


def flipped(path, array):
    """One bit of a stored array, past its middle."""
    raw = bytearray(path.read_bytes())
    items = np.ascontiguousarray(array).tobytes()
    at = bytes(raw).find(items)
    assert at > 0
    raw[at + len(items) // 2] ^= 1
    path.write_bytes(bytes(raw))
    return path


class TestAsNumpyLoads:
    @pytest.mark.parametrize("compressed", [True, False])
    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("byte_order", ["<", ">"])
    def test_files_that_keep_the_contract(self, tmp_path, canonical, compressed, order, byte_order):
        stored = {
            name: np.asarray(one.astype(one.dtype.newbyteorder(byte_order)), order=order)
            for name, one in canonical.items()
        }
        path = save(tmp_path / "a.npz", stored, compressed=compressed)
        with np.load(path) as meant, npzschema.load(path) as data:
            assert data.files == meant.files == list(data)
            for name in meant.files:
                one, other = data[name], meant[name]
                assert (one.dtype, one.shape) == (other.dtype, other.shape)
                assert one.flags.f_contiguous == other.flags.f_contiguous
                assert one.tobytes() == other.tobytes()
                assert not one.flags.writeable
        assert data.steps == ()
        assert data.report.ok
        assert data.contract.id == CANONICAL

    @pytest.mark.parametrize("mmap", [True, False])
    def test_stored_arrays_are_mapped_and_deflated_ones_are_not(self, tmp_path, canonical, mmap):
        stored = npzschema.load(save(tmp_path / "a.npz", canonical, compressed=False), mmap=mmap)
        deflated = npzschema.load(save(tmp_path / "b.npz", canonical), mmap=mmap)
        for name, array in canonical.items():
            assert isinstance(stored[name], np.memmap) == (mmap and array.ndim > 0)
            assert not isinstance(deflated[name], np.memmap)

    def test_what_the_writer_stores_is_mapped(self, tmp_path, canonical):
        source = save(tmp_path / "a.npz", canonical)
        path = convert(source, tmp_path / "b.npz", options=Output(compression="none")).path
        data = npzschema.load(path)
        assert isinstance(data["diffraction"], np.memmap)
        same(all_of(data), arrays_of(path))

    def test_arrays_of_no_contract_come_along_checked_to_the_last_byte(self, tmp_path, canonical):
        more = {"mask": np.arange(4000.0), "empty": np.empty((0, 3)), "words": np.array(["a", "bc"])}
        path = save(tmp_path / "a.npz", canonical | more, compressed=False)
        data = npzschema.load(path)
        same(all_of(data), arrays_of(path))
        assert not isinstance(data["mask"], np.memmap)
        damaged = npzschema.load(flipped(path, more["mask"]))
        with pytest.raises(GeneratorError, match=r"FILE-003 mask\.npy"):
            damaged["mask"]
        assert (damaged["xcoords"] == canonical["xcoords"]).all()

    def test_pickled_metadata_comes_as_text(self, tmp_path, canonical):
        text = json.dumps({"title": "å"})
        np.savez(tmp_path / "a.npz", **canonical | {"_metadata": np.array(text, dtype=object)})
        for mend in (False, True):
            data = npzschema.load(tmp_path / "a.npz", mend=mend)
            assert data["_metadata"].dtype.kind == "U"
            assert json.loads(str(data["_metadata"]))["title"] == "å"

    def test_the_contract_that_the_file_declares_is_taken(self, tmp_path):
        path = simulated(tmp_path / "a.npz", "ptychopinn/ci-intensity-v2")
        assert npzschema.load(path).contract.id == "ptychopinn/ci-intensity-v2"
        assert npzschema.load(path).report.contract_reason == npzschema.validate(path).contract_reason
        assert npzschema.load(path, mend=True).contract.id == "ptychopinn/ci-intensity-v2"

    @pytest.mark.parametrize("how", ["id", "contract", "path"])
    def test_a_contract_may_be_named_in_any_form(self, tmp_path, canonical, how):
        contract = contract_of(LEGACY)
        own = tmp_path / "own.json"
        own.write_text(json.dumps({"id": "own/legacy", "version": "1.0.0", "title": "own", "extends": LEGACY}))
        path = save(tmp_path / "a.npz", legacy(canonical))
        named = {"id": LEGACY, "contract": contract, "path": own}[how]
        assert npzschema.load(path, named).contract.id == ("own/legacy" if how == "path" else LEGACY)
        with pytest.raises(ContractError):
            npzschema.load(path, "no/such")


class TestMended:
    @pytest.mark.parametrize("compressed", [True, False])
    @pytest.mark.parametrize("mmap", [True, False])
    def test_legacy_is_canonical(self, tmp_path, canonical, compressed, mmap):
        stored = legacy(canonical)
        stored["diff3d"] = stored.pop("diffraction")
        path = save(tmp_path / "a.npz", stored, compressed=compressed)
        before = digest(path)
        data = npzschema.load(path, mend=True, mmap=mmap)
        same(all_of(data), canonical)
        assert {step["step"] for step in data.steps} == {"rename", "transpose", "cast"}
        assert data["diffraction"].flags.c_contiguous
        assert data.report.ok
        assert data.report.findings == ()
        assert data.sizes == {"N": 20, "H": 16, "W": 16} | {
            "HO": canonical["objectGuess"].shape[0],
            "WO": canonical["objectGuess"].shape[1],
        }
        assert digest(path) == before

    def test_where_only_axes_differ_the_view_is_mapped(self, tmp_path, canonical):
        turned = np.ascontiguousarray(canonical["diffraction"].transpose(1, 2, 0))
        path = save(tmp_path / "a.npz", canonical | {"diffraction": turned, "xcoords": canonical["xcoords"][:, None]},
                    compressed=False)  # fmt: skip
        data = npzschema.load(path, mend=True)
        for name in ("diffraction", "xcoords"):
            assert isinstance(data[name], np.memmap)
        same(all_of(data), canonical)

    def test_a_byte_order_that_is_not_native_is_copied(self, tmp_path, canonical):
        swapped = canonical | {"xcoords": canonical["xcoords"].astype(">f8")}
        data = npzschema.load(save(tmp_path / "a.npz", swapped, compressed=False), mend=True)
        assert not isinstance(data["xcoords"], np.memmap)
        same(all_of(data), canonical)

    @pytest.mark.parametrize("dtype", ["uint16", "float64"])
    def test_counts_become_amplitudes_also_where_only_values_tell(self, tmp_path, canonical, dtype):
        counts = np.random.default_rng(0).poisson(20, canonical["diffraction"].shape).clip(0, 99).astype(dtype)
        path = save(tmp_path / "a.npz", canonical | {"diffraction": counts})
        with pytest.raises(ValidationError, match=r"NORM-001 .*mend=True mends it"):
            npzschema.load(path)
        data = npzschema.load(path, mend=True)
        assert (data["diffraction"] == np.sqrt(counts.astype(np.float64)).astype(np.float32)).all()
        assert [step["step"] for step in data.steps] == ["sqrt"]

    def test_a_cube_is_decided_by_its_content_or_by_the_caller(self, tmp_path):
        arrays = arrays_of(simulated(tmp_path / "a.npz", n=16, object="siemens", scan="fermat"))
        cube = save(tmp_path / "cube.npz", legacy(arrays))
        for axes in (None, {"diffraction": ("H", "W", "N")}):
            same(all_of(npzschema.load(cube, mend=True, axes=axes)), arrays)
        with pytest.raises(ValidationError, match=r"FORMAT-002 .*axes=\{'diffraction': \('N', 'H', 'W'\)\}"):
            npzschema.load(cube, mend=True, headers_only=True)
        mute = save(tmp_path / "mute.npz", arrays | {"diffraction": np.ones((16, 16, 16), np.float32)})
        for mend in (False, True):
            with pytest.raises(ValidationError, match="FORMAT-002"):
                npzschema.load(mute, mend=mend)
        told = npzschema.load(mute, axes={"diffraction": ("N", "H", "W")})
        assert told["diffraction"].shape == (16, 16, 16)

    @pytest.mark.parametrize("named", [("N", "H", "W"), ("N", 1, "H", "W")])
    def test_axes_of_length_1_may_be_named_or_left_out(self, tmp_path, canonical, named):
        path = save(tmp_path / "a.npz", canonical | {"diffraction": canonical["diffraction"][:, None]})
        data = npzschema.load(path, mend=True, axes={"diffraction": named})
        assert (data["diffraction"] == canonical["diffraction"]).all()

    def test_lossy_steps_are_asked_for_by_name(self, tmp_path, canonical):
        path = save(tmp_path / "a.npz", canonical | {"diffraction": canonical["diffraction"] * 500})
        for more in ({}, {"mend": True}):
            with pytest.raises(ValidationError, match=r"VALUE-003 .*allow=\['normalise'\] would divide"):
                npzschema.load(path, **more)
        data = npzschema.load(path, mend=True, allow=["normalise"])
        assert data["diffraction"].max() == 1
        assert [(step["step"], step["lossless"]) for step in data.steps] == [("normalise", False)]

    def test_every_step_by_name_is_what_convert_writes(self, tmp_path, canonical):
        longer = {name: np.append(canonical[name], canonical[name][:3]) for name in ("xcoords", "ycoords")}
        path = save(tmp_path / "a.npz", canonical | longer, compressed=False)
        data = npzschema.load(path, mend=True, allow=["drop"])
        convert(path, tmp_path / "b.npz", allow=["drop"])
        same(all_of(data), arrays_of(tmp_path / "b.npz"))
        assert len(data["xcoords"]) == len(data["diffraction"])

    def test_two_names_are_one_array(self, tmp_path, canonical):
        both = legacy(canonical)
        path = save(tmp_path / "a.npz", both | {"diff3d": both["diffraction"]})
        data = npzschema.load(path, mend=True)
        assert (data["diff3d"] == canonical["diffraction"]).all()
        other = save(tmp_path / "b.npz", both | {"diff3d": both["diffraction"] * 0.5})
        with pytest.raises(ValidationError, match="KEY-004"):
            npzschema.load(other, mend=True)

    def test_what_is_left_after_mending_refuses(self, tmp_path, canonical):
        wrong = legacy(canonical)
        wrong["diffraction"][3, 4, 5] = np.nan
        path = save(tmp_path / "a.npz", wrong)
        with pytest.raises(ValidationError, match="VALUE-001") as raised:
            npzschema.load(path, mend=True)
        assert "FORMAT-001" not in str(raised.value)
        assert "VALUE-001" in raised.value.report.codes

    def test_a_cast_that_loses_something_refuses(self, tmp_path, canonical):
        wrong = legacy(canonical)
        wrong["probeGuess"][0, 0] = 1e-60
        path = save(tmp_path / "a.npz", wrong)
        with pytest.raises(ValidationError, match=r"DTYPE-001 probeGuess.*allow=\['cast'\]"):
            npzschema.load(path, mend=True)
        assert npzschema.load(path, mend=True, allow=["cast"])["probeGuess"][0, 0] == 0
        by_headers = npzschema.load(path, mend=True, headers_only=True)
        with pytest.raises(GeneratorError, match=r"a\.npz: probeGuess: a cast to complex64 would lose something"):
            by_headers["probeGuess"]
        assert (by_headers["xcoords"] == canonical["xcoords"]).all()

    @settings(max_examples=40)
    @given(
        arrays=strategies.datasets(contract_of(LEGACY)),
        compressed=st.booleans(),
        target=st.sampled_from([CANONICAL, RAW, LEGACY]),
        mmap=st.booleans(),
    )
    def test_in_memory_as_on_disk(self, arrays, compressed, target, mmap):
        """Array by array what convert writes; and where convert refuses, so does load."""
        with tempfile.TemporaryDirectory() as folder:
            path, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
            save(path, arrays, compressed=compressed)
            patterns = contract_of(target).scan.frames
            try:
                axes = {patterns: ("H", "W", "N")} if len(set(arrays["diffraction"].shape)) == 1 else None
                convert(path, out, contract=target, allow=["normalise"], axes=axes)
            except GeneratorError:
                with pytest.raises(ValidationError):
                    npzschema.load(path, target, mend=True, allow=["normalise"], axes=axes)
                return
            data = npzschema.load(path, target, mend=True, allow=["normalise"], axes=axes, mmap=mmap)
            same(all_of(data), arrays_of(out))
            assert data.report.ok
            assert npzschema.validate(all_of(data), target, axes=axes and {patterns: ("N", "H", "W")}).ok or (
                target == LEGACY
            )


class TestRefused:
    def test_one_line_a_finding_each_with_what_to_do(self, tmp_path, canonical):
        path = save(tmp_path / "scan.npz", legacy(canonical))
        with pytest.raises(ValidationError) as raised:
            npzschema.load(path)
        first, *lines, last = str(raised.value).splitlines()
        assert first == f"{path}: does not keep ptychopinn/canonical 1.0.0; nothing was loaded"
        assert [line.split()[0] for line in lines] == [one.code for one in raised.value.report.findings]
        assert all(line.endswith("; mend=True mends it") for line in lines)
        assert last == f"or write a mended copy once: generate-npz convert {path} {tmp_path / 'scan_canonical.npz'}"

    @pytest.mark.parametrize("mend", [False, True])
    @pytest.mark.parametrize("headers_only", [False, True])
    @pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "cut short"])
    def test_what_cannot_be_read(self, tmp_path, canonical, kind, mend, headers_only):
        path = tmp_path / "a.npz"
        if kind == "folder":
            path.mkdir()
        elif kind != "missing":
            save(path, canonical)
            content = {"empty": b"", "text": b"no archive", "cut short": path.read_bytes()[:-99]}[kind]
            path.write_bytes(content)
        with pytest.raises(ValidationError, match=r"a\.npz: cannot be read; nothing was loaded\n  FILE-0") as raised:
            npzschema.load(path, mend=mend, headers_only=headers_only)
        assert raised.value.report.verdict == "unreadable"

    @pytest.mark.parametrize("mend", [False, True])
    @pytest.mark.parametrize("turned", [False, True])
    def test_a_damaged_array(self, tmp_path, canonical, mend, turned):
        array = canonical["diffraction"]
        stored = np.ascontiguousarray(array.transpose(1, 2, 0)) if turned else array
        path = flipped(save(tmp_path / "a.npz", canonical | {"diffraction": stored}, compressed=False), stored)
        with pytest.raises(ValidationError, match=r"FILE-003 diffraction\.npy"):
            npzschema.load(path, mend=mend)

    @pytest.mark.parametrize("mend", [False, True])
    def test_object_arrays(self, tmp_path, canonical, mend):
        np.savez(tmp_path / "a.npz", **canonical | {"notes": np.array([{}], dtype=object)})
        with pytest.raises(ValidationError, match="FILE-006 notes"):
            npzschema.load(tmp_path / "a.npz", mend=mend)

    def test_a_duplicate_member(self, tmp_path, canonical):
        path = save(tmp_path / "a.npz", canonical)
        out = io.BytesIO()
        np.save(out, canonical["xcoords"] + 1)
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("xcoords.npy", out.getvalue())
        for mend in (False, True):
            with pytest.raises(ValidationError, match="FILE-004"):
                npzschema.load(path, mend=mend)

    def test_the_sidecar_of_another_file(self, tmp_path, canonical):
        path = save(tmp_path / "a.npz", legacy(canonical))
        (tmp_path / "a.json").write_text(json.dumps({"sha256_checksum": "0" * 64}))
        with pytest.raises(ValidationError, match="META-003"):
            npzschema.load(path, mend=True)

    def test_names_from_the_file_cannot_forge_lines(self, tmp_path, canonical):
        path = save(tmp_path / "a.npz", canonical | {"x\n  OK\x1b[2J": np.zeros(3)})
        with pytest.raises(ValidationError, match="FILE-008") as raised:
            npzschema.load(path)
        assert "\x1b" not in str(raised.value)
        assert len(str(raised.value).splitlines()) == 2

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            ({"allow": ["drop"]}, "it needs mend=True"),
            ({"mend": True, "allow": ["squash"]}, "'squash' is no step that is taken by name"),
            ({"mend": True, "allow": "drop"}, r"a list of names, not a text; write \['drop'\]"),
            ({"axes": {"nothing": ("N",)}}, "no array of"),
            ({"axes": {"diffraction": ("A", "B", "C")}}, "no contract has the axes"),
        ],
    )
    def test_arguments_that_mean_nothing(self, tmp_path, canonical, arguments, line):
        path = save(tmp_path / "a.npz", canonical)
        with pytest.raises(GeneratorError, match=line):
            npzschema.load(path, **arguments)

    def test_errors_survive_a_worker_process(self, tmp_path, canonical):
        path = save(tmp_path / "a.npz", legacy(canonical))
        with pytest.raises(ValidationError) as raised:
            npzschema.load(path)
        again = pickle.loads(pickle.dumps(raised.value))
        assert str(again) == str(raised.value)
        assert again.report == raised.value.report
        with pytest.raises(ContractError) as refused:
            contract_of("no/such")
        assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


class TestMapping:
    def test_it_is_a_mapping(self, tmp_path, canonical):
        data = npzschema.load(save(tmp_path / "a.npz", canonical))
        assert len(data) == len(canonical)
        assert list(data.keys()) == list(canonical)
        assert "diffraction" in data
        assert "nothing" not in data
        assert data.get("nothing") is None
        with pytest.raises(KeyError, match=r"has no array 'nothing'; it has diffraction"):
            data["nothing"]
        same(dict(data.items()), canonical)
        assert data["xcoords"] is data["xcoords"]
        assert data != canonical
        assert data != npzschema.load(data.path)
        assert hash(data)
        assert "N=20" in repr(data)

    def test_nothing_of_it_can_be_changed(self, tmp_path, canonical):
        for compressed in (True, False):
            data = npzschema.load(save(tmp_path / "a.npz", canonical, compressed=compressed))
            with pytest.raises(TypeError):
                data["xcoords"] = np.zeros(3)
            with pytest.raises(AttributeError):
                data.report = None
            with pytest.raises(AttributeError):
                data.more = 1
            with pytest.raises(ValueError, match="read-only"):
                data["xcoords"][0] = 1

    def test_closed(self, tmp_path, canonical):
        with npzschema.load(save(tmp_path / "a.npz", canonical, compressed=False)) as data:
            kept = data["xcoords"]
        assert (kept == canonical["xcoords"]).all()
        with pytest.raises(ValueError, match=r"a\.npz: is closed"):
            data["xcoords"]
        with pytest.raises(ValueError, match="is closed"):
            pickle.dumps(data)
        data.close()
        assert data.files == list(canonical)


class TestLazy:
    @pytest.mark.parametrize("mend", [False, True])
    def test_only_what_is_asked_for_is_read(self, tmp_path, canonical, reads, mend):
        big = canonical | {"diffraction": np.random.default_rng(0).random((20, 16, 16), np.float32)}
        path = save(tmp_path / "a.npz", big, compressed=False)
        data = npzschema.load(path, mend=mend, mmap=False)
        raw = path.read_bytes()
        spans = {
            name: (at, at + array.nbytes)
            for name, array in big.items()
            if array.ndim and (at := raw.find(array.tobytes())) > 0
        }
        assert len(spans) == len(big) - 1
        end = raw.find(b"PK\x01\x02")

        def touched():
            # The end of the file, where the directory is looked for, is read with what lies before it.
            return {
                name
                for name, (first, last) in spans.items()
                if any(offset < last and first < offset + length <= end for offset, length in reads)
            }

        assert touched() == set(spans)
        reads.clear()
        assert "diffraction" in data
        assert reads == []
        data["ycoords"]
        assert touched() == {"ycoords"}
        reads.clear()
        data["ycoords"]
        assert reads == []

    def test_a_mapped_array_is_not_read(self, tmp_path, canonical, reads):
        path = save(tmp_path / "a.npz", canonical | {"Y": np.ones((20, 16, 16), np.complex64)}, compressed=False)
        raw = path.read_bytes()
        first, end = raw.find(canonical["diffraction"].tobytes()), raw.find(b"PK\x01\x02")
        last = first + canonical["diffraction"].nbytes
        data = npzschema.load(path)
        assert any(first <= offset < last and offset + length <= end for offset, length in reads)
        reads.clear()
        assert isinstance(data["diffraction"], np.memmap)
        assert not any(first <= offset < last and offset + length <= end for offset, length in reads)

    def test_headers_only_reads_no_values_and_says_so(self, tmp_path, canonical, reads):
        noise = np.random.default_rng(0).random((200, 64, 64), np.float32)
        more = {name: np.resize(canonical[name], 200) for name in ("xcoords", "ycoords", "scan_index")}
        arrays = {"diffraction": noise, "probeGuess": np.ones((64, 64), np.complex64), **more}
        arrays["objectGuess"] = np.ones((80, 80), np.complex64)
        path = save(tmp_path / "a.npz", arrays, compressed=False)
        for mend in (False, True):
            reads.clear()
            data = npzschema.load(path, headers_only=True, mend=mend)
            assert data.report.headers_only
            assert sum(length for _, length in reads) < 200_000 < noise.nbytes
            assert (data["diffraction"] == noise).all()
        with pytest.raises(ValidationError):
            npzschema.load(save(tmp_path / "b.npz", arrays | {"diffraction": noise[0]}), headers_only=True)


class TestChanged:
    @pytest.mark.parametrize("compressed", [True, False])
    @pytest.mark.parametrize("mend", [False, True])
    @pytest.mark.parametrize("how", ["touched", "replaced", "overwritten", "cut short", "gone"])
    def test_a_file_that_changed_meanwhile_is_told(self, tmp_path, canonical, how, mend, compressed):
        path = save(tmp_path / "a.npz", canonical, compressed=compressed)
        data = npzschema.load(path, mend=mend)
        first = data["xcoords"]
        other = save(tmp_path / "b.npz", canonical, compressed=compressed)
        if how == "touched":
            os.utime(path, ns=(1, 1))
        elif how == "replaced":
            os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
            os.replace(other, path)
        elif how == "overwritten":
            path.write_bytes(other.read_bytes() + b"0")
        elif how == "cut short":
            path.write_bytes(path.read_bytes()[:100])
        else:
            path.unlink()
        with pytest.raises(GeneratorError, match=r"a\.npz: (was changed|is gone) since it was checked"):
            data["ycoords"]
        assert data["xcoords"] is first

    def test_while_it_is_checked(self, tmp_path, monkeypatch, canonical):
        path = save(tmp_path / "a.npz", canonical)
        from npzschema.generator import load as _  # noqa: F401
        from npzschema.generator.source import validate as real

        def change(*arguments, **more):
            report = real(*arguments, **more)
            os.utime(path, ns=(1, 1))
            return report

        monkeypatch.setattr(sys.modules["npzschema.generator.source"], "validate", change)
        for mend in (False, True):
            os.utime(path)
            with pytest.raises(GeneratorError, match="was changed since it was checked"):
                npzschema.load(path, mend=mend)

    def test_a_changed_file_is_told_in_the_other_process(self, tmp_path, canonical):
        path = save(tmp_path / "a.npz", canonical)
        held = pickle.dumps(npzschema.load(path))
        os.utime(path, ns=(1, 1))
        with pytest.raises(GeneratorError, match="was changed"):
            pickle.loads(held)["xcoords"]


def _sum(data):
    return {name: float(np.abs(array).sum()) for name, array in data.items() if array.ndim}


class TestElsewhere:
    @pytest.mark.parametrize("compressed", [True, False])
    def test_pickled_small_and_read_anew(self, tmp_path, monkeypatch, canonical, compressed):
        save(tmp_path / "a.npz", legacy(canonical), compressed=compressed)
        monkeypatch.chdir(tmp_path)
        data = npzschema.load("a.npz", mend=True)
        all_of(data)
        held = pickle.dumps(data)
        assert len(held) < canonical["diffraction"].nbytes * 2
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        again = pickle.loads(held)
        same(all_of(again), canonical)
        assert again.report == data.report
        assert again.steps == data.steps
        assert again.path == "a.npz"

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_in_worker_processes(self, tmp_path, canonical, method):
        data = npzschema.load(save(tmp_path / "a.npz", legacy(canonical)), mend=True)
        meant = _sum(data)
        # A module of tests has no name that another process could import; numpy and the package have.
        with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
            found = list(pool.map(data.__class__.__getitem__, [data] * 3, ["diffraction", "probeGuess", "Y"]))
        for name, array in zip(["diffraction", "probeGuess", "Y"], found, strict=True):
            assert float(np.abs(array).sum()) == meant[name]

    def test_from_several_threads(self, tmp_path, canonical):
        data = npzschema.load(save(tmp_path / "a.npz", canonical))
        found = []
        threads = [threading.Thread(target=lambda: found.append(data["diffraction"])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert all(one is found[0] for one in found)

    def test_no_file_is_held_open(self, tmp_path, canonical):
        if not Path("/proc/self/fd").is_dir():
            pytest.skip("needs /proc")
        path = save(tmp_path / "a.npz", canonical)
        before = len(os.listdir("/proc/self/fd"))
        loaded = [npzschema.load(path) for _ in range(5)]
        assert all(one["xcoords"].size for one in loaded)
        assert len(os.listdir("/proc/self/fd")) == before

    def test_importing_the_package_needs_no_numpy(self):
        code = "import sys, npzschema; sys.exit('numpy' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_real
class TestRealFiles:
    @pytest.mark.parametrize("name", ["siemens_canonical", "run1084_semireal_canonical"])
    def test_canonical_ones_as_numpy_loads_them(self, name):
        path = REAL / f"{name}.npz"
        same(all_of(npzschema.load(path)), arrays_of(path))

    @pytest.mark.parametrize("name", ["siemens_raw_diff3d", "run1084_semireal_legacy_hwn"])
    def test_the_others_as_convert_writes_them(self, tmp_path, name):
        path = REAL / f"{name}.npz"
        with pytest.raises(ValidationError, match="mend=True mends it"):
            npzschema.load(path)
        data = npzschema.load(path, mend=True, allow=["normalise"])
        same(all_of(data), arrays_of(convert(path, tmp_path / "out.npz", allow=["normalise"]).path))
