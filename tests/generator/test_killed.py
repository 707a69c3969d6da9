"""Runs killed at any moment leave the old output or none, never a part under its name, and the input as it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from npzschema.validator.engine import validate

from .making import CANONICAL, arrays_of, digest, rich, save

SCRIPT = """
import sys
from pathlib import Path
from npzschema.generator import Output, convert, fixture
sys.stdout.write("ready\\n")
sys.stdout.flush()
out, options = Path("out/out.npz"), Output(force=True)
while True:
    if sys.argv[1] == "convert":
        convert("in.npz", out, metadata_out="out/out.json", options=options)
    else:
        fixture("in.npz", out, subset_size=800, contract="ptychopinn/canonical", options=options)
    if sys.argv[2] == "once":
        break
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A legacy source of 31 MB of patterns."""
    folder = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(0)
    arrays = rich(folder / "made.npz", n=20, size=32)
    for name in ("xcoords_start", "ycoords_start", "scan_index", "Y"):
        del arrays[name]
    arrays |= {name: rng.uniform(18, 22, 3800) for name in ("xcoords", "ycoords")}
    arrays["objectGuess"] = np.ones_like(arrays["objectGuess"])
    arrays["diffraction"] = np.sqrt(rng.poisson(9, (32, 32, 3800))) / 20
    save(folder / "in.npz", arrays)
    (folder / "out").mkdir()
    return folder


def started(folder, command, how):
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, command, how],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout.readline() == "ready\n"
    return child


def rounds(folder, command, count, old, seed):
    source = digest(folder / "in.npz")
    target, sidecar = folder / "out" / "out.npz", folder / "out" / "out.json"
    for path in (target, sidecar):
        path.unlink(missing_ok=True)
    with started(folder, command, "once") as child:
        begin = time.monotonic()
        assert child.wait() == 0
        whole = time.monotonic() - begin
    finished = digest(target)
    moments = random.Random(seed)
    seen = set()
    for _ in range(count):
        for path in (folder / "out").iterdir():
            path.unlink()
        if old:
            target.write_bytes(b"old")
        with started(folder, command, "ever") as child:
            time.sleep(moments.uniform(0, 1.2 * whole))
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
        assert digest(folder / "in.npz") == source
        held = target.read_bytes() if target.exists() else None
        state = "none" if held is None else "old" if held == b"old" else "new"
        seen.add(state)
        if state == "new":
            assert digest(target) == finished
        else:
            assert state == ("old" if old else "none")
        # The sidecar gets its name last: where it is, so is its file.
        assert not sidecar.exists() or state == "new"
        # Nothing else but files that say by their names that they are parts.
        others = set(os.listdir(folder / "out")) - {"out.npz", "out.json"}
        assert all(name.startswith(".npzschema-") and name.endswith(".part") for name in others)
    # What is left behind stands in nobody's way.
    with started(folder, command, "once") as child:
        assert child.wait() == 0
    assert digest(target) == finished
    report = validate(target, CANONICAL)
    assert report.ok, report.findings
    return seen


@pytest.mark.parametrize(("command", "old"), [("convert", True), ("fixture", False)])
def test_some_killed_runs(folder, command, old):
    seen = rounds(folder, command, 6, old, seed=1)
    assert seen & {"old", "none"}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["convert", "fixture"])
@pytest.mark.parametrize("old", [True, False])
def test_many_killed_runs(folder, command, old):
    assert len(rounds(folder, command, 60, old, seed=2)) == 2


def test_an_interrupt_leaves_nothing(folder):
    for path in (folder / "out").iterdir():
        path.unlink()
    with started(folder, "convert", "ever") as child:
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        assert child.wait() != 0
    assert not [name for name in os.listdir(folder / "out") if name.endswith(".part")]
    if (folder / "out" / "out.npz").exists():
        assert arrays_of(folder / "out" / "out.npz")["diffraction"].shape == (3800, 32, 32)


ENDED = """
import os, sys
from npzschema.generator import replace
from npzschema.generator.write import NpzWriter
_, number, times, *sys.argv[1:] = sys.argv

def asked(real):
    def first(*arguments):
        os.kill(os.getpid(), int(number))
        return real(*arguments)
    return first

NpzWriter.close = asked(NpzWriter.close)
if times == "again":
    replace._forget = asked(replace._forget)
from npzschema.commands import generate_npz
generate_npz()
"""


@pytest.mark.parametrize(
    ("number", "times", "status", "how"),
    [
        (signal.SIGINT, "once", 130, "interrupted"),
        (signal.SIGTERM, "once", -signal.SIGTERM, "terminated"),
        (signal.SIGTERM, "again", -signal.SIGTERM, "terminated"),
        (signal.SIGHUP, "once", -signal.SIGHUP, "hung up"),
    ],
)
def test_a_command_that_is_asked_to_end_says_so_and_leaves_nothing(folder, tmp_path, number, times, status, how):
    """As by Ctrl-C, or by a scheduler at its time limit: only kill -9 leaves a part of a file."""
    done = subprocess.run(
        [sys.executable, "-c", ENDED, str(int(number)), times, "convert", "in.npz", tmp_path / "out.npz"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"generate-npz: {how}\n")
    assert not os.listdir(tmp_path)
