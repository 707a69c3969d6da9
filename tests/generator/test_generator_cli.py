"""generate-npz: statuses, one-line errors, what is said, and the progress bar."""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import shlex
import struct
import subprocess
import sys
import termios

import numpy as np
import pyte
import pytest

import npzschema
from npzschema import generator
from npzschema.generator import Experiment, GeneratorError, Made, Output, Progress, convert, fixture, simulate
from npzschema.generator.convert import dry_run
from npzschema.generator.progress import Bar
from npzschema.validator import Limits, progress

from .making import CANONICAL, FIXTURE, LEGACY, arrays_of, command, held, legacy, refused, rich, save, simulated


def generate(folder, *argv, **more):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "npzschema.generator.cli", *map(str, argv)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_an_offered_command_reads_the_file_as_it_was_read(tmp_path):
    """By axes that were named, and by a limit that was raised; neither is told by the file."""
    rng = np.random.default_rng(0)
    patterns = rng.random((16, 16, 16), dtype=np.float32)
    cube = {
        "diffraction": patterns,
        "probeGuess": (rng.random((16, 16)) + 1j * rng.random((16, 16))).astype(np.complex64),
        "objectGuess": np.ones((40, 40), np.complex64),
        "xcoords": rng.uniform(10, 30, 16),
        "ycoords": rng.uniform(10, 30, 16),
    }
    source = save(tmp_path / "cube.npz", cube)
    named = {"diffraction": ("H", "W", "N")}
    report = npzschema.validate(source, axes=named, limits=Limits(expansion=1.5, free=1 << 20))
    (finding,) = [one for one in report.findings if one.code == "FORMAT-001"]
    assert finding.evidence == "its axes are as they were named (--axes)"
    name, *argv = shlex.split(finding.remedy)
    assert argv[:5] == ["convert", "--axes", "diffraction=H,W,N", "--max-expansion", "1.5"]
    status, _, told = command(*argv)
    assert (name, status, told) == ("generate-npz", 0, "")
    assert (arrays_of(argv[-1])["diffraction"] == patterns.transpose(2, 0, 1)).all()
    (without,) = [one for one in npzschema.validate(source).findings if one.code == "FORMAT-002"]
    assert "generate-npz" not in without.remedy


@pytest.mark.parametrize("make", [convert, fixture, lambda source, _, **more: dry_run(source, **more)])
def test_a_limit_that_is_raised_or_lowered(tmp_path, make):
    source = simulated(tmp_path / "in.npz", CANONICAL, n=64, size=64, object_shape=(140, 140))
    with pytest.raises(GeneratorError, match="FILE-009"):
        make(source, tmp_path / "out.npz", limits=Limits(expansion=1, free=1))
    make(source, tmp_path / "out.npz", limits=Limits(expansion=3000, free=1))


def test_a_dry_run_refuses_what_the_run_would(tmp_path):
    source = simulated(tmp_path / "in.npz", CANONICAL)
    assert "'nonsense' is no step" in refused(tmp_path, "convert", "--dry-run", "--allow", "nonsense", source)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("-", "a dataset cannot go to '-'; name a file"),
        ("link", "link: is no regular file; it is never replaced"),
        ("/dev/stdout", "/dev/stdout: is no regular file; it is never replaced"),
    ],
)
def test_a_dataset_goes_to_a_file_of_its_own(tmp_path, target, told):
    """What standard output goes to may be a regular file, and a link that leads there be in nobody's way."""
    simulated(tmp_path / "in.npz", LEGACY)
    (tmp_path / "link").symlink_to("/proc/self/fd/1")
    with open(tmp_path / "log", "wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "npzschema.generator.cli", "convert", "--force", "in.npz", target],
            cwd=tmp_path, stdout=log, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, f"generate-npz: {told}\n")
    assert sorted(os.listdir(tmp_path)) == ["in.npz", "link", "log"]
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "log").read_bytes() == b""


