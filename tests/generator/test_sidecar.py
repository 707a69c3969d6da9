"""The sidecar keeps its schema, and its digests can be made again by hashlib alone."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import npzschema
import npzschema.contracts
from npzschema.generator import GeneratorError, convert, fixture
from npzschema.validator.engine import validate

from .making import CANONICAL, LEGACY, arrays_of, digest, refused, simulated

SCHEMA = json.loads((Path(npzschema.contracts.__file__).parent / "sidecar.schema.json").read_text())


@pytest.fixture
def source(tmp_path):
    return simulated(tmp_path / "in.npz", LEGACY, n=30, size=16)


@pytest.fixture
def made(tmp_path, source, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    return fixture(source, tmp_path / "out.npz", subset_size=16, positions="strided", contract=CANONICAL)


def read(path):
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []
    return document


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_a_fixtures_sidecar(made, source):
    assert made.sidecar is not None
    document = read(made.sidecar)
    assert document["version"] == "1.0.0"
    assert document["created"] == "2023-11-14T22:13:20Z"
    assert document["generator"] == {"name": "npzschema", "command": "fixture", "version": npzschema.__version__}
    assert document["source_dataset"] == {"name": "in.npz", "size": source.stat().st_size, "sha256": digest(source)}
    assert document["contract"] == {"id": CANONICAL, "version": "1.0.0"}
    assert document["subset_strategy"] == "strided"
    assert document["subset_size"] == len(document["indices"]) == 16
    assert [step["step"] for step in document["transformations"]][-2:] == ["subset", "copy"]
    assert {(step["step"], step["array"]) for step in document["transformations"]} >= {
        ("transpose", "diffraction"),
        ("cast", "probeGuess"),
    }
    assert document["transformations"] == [dict(step) for step in made.steps]


def test_digests_by_hashlib(made):
    document = read(made.sidecar)
    assert document["sha256_checksum"] == hashlib.sha256(made.path.read_bytes()).hexdigest()
    found = arrays_of(made.path)
    assert sorted(document["arrays"]) == sorted(found)
    for name, told in document["arrays"].items():
        raw = np.ascontiguousarray(found[name].astype(found[name].dtype.newbyteorder("<"))).tobytes()
        assert told == {
            "dtype": found[name].dtype.newbyteorder("<").str,
            "shape": list(found[name].shape),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }


def test_a_conversions_record(tmp_path, source):
    made = convert(source, tmp_path / "out.npz", metadata_out=tmp_path / "record.json")
    document = read(tmp_path / "record.json")
    assert document["generator"]["command"] == "convert"
    assert document["subset_strategy"] == "all"
    assert document["indices"] == list(range(30))
    assert document["sha256_checksum"] == digest(made.path)
    assert convert(source, tmp_path / "plain.npz").sidecar is None


@pytest.mark.parametrize("what", ["file", "sidecar"])
def test_a_change_of_either_is_found(made, what):
    assert validate(made.path, CANONICAL).ok
    if what == "file":
        arrays = arrays_of(made.path)
        arrays["xcoords"][0] += 1e-9
        np.savez(made.path, **arrays)
    else:
        document = json.loads(made.sidecar.read_text())
        made.sidecar.write_text(json.dumps(document | {"sha256_checksum": "0" * 64}))
    assert validate(made.path, CANONICAL).codes == {"META-003"}


def test_only_the_time_differs_between_two_runs(tmp_path, source, monkeypatch):
    documents = []
    for epoch in ("0", "1700000001"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        (tmp_path / epoch).mkdir()
        documents.append(
            read(fixture(source, tmp_path / epoch / "out.npz", subset_size=16, contract=CANONICAL).sidecar)
        )
    assert [one.pop("created") for one in documents] == ["1970-01-01T00:00:00Z", "2023-11-14T22:13:21Z"]
    assert documents[0] == documents[1]


def test_without_an_epoch_it_is_now(tmp_path, source, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    created = read(fixture(source, tmp_path / "out.npz", subset_size=16, contract=CANONICAL).sidecar)["created"]
    assert created > "2024"


@pytest.mark.parametrize("epoch", ["", "yesterday", "1.5", "9" * 30])
def test_an_epoch_that_is_none(tmp_path, source, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    argv = (
        "fixture",
        "--source",
        source,
        "--output",
        tmp_path / "out.npz",
        "--subset-size",
        16,
        "--contract",
        CANONICAL,
    )
    assert "not a number of seconds" in refused(tmp_path, *argv)


def test_an_early_epoch_keeps_the_schema(tmp_path, source, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "-62135596800")
    assert (
        read(fixture(source, tmp_path / "out.npz", subset_size=16, contract=CANONICAL).sidecar)["created"]
        == "0001-01-01T00:00:00Z"
    )


@pytest.mark.parametrize("name", [b"gr\xc3\xb6\xc3\x9fe.npz", b"no utf-8 \xff.npz", b'quote " and \\.npz'])
def test_names_of_any_bytes(tmp_path, source, name):
    other = os.path.join(os.fsencode(tmp_path), name)
    try:
        os.link(source, other)
    except OSError:
        pytest.skip("this file system takes no such name")
    made = fixture(os.fsdecode(other), tmp_path / "out.npz", subset_size=16, contract=CANONICAL)
    told = read(made.sidecar)["source_dataset"]["name"]
    assert told == name.decode("utf-8", "backslashreplace")


def test_the_sidecar_is_named_after_its_file(tmp_path, source):
    made = fixture(source, tmp_path / "a.b.npz", subset_size=16, contract=CANONICAL)
    assert made.sidecar == tmp_path / "a.b.json"
    assert sorted(os.listdir(tmp_path)) == ["a.b.json", "a.b.npz", "in.npz"]
    elsewhere = fixture(source, tmp_path / "c.npz", subset_size=16, contract=CANONICAL, metadata_out=tmp_path / "meta")
    assert elsewhere.sidecar == tmp_path / "meta"
    assert not (tmp_path / "c.json").exists()


def test_the_sidecar_appears_only_with_its_file(tmp_path, source, monkeypatch):
    from npzschema.generator import publish

    def fails(*_):
        raise GeneratorError("no")

    monkeypatch.setattr(publish, "document", fails)
    with pytest.raises(GeneratorError):
        fixture(source, tmp_path / "out.npz", subset_size=16, contract=CANONICAL)
    assert os.listdir(tmp_path) == ["in.npz"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one["indices"].pop(), "speaks of 16 positions and lists 15"),
        (lambda one: one["arrays"].pop("xcoords"), "says of xcoords: no such array; the file holds <f8 (16,)"),
        (
            lambda one: one["arrays"]["xcoords"].update(dtype="<f4"),
            "says of xcoords: <f4 (16,); the file holds <f8 (16,)",
        ),
        (lambda one: one["arrays"]["probeGuess"].update(shape=[1]), "says of probeGuess"),
        (lambda one: one.pop("contract"), "'contract' is a required property"),
        (lambda one: one.update(version="9"), "/version"),
        (lambda one: one["arrays"]["xcoords"].update(sha256="no"), "/arrays/xcoords/sha256"),
    ],
)
def test_what_a_sidecar_says_is_checked(made, change, words):
    document = json.loads(made.sidecar.read_text())
    change(document)
    made.sidecar.write_text(json.dumps(document))
    report = validate(made.path, CANONICAL)
    assert report.codes == {"META-003"}
    assert words in report.findings[0].message


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("not JSON", "warning"),
        ("[1, 2]", None),
        ('{"mine": 1}', None),
        ('{"generator": "another tool", "transformations": []}', None),
    ],
)
def test_files_of_another_kind(made, text, level):
    made.sidecar.write_text(text)
    found = [one.level for one in validate(made.path, CANONICAL).findings if one.code == "META-003"]
    assert found == ([level] if level else [])
