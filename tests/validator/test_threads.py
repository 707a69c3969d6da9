"""Where threads or processes cannot be started the work is done in order, or one line says why it cannot be done."""

from __future__ import annotations

import concurrent.futures
import errno
import io
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from npzschema.generator.write import NpzWriter
from npzschema.validator import prefetch, table_libraries
from npzschema.validator import threads as threads_module
from npzschema.validator.cli import run
from npzschema.validator.engine import validate
from npzschema.validator.threads import Threads, ThreadsError, startable

from ..generator.making import legacy, rich, save


@pytest.fixture
def allowed(monkeypatch):
    """So many threads can be started in all, and no more."""

    def set_to(count):
        real, left = threading.Thread.start, iter(range(count))

        def start(thread):
            if next(left, None) is None:
                raise RuntimeError("can't start new thread")
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    return set_to


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_work_is_done_in_order_by_as_many_threads_as_there_are(allowed, count):
    allowed(count)
    begun, by = [], set()

    def work(number):
        begun.append(number)
        by.add(threading.current_thread().name)
        if number == 7:
            raise ValueError(number)
        return number * number

    with Threads(3, "many") as threads:
        asked = [threads.submit(work, number=number) for number in range(20)]
        assert [one.result() for one in asked if one is not asked[7]] == [n * n for n in range(20) if n != 7]
        with pytest.raises(ValueError, match="7"):
            asked[7].result()
    assert by <= ({"many"} if count else {"MainThread"})
    assert sorted(begun) == list(range(20))
    assert "many" not in {one.name for one in threading.enumerate()}


def test_at_the_end_everything_is_done_though_nobody_asked():
    done = []

    def give_up():
        with Threads(2, "many") as threads:
            for number in range(10):
                threads.submit(lambda number: (time.sleep(0.001), done.append(number)), number)
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert sorted(done) == list(range(10))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupt_as_a_thread_starts_leaves_none_that_waits(moment, monkeypatch):
    """It waits while the thread is started, and strikes then: at the end that thread is waited for, too."""
    real, count = threads_module.started, []

    def interrupted(thread):
        count.append(thread)
        if len(count) < 2:
            return real(thread)
        if moment == "after":
            real(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threads_module, "started", interrupted)
    ended = threading.Event()

    def ask():
        with Threads(2, "many") as threads:
            threads.submit(int)
            threads.submit(int)

    def work():
        with pytest.raises(KeyboardInterrupt):
            ask()
        ended.set()

    # A thread that can be given up, should it never end.
    threading.Thread(target=work, daemon=True).start()
    assert ended.wait(30)
    assert not [one for one in count if one.is_alive()]


def test_what_was_done_is_let_go_of():
    """A thread that waits for more must not hold the last piece."""
    import weakref

    class Piece:
        pass

    with Threads(1, "one") as threads:
        piece = Piece()
        seen = weakref.ref(piece)
        threads.submit(lambda _: None, piece).result()
        threads.submit(int).result()
        del piece
        assert seen() is None


def test_what_an_error_led_to_is_let_go_of():
    """Without waiting for the garbage collector, which comes by the number of objects, not by their size."""
    import gc
    import weakref

    class Piece:
        pass

    seen = []

    def work():
        piece = Piece()
        seen.append(weakref.ref(piece))
        raise KeyError

    def ask(threads):
        piece = Piece()
        seen.append(weakref.ref(piece))
        waiting = threads.submit(work)
        with pytest.raises(KeyError):
            waiting.result()

    gc.disable()
    try:
        with Threads(1, "one") as threads:
            ask(threads)
            threads.submit(int).result()
            assert [one() for one in seen] == [None, None]
    finally:
        gc.enable()


def test_how_many_can_be_started(allowed):
    before = threading.active_count()
    assert startable(20)
    allowed(3)
    assert not startable(4)
    assert threading.active_count() == before


def test_reading_ahead_without_a_thread(allowed, monkeypatch):
    monkeypatch.setattr(prefetch, "WORTH", 0)
    allowed(0)
    chunks = [np.full(3, number) for number in range(9)]
    assert list(prefetch.prefetched(iter(chunks), 1)) == chunks


def test_what_is_written_is_the_same_without_threads(allowed):
    array = np.random.default_rng(0).poisson(1, (40, 128, 128)).astype(np.float32)

    def written():
        file = io.BytesIO()
        writer = NpzWriter(file)
        writer.add_array("diffraction", array)
        writer.close()
        return file.getvalue()

    before = written()
    allowed(0)
    assert written() == before


def test_no_check_is_told_as_one_that_failed(allowed, monkeypatch, tmp_path):
    """Polars needs threads: without, there is no verdict on rows that may fail."""
    arrays = rich(tmp_path / "made.npz", n=20, size=16)
    save(tmp_path / "scan.npz", arrays)
    arrays["diffraction"][4] = 0
    save(tmp_path / "blank.npz", arrays)
    for name in [name for name in sys.modules if name.partition(".")[0] == "polars"]:
        monkeypatch.delitem(sys.modules, name)
    table_libraries.ready.cache_clear()
    allowed(2)
    with pytest.raises(ThreadsError, match=r"polars, which needs \d+ threads"):
        validate(tmp_path / "blank.npz")
    # Headers, and a table that surely keeps everything, are checked without it.
    assert validate(tmp_path / "blank.npz", headers_only=True).ok
    assert validate(tmp_path / "scan.npz").ok


