"""Where bytes come from: regular files only, and exactly the bytes that were asked for."""

from __future__ import annotations

import os

import pytest

from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.source import BytesSource, FileSource

from .handmade import saved
from .hostile_paths import PATHS

DATA = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path):
    one = tmp_path / "data"
    one.write_bytes(DATA)
    return one


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 0), (0, 1), (0, len(DATA)), (len(DATA), 0), (len(DATA) - 1, 1), (5000, 300)]
)
def test_ranges(path, offset, length):
    with FileSource(path) as source:
        assert source.size == BytesSource(DATA).size == len(DATA)
        assert source.read(offset, length) == BytesSource(DATA).read(offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(0, len(DATA) + 1), (len(DATA), 1), (len(DATA) + 100, 5)])
def test_more_than_there_is(path, offset, length):
    with FileSource(path) as source:
        for one in (source, BytesSource(DATA)):
            with pytest.raises(Fault) as fault:
                one.read(offset, length)
            assert fault.value.code == "FILE-002"


def test_a_negative_offset_is_no_index_from_the_end():
    with pytest.raises(Fault):
        BytesSource(DATA).read(-4, 2)


def test_short_reads_are_joined(path, monkeypatch):
    whole = os.pread
    monkeypatch.setattr(os, "pread", lambda descriptor, length, offset: whole(descriptor, min(length, 7), offset))
    with FileSource(path) as source:
        assert source.read(3, 1000) == DATA[3:1003]


def test_a_file_cut_while_it_is_read(path):
    with FileSource(path) as source:
        assert not source.changed
        os.truncate(path, 100)
        assert source.changed
        with pytest.raises(Fault, match="it was longer when opened"):
            source.read(50, 100)


def test_a_read_error_is_told(path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    with (
        FileSource(path) as source,
        pytest.raises(Fault, match="cannot be read at byte 9: input/output error") as fault,
    ):
        source.read(9, 1)
    assert fault.value.code == "FILE-001"


def test_a_file_written_while_it_is_checked_is_not_told_valid(tmp_path, monkeypatch):
    path = tmp_path / "scan.npz"
    path.write_bytes(saved(compressed=False))
    assert validate(path).verdict == "valid"
    whole, reads = os.pread, []

    def touched(descriptor, length, offset):
        reads.append(offset)
        os.utime(path, ns=(1, len(reads)))
        return whole(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", touched)
    report = validate(path)
    assert (report.verdict, [finding.code for finding in report.findings]) == ("unreadable", ["FILE-002"])


def test_a_link_to_a_regular_file_is_read(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    with FileSource(tmp_path / "link") as source:
        assert source.read(0, 5) == DATA[:5]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a pipe", "a pipe"),
        ("a socket", "a socket"),
        ("a directory", "a directory"),
        ("/dev/null", "a device"),
        ("a link to a device", "a device"),
    ],
)
def test_kinds(what, why, tmp_path):
    with pytest.raises(Fault, match=f"is {why}$") as fault:
        FileSource(PATHS[what](tmp_path))
    assert (fault.value.code, fault.value.expected, fault.value.found) == ("FILE-001", "a regular file", why)


@pytest.mark.parametrize("what", PATHS)
def test_nothing_stays_open(what, tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Fault):
        FileSource(PATHS[what](tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_pipe_that_takes_the_place_of_a_file(tmp_path, monkeypatch):
    """Between looking and opening: neither hangs nor is read."""
    regular = os.stat(__file__)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(os, "stat", lambda *_: regular)
    with pytest.raises(Fault, match="is a pipe"):
        FileSource(tmp_path / "pipe")
