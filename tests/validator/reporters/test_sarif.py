"""SARIF: the official schema, and what code scanning asks for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.contracts import rules
from npzschema.validator.reporters import REPORTERS, Style

from . import samples

VALIDATOR = jsonschema.Draft4Validator(
    json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text(encoding="utf-8")),
    format_checker=jsonschema.FormatChecker(),
)


def rendered(*reports):
    document = json.loads(REPORTERS["sarif"].render(reports, Style()))
    VALIDATOR.validate(document)
    (run,) = document["runs"]
    return run


def test_the_schema_refuses():
    """An oracle that accepts everything would prove nothing."""
    document = json.loads(REPORTERS["sarif"].render(samples.ALL, Style()))
    document["runs"][0]["results"][0]["level"] = "info"
    assert not VALIDATOR.is_valid(document)


def test_rules_are_the_catalogue():
    told = rendered(samples.GOOD)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in told] == list(rules())
    for rule in told:
        known = rules()[rule["id"]]
        assert rule["defaultConfiguration"]["level"] == {"info": "note"}.get(known.level, known.level)
        assert rule["shortDescription"]["text"] == known.title
        assert known.remedy in rule["help"]["text"]


def test_a_result_a_finding():
    run = rendered(*samples.ALL)
    told = [(one["ruleId"], one["level"]) for one in run["results"]]
    assert told == [
        ("SCAN-005", "warning"),
        ("KEY-003", "note"),
        ("FORMAT-001", "error"),
        ("DTYPE-001", "error"),
        ("FILE-002", "error"),
    ]
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        artifact = one["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"]
    legacy, broken = run["results"][2], run["results"][4]
    assert legacy["message"]["text"].splitlines() == [
        "diffraction: axes are (H, W, N)",
        "evidence: 100 positions",
        f"Mend: {samples.MEND}",
    ]
    assert legacy["locations"][0]["logicalLocations"][0]["name"] == "diffraction"
    assert "logicalLocations" not in broken["locations"][0]


def test_an_unreadable_file_is_a_failed_execution():
    (invocation,) = rendered(samples.GOOD, samples.LEGACY)["invocations"]
    assert invocation["executionSuccessful"] is True
    (invocation,) = rendered(samples.GOOD, samples.BROKEN)["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = [one for one in invocation["toolExecutionNotifications"] if one["level"] == "error"]
    assert told["associatedRule"]["id"] == "FILE-002"
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.npz"


def test_fingerprints_follow_code_array_pointer_and_place_only():
    def fingerprints(**changed):
        (result,) = rendered(samples.report("a.npz", samples.finding(**changed)))["results"]
        return result["partialFingerprints"]

    same = fingerprints()
    assert fingerprints(message="other", evidence="other", frames=(1,), remedy="other") == same
    others = ({"code": "SHAPE-001"}, {"array": "probeGuess"}, {"pointer": "/arrays/diffraction"}, {"place": "a.txt"})
    for changed in others:
        assert not set(fingerprints(**changed).values()) & set(same.values())


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("scan.npz", "scan.npz"),
        ("data/my scan.npz", "data/my%20scan.npz"),
        ("../up.npz", "../up.npz"),
        ("/data/größe.npz", "file:///data/gr%C3%B6%C3%9Fe.npz"),
        ("a:b.npz", "a%3Ab.npz"),
        ("100%.npz", "100%25.npz"),
        ("what?#.npz", "what%3F%23.npz"),
        ("\udcff.npz", "%FF.npz"),
    ],
)
def test_paths_become_uris(path, uri):
    (artifact,) = rendered(samples.report(path))["artifacts"]
    assert artifact["location"]["uri"] == uri
    parts = urlsplit(uri)
    assert (parts.query, parts.fragment, parts.netloc) == ("", "", "")
    assert unquote_to_bytes(parts.path) == os.fsencode(path)


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_messages_hold_no_placeholders_links_or_control_characters(text):
    run = rendered(samples.hostile(text))
    for result in run["results"]:
        message = result["message"]["text"]
        assert all(line.isprintable() for line in message.split("\n"))
        assert "](" not in message
        assert "{" not in message.replace("{{", "")
        assert "}" not in message.replace("}}", "")


@given(st.lists(samples.reports, max_size=3))
def test_any_report_keeps_the_schema(reports):
    rendered(*reports)