def test_processes_that_cannot_be_started(allowed, tmp_path):
    save(tmp_path / "scan.npz", rich(tmp_path / "made.npz", n=20, size=16))
    paths = [str(tmp_path / "scan.npz")] * 3
    out, alone = io.StringIO(), io.StringIO()
    assert run(paths, alone, io.StringIO()) == 0
    allowed(5)
    assert run(["--jobs", "3", *paths], out, io.StringIO()) == 0
    assert out.getvalue() == alone.getvalue()


def test_processes_that_share_no_memory(monkeypatch, tmp_path):
    """As where /dev/shm is read-only: there are no locks between them."""
    save(tmp_path / "scan.npz", rich(tmp_path / "made.npz", n=20, size=16))
    paths = [str(tmp_path / "scan.npz")] * 3
    out, alone = io.StringIO(), io.StringIO()
    assert run(paths, alone, io.StringIO()) == 0

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", refuse)
    assert run(["--jobs", "3", *paths], out, io.StringIO()) == 0
    assert out.getvalue() == alone.getvalue()


LIMITED = """
import ctypes, os, resource, struct, sys
if os.geteuid() == 0:
    # No limit holds for root. Python may lie where only root can read: the right to open files stays
    # (CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, as ambient capabilities).
    libc = ctypes.CDLL(None)
    os.setgroups([])
    os.setgid(100_000 + os.getpid())
    libc.prctl(8, 1, 0, 0, 0)
    os.setuid(100_000 + os.getpid())
    libc.capset(struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", 6, 6, 6, 0, 0, 0))
    for capability in (1, 2):
        libc.prctl(47, 2, capability, 0, 0)
_, name, limit, *argv = sys.argv
hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
resource.setrlimit(resource.RLIMIT_NPROC, (int(limit), hard))
import threading
try:
    [threading.Thread(target=threading.Event().wait, daemon=True).start() for _ in range(2 * int(limit))]
    sys.exit("no limit")
except RuntimeError:
    pass
os.execv(sys.executable, [sys.executable, "-c", "from npzschema.commands import *; " + name + "()", *argv])
"""


def limited(folder, name, limit, *argv):
    """A command under a real limit on the threads and processes of its user."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, name, str(limit), *argv],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.stderr == "no limit\n":
        pytest.skip("this system does not limit threads")
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Datasets that are read ahead, in pieces: one in which nothing is wrong with any frame, one that has two alike."""
    folder = tmp_path_factory.mktemp("limited")
    made = rich(folder / "made.npz", n=20, size=32)
    for name in ("xcoords_start", "ycoords_start", "scan_index", "Y"):
        del made[name]
    rng = np.random.default_rng(0)
    made |= {name: rng.uniform(18, 22, 2200) for name in ("xcoords", "ycoords")}
    made["diffraction"] = (np.sqrt(rng.poisson(9, (2200, 32, 32))) / 20).astype(np.float32)
    save(folder / "plain.npz", legacy(made))
    made["diffraction"][3] = made["diffraction"][11]
    save(folder / "in.npz", legacy(made))
    (folder / "out").mkdir()
    for path in (folder, folder / "out"):
        path.chmod(0o777)
    for name in ("in.npz", "plain.npz"):
        (folder / name).chmod(0o644)
    return folder


CONVERT = ("convert", "--force", "in.npz", "out/out.npz")


@pytest.mark.parametrize(
    ("name", "limit", "argv", "works"),
    [
        ("validate_npz", 1, ("--headers-only", "in.npz"), True),
        ("validate_npz", 1, ("in.npz",), False),
        ("validate_npz", 1, ("plain.npz",), True),
        ("validate_npz", 17, ("in.npz",), None),
        ("validate_npz", 60, ("in.npz",), True),
        ("validate_npz", 1, ("--jobs", "2", "in.npz", "in.npz"), False),
        ("validate_npz", 30, ("--jobs", "2", "in.npz", "in.npz"), True),
        ("generate_npz", 1, CONVERT, False),
        ("generate_npz", 1, ("convert", "--force", "plain.npz", "out/out.npz"), True),
        ("generate_npz", 17, CONVERT, None),
        ("generate_npz", 60, CONVERT, True),
    ],
)
def test_a_real_limit(folder, name, limit, argv, works):
    """The same result, or one line and nothing else: no panic, no part, no verdict."""
    source, out = folder / next(one for one in argv if one.endswith(".npz")), folder / "out" / "out.npz"
    before = source.read_bytes()
    code = f"from npzschema.commands import *; {name}()"
    free = subprocess.run([sys.executable, "-c", code, *argv], cwd=folder, capture_output=True, text=True, check=False)
    made = out.read_bytes() if out.exists() else None
    out.unlink(missing_ok=True)
    told = limited(folder, name, limit, *argv)
    assert source.read_bytes() == before
    if works is None:
        works = told.returncode == free.returncode
    if works:
        assert (told.returncode, told.stdout, told.stderr) == (free.returncode, free.stdout, free.stderr)
        assert (out.read_bytes() if out.exists() else None) == made
    else:
        assert (told.returncode, told.stdout) == (2, "")
        assert told.stderr.startswith(f"{name.replace('_', '-')}: the scan table is checked by polars, which needs")
        assert told.stderr.count("\n") == 1
        assert list((folder / "out").iterdir()) == []
    out.unlink(missing_ok=True)
