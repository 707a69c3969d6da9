"""validate-npz: where reports go, and reports that were saved."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from npzschema.terminal import UsageError
from npzschema.validator.reporters import REPORTERS

from .asking import command

# --output


@pytest.mark.parametrize("form", list(REPORTERS))
def test_output_goes_to_a_file(form, tmp_path, good, broken):
    expected = command("--format", form, "--color", "never", good, broken)
    target = tmp_path / "report"
    target.write_text("old")
    status, text = command("--format", form, "--color", "always", "--output", str(target), good, broken)
    assert (status, text) == (2, "")
    assert target.read_bytes().decode() == expected[1]
    assert sorted(os.listdir(tmp_path)) == ["broken.npz", "good.npz", "report"]


def test_output_that_cannot_be_written_is_an_error(tmp_path, good):
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "none" / "report", tmp_path / "folder", Path(good) / "report"):
        with pytest.raises(UsageError, match="cannot write") as error:
            command("--output", str(target), good)
        assert "\n" not in str(error.value)
    assert sorted(os.listdir(tmp_path)) == ["folder", "good.npz"]


def test_output_keeps_the_old_report_where_writing_fails(tmp_path, good, monkeypatch):
    target = tmp_path / "report"
    target.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UsageError, match="no space left on device"):
        command("--output", str(target), good)
    assert target.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["good.npz", "report"]


# --report


def test_several_reports_at_once(tmp_path, good, legacy):
    wanted = [f"{form}={tmp_path / form}" for form in REPORTERS]
    status, text = command(*[word for one in wanted for word in ("--report", one)], good, legacy)
    assert (status, text) == command(good, legacy)
    for form in REPORTERS:
        assert (tmp_path / form).read_bytes().decode() == command("--format", form, good, legacy)[1]
    assert not list(tmp_path.glob("*.part"))


def test_reports_and_output(tmp_path, good):
    out, more = tmp_path / "out", tmp_path / "more"
    assert command("--format", "junit", "--output", str(out), "--report", f"text={more}", good) == (0, "")
    assert out.read_text().startswith("<?xml")
    assert more.read_text() == command(good)[1]


def test_two_reports_never_share_a_file(tmp_path, good):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to("there")
    os.link(tmp_path / "there", tmp_path / "hard")
    for first, second in (("new", "new"), ("new", f"../{tmp_path.name}/new"), ("there", "link"), ("there", "hard")):
        for argv in (
            ["--report", f"json={tmp_path / first}", "--report", f"sarif={tmp_path / second}"],
            ["--output", str(tmp_path / first), "--report", f"sarif={tmp_path / second}"],
        ):
            with pytest.raises(UsageError, match="two reports would go to"):
                command(*argv, good)
    assert (tmp_path / "there").read_text() == "old"
    assert not (tmp_path / "new").exists()


def test_a_report_never_replaces_an_input(tmp_path, good):
    held = Path(good).read_bytes()
    saved = tmp_path / "saved.json"
    command("--report", f"json={saved}", good)
    text = saved.read_text()
    (tmp_path / "link").symlink_to(good)
    for argv in (
        ["--output", good, good],
        ["--report", f"json={good}", good],
        ["--report", f"json={tmp_path / 'link'}", good],
        ["--from-report", str(saved), "--report", f"json={saved}"],
        ["--from-report", str(saved), "--output", str(saved)],
    ):
        with pytest.raises(UsageError, match="is an input"):
            command(*argv)
    assert Path(good).read_bytes() == held
    assert saved.read_text() == text


def test_nor_what_else_a_run_goes_by(tmp_path, good, monkeypatch):
    """Contract, configuration, baseline and sidecar were overwritten without a word."""
    monkeypatch.chdir(tmp_path)
    own = {"id": "lab/raw", "version": "1.0.0", "title": "x", "extends": "ptychopinn/canonical"}
    sidecar = Path(good).with_suffix(".json")
    files = {
        "mine.json": json.dumps({**own, "extends": "parent.json"}),
        "parent.json": json.dumps({**own, "id": "lab/parent", "extends": "base/grandparent.json"}),
        "base/grandparent.json": json.dumps({**own, "id": "lab/grandparent"}),
        "folder/own.json": json.dumps({**own, "id": "lab/own"}),
        "known.json": '{"baseline": 1, "findings": []}',
        "npzschema.toml": 'contract = "mine.json"\ncontracts = "folder"\nbaseline = "known.json"\n',
        str(sidecar): json.dumps({"sha256_checksum": "0" * 64}),
    }
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    whats = (*["a contract"] * 4, "the baseline", "the configuration", f"the sidecar of {good}")
    for name, what in zip(files, whats, strict=True):
        for argv in (["--output", name], ["--report", f"json={name}"]):
            with pytest.raises(UsageError, match=re.escape(f"report {name} is {what}; name another file")):
                command(*argv, good)
    with pytest.raises(UsageError, match=r"report new\.json is the baseline"):
        command("--write-baseline", "new.json", "--output", "new.json", good)
    with pytest.raises(UsageError, match="cannot write none/new"):
        command("--write-baseline", "none/new.json", "none.npz")
    assert not Path("new.json").exists()
    assert {name: Path(name).read_text() for name in files} == files


def test_a_report_beside_a_dataset_can_be_made_again(good):
    """It has the name of a sidecar, but is none."""
    target = str(Path(good).with_suffix(".json"))
    assert command("--report", f"json={target}", good) == command("--report", f"json={target}", good)


def test_nor_any_archive(tmp_path, good):
    """A file name that was forgotten: the first dataset would be taken for the report's."""
    other = tmp_path / "other.npz"
    other.write_bytes(Path(good).read_bytes())
    for argv in (["--output", str(other)], ["--report", f"json={other}"]):
        with pytest.raises(UsageError, match=r"report .*other\.npz would replace an archive"):
            command(*argv, good)
    assert other.read_bytes() == Path(good).read_bytes()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no names for what is open")
