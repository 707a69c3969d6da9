"""Baseline: what is known does not fail, what is new does, what is gone is told; the file is stable and safe."""

from __future__ import annotations

import io
import json
import os
import zipfile

import jsonschema
import numpy as np
import pytest

from npzschema.contracts import rules, schema
from npzschema.terminal import UsageError
from npzschema.validator.baseline import Baseline, BaselineError, read
from npzschema.validator.cli import run

from .handmade import ARRAYS, archive, npy, parts

FRAMES = ARRAYS["diffraction"]
LEGACY = np.ascontiguousarray(FRAMES.transpose(1, 2, 0))
UNREADABLE = [code for code, rule in rules().items() if rule.unreadable]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def dataset(path, stray=0, **changed):
    """A dataset, with some members that are no arrays: each is a FILE-005 without array and pointer."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    content = parts(**changed)
    with open(path, "wb") as file:
        file.write(archive(content))
    with zipfile.ZipFile(path, "a") as held:
        for index in range(stray):
            held.writestr(f"README{index}.txt", "hello")
    return path


def command(*argv):
    out, err = io.StringIO(), io.StringIO()
    status = run(list(argv), out, err)
    return status, out.getvalue(), err.getvalue()


def known(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    jsonschema.Draft202012Validator(schema("baseline")).validate(document)
    return document["findings"]


def short(path):
    return [(one["file"], one["code"], one["array"], one["count"], one["reason"]) for one in known(path)]


def rewrite(path, **changed):
    document = {"baseline": 1, "findings": [{**one, **changed} for one in known(path)]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)


# Known, new, gone


def test_known_findings_do_not_fail_and_new_ones_do():
    path = dataset("data/a.npz", diffraction=npy(LEGACY))
    assert command(path)[0] == 1
    status, text, err = command("--write-baseline", "known.json", path)
    assert status == 0
    assert err == "validate-npz: known.json: 1 known finding written, 1 without a reason\n"
    assert short("known.json") == [("data/a.npz", "FORMAT-001", "diffraction", 1, "")]
    assert known("known.json")[0]["pointer"] == "/arrays/diffraction/legacy/1"
    assert command("--baseline", "known.json", path) == (0, text, "")
    dataset("data/a.npz", diffraction=npy(LEGACY), xcoords=None)
    status, text, err = command("--baseline", "known.json", path)
    assert (status, err) == (1, "")
    assert "KEY-001" in text
    assert "FORMAT-001" not in text


def test_another_file_array_or_code_is_new():
    path = dataset("a.npz", probeGuess=npy(ARRAYS["probeGuess"].astype(np.complex128)))
    command("--write-baseline", "known.json", path)
    assert short("known.json") == [("a.npz", "DTYPE-001", "probeGuess", 1, "")]
    other = dataset("b.npz", probeGuess=npy(ARRAYS["probeGuess"].astype(np.complex128)))
    assert command("--baseline", "known.json", other)[0] == 1
    dataset("a.npz", objectGuess=npy(ARRAYS["objectGuess"].astype(np.complex128)))
    assert command("--baseline", "known.json", path)[0] == 1


def steps(*missing):
    """A dataset whose metadata describes a step; each key that is missing is a META-002, and all are alike."""
    step = {key: "x" for key in ("tool", "operation") if key not in missing}
    return dataset("a.npz", _metadata=npy(np.array(json.dumps({"data_transformations": [step]}))))


def test_more_alike_than_are_known_are_all_new():
    path = steps("tool")
    command("--write-baseline", "known.json", path)
    assert short("known.json") == [("a.npz", "META-002", "_metadata", 1, "")]
    assert command("--baseline", "known.json", path)[0] == 0
    steps("tool", "operation")
    status, text, _ = command("--baseline", "known.json", path)
    assert (status, text.count("META-002")) == (1, 2)
    command("--write-baseline", "known.json", path)
    steps("tool")
    status, text, err = command("--baseline", "known.json", path)
    assert (status, text.count("META-002")) == (0, 0)
    assert "known.json: 1 known finding no longer found: a.npz META-002 _metadata" in err


def test_another_place_in_the_file_is_new():
    def written(members, document):
        path = dataset("a.npz", _metadata=npy(np.array(json.dumps(document))))
        with zipfile.ZipFile(path, "a") as held:
            for name in members:
                held.writestr(name, "hello")
        return path

    levels = ("--fail-on", "warning")
    path = written(["a\n.txt"], {"data_transformations": [{}, {"tool": 1, "operation": "x"}]})
    command(*levels, "--write-baseline", "known.json", path)
    assert [(one["code"], one["place"], one["pointer"].rpartition("/")[2]) for one in known("known.json")] == [
        ("FILE-005", "a\\n.txt", ""),
        ("FILE-008", "a\\n.txt", ""),
        ("META-002", "/data_transformations/1/tool", "type"),
        ("META-002", "/data_transformations/0", "required"),
    ]
    assert command(*levels, "--baseline", "known.json", path)[0] == 0
    for members, document in (
        (["b.txt"], {}),
        ([], {"data_transformations": [{"tool": 1, "operation": "x"}]}),
        ([], {"physics_parameters": {"N": 0}}),
        ([], {"physics_parameters": 3}),
    ):
        assert command(*levels, "--baseline", "known.json", written(members, document))[0] == 1


def test_an_entry_without_a_place_can_be_read():
    path = dataset("a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", path)
    entries = [{key: value for key, value in one.items() if key != "place"} for one in known("known.json")]
    with open("known.json", "w", encoding="utf-8") as file:
        json.dump({"baseline": 1, "findings": entries}, file)
    assert command("--baseline", "known.json", path)[::2] == (0, "")


def test_what_is_gone_is_told_and_does_not_fail():
    path = dataset("a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", path)
    dataset("a.npz")
    for level in ("error", "info"):
        status, text, err = command("--fail-on", level, "--baseline", "known.json", path)
        assert status == 0
        assert err == (
            "validate-npz: known.json: 1 known finding no longer found: a.npz FORMAT-001 diffraction; "
            "--write-baseline known.json drops what is gone\n"
        )
        assert "known" not in text
    command("--write-baseline", "known.json", path)
    assert known("known.json") == []


def test_a_file_that_is_gone_is_told():
    other = dataset("b.npz")
    command("--write-baseline", "known.json", dataset("a.npz", diffraction=npy(LEGACY)))
    assert command("--baseline", "known.json", other)[2] == ""
    os.unlink("a.npz")
    assert "no longer found: a.npz FORMAT-001" in command("--baseline", "known.json", other)[2]


def test_what_is_gone_in_part_keeps_what_is_left():
    path = steps("tool", "operation")
    command("--reason", "old", "--write-baseline", "known.json", path)
    steps("tool")
    command("--select", "KEY", "--write-baseline", "known.json", path, f"./{path}")
    assert short("known.json") == [("a.npz", "META-002", "_metadata", 1, "old")]
    assert command("--baseline", "known.json", path)[::2] == (0, "")


def test_what_was_not_looked_at_is_not_gone():
    frames = FRAMES.copy()
    frames[0, 0, 0] = np.nan
    path = dataset("a.npz", diffraction=npy(frames))
    command("--write-baseline", "known.json", path)
    assert short("known.json") == [("a.npz", "VALUE-001", "diffraction", 1, "")]
    for options in (("--headers-only",), ("--ignore", "VALUE"), ("--select", "KEY"), ("--level", "VALUE-001=off")):
        assert command(*options, "--baseline", "known.json", path)[::2] == (0, "")
        command(*options, "--write-baseline", "known.json", path)
        assert short("known.json") == [("a.npz", "VALUE-001", "diffraction", 1, "")]
    with open(path, "wb") as file:
        file.write(b"no zip")
    status, _, err = command("--baseline", "known.json", path)
    assert (status, err) == (2, "")


# How it is told


def test_known_findings_stay_visible():
    path = dataset("a.npz", diffraction=npy(LEGACY), xcoords=None)
    command("--write-baseline", "known.json", "--reason", "measured before 2020", path)
    status, text, _ = command("--baseline", "known.json", path)
    assert status == 0
    assert text.startswith("a.npz  violations  2 errors; 2 known; ")
    text = command("-v", "--baseline", "known.json", path)[1]
    assert text.count("known: measured before 2020.") == 2
    document = json.loads(command("--format", "json", "--baseline", "known.json", path)[1])
    jsonschema.Draft202012Validator(schema("report")).validate(document)
    (file,) = document["files"]
    assert file["verdict"] == "violations"
    assert [finding["known"] for finding in file["findings"]] == ["measured before 2020"] * 2
    document = json.loads(command("--format", "json", path)[1])
    assert [finding["known"] for finding in document["files"][0]["findings"]] == [None, None]
    assert command("-q", "--baseline", "known.json", path) == (0, "", "")


def test_a_saved_report_is_marked_anew():
    path = dataset("a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", path)
    command("--baseline", "known.json", "--report", "json=saved.json", path)
    assert command("--from-report", "saved.json")[0] == 0
    with open("empty.json", "w", encoding="utf-8") as file:
        file.write(Baseline(path="empty.json").text())
    assert command("--from-report", "saved.json", "--baseline", "empty.json")[0] == 1
    command("--from-report", "saved.json", "--write-baseline", "new.json")
    assert known("new.json") == known("known.json")


def test_a_raised_level_of_a_known_finding_stays_known():
    path = dataset("a.npz", stray=1)
    command("--fail-on", "warning", "--write-baseline", "known.json", path)
    assert command("--level", "FILE-005=error", path)[0] == 1
    assert command("--level", "FILE-005=error", "--baseline", "known.json", path)[0] == 0


# How it is written


def test_only_what_fails_is_written():
    path = dataset("a.npz", stray=1, extra=npy(np.zeros(3)))
    codes = {}
    for level in ("error", "warning", "info"):
        command("--fail-on", level, "--write-baseline", f"{level}.json", path)
        codes[level] = [one["code"] for one in known(f"{level}.json")]
    assert codes == {"error": [], "warning": ["FILE-005"], "info": ["FILE-005", "KEY-003"]}


def test_reasons_and_other_files_are_kept():
    first, second = dataset("a.npz", diffraction=npy(LEGACY)), dataset("b.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", "--reason", "old", first)
    command("--write-baseline", "known.json", second)
    command("--write-baseline", "known.json", "--reason", "new", first, second)
    assert [(one[0], one[4]) for one in short("known.json")] == [("a.npz", "old"), ("b.npz", "new")]


def test_a_file_that_is_named_twice_has_each_finding_once():
    path = dataset("a.npz", stray=2, diffraction=npy(LEGACY))
    command("--write-baseline", "once.json", "--fail-on", "warning", path)
    command("--write-baseline", "twice.json", "--fail-on", "warning", path, f"./{path}")
    assert short("twice.json") == short("once.json")
    assert "no longer found" not in command("--baseline", "twice.json", path)[2]


def test_it_is_sorted_and_stable():
    paths = [dataset(f"{name}.npz", diffraction=npy(LEGACY), xcoords=None, ycoords=None) for name in "ca"]
    command("--write-baseline", "one.json", *paths)
    command("--write-baseline", "two.json", *reversed(paths))
    with open("one.json", "rb") as one, open("two.json", "rb") as two:
        text = one.read()
        assert two.read() == text
    command("--write-baseline", "one.json", *paths)
    with open("one.json", "rb") as one:
        assert one.read() == text
    keys = [(one["file"], one["code"], one["array"] or "", one["pointer"], one["place"]) for one in known("one.json")]
    assert keys == sorted(keys)
    assert len(keys) == 6


def test_paths_are_relative_to_the_baseline(monkeypatch, here):
    dataset("data/deep/a.npz", diffraction=npy(LEGACY))
    os.mkdir("lists")
    command("--write-baseline", "lists/known.json", "data/deep/a.npz")
    assert [one["file"] for one in known("lists/known.json")] == ["../data/deep/a.npz"]
    monkeypatch.chdir(here / "data")
    assert command("--baseline", "../lists/known.json", "deep/a.npz")[::2] == (0, "")
    assert command("--baseline", str(here / "lists/known.json"), str(here / "data/deep/a.npz"))[::2] == (0, "")


@pytest.mark.parametrize("baseline", ["real/known.json", "real/lists/known.json"])
def test_a_folder_named_by_a_link_is_the_same(here, baseline):
    dataset("real/data/a.npz", diffraction=npy(LEGACY))
    os.mkdir("real/lists")
    os.symlink("real", "link")
    command("--write-baseline", baseline, "real/data/a.npz")
    for path in ("link/data/a.npz", str(here / "link/data/a.npz")):
        assert command("--baseline", baseline, path)[::2] == (0, "")


def test_a_link_within_the_folder_stays_as_it_is_named(here):
    os.mkdir("lists")
    os.symlink("/", "lists/far")
    path = dataset(str(here / "a.npz"), diffraction=npy(LEGACY))
    command("--write-baseline", "lists/known.json", f"lists/far{path}")
    assert [one["file"] for one in known("lists/known.json")] == [f"far{path}"]


def test_names_that_are_no_text():
    path = dataset("\udcff\n\u202e.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", path)
    assert [one["file"] for one in known("known.json")] == ["\\xff\\n\\u202e.npz"]
    assert command("--baseline", "known.json", path)[::2] == (0, "")


@pytest.mark.parametrize("reason", ["Strahlblende schräg", "a\nb", "\udcff", "\u202e"])
def test_any_reason_can_be_written(reason):
    path = dataset("a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", "--reason", reason, path)
    status, text, _ = command("-v", "--baseline", "known.json", path)
    assert status == 0
    assert all(line.isprintable() for line in text.splitlines())
    assert ("schräg" in reason) == ("schräg" in text)


def test_a_reason_by_hand_is_escaped():
    path = dataset("a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", path)
    rewrite("known.json", reason="\x1b[2J\n\u202e")
    for form in ("text", "json"):
        text = command("-v", "--format", form, "--baseline", "known.json", path)[1]
        assert all(line.isprintable() for line in text.splitlines())


def test_nothing_half_written(monkeypatch, here):
    path = dataset("a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", "--reason", "old", path)
    with open("known.json", "rb") as file:
        before = file.read()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UsageError, match="no space left on device"):
        command("--write-baseline", "known.json", "--reason", "new", dataset("b.npz", xcoords=None))
    with open("known.json", "rb") as file:
        assert file.read() == before
    assert sorted(os.listdir(here)) == ["a.npz", "b.npz", "known.json"]


def test_it_is_not_replaced_where_a_report_cannot_be_written():
    path = dataset("a.npz", diffraction=npy(LEGACY))
    with pytest.raises(UsageError, match="cannot write"):
        command("--write-baseline", "known.json", "--report", "json=/proc/self/nowhere.json", path)
    assert not os.path.exists("known.json")


# What cannot be known


def test_an_unreadable_file_is_never_known():
    with open("a.npz", "wb") as file:
        file.write(archive(parts())[:-1])
    good = dataset("b.npz", diffraction=npy(LEGACY))
    assert command("--write-baseline", "known.json", "a.npz", good)[0] == 2
    assert [one["file"] for one in known("known.json")] == ["b.npz"]
    assert command("--baseline", "known.json", "a.npz")[0] == 2


@pytest.mark.parametrize("code", UNREADABLE)
def test_no_entry_for_what_makes_a_file_unreadable(code):
    command("--write-baseline", "known.json", dataset("a.npz", diffraction=npy(LEGACY)))
    rewrite("known.json", code=code)
    with pytest.raises(BaselineError, match=f"^known.json: /findings/0/code: {code} cannot be known"):
        read("known.json")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "is no baseline: the whole: "),
        ('{"baseline": 2, "findings": []}', "is no baseline: /baseline: 1 was expected"),
        ('{"baseline": 1, "findings": [{}]}', "is no baseline: /findings/0: "),
        ('{"baseline": 1, "findings": [], "findings": []}', "stands twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_baseline_is_refused_and_never_replaced(text, what):
    with open("known.json", "w", encoding="utf-8") as file:
        file.write(text)
    for option in ("--baseline", "--write-baseline"):
        with pytest.raises(UsageError, match=what) as error:
            command(option, "known.json", dataset("a.npz"))
        assert str(error.value).isprintable()
    with open("known.json", encoding="utf-8") as file:
        assert file.read() == text


@pytest.mark.parametrize(("changed", "what"), [({"code": "ABC-001"}, "no rule"), ({}, "stands there twice")])
def test_entries_that_make_no_sense(changed, what):
    command("--write-baseline", "known.json", dataset("a.npz", diffraction=npy(LEGACY)))
    entries = known("known.json") * 2
    with open("known.json", "w", encoding="utf-8") as file:
        json.dump({"baseline": 1, "findings": [{**one, **changed} for one in entries]}, file)
    with pytest.raises(BaselineError, match=what):
        read("known.json")


def test_an_input_is_never_replaced():
    path = dataset("a.npz", diffraction=npy(LEGACY))
    with open(path, "rb") as file:
        before = file.read()
    with pytest.raises(UsageError, match="is no baseline"):
        command("--write-baseline", path, path)
    with open(path, "rb") as file:
        assert file.read() == before


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (["--reason", "x"], "--reason belongs to --write-baseline"),
        (["--baseline", "a.json", "--write-baseline", "b.json"], "exclude each other"),
        (["--baseline", "none.json"], "none.json: cannot be read: no such file"),
        (["--write-baseline", "none/a.json"], "cannot write none/a.json"),
    ],
)
def test_wrong_usage(argv, what):
    with pytest.raises(UsageError, match=what):
        command(*argv, dataset("a.npz"))


def test_the_configuration_names_one(here, monkeypatch):
    path = dataset("data/a.npz", diffraction=npy(LEGACY))
    command("--write-baseline", "known.json", path)
    (here / "npzschema.toml").write_text('baseline = "known.json"')
    monkeypatch.chdir(here / "data")
    assert command("a.npz")[0] == 0
    assert command("--isolated", "a.npz")[0] == 1
    with open("empty.json", "w", encoding="utf-8") as file:
        file.write(Baseline(path="empty.json").text())
    assert command("--baseline", "empty.json", "a.npz")[0] == 1
