"""The writer: numpy, zipfile and the strict reader agree on what it writes; all of a file or none."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import resource
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.generator import GeneratorError, deflate
from npzschema.generator import write as module
from npzschema.generator.replace import refuse_existing, replacing_all
from npzschema.generator.write import NpzWriter
from npzschema.validator import dataset, pieces
from npzschema.validator.archive import Limits, open_archive
from npzschema.validator.dataset import CHUNK, ArchiveDataset
from npzschema.validator.source import BytesSource


@contextlib.contextmanager
def replacing(target, *, force):
    with replacing_all(target, force=force) as (part,):
        yield part.file, part.temporary


ARRAYS = {
    "f4": np.linspace(-1, 1, 1000, dtype="f4").reshape(10, 100),
    "big_endian": np.arange(7, dtype=">i4"),
    "fortran": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "strided": np.arange(100)[::7],
    "zero_d": np.array(2.5),
    "empty": np.empty((3, 0, 2), dtype="c8"),
    "text": np.array(["Strahl", "größe", ""]),
    "bytes": np.array([b"ab", b"c"]),
    "bool": np.array([True, False]),
    "date": np.array(["2024-05-01", "NaT"], dtype="M8[D]"),
    "half": np.arange(5, dtype="f2"),
    "complex": np.array([1 + 2j, np.nan]),
    "structured": np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i2"), ("b", "<f8")]),
    "greek_fields": np.array([(1.0,)], dtype=[("λ", "<f8")]),
    "längen µm": np.arange(3),
}


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def written(arrays, compression="isal", level=None):
    file = io.BytesIO()
    writer = NpzWriter(file, compression, level)
    for name, array in arrays.items():
        writer.add_array(name, array)
    writer.close()
    return file.getvalue(), writer


def read_strictly(data):
    dataset = ArchiveDataset(open_archive(BytesSource(data)))
    assert not dataset.faults
    assert not dataset.malformed
    return {
        name: np.concatenate([chunk.copy() for chunk in dataset.chunks(name)] or [np.empty(0, header.dtype)]).reshape(
            header.shape
        )
        for name, header in dataset.headers.items()
    }


def agree(data, arrays):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}.npy" for name in arrays]
    strict = read_strictly(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
        assert loaded.files == list(arrays)
        for name, array in arrays.items():
            for found in (loaded[name], strict[name]):
                assert found.shape == array.shape
                assert found.dtype == array.dtype.newbyteorder("=")
                assert found.tobytes() == np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).tobytes()


@pytest.mark.parametrize(
    ("compression", "level"),
    [
        ("none", None),
        *(("isal", one) for one in (None, 0, 1, 2, 3)),
        *(("zlib", one) for one in (None, 0, 1, 6, 9)),
    ],
)
def test_what_is_written_is_read_by_numpy_zipfile_and_the_strict_reader(compression, level):
    data, _ = written(ARRAYS, compression, level)
    agree(data, ARRAYS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        method = zipfile.ZIP_STORED if compression == "none" else zipfile.ZIP_DEFLATED
        assert {one.compress_type for one in archive.infolist()} == {method}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["<f4", ">f8", "<c8", ">i2", "|u1", "|b1", "<U3", "<M8[s]"]),
            st.lists(st.integers(0, 5), max_size=4).map(tuple),
            st.sampled_from("CF"),
        ),
        max_size=4,
    )
)
def test_any_dtype_shape_and_order_comes_back(specs):
    rng = np.random.default_rng(0)
    arrays = {
        f"a{index}": np.asarray(rng.integers(0, 9, size=shape).astype(dtype), order=order)
        for index, (dtype, shape, order) in enumerate(specs)
    }
    agree(written(arrays)[0], arrays)


def test_digests_are_of_the_items_in_c_order_whatever_the_compression():
    expected = {
        name: hashlib.sha256(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()).hexdigest()
        for name, array in ARRAYS.items()
    }
    for compression in ("isal", "zlib", "none"):
        _, writer = written(ARRAYS, compression)
        assert {name: one.sha256 for name, one in writer.arrays.items()} == expected
    assert writer.arrays["big_endian"].dtype == "<i4"
    assert writer.arrays["empty"].shape == (3, 0, 2)


def test_bytes_hold_no_time_and_do_not_depend_on_memory_order_or_on_how_items_come():
    array = np.random.default_rng(0).poisson(3, size=(900, 41, 37)).astype("f4")
    whole, _ = written({"a": array})
    assert written({"a": np.asfortranarray(array)})[0] == whole
    assert written({"a": array.astype(">f4")})[0] == whole
    for step in (1, 7, 100, 899):
        file = io.BytesIO()
        writer = NpzWriter(file)
        writer.add("a", array.dtype, array.shape, (array[start : start + step] for start in range(0, 900, step)))
        writer.close()
        assert file.getvalue() == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


def test_the_compressed_data_is_deflate_that_zlib_inflates():
    data, _ = written({"a": np.zeros(5000)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.infolist()[0]
    start = 30 + len("a.npy")
    assert len(zlib.decompress(data[start : start + info.compress_size], -15)) == info.file_size


@pytest.mark.parametrize("compression", ["isal", "zlib", "none"])
@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("pieces", [1, 3])
def test_members_that_end_about_the_end_of_a_piece(compression, extra, pieces):
    array = np.random.default_rng(0).integers(0, 9, pieces * CHUNK + extra, dtype="u1")
    agree(written({"a": array}, compression)[0], {"a": array})


def test_pieces_shorter_than_a_header(monkeypatch):
    monkeypatch.setattr(dataset, "CHUNK", 100)
    for compression in ("isal", "zlib", "none"):
        data, writer = written({"a": np.arange(70)}, compression)
        agree(data, {"a": np.arange(70)})
        assert writer.arrays["a"].sha256 == hashlib.sha256(np.arange(70).tobytes()).hexdigest()


@pytest.mark.parametrize("shape", [(3 << 18,), (40, 130, 130), (3, 1000, 700), (1, 1, 3 << 18), (9, 300_000)])
def test_pieces_are_what_a_reader_takes_at_a_time_and_start_afresh(shape):
    """They can be compressed, and read, side by side, and none is copied to be put together with another."""
    array = np.random.default_rng(0).poisson(3, size=shape).astype("f4")
    data, _ = written({"a": array})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.infolist()[0]
    start = 30 + len("a.npy")
    header = info.file_size - array.nbytes
    found = list(pieces.pieces(BytesSource(data), start, start + info.compress_size))
    taken = [chunk.nbytes for chunk in ArchiveDataset(open_archive(BytesSource(data))).chunks("a")]
    assert len(taken) > 1
    assert [len(piece) for piece in found] == [header + taken[0], *taken[1:]]
    assert b"".join(found) == npy_bytes(array)


@given(st.lists(st.integers(0, 40)), st.lists(st.integers(1, 40), min_size=1))
def test_pieces_however_the_items_come(chunks, lengths):
    items = [np.arange(size, dtype="u1") for size in chunks]
    found = list(module._pieces(b"head", lengths, np.dtype("u1"), items))
    assert b"".join(found) == b"head" + b"".join(one.tobytes() for one in items)
    assert [len(piece) for piece in found[:-1]] == lengths[: len(found) - 1] or len(found) > len(lengths)


def test_a_piece_that_lies_in_one_chunk_is_not_copied():
    items = [np.arange(8, dtype="u1") for _ in range(3)]
    found = list(module._pieces(b"head", [12, 8, 4, 4], np.dtype("u1"), items))
    assert [len(piece) for piece in found] == [12, 8, 4, 4]
    for piece, item in zip(found[1:], (items[1], items[2], items[2]), strict=True):
        assert np.shares_memory(np.frombuffer(piece, dtype="u1"), item)


@pytest.mark.parametrize("compression", ["isal", "zlib"])
def test_what_is_nearly_empty_does_not_shrink_to_what_readers_take_for_a_bomb(compression):
    array = np.zeros(3 << 20)
    array[::300_000] = 1
    data, _ = written({"a": array}, compression)
    agree(data, {"a": array})
    assert array.nbytes / Limits().expansion < len(data) < array.nbytes / 150


def test_zip64_forms_are_read_by_all_three(monkeypatch):
    arrays = {
        "small": np.arange(3),
        "large": np.random.default_rng(0).integers(0, 255, 5000, dtype="u1"),
        "last": np.arange(4),
    }
    monkeypatch.setattr(module, "_LIMIT", 3000)
    data, _ = written(arrays)
    assert b"PK\x06\x06" in data
    assert b"PK\x06\x07" in data
    agree(data, arrays)
    # Near the limit: wide in the local header, because the size is not known, but not in the directory.
    monkeypatch.setattr(module, "_LIMIT", 6000)
    data, _ = written(arrays)
    assert b"PK\x06\x06" not in data
    agree(data, arrays)


def test_many_members_take_the_zip64_end_record(monkeypatch):
    monkeypatch.setattr(module, "_MOST_ENTRIES", 2)
    data, _ = written({"a": np.arange(2), "b": np.arange(3)})
    assert b"PK\x06\x06" in data
    agree(data, {"a": np.arange(2), "b": np.arange(3)})


@pytest.mark.slow
@pytest.mark.parametrize("compression", ["isal", "none"])
def test_a_member_and_an_offset_beyond_4_gib(tmp_path, compression):
    block = np.tile(np.frombuffer(np.random.default_rng(0).bytes(1 << 14), dtype=np.uint8), 1 << 12)
    count = 65
    with replacing(tmp_path / "large.npz", force=False) as (file, _):
        writer = NpzWriter(file, compression, 1 if compression == "isal" else None)
        writer.add("large", block.dtype, (count, block.size), (block for _ in range(count)))
        writer.add_array("after", np.arange(5))
        writer.close()
    with zipfile.ZipFile(tmp_path / "large.npz") as archive:
        assert archive.infolist()[0].file_size > 1 << 32
        with archive.open("large.npy") as member:
            np.lib.format.read_magic(member)
            assert np.lib.format.read_array_header_1_0(member)[0] == (count, block.size)
            assert member.read(block.size) == block.tobytes()
    with np.load(tmp_path / "large.npz") as loaded:
        assert loaded["after"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("compression", "level", "words"),
    [
        ("isal", 4, "isal has no level 4; it has 0 to 3"),
        ("isal", -1, "isal has no level -1"),
        ("zlib", 10, "zlib has no level 10; it has 0 to 9"),
        ("lzma", None, "no compression 'lzma'; there are isal, zlib, none"),
        ("none", 5, "without compression there is no level; leave 5 out"),
    ],
)
def test_compressions_and_levels_that_there_are_not(compression, level, words):
    with pytest.raises(GeneratorError, match=words):
        NpzWriter(io.BytesIO(), compression, level)


def test_without_isal_the_same_arrays_are_written_by_zlib(monkeypatch):
    monkeypatch.setattr(deflate, "_isal", lambda: None)
    data, _ = written(ARRAYS)
    assert data == written(ARRAYS, "zlib")[0]
    agree(data, ARRAYS)


@pytest.mark.parametrize("chunks", [[np.arange(3.0)], [np.arange(3.0), np.arange(2.0)], []])
def test_chunks_that_do_not_fill_the_shape_are_an_error(chunks):
    with pytest.raises(GeneratorError, match="which needs 32"):
        NpzWriter(io.BytesIO()).add("a", np.dtype("f8"), (4,), chunks)


def test_a_name_is_written_once():
    writer = NpzWriter(io.BytesIO())
    writer.add_array("a", np.arange(2))
    with pytest.raises(GeneratorError, match="twice"):
        writer.add_array("a", np.arange(2))


class TestReplacing:
    def test_the_file_appears_whole(self, tmp_path):
        target = tmp_path / "a.npz"
        with replacing(target, force=False) as (file, temporary):
            file.write(b"new")
            assert not target.exists()
            assert temporary.parent == tmp_path
        assert target.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["a.npz"]

    def test_an_error_leaves_the_old_file(self, tmp_path):
        target = tmp_path / "a.npz"
        target.write_bytes(b"old")
        with pytest.raises(RuntimeError), replacing(target, force=True) as (file, _):  # noqa: PT012 - the block is what is tested
            file.write(b"new")
            raise RuntimeError
        assert target.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["a.npz"]

    def test_a_file_that_appears_meanwhile_is_kept(self, tmp_path):
        target = tmp_path / "a.npz"
        with pytest.raises(GeneratorError, match="exists already"), replacing(target, force=False):
            target.write_bytes(b"from elsewhere")
        assert target.read_bytes() == b"from elsewhere"
        assert os.listdir(tmp_path) == ["a.npz"]

    def test_what_a_killed_run_left_stands_in_nobodys_way(self, tmp_path):
        for name in (f".a.npz.{os.getpid()}.part", ".npzschema-0000000000000000.part"):
            (tmp_path / name).write_bytes(b"half")
        before = sorted(os.listdir(tmp_path))
        with replacing(tmp_path / "a.npz", force=False) as (file, _):
            file.write(b"new")
        assert sorted(os.listdir(tmp_path)) == sorted([*before, "a.npz"])

    def test_the_mode_follows_the_umask(self, tmp_path):
        old = os.umask(0o027)
        try:
            with replacing(tmp_path / "a.npz", force=False) as (file, _):
                file.write(b"new")
        finally:
            os.umask(old)
        assert (tmp_path / "a.npz").stat().st_mode & 0o777 == 0o640

    @pytest.mark.parametrize("force", [False, True])
    def test_targets_that_are_no_place_for_a_file(self, tmp_path, force):
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        for target, words in (
            (tmp_path / "folder", "is a directory"),
            (tmp_path / "pipe", "no regular file"),
            (Path(os.devnull), "no regular file"),
            (tmp_path / "none" / "a.npz", "there is no folder"),
            (tmp_path / "folder" / "a.npz" / "b.npz", "there is no folder"),
        ):
            with pytest.raises(GeneratorError, match=words):
                refuse_existing(target, force=force)

    def test_a_link_to_nothing_exists(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "nothing")
        with pytest.raises(GeneratorError, match="exists already"):
            refuse_existing(tmp_path / "link", force=False)

    def test_a_name_that_is_too_long_is_one_clear_error(self, tmp_path):
        with (
            pytest.raises(GeneratorError, match="file name too long"),
            replacing(tmp_path / ("a" * 300), force=False) as (file, _),
        ):
            file.write(b"new")
        assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_while_the_file_is_written(tmp_path, monkeypatch):
    real = open

    def full(path, mode="r", *more):
        return real("/dev/full", "rb+") if str(path).endswith(".part") else real(path, mode, *more)

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(GeneratorError, match="no space left"), replacing(tmp_path / "a.npz", force=False) as (file, _):
        file.write(bytes(1 << 20))
    assert os.listdir(tmp_path) == []


def test_a_limit_on_the_size_of_files_leaves_nothing(tmp_path):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    made = subprocess.run(
        [sys.executable, "-m", "npzschema.generator.cli", "simulate", "--output", "a.npz"],
        cwd=tmp_path, preexec_fn=limited, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 2
    assert made.stderr == "generate-npz: a.npz: cannot be written: file too large\n"
    assert os.listdir(tmp_path) == []


def test_a_read_only_folder_is_one_clear_line(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        # Whoever may write anywhere may not write here.
        folder = Path("/sys")
    if not folder.is_dir():
        pytest.skip("there is no folder that this user cannot write to")
    with pytest.raises(GeneratorError, match=r"a\.npz: cannot be written: "), replacing(folder / "a.npz", force=False):
        pass