@pytest.mark.parametrize("how", ["convert", "fixture"])
def test_no_record_replaces_a_dataset(tmp_path, how):
    source = simulated(tmp_path / "in.npz", CANONICAL, n=64)
    other = simulated(tmp_path / "other.npz", CANONICAL)
    before = other.read_bytes()
    names = (
        [source, tmp_path / "out.npz"] if how == "convert" else ["--source", source, "--output", tmp_path / "out.npz"]
    )
    line = refused(tmp_path, how, "--force", "--metadata-out", other, *names)
    assert "other.npz: holds an archive, such as a dataset; no record replaces one" in line
    assert other.read_bytes() == before


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["convert", "in.npz"], "generate-npz: no output named; see generate-npz convert --help\n"),
        (
            ["convert", "in.npz", "out.npz", "--x"],
            "generate-npz: unrecognized arguments: --x; see generate-npz --help\n",
        ),
        (["convert"], "generate-npz: the following arguments are required: IN.npz; see generate-npz convert --help\n"),
    ],
)
def test_wrong_usage_names_the_help_that_tells_more(tmp_path, argv, told):
    assert generate(tmp_path, *argv).stderr == told


def test_the_story_from_end_to_end(tmp_path):
    """Simulate a legacy dataset, convert it, cut a fixture: what the demonstration shows."""
    for argv in (
        ("simulate", "--contract", LEGACY, "--positions", 80, "--object-shape", "140x130", "--output", "legacy.npz"),
        ("convert", "legacy.npz", "canonical.npz"),
        ("fixture", "--source", "canonical.npz", "--output", "fixture.npz"),
        ("break", "--rule", "FORMAT-001", "canonical.npz", "broken.npz"),
    ):
        made = generate(tmp_path, *argv)
        assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == "broken.npz: written; breaks FORMAT-001\n"
    assert sorted(os.listdir(tmp_path)) == ["broken.npz", "canonical.npz", "fixture.json", "fixture.npz", "legacy.npz"]
    assert arrays_of(tmp_path / "fixture.npz")["diff3d"].shape == (64, 64, 64)


def test_what_is_said_of_a_conversion(tmp_path):
    source = save(tmp_path / "in.npz", legacy(rich(tmp_path / "made.npz")))
    status, out, err = command("convert", source, tmp_path / "out.npz")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "  diffraction: axes (H, W, N) brought into the order (N, H, W)" in lines
    assert "  probeGuess: cast from complex128 to complex64" in lines
    assert lines[-1].startswith(
        f"{tmp_path / 'out.npz'}: written, valid; ptychopinn/canonical 1.0.0; N=20 H=16 W=16 HO="
    )


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("--no-such",),
        ("convert",),
        ("fixture",),
        ("fixture", "--source", "a"),
        ("simulate",),
        ("break", "a", "b"),
        ("mend",),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(tmp_path, argv):
    made = generate(tmp_path, *argv)
    assert made.returncode == 2
    assert made.stdout == ""
    assert made.stderr.startswith("generate-npz: ")
    assert made.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        ("--help",),
        ("convert", "--help"),
        ("fixture", "--help"),
        ("simulate", "--help"),
        ("break", "--help"),
        ("--version",),
    ],
)
def test_help_and_version(tmp_path, argv):
    made = generate(tmp_path, *argv)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith(
        f"generate-npz {npzschema.__version__}\n" if argv == ("--version",) else "usage: generate-npz"
    )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--level", "4"), "isal has no level 4; it has 0 to 3"),
        (("--level", "10"), "invalid choice"),
        (("--compress", "zlib", "--level", "-1"), ""),
        (("--compress", "lzma"), "invalid choice"),
        (("--positions", "many"), "invalid int value"),
        (("--object-shape", "3"), "is not ROWSxCOLUMNS"),
        (("--object-shape", "9" * 5000 + "x1"), ""),
        (("--photons", "bright"), "invalid float value"),
        (("--scan", "snake"), "invalid choice"),
        (("--contract", "none"), "contract refused"),
    ],
)
def test_options_that_there_are_not(tmp_path, option, words):
    assert words in refused(tmp_path, "simulate", "--output", tmp_path / "a.npz", *option)


