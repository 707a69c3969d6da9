"""Reports that were saved: read back as they were, or refused in one line."""

from __future__ import annotations

import json
import os
import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema import __version__
from npzschema.contracts import schema
from npzschema.validator import saved
from npzschema.validator.reporters import REPORTERS, Style

from .reporters import samples


def as_json(reports):
    return REPORTERS["json"].render(reports, Style())


@given(st.lists(samples.reports, max_size=3))
def test_there_and_back_is_the_same(reports):
    text = as_json(reports)
    document = json.loads(text)
    jsonschema.Draft202012Validator(schema("report")).validate(document)
    again = saved.reports(document)
    assert as_json(again) == text
    # What was told of a file is what is told again, in every format.
    for name, reporter in REPORTERS.items():
        assert reporter.render(again, Style(verbosity=1)) == reporter.render(
            saved.reports(json.loads(as_json(again))), Style(verbosity=1)
        ), name


def test_reports_without_odd_names_come_back_equal():
    assert saved.reports(json.loads(as_json(samples.ALL))) == samples.ALL


@given(st.lists(samples.reports, max_size=3))
def test_each_line_of_jsonl_is_a_file_of_the_schema(reports):
    held = schema("report")
    line_schema = {"$schema": held["$schema"], "$ref": "#/$defs/file", "$defs": held["$defs"]}
    lines = REPORTERS["jsonl"].render(reports, Style()).split("\n")
    assert lines.pop() == ""
    documents = [json.loads(line) for line in lines]
    for document in documents:
        jsonschema.Draft202012Validator(line_schema).validate(document)
    assert documents == json.loads(as_json(reports))["files"]


def changed(**changes):
    document = json.loads(as_json(samples.ALL))
    for path, value in changes.items():
        *where, last = path.split("__")
        at = document
        for step in where:
            at = at[int(step) if step.isdigit() else step]
        at[last] = value
    return json.dumps(document).encode()


GOOD = as_json(samples.ALL).encode()


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (b"", "is no JSON"),
        (b"PK\x03\x04", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[]", "is no report of validate-npz"),
        (b"null", "is no report of validate-npz"),
        (b"{}", "is no report of validate-npz: .*; what --format json wrote is one"),
        (b"\xff\xfe\0", "is no JSON: its bytes are no text"),
        (
            changed(tool={"name": "npzschema", "version": "9.0"}, later=1),
            f"'later' was unexpected.*; version 9.0 wrote it, this is {re.escape(__version__)}",
        ),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (GOOD.replace(b"7.25", b"NaN"), "holds NaN, which JSON does not know"),
        (GOOD.replace(b"7.25", b"-Infinity"), "holds -Infinity, which JSON does not know"),
        (GOOD.replace(b"7.25", b"1e999"), "holds the number 1e999, which is out of range"),
        (GOOD.replace(b"7.25", b"1" * 4000), "holds the number 1{39}…, which is out of range"),
        (GOOD.replace(b"7.25", b"1" * 400), "holds the number 1{39}…, which is out of range"),
        (GOOD.replace(b'"maximum"', b'"minimum"', 1), "names one key twice"),
        (GOOD[:-20], "is no JSON"),
        (changed(files__0__verdict="good"), r"/files/0/verdict: 'good' is not one of"),
        (changed(files__0__extra=1), "/files/0: .*'extra' was unexpected"),
        (changed(files__0__arrays=[]), "/files/0/arrays"),
        (changed(files__2__findings=[{}]), "/files/2/findings/0: 'code' is a required property"),
        (changed(files__0__notes=["x" * 10_000, 3]), "/files/0/notes/1"),
        (changed(files="x" * 100_000), "/files: breaks 'type' of the schema"),
        (
            changed(tool={"name": "npzschema", "version": "9.0"}).replace(b"FORMAT-001", b"FUTURE-001"),
            "FUTURE-001 is no rule of this version; the report was saved by version 9.0",
        ),
        (changed(tool={"name": "other", "version": "1"}), "/tool/name: 'npzschema' was expected"),
    ],
)
def test_anything_else_is_refused_in_one_line(held, says, tmp_path):
    path = tmp_path / "saved.json"
    path.write_bytes(held)
    with pytest.raises(saved.SavedError, match=says) as error:
        saved.read(str(path))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value)) < 500 + len(str(path))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: json.dumps(text).encode()))
def test_noise_is_refused(held):
    with pytest.raises(saved.SavedError):
        saved.reports(saved._parsed(held))


def test_what_cannot_be_read(tmp_path):
    for path, says in (
        (tmp_path / "none.json", "no such file or directory"),
        (tmp_path, "is a directory"),
        ("a\0b", "embedded null"),
    ):
        with pytest.raises(saved.SavedError, match=says):
            saved.read(str(path))
    large = tmp_path / "large.json"
    large.touch()
    os.truncate(large, saved.LARGEST + 1)
    with pytest.raises(saved.SavedError, match="larger than 67,108,864 bytes"):
        saved.read(str(large))


def test_encodings_that_json_allows(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / encoding
        path.write_text(as_json(samples.ALL), encoding=encoding)
        assert saved.read(str(path)) == samples.ALL


def test_text_in_a_saved_report_is_escaped():
    """Whoever wrote it may have put in what this tool never writes."""
    document = json.loads(as_json([samples.GOOD]))
    document["files"][0]["path"] = "\u202egnp.exe"
    document["files"][0]["arrays"]["\u202ex"] = document["files"][0]["arrays"].pop("diffraction")
    (report,) = saved.reports(document)
    assert report.path == "\\u202egnp.exe"
    assert [facts.name for facts in report.arrays.values()] == ["\\u202ex"]
