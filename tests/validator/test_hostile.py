"""The hostile corpus: every file ends in the right status and code, one readable line, and nothing else happens."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import tracemalloc
import warnings
import zlib
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from npzschema.contracts import load
from npzschema.validator.cli import run
from npzschema.validator.engine import validate
from npzschema.validator.scan_table import MAX_ROWS

from ..differential import assert_agrees, assert_honest
from .handmade import ARRAYS, archive, parts, saved
from .hostile import CASES, FAMILIES
from .hostile_case import MARKER, Command
from .hostile_paths import PATHS, SIDECARS
from .hostile_streams import incomplete_codes

MEMORY = 48 << 20
"""Far below what the bombs would fill; but for metadata of 15 MB the largest file of the corpus takes 4.5 MB."""

PROCESS = 300
"""MiB that a process may take in all, with numpy and polars."""


@pytest.fixture(autouse=True)
def guard():
    """A reader that hangs fails its test instead of stopping the whole run."""

    def stop(*_):
        raise TimeoutError("the reader hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def command(*argv):
    out, err = io.StringIO(), io.StringIO()
    status = run(list(argv), out, err)
    assert err.getvalue() == ""
    return status, out.getvalue()


def lines_of(text):
    lines = text.split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines), lines
    assert "Traceback" not in text
    return lines


def assert_numpy_agrees(path):
    """Whatever passes, numpy loads without pickle, and the values are those that were looked at."""
    report = validate(str(path))
    contract = load(report.contract)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.load(path, allow_pickle=False) as held:
            for name in contract.known_names() & set(held.files) - {"_metadata"}:
                array = held[name]
                facts = report.arrays[name]
                assert (array.shape, array.dtype.name) == (facts.shape, facts.dtype)
                if array.size and "minimum" in facts.statistics:
                    assert facts.statistics["minimum"] == array.min()
                    assert facts.statistics["maximum"] == array.max()


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    path = tmp_path / "scan.npz"
    path.write_bytes(case.make())
    tracemalloc.start()
    try:
        status, text = command("-v", str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    told = [line for line in lines_of(text) if line.startswith(f"{path}  ")]
    assert status == case.status, text
    matching = [line for line in told if any(f"  {code} " in line for code in case.codes)]
    assert matching, text
    assert told[-1].split("  ")[1].split("  ")[0] == ("valid", "violations", "unreadable")[status]
    assert peak < MEMORY
    assert os.listdir(tmp_path) == ["scan.npz"]
    if status == 0:
        assert_numpy_agrees(path)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.status])
def test_strictness_and_headers_never_make_it_pass(name):
    """No option turns an unreadable file into a readable one; headers alone need not show every fault."""
    case = CASES[name]
    data = case.make()
    assert validate(data, strict_archive=True).verdict in ("violations", "unreadable")
    if case.status == 2 and "FILE-003" not in case.codes and "FILE-007" not in case.codes:
        assert validate(data, headers_only=True).verdict == "unreadable"


@pytest.mark.parametrize("what", PATHS)
def test_path_that_is_no_regular_file(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = PATHS[what](tmp_path)
    before = sorted(os.listdir(tmp_path))
    status, text = command(path)
    lines = lines_of(text)
    assert status == 2
    assert "  FILE-001 error  " in lines[0]
    assert lines[-1].endswith("  unreadable  1 error")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_pipe_is_not_even_opened(tmp_path):
    """Opening it would wake whoever writes to it."""
    path = PATHS["a pipe"](tmp_path)
    command(path)
    with pytest.raises(OSError, match="No such device or address"):
        os.open(path, os.O_WRONLY | os.O_NONBLOCK)


def in_a_process_of_its_own(folder):
    child = Path(__file__).parent / "hostile_child.py"
    done = subprocess.run(
        [sys.executable, str(child), str(folder)], capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("family", FAMILIES)
def test_family_in_a_process_of_its_own(family, tmp_path):
    """All commands over all files: memory, nothing left behind, nothing run, and nothing made of what is refused."""
    names = {f"{at:03}.npz": name for at, name in enumerate(FAMILIES[family])}
    for file, name in names.items():
        (tmp_path / file).write_bytes(FAMILIES[family][name].make())
    results = in_a_process_of_its_own(tmp_path)
    assert sorted(results) == sorted(names)
    for file, told in results.items():
        name, case = names[file], FAMILIES[family][names[file]]
        assert told["validate"]["status"] == case.status, name
        assert told["strict"]["status"] >= min(case.status, 1), name
        assert (told["stray"], told["changed"]) == ([], False), name
        assert told["peak"] < PROCESS, name
        for what in ("convert", "fixture"):
            made = told[what]
            lines_of(made["out"]), lines_of(made["err"])
            # With so few frames no fixture can be cut, whatever else is wrong.
            assert made["status"] == (2 if case.status or what == "fixture" else made["status"]), (name, made)
            if made["status"]:
                assert (made["out"], made["err"].count("\n")) == ("", 1), (name, made)


def test_as_many_positions_as_are_judged_row_by_row(tmp_path):
    """Too large for the corpus: every row fails, and each frame might belong to each position."""
    count = MAX_ROWS
    places = np.random.default_rng(3).uniform(17, 23, (2, count))
    changed = {
        "diffraction": np.resize(ARRAYS["diffraction"], (count, 4, 4)),
        "probeGuess": ARRAYS["probeGuess"][:4, :4],
        "xcoords": places[0],
        "ycoords": places[1],
    }
    np.savez(tmp_path / "scan.npz", **(ARRAYS | changed))
    script = (
        "import sys; from tests.validator.hostile_child import command, peak_mib, validate; "
        "told = command(validate, sys.argv[1]); sys.stdout.write(f\"{told['status']} {peak_mib()}\")"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "scan.npz")], capture_output=True, text=True, check=True, cwd=root
    )
    status, peak = map(int, done.stdout.split())
    assert status == 0
    assert peak < PROCESS


@pytest.mark.parametrize("family", FAMILIES)
def test_numpy_reads_the_same_from_whatever_is_accepted(family):
    for name, case in FAMILIES[family].items():
        data = case.make()
        report = assert_honest(data)
        assert ("valid", "violations", "unreadable").index(report.verdict) == case.status, name
        assert_agrees(data)


def test_sidecars_of_any_kind(tmp_path):
    """In a process of its own: tracing millions of small pieces would take minutes."""
    for at, (content, _) in enumerate(SIDECARS.values()):
        (tmp_path / f"{at:03}.npz").write_bytes(saved(compressed=True))
        (tmp_path / f"{at:03}.json").write_bytes(content)
    results = in_a_process_of_its_own(tmp_path)
    assert len(results) == len(SIDECARS)
    for (what, (_, expected)), told in zip(SIDECARS.items(), results.values(), strict=True):
        made = told["validate"]
        assert made["status"] == expected, what
        # What is no JSON at all is a warning.
        assert ("META-003 error" in made["out"]) == bool(expected), what
        lines_of(made["out"])
        assert (told["stray"], told["changed"]) == ([], False), what
        assert told["peak"] < PROCESS, what


@pytest.mark.parametrize(
    ("content", "warned"),
    [
        (b'{"loss": NaN}', False),  # as other tools write it
        (b'{"generator": {"name": "npzschema"}, "subset_size": NaN}', True),
        (b'{"loss": 1', True),
    ],
)
def test_a_sidecar_that_is_no_json(content, warned, tmp_path):
    (tmp_path / "scan.npz").write_bytes(saved(compressed=True))
    (tmp_path / "scan.json").write_bytes(content)
    status, text = command(str(tmp_path / "scan.npz"))
    assert status == 0
    assert ("META-003 warning" in text) == warned


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"transformations": [{}] * 300_000}, "'step' is a required property"),
        ({"indices": [-1] * 300_000}, "-1 is less than the minimum of 0"),
        ({"indices": [0] * 300_000}, "lists 300000"),
        (
            {"arrays": {str(n): {"dtype": "<f4", "shape": [1], "sha256": "0" * 64} for n in range(3000)}},
            "no such array",
        ),
    ],
    ids=["steps", "wrong positions", "many positions", "arrays"],
)
def test_a_sidecar_of_the_right_checksum_with_all_else_wrong(changed, told, tmp_path, monkeypatch):
    """Of many errors some are looked at: all of them would take minutes, and as many lines."""
    data = saved(compressed=True)
    (tmp_path / "scan.npz").write_bytes(data)
    sound = {
        "version": "1.0.0",
        "created": "2020-01-01T00:00:00Z",
        "generator": {"name": "npzschema", "command": "fixture", "version": "1"},
        "source_dataset": {"name": "a", "size": 1, "sha256": "0" * 64},
        "contract": {"id": "a/b", "version": "1"},
        "subset_strategy": "all",
        "subset_size": 0,
        "indices": [],
        "transformations": [],
        "sha256_checksum": hashlib.sha256(data).hexdigest(),
        "arrays": {},
    }
    (tmp_path / "scan.json").write_text(json.dumps(sound | changed))
    looked_at = []
    real = jsonschema.exceptions.best_match
    monkeypatch.setattr(jsonschema.exceptions, "best_match", lambda errors: real(looked_at.extend(errors) or looked_at))
    findings = [one for one in validate(str(tmp_path / "scan.npz")).findings if one.code == "META-003"]
    assert told in findings[0].message
    assert len(findings) <= 100
    assert len(looked_at) <= 100


@pytest.mark.parametrize("target", ["/dev/zero", "/proc/kmsg", "/proc/self/mem", "/proc/self/pagemap", "nowhere", "."])
def test_sidecar_that_is_a_link(target, tmp_path):
    (tmp_path / "scan.npz").write_bytes(saved(compressed=True))
    (tmp_path / "scan.json").symlink_to(target)
    assert command(str(tmp_path / "scan.npz"))[0] == 0


UNPRIVILEGED = """
import io, os, sys
from npzschema.validator.cli import main, run
os.chdir(sys.argv.pop(1))
# Python itself may lie where only root can read: everything is imported before.
run(["none.npz"], io.StringIO(), io.StringIO())
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
main()
"""


@pytest.mark.parametrize("what", ["the file", "its folder"])
def test_no_permission(what):
    """Root may read everything, so a child gives up being root; where it is, it is already."""
    # Pytest's own folders are closed to others, and so is everything below them.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "folder"
        folder.mkdir()
        path = folder / "scan.npz"
        path.write_bytes(saved(compressed=False))
        Path(name).chmod(0o755)
        (path if what == "the file" else folder).chmod(0)
        try:
            done = subprocess.run(
                [sys.executable, "-c", UNPRIVILEGED, name, "folder/scan.npz"],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        finally:
            folder.chmod(0o700)
    assert (done.returncode, done.stderr) == (2, "")
    told = lines_of(done.stdout)
    assert told[0] == "folder/scan.npz  FILE-001 error  cannot be opened: permission denied"
    assert told[-1] == "folder/scan.npz  unreadable  1 error"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("-rf.npz", "-rf.npz"),
        ("--help", "--help"),
        ("a\nb.npz", "a\\nb.npz"),
        ("\x1b[2J.npz", "\\x1b[2J.npz"),
        ("\udcff.npz", "\\xff.npz"),
        ("\u202eb.npz", "\\u202eb.npz"),
    ],
)
def test_odd_file_names(name, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open(name, "wb") as file:
        file.write(saved(compressed=True))
    status, text = command("--", name)
    assert status == 0
    assert lines_of(text) == [f"{shown}  valid  ptychopinn/canonical 1.0.0; N=5 H=16 W=16 HO=40 WO=40"]


def test_the_corpus_is_large_and_the_same_every_time():
    assert len(CASES) > 750
    assert {case.status for case in CASES.values()} == {0, 1, 2}
    told = frozenset().union(*(case.codes for case in CASES.values()))
    assert {f"FILE-{n:03}" for n in range(1, 12)} <= told
    for case in list(CASES.values())[::20]:
        assert case.make() == case.make()


def test_the_pickles_would_run_their_command(tmp_path, monkeypatch):
    """Else an absent marker would prove nothing."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Command()))
    assert os.listdir(tmp_path) == [MARKER]


@pytest.mark.parametrize("deflate", [False, True])
def test_the_base_conforms(deflate):
    assert validate(archive(parts(deflate=deflate))).verdict == "valid"
    assert validate(saved(compressed=deflate)).findings == ()
    with np.load(io.BytesIO(archive(parts(deflate=deflate)))) as held:
        assert all(np.array_equal(held[name], array) for name, array in ARRAYS.items())


def test_a_stream_that_only_isal_decodes():
    """The one known way in which an archive passes that numpy refuses; --strict-archive reads by zlib."""
    data = incomplete_codes()
    with np.load(io.BytesIO(data)) as held, pytest.raises(zlib.error, match="invalid code lengths set"):
        held["diffraction"]
    assert [one.code for one in validate(data, strict_archive=True).findings] == ["FILE-003"]
    assert validate(data).verdict in ("valid", "unreadable")