@pytest.mark.parametrize(
    "option",
    [
        ("--compress", "none"),
        ("--compress", "zlib", "--level", "9"),
        ("--compress", "isal", "--level", "0"),
        ("--level", "3"),
    ],
)
def test_compressions_and_levels_give_the_same_arrays(tmp_path, option):
    first, second = simulated(tmp_path / "a.npz"), tmp_path / "b.npz"
    assert command("simulate", "--positions", 20, "--size", 16, "--output", second, *option)[0] == 0
    for name, array in arrays_of(first).items():
        assert (arrays_of(second)[name] == array).all()


class TestBadPlaces:
    @pytest.fixture
    def source(self, tmp_path):
        return save(tmp_path / "in.npz", legacy(rich(tmp_path / "made.npz", n=100, size=32)))

    @pytest.mark.parametrize("what", ["convert", "fixture"])
    def test_a_limit_on_the_size_of_files(self, tmp_path, source, what):
        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        before = held(tmp_path)
        argv = {
            "convert": ("convert", source, "out.npz"),
            "fixture": ("fixture", "--source", source, "--output", "out.npz", "--contract", CANONICAL),
        }
        made = generate(tmp_path, *argv[what], preexec_fn=limited)
        assert made.returncode == 2
        assert made.stderr == "generate-npz: out.npz: cannot be written: file too large\n"
        assert held(tmp_path) == before

    def test_a_full_disk(self, tmp_path, source):
        folder = tmp_path / "small"
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("no small file system can be mounted here")
        try:
            made = generate(tmp_path, "convert", source, "small/out.npz")
            assert made.returncode == 2
            assert made.stderr == "generate-npz: small/out.npz: cannot be written: no space left on device\n"
            assert os.listdir(folder) == []
        finally:
            subprocess.run(["umount", str(folder)], check=True)

    def test_a_read_only_folder(self, tmp_path, source):
        folder = tmp_path / "locked"
        folder.mkdir()
        folder.chmod(0o500)
        place = "/sys" if os.access(folder, os.W_OK) else str(folder)
        if not os.path.isdir(place):
            pytest.skip("there is no folder that this user cannot write to")
        made = generate(tmp_path, "convert", source, f"{place}/out.npz")
        assert made.returncode == 2
        assert made.stderr.startswith(f"generate-npz: {place}/out.npz: cannot be written: ")
        assert made.stderr.count("\n") == 1

    def test_devices_and_pipes_are_never_replaced(self, tmp_path, source):
        os.mkfifo(tmp_path / "pipe")
        for target in ("/dev/null", tmp_path / "pipe"):
            assert "no regular file" in refused(tmp_path, "convert", source, target, "--force")
        assert not os.path.isfile("/dev/null")

    def test_names_that_are_awkward(self, tmp_path, source):
        for name in (
            "with blank.npz",
            "größe.npz",
            "-dash.npz",
            "a\nb.npz",
            b"\xff.npz".decode("utf-8", "surrogateescape"),
            "plain",
        ):
            made = generate(tmp_path, "convert", "--", source, name)
            assert (made.returncode, made.stderr) == (0, ""), name
            assert "N=100 H=32 W=32" in made.stdout.splitlines()[-1]
            assert os.path.exists(os.path.join(tmp_path, name))
        assert "file name too long" in refused(tmp_path, "convert", source, tmp_path / ("a" * 300 + ".npz"))


