"""Several files by several processes: the same reports in the same order, and no pass where a process dies."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from npzschema.validator.cli import run
from npzschema.validator.many import Asked, validate_each


@pytest.fixture
def files(tmp_path, datasets):
    """A valid file, one that is no NPZ, one that is not there, a legacy one."""
    legacy = datasets.canonical()
    legacy["diffraction"] = np.ascontiguousarray(legacy["diffraction"].transpose(1, 2, 0))
    np.savez(tmp_path / "good.npz", **datasets.canonical())
    (tmp_path / "text.npz").write_text("no archive")
    np.savez_compressed(tmp_path / "legacy.npz", **legacy)
    return [str(tmp_path / name) for name in ("good.npz", "text.npz", "absent.npz", "legacy.npz", "good.npz")]


def asked(paths):
    return [Asked(path) for path in paths]


def test_reports_come_in_order_and_are_the_same(files):
    alone, together = list(validate_each(asked(files))), list(validate_each(asked(files), jobs=2))
    assert together == alone
    assert [one.path for one in together] == files
    assert [one.verdict for one in together] == ["valid", "unreadable", "unreadable", "violations", "valid"]


def test_options_reach_every_process(files):
    assert all(one.headers_only for one in validate_each(asked(files), jobs=3, headers_only=True) if one.contract)


def test_the_command_line_says_the_same(files):
    told = []
    for jobs in ("1", "2", "auto"):
        out = io.StringIO()
        assert run(["--jobs", jobs, *files], out, io.StringIO()) == 2
        told.append(out.getvalue())
    assert told[0] == told[1] == told[2]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found in /proc")
def test_a_process_that_is_killed_is_no_pass(tmp_path, datasets):
    good = tmp_path / "good.npz"
    np.savez(good, **datasets.canonical())
    paths = [str(good)] * 400
    reports = validate_each(asked(paths), jobs=2)
    found = [next(reports)]

    def kill():
        time.sleep(0.05)
        for child in _workers(os.getpid()):
            os.kill(child, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found += reports
    killer.join()
    assert len(found) == len(paths)
    lost = [one for one in found if one.verdict != "valid"]
    assert lost
    assert {finding.code for one in lost for finding in one.findings} == {"INTERNAL-001"}
    assert all(one.verdict == "unreadable" for one in lost)


ASKS = """
import sys
from npzschema.commands import validate_npz
sys.argv[1:] = ["--jobs", "2", *[sys.argv[1]] * 5000]
validate_npz()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends a process with the one that started it")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_command(number, tmp_path, datasets):
    path = tmp_path / "good.npz"
    np.savez(path, **datasets.canonical())
    command = subprocess.Popen([sys.executable, "-c", ASKS, str(path)], stdout=subprocess.DEVNULL)
    begun = time.monotonic()
    while len(workers := _workers(command.pid)) < 2:
        assert time.monotonic() < begun + 30
        time.sleep(0.02)
    command.send_signal(number)
    assert command.wait(30) == -number
    begun = time.monotonic()
    while any(_runs(one) for one in workers):
        assert time.monotonic() < begun + 30
        time.sleep(0.02)


def _runs(process):
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def _workers(parent):
    """Processes that this one has forked, or the server that it has started."""
    above, same = {}, Path(f"/proc/{parent}/cmdline").read_bytes()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat, command = Path(f"/proc/{name}/stat").read_bytes(), Path(f"/proc/{name}/cmdline").read_bytes()
            above[int(name)] = int(stat.rpartition(b")")[2].split()[1]), command
    return [
        child
        for child, (server, command) in above.items()
        if (server == parent and command == same) or above.get(server, (0, b""))[0] == parent
    ]
