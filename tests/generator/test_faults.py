"""What goes wrong while a file is written or read: the old output or none, the input untouched, one clear line."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

import pytest

from npzschema.generator import write
from npzschema.validator import dataset, member, pieces, prefetch
from npzschema.validator.engine import validate

from .making import CANONICAL, command, digest, held, legacy, rich, save

OLD = b"an older output"


@pytest.fixture
def folder(tmp_path):
    """A legacy source, and an output of before."""
    made = rich(tmp_path / "made.npz", n=40, size=16)
    save(tmp_path / "in.npz", legacy(made))
    (tmp_path / "out").mkdir()
    return tmp_path


def argv_of(what, out="out"):
    if what == "convert":
        return ("convert", "in.npz", f"{out}/o.npz", "--metadata-out", f"{out}/o.json", "--force")
    return ("fixture", "--source", "in.npz", "--output", f"{out}/o.npz", "--contract", CANONICAL, "--force",
            "--subset-size", "32")  # fmt: skip


def assert_old_or_none(folder, told, source, *, old):
    status, out, err = told
    assert (status, out) == (2, ""), told
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    assert digest(folder / "in.npz") == source
    assert os.listdir(folder / "out") == (["o.npz"] if old else [])
    if old:
        assert (folder / "out" / "o.npz").read_bytes() == OLD


@pytest.mark.parametrize("what", ["convert", "fixture"])
@pytest.mark.parametrize("old", [True, False])
def test_a_limit_on_the_size_of_files_wherever_it_strikes(folder, monkeypatch, what, old):
    """From the first byte to the last of the array file, and in the sidecar behind it."""
    monkeypatch.chdir(folder)
    source = digest(folder / "in.npz")
    target = folder / "out" / "o.npz"
    assert command(*argv_of(what))[0] == 0
    size, finished = target.stat().st_size, digest(target)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 1, 29, 30, 200, size // 3, size // 2, size - 30, size - 1, size, size + 100_000):
        for path in (folder / "out").iterdir():
            path.unlink()
        if old:
            target.write_bytes(OLD)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            told = command(*argv_of(what))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if told[0] == 0:
            assert limit >= size
            assert digest(target) == finished
        else:
            assert limit < size
            assert "cannot be written: file too large" in told[2]
            assert_old_or_none(folder, told, source, old=old)


@pytest.mark.parametrize("what", ["convert", "fixture"])
@pytest.mark.parametrize("size", ["4k", "12k", "20k", "nr_inodes=1"])
def test_a_full_disk(folder, monkeypatch, what, size):
    monkeypatch.chdir(folder)
    option = size if "=" in size else f"size={size}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(folder / "out")], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here: this user is not root, or the machine forbids it")
    try:
        told = command(*argv_of(what))
        assert "cannot be written: no space left on device" in told[2]
        assert_old_or_none(folder, told, digest(folder / "in.npz"), old=False)
    finally:
        subprocess.run(["umount", str(folder / "out")], check=True)


UNPRIVILEGED = """
import io, json, os, sys
from npzschema.terminal import UsageError
from npzschema.generator.cli import run
folder, argv = sys.argv[1], json.loads(sys.argv[2])
os.chdir(folder)
# Python itself may lie where only root can read: everything is imported before.
run([one.replace("out/", "./") for one in argv], io.StringIO(), io.StringIO())
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
out, err, status = io.StringIO(), io.StringIO(), 2
try:
    status = run(argv, out, err)
except UsageError as error:
    err.write(f"generate-npz: {error}\\n")
sys.stdout.write(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


@pytest.mark.parametrize("what", ["convert", "fixture"])
@pytest.mark.parametrize("old", [True, False])
def test_a_folder_that_may_only_be_read(folder, what, old):
    # Pytest's own folders are closed to others, and so is everything below them.
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(folder, place, dirs_exist_ok=True)
        if old:
            (place / "out" / "o.npz").write_bytes(OLD)
        source = digest(place / "in.npz")
        place.chmod(0o755)
        (place / "in.npz").chmod(0o644)
        (place / "out").chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(place), json.dumps(argv_of(what))],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert "cannot be written: permission denied" in told[2]
        assert_old_or_none(place, told, source, old=old)


