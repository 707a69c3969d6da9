"""An interrupt at any moment: one line or none, and no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

INTERRUPTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

_, command, wanted, *sys.argv[1:] = sys.argv
sys.meta_path.insert(0, Interrupt())
from npzschema import commands
getattr(commands, command)()
"""


def interrupted(command: str, module: str, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command whose user presses Ctrl-C as it begins to import a module."""
    return subprocess.run(
        [sys.executable, "-c", INTERRUPTED, command, module, *argv],
        capture_output=True, text=True, check=False, timeout=120, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("validate_npz", "npzschema.contracts"),
        ("validate_npz", "npzschema.validator.options"),
        ("generate_npz", "numpy"),
        ("generate_npz", "numpy._core._multiarray_umath"),
        ("generate_npz", "npzschema.generator.cli"),
        ("npz_contract", "argparse"),
    ],
)
def test_while_the_command_is_imported_it_ends_at_once(command: str, module: str) -> None:
    done = interrupted(command, module, "none.npz")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("module", ["numpy", "npzschema.validator.engine"])
def test_from_then_on_one_line_says_so(module: str) -> None:
    done = interrupted("validate_npz", module, "none.npz")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "validate-npz: interrupted\n")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_in_python_neither_is_touched(number: str) -> None:
    """A program that uses the package has its own way to end."""
    code = (
        "import os, signal, npzschema.validator.engine as engine; "
        f"before = signal.getsignal(signal.{number}); engine.validate('none.npz'); "
        f"assert signal.getsignal(signal.{number}) is before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_whoever_is_started_without_interrupts_stays_so() -> None:
    """As with nohup, or behind & in a script."""
    done = interrupted(
        "validate_npz", "npzschema.contracts", "none.npz",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("none.npz  FILE-001 error")


COUNTED = """
import gc, sys
from npzschema import process
process.prepare()
looked = []
gc.callbacks.append(lambda phase, info: looked.append(phase))
process.finish = lambda: sys.stderr.write(str(looked))
from npzschema.commands import validate_npz
validate_npz()
"""


def test_a_small_file_ends_before_python_looks_for_garbage(tmp_path: Path, datasets: Any) -> None:
    """An interrupt meanwhile would be lost: raised where nobody can catch it, and told by a traceback."""
    np.savez(tmp_path / "scan.npz", **datasets.canonical())
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, str(tmp_path / "scan.npz")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "[]")


STUCK = """
import threading
from npzschema.terminal import main_of

def run(argv, out, err):
    threading.Thread(target=threading.Event().wait).start()
    raise KeyboardInterrupt

main_of("validate-npz", run)
"""


def test_threads_that_never_end_are_not_waited_for() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "validate-npz: interrupted\n")


def test_while_python_ends_nothing_is_told() -> None:
    """What ends it is past every handler; all is written by then."""
    code = (
        "import atexit, os, signal; from npzschema.terminal import main_of; "
        "atexit.register(os.kill, os.getpid(), signal.SIGINT); "
        "main_of('x', lambda argv, out, err: out.write('all') * 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("all", "")


AMID = """
import os, signal, sys
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the commands set it: a thread of its own would take the interrupt
from npzschema.validator.interrupts import uninterrupted
with uninterrupted():  # its threads inherit it, as where it is imported beside other work
    import polars as pl
from npzschema.validator.engine import validate
real = pl.LazyFrame.collect

def collect(*arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)
    found = real(*arguments, **options)
    told.append(1)
    return found

told = []
pl.LazyFrame.collect = collect
try:
    validate(sys.argv[1])
except KeyboardInterrupt:
    os._exit(7 if told else 8)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there is it known which thread takes an interrupt")
def test_while_polars_computes_an_interrupt_waits(tmp_path: Path, datasets: Any) -> None:
    """It does not come back from one."""
    arrays = datasets.canonical()
    # Polars is asked only where a row may fail.
    arrays["diffraction"][4] = 0
    np.savez(tmp_path / "scan.npz", **arrays)
    done = subprocess.run([sys.executable, "-c", AMID, str(tmp_path / "scan.npz")], check=False, timeout=60)
    assert done.returncode == 7


BESIDE = """
import os, signal, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from npzschema.process import prepare
prepare()
from npzschema.validator import many
if __name__ == "__main__":
    _, forked, moment, *argv = sys.argv
    many.alone = lambda: forked == "forked"
    real, submitted = ProcessPoolExecutor.submit, []

    def submit(pool, *arguments):
        if moment == "starting" and not submitted:
            subprocess.Popen(["sh", "-c", "sleep 0.1; kill -INT 0"])
        submitted.append(real(pool, *arguments))
        if moment == str(len(submitted)):
            os.killpg(0, signal.SIGINT)
        return submitted[-1]

    ProcessPoolExecutor.submit = submit
    from npzschema.commands import validate_npz
    sys.argv[1:] = argv
    validate_npz()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
@pytest.mark.parametrize("how", ["forked", "served"])
@pytest.mark.parametrize("moment", ["starting", "1", "2", "12"])
def test_several_processes_end_together(how: str, moment: str, tmp_path: Path, datasets: Any) -> None:
    """One line, and no process stays behind, whatever each of them was doing."""
    np.savez(tmp_path / "scan.npz", **datasets.canonical())
    script = tmp_path / "beside.py"
    script.write_text(BESIDE)
    # Enough that none ends before a tenth of a second has passed.
    many = 1000 if moment == "starting" else 12
    child = subprocess.Popen(
        [sys.executable, script, how, moment, "--jobs", "2", *[str(tmp_path / "scan.npz")] * many],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    # The pipes are closed when the last of them has ended.
    _, told = child.communicate(timeout=60)
    assert (child.returncode, told) == (130, "validate-npz: interrupted\n")