@pytest.mark.parametrize("options", [["--output", "/dev/stdout"], ["--report", "text=/dev/fd/1"], []])
def test_a_report_to_where_standard_output_goes_follows_what_is_there(options, tmp_path, good):
    """The log of a batch job is a regular file: it is no report that a new one replaces."""
    log = tmp_path / "job.log"
    with open(log, "w", encoding="utf-8") as file:
        file.write("before\n")
        file.flush()
        inode = os.fstat(file.fileno()).st_ino
        done = subprocess.run(
            [sys.executable, "-m", "npzschema.validator.cli", *options, good], stdout=file, check=False, timeout=60
        )
        file.seek(0, os.SEEK_END)
        file.write("after\n")
    assert done.returncode == 0
    lines = log.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert any(line.startswith(f"{good}  valid") for line in lines[1:-1])
    assert log.stat().st_ino == inode


def test_all_reports_are_written_or_none(tmp_path, good):
    first = tmp_path / "first"
    first.write_text("old")
    with pytest.raises(UsageError, match=r"cannot write .*none/report: no such file or directory"):
        command("--report", f"json={first}", "--report", f"sarif={tmp_path / 'none' / 'report'}", good)
    os.symlink("/dev/full", tmp_path / "full")
    with pytest.raises(UsageError, match=r"cannot write .*full: no space left on device"):
        command("--report", f"json={first}", "--report", f"sarif={tmp_path / 'full'}", good)
    assert first.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["first", "full", "good.npz"]


def test_what_cannot_be_written_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError, match="is a directory"):
        command("--report", f"json={tmp_path}", str(tmp_path / "none.npz"))


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path, good):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to("there")
    os.symlink(os.devnull, tmp_path / "null")
    command("--report", f"text={tmp_path / 'link'}", "--report", f"json={tmp_path / 'null'}", good)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == command(good)[1]
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_pipe_is_written_to(good):
    """As /dev/stdout is one, and >(...) of a shell."""
    read, write = os.pipe()
    command("--report", f"text=/dev/fd/{write}", good)
    os.close(write)
    with open(read, encoding="utf-8") as told:
        assert told.read() == command(good)[1]


def test_who_may_read_a_report_stays_so(tmp_path, good):
    target = tmp_path / "report"
    target.write_text("old")
    target.chmod(0o600)
    command("--report", f"text={target}", good)
    assert target.read_text() == command(good)[1]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_step_summary_is_appended(tmp_path, good, legacy, monkeypatch):
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    command(legacy)
    assert summary.read_text() == "before\n"
    markdown = command("--format", "markdown", legacy)[1]
    assert summary.read_text() == "before\n"
    status, text = command("--format", "github", legacy)
    assert status == 1
    assert text.startswith(f"::error file={legacy},title=FORMAT-001 diffraction::")
    assert summary.read_text() == f"before\n{markdown}"
    command("--report", f"github={tmp_path / 'annotations'}", good)
    assert summary.read_text() == f"before\n{markdown}{command('--format', 'markdown', good)[1]}"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", good)
    with pytest.raises(UsageError, match="is an input"):
        command("--format", "github", good)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(UsageError, match=r"cannot write .*: is a directory"):
        command("--format", "github", good)


def test_junit_fails_what_fails_the_command(warned):
    assert 'failures="0"' in command("--format", "junit", warned)[1]
    assert 'failures="1"' in command("--format", "junit", "--fail-on", "warning", warned)[1]


# --from-report


@pytest.mark.parametrize("form", list(REPORTERS))
def test_a_saved_report_is_told_as_the_data_was(form, tmp_path, good, legacy, warned, broken):
    files = [good, legacy, warned, broken]
    saved = tmp_path / "saved.json"
    command(*(["--pictures"] if REPORTERS[form].pictures else []), "--report", f"json={saved}", *files)
    for options in ([], ["-v"], ["-q"], ["--fail-on", "warning"], ["--select", "FORMAT"], ["--ignore", "FILE-005"]):
        fresh = command("--format", form, *options, *files)
        assert command("--format", form, *options, "--from-report", str(saved)) == fresh


def test_a_saved_report_gives_the_status_of_the_data(tmp_path, good, legacy, warned, broken):
    saved = tmp_path / "saved.json"
    for path, options, status in (
        (good, [], 0),
        (legacy, [], 1),
        (legacy, ["--ignore", "FORMAT"], 0),
        (warned, [], 0),
        (warned, ["--fail-on", "warning"], 1),
        (broken, [], 2),
        (broken, ["--ignore", "FILE"], 2),
    ):
        command("--report", f"json={saved}", path)
        assert command(*options, "--from-report", str(saved))[0] == status


def test_a_saved_report_needs_no_data_and_no_numpy(tmp_path, legacy):
    saved = tmp_path / "saved.json"
    expected = command("--report", f"json={saved}", legacy)
    os.unlink(legacy)
    code = (
        "import io, sys\n"
        "from npzschema.validator.cli import run\n"
        f"status = run(['--from-report', {str(saved)!r}], sys.stdout, sys.stderr)\n"
        "assert not {'numpy', 'polars', 'pandera', 'rich'} & set(sys.modules)\n"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (expected[0], expected[1], "")
