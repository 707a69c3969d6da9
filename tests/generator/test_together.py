"""A dataset and its sidecar take their names together: no fault and no kill leaves a pair that does not belong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from npzschema.generator import GeneratorError, Output, fixture
from npzschema.generator import replace as replacing
from npzschema.validator.engine import validate

from .making import CANONICAL, LEGACY, digest, held, simulated

SCRIPT = """
import os, signal, sys
from npzschema.generator import Output, fixture
real, calls, when = os.replace, [0], int(sys.argv[1])
def replace(*names):
    calls[0] += 1
    if calls[0] == abs(when) and when > 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*names)
    if calls[0] == abs(when):
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
fixture("in.npz", "out.npz", subset_size=17, contract="ptychopinn/canonical", options=Output(force=True))
print(calls[0])
"""


@pytest.fixture
def old(tmp_path):
    """A source, and a fixture of another size that was made of it before."""
    source = simulated(tmp_path / "in.npz", LEGACY, n=30, size=16)
    fixture(source, tmp_path / "out.npz", subset_size=16, contract=CANONICAL)
    return tmp_path


def run(folder, when):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(when)], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("when", [1, -1, 2, -2, 3, -3])
def test_killed_at_each_rename(old, when):
    """Before (above 0) and after (below 0) each of the three: aside, the file, its sidecar."""
    before = digest(old / "out.npz")
    assert run(old, when).returncode == -signal.SIGKILL
    report = validate(old / "out.npz", CANONICAL)
    assert report.ok, report.findings
    frames = report.binding["N"]
    assert (digest(old / "out.npz") == before) == (frames == 16)
    assert frames == (16 if when in (1, -1, 2) else 17)
    if (old / "out.json").exists():
        assert json.loads((old / "out.json").read_text())["subset_size"] == frames


def test_there_are_three_renames(old):
    done = run(old, 99)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
    assert json.loads((old / "out.json").read_text())["subset_size"] == 17
    assert sorted(os.listdir(old)) == ["in.npz", "out.json", "out.npz"]


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("links", [True, False])
def test_a_rename_that_fails_brings_the_old_pair_back(old, monkeypatch, at, links):
    before, real, calls = held(old), os.replace, []

    def replace(*names):
        calls.append(names)
        if len(calls) == at:
            raise PermissionError(1, "Operation not permitted")
        real(*names)

    def link(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(replacing.os, "replace", replace)
    if not links:
        monkeypatch.setattr(replacing.os, "link", link)
    with pytest.raises(GeneratorError, match=r"out\.(npz|json): cannot be written: operation not permitted"):
        fixture(old / "in.npz", old / "out.npz", subset_size=17, contract=CANONICAL, options=Output(force=True))
    after = held(old)
    if at == 3 and not links:
        # The file cannot come back; it goes, rather than lie beside what speaks of another.
        del before["out.npz"]
    assert after == before


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize(("at", "name"), [(1, "out.npz"), (2, "out.npz"), (3, "out.json")])
def test_bytes_that_do_not_reach_the_disk_leave_nothing(old, monkeypatch, force, at, name):
    """The disk fails while the file is checked, at its end, or at that of its sidecar. It says so once only."""
    if not force:
        (old / "out.npz").unlink()
        (old / "out.json").unlink()
    before, real = held(old), os.fsync
    calls = []

    def fsync(handle):
        calls.append(handle)
        if len(calls) == at:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(replacing.os, "fsync", fsync)
    with pytest.raises(GeneratorError, match=re.escape(f"{name}: cannot be written: no space left on device")):
        fixture(old / "in.npz", old / "out.npz", subset_size=17, contract=CANONICAL, options=Output(force=force))
    assert held(old) == before


def test_both_files_are_synced_before_either_has_its_name(old, monkeypatch):
    told = []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(handle):
        told.append(os.fstat(handle).st_ino)
        real_sync(handle)

    def replace(source, target):
        told.append("name")
        real_replace(source, target)

    monkeypatch.setattr(replacing.os, "fsync", fsync)
    monkeypatch.setattr(replacing.os, "replace", replace)
    fixture(old / "in.npz", old / "out.npz", subset_size=17, contract=CANONICAL, options=Output(force=True))
    assert len(set(told[: told.index("name")])) == 2
    assert told.count("name") == 3
    assert np.load(old / "out.npz")["diffraction"].shape == (17, 16, 16)