def test_nothing_is_drawn_where_there_is_no_terminal_and_nothing_stays_where_there_is(tmp_path):
    argv = [sys.executable, "-m", "npzschema.generator.cli", "simulate", "--positions", "500", "--output"]
    quiet = subprocess.run([*argv, "a.npz"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen([*argv, "b.npz"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=inner) as child:
        os.close(inner)
        drawn = b""
        try:
            while part := os.read(outer, 4096):
                drawn += part
        except OSError:
            pass  # Linux says so when the other end of a terminal is closed
        assert child.wait() == 0
    os.close(outer)
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(drawn)
    assert "".join(screen.display).strip() == ""
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_bar_is_drawn_and_goes(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    monkeypatch.setenv("TERM", "xterm")
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)
    with open(inner, "w", encoding="utf-8") as terminal:
        bar = Bar(terminal)
        bar.start(200)
        bar.advance(50)
        seen = ""
        while "50/200 bytes" not in seen:  # drawn by a thread of its own
            stream.feed(os.read(outer, 4096))
            seen = "\n".join(screen.display)
        assert "writing" in seen
        bar.end()
        terminal.flush()
        stream.feed(os.read(outer, 65536))
    os.close(outer)
    assert "".join(screen.display).strip() == ""


class TestFromPython:
    def test_the_names_that_are_exported(self):
        assert set(generator.__all__) == {
            "Experiment",
            "GeneratorError",
            "Loaded",
            "Made",
            "Output",
            "Progress",
            "convert",
            "fixture",
            "load",
            "simulate",
        }
        assert all(callable(getattr(generator, name)) for name in generator.__all__)

    def test_what_comes_back(self, tmp_path):
        made = simulate(str(tmp_path / "a.npz"), Experiment(positions=70), contract=LEGACY)
        assert isinstance(made, Made)
        assert made.path == tmp_path / "a.npz"
        assert made.report.path == str(made.path)
        assert made.report.contract == LEGACY
        assert made.sidecar is None
        assert convert(str(made.path), str(tmp_path / "b.npz")).steps
        cut = fixture(tmp_path / "b.npz", str(tmp_path / "c.npz"), contract=CANONICAL, subset_size=20)
        assert cut.sidecar == tmp_path / "c.json"
        assert simulate(tmp_path / "d.npz").report.binding["N"] == 100

    def test_progress_hears_every_byte_and_the_end(self, tmp_path):
        class Heard(Progress):
            def __init__(self):
                self.told = []

            def start(self, total):
                self.told.append(("start", total))

            def advance(self, count):
                self.told.append(("advance", count))

            def end(self):
                self.told.append(("end", 0))

        heard = Heard()
        simulate(tmp_path / "a.npz", Experiment(positions=20, size=16), options=Output(progress=heard))
        total = sum(array.nbytes for array in arrays_of(tmp_path / "a.npz").values())
        assert heard.told[0] == ("start", total)
        assert sum(count for what, count in heard.told if what == "advance") == total
        assert heard.told[-1] == ("end", 0)
        # It ends when the work fails, too.
        heard.told.clear()
        arrays = arrays_of(tmp_path / "a.npz")
        arrays["objectGuess"] = arrays["objectGuess"].astype(np.complex128)
        arrays["objectGuess"][0, 0], arrays["probeGuess"][:] = 1e300, 1
        save(tmp_path / "b.npz", arrays)
        with pytest.raises(GeneratorError):
            convert(tmp_path / "b.npz", tmp_path / "c.npz", allow=["cast"], options=Output(progress=heard))
        assert heard.told[-1] == ("end", 0)

    def test_nothing_but_the_documented_error(self, tmp_path):
        source = simulated(tmp_path / "in.npz")
        for wrong in (
            lambda: convert(tmp_path / "none.npz", tmp_path / "o.npz"),
            lambda: convert(source, tmp_path / "o.npz", options=Output(compression="lzma")),
            lambda: convert(source, tmp_path / "o.npz", options=Output(level=9)),
            lambda: convert(source, tmp_path / "o.npz", allow=["all"]),
            lambda: convert(source, tmp_path / "o.npz", axes={"diffraction": ("A", "B", "C")}),
            lambda: fixture(source, tmp_path / "o.npz", subset_size=True),
            lambda: fixture(source, tmp_path / "o.npz", contract=FIXTURE),
            lambda: simulate(tmp_path / "o.npz", Experiment(probe="")),
            lambda: simulate(tmp_path),
        ):
            with pytest.raises(GeneratorError) as caught:
                wrong()
            assert "\n" not in str(caught.value)
        assert os.listdir(tmp_path) == ["in.npz"]