CHANGES = {
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "grown": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "overwritten": lambda path: path.write_bytes(path.read_bytes()[::-1]),
    "replaced": lambda path: os.replace(path.with_name("other.npz"), path),
    "gone": lambda path: path.unlink(),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("what", ["convert", "fixture", "validate"])
@pytest.mark.parametrize("moment", [1, 12, 30])
def test_a_source_that_changes_while_it_is_read(folder, monkeypatch, how, what, moment):
    """At the first read, among the headers, among the data."""
    monkeypatch.chdir(folder)
    source = Path("in.npz").resolve()
    (folder / "other.npz").write_bytes(source.read_bytes())
    target = folder / "out" / "o.npz"
    target.write_bytes(OLD)
    real, reads = os.pread, []

    def pread(*arguments):
        reads.append(1)
        if len(reads) == moment:
            CHANGES[how](source)
        return real(*arguments)

    monkeypatch.setattr(os, "pread", pread)
    if what == "validate":
        report = validate(source)
        assert len(reads) >= moment
        # A name that now stands for another file, or for none, does not touch what is open.
        same = how in ("replaced", "gone", "a pipe")
        assert (report.verdict == "unreadable") != same, report.findings
        return
    status, out, err = command(*argv_of(what))
    assert len(reads) >= moment
    assert (status, out, err.count("\n")) == (2, "", 1), (status, out, err)
    assert os.listdir(folder / "out") == ["o.npz"]
    assert target.read_bytes() == OLD


@pytest.fixture
def in_pieces(folder, monkeypatch):
    """A source as generate-npz writes it, read by several threads in many small pieces; beside it another."""
    for module, name, value in (
        (dataset, "CHUNK", 1 << 10),
        (member, "WORTH", 0),
        (member, "LARGE", 1 << 9),
        (member, "CORES", 2),
        (pieces, "THREADS", 2),
        (pieces, "MOST", 1 << 11),
        (prefetch, "WORTH", 0),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(member, "pieces", partial(pieces.pieces, least=1 << 8))
    for name, seed in (("in.npz", 0), ("other.npz", 1)):
        arrays = legacy(rich(folder / "made.npz", n=40, size=16, seed=seed))
        with (folder / name).open("wb+") as file:
            writer = write.NpzWriter(file, level=0)
            for array, values in arrays.items():
                writer.add_array(array, values)
            writer.close()
    return folder


def mixed(path):
    """Other patterns from the middle on, as they are written over an open file."""
    data = path.with_name("other.npz").read_bytes()
    with path.open("rb+") as file:
        file.seek(len(data) // 3)
        file.write(data[len(data) // 3 : len(data) // 2])


@pytest.mark.parametrize("how", [*CHANGES, "mixed"])
@pytest.mark.parametrize("what", ["convert", "validate"])
def test_a_source_in_pieces_that_changes(in_pieces, monkeypatch, how, what):
    """At each of many moments: what it was when it was opened, or one clear line; never a verdict on both."""
    monkeypatch.chdir(in_pieces)
    source, kept = Path("in.npz").resolve(), Path("in.npz").read_bytes()
    real, left = os.pread, []
    taken = {threading.get_ident()}

    def pread(*arguments):
        taken.add(threading.get_ident())
        if left and not left.pop():
            (CHANGES | {"mixed": mixed})[how](source)
        return real(*arguments)

    def round_at(moment):
        source.unlink(missing_ok=True)
        source.write_bytes(kept)
        (in_pieces / "other.npz").write_bytes(other)
        left[:] = [False, *[True] * (moment - 1)] if moment else []
        if what == "validate":
            report = validate(source)
            return report.verdict, {one.code for one in report.findings}
        status, _, err = command("convert", "in.npz", "out/o.npz")
        parts, made = os.listdir(in_pieces / "out"), None
        if parts == ["o.npz"]:
            made = digest(in_pieces / "out" / "o.npz")
            (in_pieces / "out" / "o.npz").unlink()
        assert (parts == []) == (status == 2), (moment, parts)
        assert err.count("\n") == (1 if status else 0), (moment, err)
        return status, made

    other = (in_pieces / "other.npz").read_bytes()
    monkeypatch.setattr(os, "pread", pread)
    before = round_at(0)
    assert len(taken) > 1
    refused = ("unreadable", {"FILE-002"}) if what == "validate" else (2, None)
    gone = ("unreadable", {"FILE-001"}) if what == "validate" else refused
    seen = []
    for moment in (1, 2, 30, 80, 150):
        told = round_at(moment)
        if left:
            break  # there were fewer reads
        assert told in (before, refused, gone), moment
        seen.append(told)
    assert len(seen) > 3
    # A name that stands for another file, or for none, does not touch what is open; a conversion opens it anew.
    expected = before if what == "validate" and how in ("replaced", "gone", "a pipe") else refused
    assert set(map(str, seen[1:])) == {str(expected)}


def test_a_link_that_appears_at_the_output_is_not_followed(folder, monkeypatch):
    """Whoever may write to the folder cannot have another file overwritten through it."""
    monkeypatch.chdir(folder)
    (folder / "victim").write_bytes(b"precious")
    real = os.replace

    def replace(source, target):
        if not os.path.lexists(target):
            os.symlink(folder / "victim", target)
        return real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    assert command("convert", "in.npz", "out/o.npz")[0] == 0
    assert (folder / "victim").read_bytes() == b"precious"
    assert not (folder / "out" / "o.npz").is_symlink()
    assert validate(folder / "out" / "o.npz").ok


def test_reports_go_to_devices_without_replacing_them(folder, monkeypatch):
    from npzschema.validator.cli import run

    monkeypatch.chdir(folder)
    before = os.stat("/dev/null").st_rdev
    assert run(["--output", "/dev/null", "in.npz"], io.StringIO(), io.StringIO()) == 1
    assert os.stat("/dev/null").st_rdev == before
    assert not [name for name in os.listdir("/dev") if name.endswith(".part")]
    assert sorted(held(folder)) == ["in.npz"]
