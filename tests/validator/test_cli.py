"""validate-npz: statuses, formats, options and one-line errors."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from npzschema import __version__
from npzschema.contracts import load, rules, schema, shipped
from npzschema.terminal import UsageError
from npzschema.validator.cli import run
from npzschema.validator.engine import validate

from ..pointers import resolve
from .asking import command, write
from .handmade import ARRAYS, npy
from .hostile import CASES

NAMES = sorted(ARRAYS)


def codes(text):
    return {word for line in text.splitlines() for word in line.split() if word in rules()}


def reports(*argv):
    status, text = command("--format", "json", *argv)
    document = json.loads(text)
    jsonschema.Draft202012Validator(schema("report")).validate(document)
    return status, document


# Status


def test_status_is_the_worst_of_all_files(good, legacy, broken):
    assert command(good)[0] == 0
    assert command(legacy)[0] == 1
    assert command(broken)[0] == 2
    assert command(good, legacy)[0] == 1
    assert command(legacy, broken, good)[0] == 2


def test_a_passing_file_takes_one_line(good):
    assert command(good) == (0, f"{good}  valid  ptychopinn/canonical 1.0.0; N=5 H=16 W=16 HO=40 WO=40\n")


def test_files_are_told_in_the_order_they_were_named(good, legacy, broken):
    text = command(broken, good, legacy, good)[1]
    last = [
        line.split("  ")[0]
        for line in text.splitlines()
        if line.split("  ")[1] in ("valid", "violations", "unreadable")
    ]
    assert last == [broken, good, legacy, good]


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 1), ("info", 1)])
def test_fail_on_for_a_warning(warned, level, status):
    assert command("--fail-on", level, warned)[0] == status


def test_fail_on_for_an_info(tmp_path):
    path = write(tmp_path / "info.npz", extra=npy(np.zeros(3)))
    assert [command("--fail-on", level, path)[0] for level in ("error", "warning", "info")] == [0, 0, 1]


def test_fail_on_never_hides_an_unreadable_file(broken, good):
    for level in ("error", "warning", "info"):
        assert command("--fail-on", level, broken)[0] == 2
        assert command("--fail-on", level, good)[0] == 0


# What is told


def test_quiet_tells_errors_only(good, warned, legacy, broken):
    assert command("-q", good, warned) == (0, "")
    status, text = command("--quiet", legacy, broken, warned)
    assert status == 2
    assert codes(text) == {"FORMAT-001", "FILE-002"}


def test_verbose_tells_infos_and_facts(warned):
    assert "KEY-003" not in command(warned)[1]
    text = command("-v", warned)[1]
    assert {"KEY-003", "FILE-005"} <= codes(text)
    assert "diffraction: float32 (5, 16, 16) (N, H, W); minimum " in text
    assert "contract ptychopinn/canonical: the default; the file declares none" in text


def test_select_and_ignore(warned, legacy):
    assert codes(command("--select", "FILE", "-v", warned)[1]) == {"FILE-005"}
    assert codes(command("--select", "KEY", "--select", "FILE", "-v", warned)[1]) == {"FILE-005", "KEY-003"}
    assert codes(command("--ignore", "FILE-005", "-v", warned)[1]) == {"KEY-003"}
    assert codes(command("--select", "FILE", "--ignore", "FILE-005", "-v", warned)[1]) == set()
    assert command("--ignore", "FORMAT", legacy)[0] == 0
    assert command("--select", "FORMAT", legacy)[0] == 1
    assert command("--select", "KEY", legacy)[0] == 0


@pytest.mark.parametrize("options", [("--ignore", "FILE"), ("--select", "KEY"), ("--ignore", "FILE-002", "-q")])
def test_an_unreadable_file_stays_unreadable(broken, options):
    status, text = command(*options, broken)
    assert status == 2
    assert "FILE-002" in codes(text)


def test_headers_only(tmp_path, good, legacy):
    frames = ARRAYS["diffraction"].copy()
    frames[0, 0, 0] = np.nan
    hidden = write(tmp_path / "nan.npz", diffraction=npy(frames))
    assert command(hidden)[0] == 1
    status, text = command("--headers-only", hidden)
    assert status == 0
    assert "headers only, values not read" in text
    assert command("--headers-only", legacy)[0] == 1
    assert reports("--headers-only", good)[1]["files"][0]["headers_only"] is True


def test_headers_only_reads_no_values(tmp_path):
    path = tmp_path / "scan.npz"
    path.write_bytes(CASES["damaged: checksum 00000000, stored"].make())
    assert command("--headers-only", str(path))[0] == 0
    assert command(str(path))[0] == 2


def test_strict_archive_reads_what_no_contract_asks_for(tmp_path):
    path = tmp_path / "scan.npz"
    path.write_bytes(CASES["damaged: checksum outside the contract"].make())
    assert command(str(path))[0] == 0
    status, text = command("--strict-archive", str(path))
    assert status == 2
    assert "FILE-003 error  extra.npy: " in text


def test_max_expansion(tmp_path):
    path = tmp_path / "bomb.npz"
    path.write_bytes(CASES["bombs: an honest bomb outside the contract"].make())
    assert "FILE-009" in codes(command(str(path))[1])
    status, text = command("--max-expansion", "2000", str(path))
    assert status == 0
    assert "FILE-009" not in codes(text)


@pytest.mark.parametrize(
    ("wish", "environment", "terminal", "coloured"),
    [
        ("auto", {}, False, False),
        ("auto", {}, True, True),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_colour(good, monkeypatch, wish, environment, terminal, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    plain = command(good)[1]
    for option in ("--color", "--colour"):
        text = command(option, wish, good, terminal=terminal)[1]
        assert ("\x1b[32mvalid\x1b[0m" in text) is coloured
        assert re.sub(r"\x1b\[[0-9;]*m", "", text) == plain


# JSON


@pytest.mark.parametrize(
    "case",
    [
        "damaged: checksum 00000000, stored",
        *[name for name in CASES if name.startswith(("names", "metadata", "doubles"))],
    ],
)
def test_json_keeps_its_schema_whatever_the_file(case, tmp_path):
    path = tmp_path / "scan.npz"
    path.write_bytes(CASES[case].make())
    status, document = reports(str(path))
    assert status == CASES[case].status
    assert document["files"][0]["verdict"] == ("valid", "violations", "unreadable")[status]


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_json_is_read_back_whatever_the_encoding_of_standard_output(form, encoding, tmp_path, good):
    path = Path(good).rename(tmp_path / "größe 寸法.npz")
    done = process("--format", form, str(path), env={**os.environ, "PYTHONIOENCODING": encoding})
    document = json.loads(done.stdout)
    if form != "sarif":
        assert document.get("files", [document])[0]["path"] == str(path)


def test_json_counts(good, legacy, broken, warned):
    document = reports(good, legacy, broken, warned)[1]
    assert document["tool"] == {"name": "npzschema", "version": __version__}
    assert [file["path"] for file in document["files"]] == [good, legacy, broken, warned]
    assert {key: document["summary"][key] for key in ("files", "valid", "violations", "unreadable")} == {
        "files": 4,
        "valid": 2,
        "violations": 1,
        "unreadable": 1,
    }
    levels = [finding["level"] for file in document["files"] for finding in file["findings"]]
    assert document["summary"]["findings"] == {level: levels.count(level) for level in ("error", "warning", "info")}


def test_json_describes_the_arrays_as_numpy_does(good):
    arrays = reports(good)[1]["files"][0]["arrays"]
    assert sorted(arrays) == NAMES
    for name, array in ARRAYS.items():
        assert (arrays[name]["dtype"], tuple(arrays[name]["shape"]), arrays[name]["order"]) == (
            array.dtype.name,
            array.shape,
            "C",
        )
    frames = ARRAYS["diffraction"]
    told = arrays["diffraction"]["statistics"]
    assert (told["minimum"], told["maximum"], told["count"], told["nonfinite"]) == (
        frames.min(),
        frames.max(),
        frames.size,
        0,
    )
    assert told["mean"] == pytest.approx(frames.mean(dtype=np.float64))


@pytest.mark.parametrize(
    ("schema_of_it", "leads_to"),
    [
        ({"$ref": "#/$defs/a", "$defs": {"a": {"required": ["x"]}}}, "/metadata/schema"),
        ({"if": {}, "then": {"required": ["x"]}}, "/metadata/schema/then/required"),
        ({"allOf": [{}, {"required": ["x"]}]}, "/metadata/schema/allOf/1/required"),
    ],
)
def test_a_pointer_into_a_schema_goes_as_far_as_it_leads(schema_of_it, leads_to, tmp_path):
    own = {"id": "lab/raw", "version": "1.0.0", "title": "x", "extends": "ptychopinn/canonical"}
    (tmp_path / "own.json").write_text(json.dumps({**own, "metadata": {"schema": schema_of_it}}))
    path = write(tmp_path / "a.npz", _metadata=npy(np.array("{}")))
    (finding,) = reports("--contract", str(tmp_path / "own.json"), path)[1]["files"][0]["findings"]
    assert (finding["code"], finding["pointer"], finding["place"]) == ("META-002", leads_to, "")
    resolve(load(tmp_path / "own.json").document, finding["pointer"])


@pytest.mark.parametrize("contract", shipped())
def test_every_pointer_resolves_in_the_contract(contract, tmp_path, legacy, warned):
    """Files with many faults at once, against every contract."""
    frames = np.ascontiguousarray(ARRAYS["diffraction"].transpose(1, 2, 0)).astype(np.float64) * 100
    frames[:, :, 2] = -1
    frames[0, 0, 0] = np.nan
    faulty = write(
        tmp_path / "faulty.npz",
        diffraction=None,
        diff3d=npy(frames),
        probeGuess=npy(np.ones((16, 16, 1), complex)),
        objectGuess=npy(np.ones((8, 40))),
        xcoords=npy(np.full((6, 1), -1e-6)),
        ycoords=npy(np.arange(4)),
        scan_index=npy(np.zeros(5)),
        Y=npy(np.zeros((0, 3))),
        _metadata=npy(np.array('{"physics_parameters": {"N": 0}}')),
    )
    objects = write(tmp_path / "objects.npz", diffraction=npy(np.array([None])), _metadata=npy(np.array(5)))
    document = load(contract).document
    found = set()
    for file in reports("--contract", contract, faulty, legacy, warned, objects)[1]["files"]:
        assert file["contract"]["id"] == contract
        for finding in file["findings"]:
            found.add(finding["code"])
            if finding["pointer"]:
                assert finding["pointer"].startswith("/")
                resolve(document, finding["pointer"])
            assert finding["code"] in rules()
            assert finding["level"] == rules()[finding["code"]].level
            assert finding["remedy"]
    assert len(found) >= 8
    assert "INTERNAL-001" not in found


# What is told without a file


@pytest.mark.parametrize("code", rules())
def test_explain(code):
    status, text = command("--explain", code.lower())
    rule = rules()[code]
    assert status == 0
    assert text.startswith(f"{code}  {rule.level}  {rule.title}\n")
    flowing = " ".join(text.split())
    for part in (f"Why: {rule.why}", f"What to do: {rule.remedy}", f"Example: {rule.example}"):
        assert " ".join(part.split()) in flowing
    assert all(len(line) <= 100 for line in text.splitlines())


def test_lists():
    status, text = command("--list-rules")
    assert status == 0
    assert [line.split()[0] for line in text.splitlines()] == list(rules())
    status, text = command("--list-contracts")
    assert status == 0
    assert [line.split()[:2] for line in text.splitlines()] == [[name, load(name).version] for name in shipped()]


def test_version_and_help():
    assert command("--version") == (0, f"validate-npz {__version__}\n")
    for option in ("-h", "--help"):
        status, text = command(option)
        assert status == 0
        assert text.startswith("usage: validate-npz")
        assert "exit status:" in text


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        ([], "no file named"),
        (["--format", "xml", "x"], "invalid choice"),
        (["--report", "xml=out", "x"], "no format 'xml'; there are text, json,"),
        (["--report", "json", "x"], "'json' is not FORMAT=FILE"),
        (["--report", "json=", "x"], "'json=' is not FORMAT=FILE"),
        (["--report", "json=-", "x"], "cannot go to '-'"),
        (["--from-report", "none.json", "x.npz"], "reads no data; leave out PATH"),
        (["--from-report", "none.json", "--contract", "ptychopinn/canonical"], "leave out --contract"),
        (["--from-report", "none.json", "--headers-only"], "leave out --headers-only"),
        (["--from-report", "none.json", "--axes", "a=N"], "leave out --axes"),
        (["--from-report", "none.json", "--strict-archive"], "leave out --strict-archive"),
        (["--from-report", "none.json", "--max-expansion", "9"], "leave out --max-expansion"),
        (["--from-report", "none.json", "--jobs", "7"], "leave out --jobs"),
        (["--from-report", "none.json"], "none.json: cannot be read: no such file"),
        (["--from-report", ""], "cannot be read"),
        (["--nonsense", "x"], "unrecognized arguments"),
        (["--explain", "FILE-999"], "no rule"),
        (["--explain"], "expected one argument"),
        (["--select", "NONE", "x"], "no rule's code begins"),
        (["--ignore", "file", "x"], "no rule's code begins"),
        (["--select", "", "x"], "an empty beginning of codes chooses every rule"),
        (["--ignore", "", "x"], "an empty beginning of codes chooses every rule"),
        (["--fail-on", "never", "x"], "invalid choice"),
        (["--contract", "no/such", "x"], "contract refused"),
        (["--contract", __file__, "x"], "contract refused"),
        (["--axes", "diffraction", "x"], "is not ARRAY=A,B,C"),
        (["--axes", "=H,W", "x"], "is not ARRAY=A,B,C"),
        (["--axes", "foo=H,W,N", "x"], "no array of the contract"),
        (["--axes", "diffraction=N,W,N", "x"], r"known are \(N, H, W\) or \(H, W, N\)"),
        (["--contract", "ptychopinn/legacy-hwn", "--axes", "Y=N,H,W", "x"], "no array of the contract"),
        (["--max-expansion", "0", "x"], "is not a ratio"),
        (["--max-expansion", "nan", "x"], "is not a ratio"),
        (["--max-expansion", "inf", "x"], "is not a ratio"),
        (["--max-expansion", "many", "x"], "is not a ratio"),
        (["--color", "blue", "x"], "invalid choice"),
        (["--contract", "\x1b[2J\n", "x"], "contract refused"),
    ],
)
def test_wrong_usage_is_one_line(argv, what):
    out = io.StringIO()
    with pytest.raises(UsageError, match=what) as error:
        run(argv, out, io.StringIO())
    assert str(error.value).isprintable()
    assert out.getvalue() == ""


def test_usage_is_checked_before_any_file_is_opened(tmp_path):
    with pytest.raises(UsageError):
        command("--select", "NONE", str(tmp_path / "none.npz"))


def test_a_contract_of_ones_own(tmp_path, good):
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "id": "me/mine",
                "version": "1.0.0",
                "title": "Mine",
                "extends": "ptychopinn/canonical",
                "arrays": {"weights": {"required": True, "dims": ["N"], "dtype": "float32"}},
            }
        )
    )
    status, document = reports("--contract", str(path), good)
    (finding,) = document["files"][0]["findings"]
    assert status == 1
    assert (finding["code"], finding["array"]) == ("KEY-001", "weights")
    assert document["files"][0]["contract"] == {"id": "me/mine", "version": "1.0.0", "reason": "it was asked for"}


def test_paths_bytes_and_sources_are_told_alike(good):
    by_path, by_bytes = validate(good), validate(Path(good).read_bytes())
    assert by_path.findings == by_bytes.findings
    assert by_path.arrays == by_bytes.arrays


# As a process


def process(*argv, **options):
    done = subprocess.run(  # noqa: PLW1510 - the status is what is looked at
        [sys.executable, "-c", "from npzschema.validator.cli import main; main()", *argv],
        capture_output=True,
        timeout=120,
        **options,
    )
    assert b"Traceback" not in done.stderr
    return done


def test_the_process_exits_with_the_status(tmp_path, legacy):
    done = process(legacy, str(tmp_path / "\udcff\n.npz"), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    lines = done.stdout.decode("ascii").splitlines()
    assert (done.returncode, done.stderr) == (2, b"")
    assert lines[-1] == f"{tmp_path}/\\xff\\n.npz  unreadable  1 error"


def test_wrong_usage_of_the_process():
    done = process("--nonsense")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"validate-npz: unrecognized arguments: --nonsense; see validate-npz --help\n"


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
def test_standard_error_may_be_closed_or_full(good, broken, tmp_path, redirected):
    known = tmp_path / "known.json"

    def status(*argv):
        command = [sys.executable, "-c", "from npzschema.validator.cli import main; main()", *argv]
        return subprocess.call(["/bin/sh", "-c", f'exec "$@" >&- {redirected}', "sh", *command], timeout=120)

    assert [status(good), status(broken), status("--nonsense")] == [0, 2, 2]
    assert status("--write-baseline", str(known), good) == 0
    assert known.exists()


def test_a_fault_of_the_tool_is_no_finding():
    code = "from npzschema.terminal import main_of; main_of('x', lambda *_: 1 // 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"x: a fault of this tool: ZeroDivisionError: .* \(<string>:1\)\n", done.stderr)


def test_a_reader_that_goes_away():
    """As in ``validate-npz ... | head -1``: no complaint, and not the status of a file with findings."""
    script = "from npzschema.validator.cli import main; main()"
    # Unbuffered, Python takes the short write for a whole one and never learns that the reader is gone.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    argv = [sys.executable, "-c", script, *["none.npz"] * 2000]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        assert running.stdout.readline() == b"none.npz  FILE-001 error  cannot be opened: no such file or directory\n"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(timeout=120) == 141


def test_a_pipe_does_not_hang_the_process(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    done = process("pipe.npz", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout.startswith(b"pipe.npz  FILE-001 error  is a pipe\n")
    assert stat.S_ISFIFO((tmp_path / "pipe.npz").stat().st_mode)


def test_options_may_stand_between_paths(good, legacy):
    status, text = command(good, "--headers-only", legacy, "-q")
    assert (status, legacy in text, good in text) == (1, True, False)


def test_after_two_dashes_nothing_is_an_option(good, tmp_path, monkeypatch):
    (tmp_path / "-q").write_bytes(Path(good).read_bytes())
    monkeypatch.chdir(tmp_path)
    status, text = command(good, "--headers-only", "--", "-q")
    assert (status, [line.split()[0] for line in text.splitlines()][:2]) == (0, [good, "-q"])


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        *[
            ([f"--{name}", "", "x"], f"--{name} names nothing; leave it out")
            for name in ("contract", "config", "baseline", "write-baseline", "output")
        ],
        (["-q", "-v"], "-q and -v exclude each other"),
        (["--contract", "nope"], "contract refused: nope: no such contract file"),
    ],
)
def test_what_would_switch_a_check_off_unseen_is_refused(good, argv, words):
    with pytest.raises(UsageError, match=f"^{re.escape(words)}"):
        command(*argv, good)


def test_a_headers_only_report_says_that_mends_may_need_more(legacy):
    assert "values not read: a mend may need more" in command("--headers-only", legacy)[1]
