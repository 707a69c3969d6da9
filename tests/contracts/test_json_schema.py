"""Schemas of others: what could take for ever is refused, and what is left is counted."""

from __future__ import annotations

import io
import json

import pytest

from npzschema.contracts import ContractError
from npzschema.contracts.cli import run
from npzschema.contracts.json_schema import MAX_STEPS, TooMuchWorkError, errors, flaws, pattern_flaw
from npzschema.contracts.loader import MAX_BYTES, from_document, load

LAUGHS = {
    "$ref": "#/$defs/a0",
    "$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)} | {"a40": {}},
}


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a*)*b", "(a|aa)+$", "(?:a?){30}", "([a-z]+-?)*", "(a{1,9}){2}", r"(a)\1", "(?P<x>a)(?P=x)"]
)
def test_patterns_that_may_take_for_ever(pattern):
    assert "for ever" in pattern_flaw(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "^a+$", r"^\d+\.\d+\.\d+$", "^(a|b)$", "(ab)+", "([0-9a-f]{2}){8}", "(?=a+)b", "a{2,5}"]
)
def test_patterns_that_end(pattern):
    assert pattern_flaw(pattern) is None


@pytest.mark.parametrize("pattern", ["(?:(?=a)){20000000}", "(){4000000000}", "[ab]{60000}c", "((a{30}){30}){30}"])
def test_patterns_that_write_out_to_much(pattern):
    """Fixed repeats are tried one by one, even where they match nothing."""
    assert pattern_flaw(pattern) == "repeats more than 10,000 characters"


@pytest.mark.parametrize("pattern", ["(", "a**", "[", "(?P<a", "(" * 5000 + ")" * 5000])
def test_no_patterns(pattern):
    assert pattern_flaw(pattern) == "is no regular expression"


@pytest.mark.parametrize(
    "schema",
    [
        LAUGHS,
        {"properties": {"a": {"pattern": "(a+)+"}}},
        {"patternProperties": {"(a+)+": {}}},
        {"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    ],
    ids=str,
)
def test_flaws(schema):
    assert list(flaws(schema))


def test_a_schema_without_flaws():
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"a": {"$ref": "#/$defs/tree"}},
        "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    }
    assert list(flaws(schema)) == []
    assert errors(schema, {"a": [[], [[]]]}, 5) == []
    assert [error.message for error in errors(schema, {"a": [[], 5]}, 5)] == ["5 is not of type 'array'"]


def nested(depth):
    document = []
    for _ in range(depth):
        document = [document]
    return document


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"items": {"$ref": "#"}, "anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}, nested(60)),
        ({"uniqueItems": True}, [{} for _ in range(50_000)]),
        ({"pattern": "a+a+a+b"}, "a" * 5000),
        ({"patternProperties": {"a+a+a+b": {}}}, {"a" * 5000: 1}),
        ({"items": {"allOf": [True] * 5000}}, [0] * 5000),
        ({"pattern": "[ab]{4000}c"}, "a" * 1_000_000),
        ({"anyOf": [{"items": {"type": "string"}}]}, [0] * 240_000),
        ({"anyOf": [{"type": "string"}] * 300}, [[0] * 500_000]),
        ({"$defs": {"c": {"const": [[0] * 50_000]}}, "allOf": [{"$ref": "#/$defs/c"}] * 3000}, [[0] * 50_000]),
        ({"uniqueItems": True}, [[[0] * 240, {"a": n}] for n in range(700)]),
        ({"items": {"patternProperties": {f"{n:03}" + "[ab]{9}" * 20: True for n in range(600)}}}, [{"k": 1}] * 40),
    ],
    ids=[
        "depth",
        "pairs",
        "pattern",
        "names",
        "product",
        "fixed repeats",
        "errors of branches",
        "long errors of branches",
        "deep constants",
        "deep pairs",
        "many patterns",
    ],
)
def test_work_is_counted(schema, document):
    assert list(flaws(schema)) == []
    with pytest.raises(TooMuchWorkError):
        errors(schema, document, 5)
    assert MAX_STEPS < 1e7


BASE = {"id": "a/b", "version": "1.0.0", "title": "t", "arrays": {"a": {"dims": [], "dtype": "float32"}}}
LARGE = {
    "arrays": {"arrays": {f"a{n}": {"dims": [], "dtype": "float32"} for n in range(3000)}},
    "axes": {"arrays": {"a": {"dims": list(range(20_000)), "dtype": "float32"}}},
    "alternatives": {"arrays": {"a": {"dims": [[n] for n in range(10_000)], "dtype": "float32"}}},
    "legacy": {
        "arrays": {
            "a": {
                "dims": [],
                "dtype": "float32",
                "legacy": [{"name": f"n{n}", "rule": "KEY-002"} for n in range(4000)],
            }
        }
    },
    "dimensions": {"dimensions": {f"N{n}": {"description": "d", "minimum": f"N{n + 1}"} for n in range(3000)}},
    "relations": {"relations": [{"identical": ["a", f"b{n}"]} for n in range(4000)]},
    "keys": {f"k{n}": 0 for n in range(20_000)},
    "places": {"metadata": {"member": "m", "schema": {"prefixItems": [{}] * 6000}}},
    "names": {"arrays": {"": {"dims": [], "dtype": "float32"}}},
    "references": {
        "metadata": {
            "member": "m",
            "schema": {"$defs": {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(4000)} | {"a4000": {}}},
        }
    },
}


@pytest.mark.parametrize("what", LARGE)
def test_large_contracts_are_refused_before_they_cost_anything(what):
    document = BASE | LARGE[what]
    assert len(json.dumps(document)) < MAX_BYTES
    with pytest.raises(ContractError) as error:
        from_document(document)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("target", ["/proc/self/pagemap", "/proc/self/mem", "/proc/kmsg", "/dev/zero", "/dev/tty", "."])
def test_what_a_contract_extends_is_read_with_a_bound(target, tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"id": "a/b", "version": "1.0.0", "title": "t", "extends": target}))
    with pytest.raises(ContractError):
        load(path)


def test_show_prints_nothing_that_a_terminal_obeys(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(BASE | {"title": "\x1b[2J\x9b31m\u202e\x7f\u00e9", "description": "\u2028"}))
    out = io.StringIO()
    assert run(["show", str(path)], out, io.StringIO()) == 0
    assert all(line.isprintable() for line in out.getvalue().split("\n"))
    assert json.loads(out.getvalue())["title"] == "\x1b[2J\x9b31m\u202e\x7f\u00e9"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16"])
def test_show_prints_json_in_any_encoding(encoding, tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(BASE | {"title": "D\u00e9tecteur \u691c"}))
    # As sys.stdout may have it: what it cannot write is escaped as Python does.
    data = io.BytesIO()
    out = io.TextIOWrapper(data, encoding, "backslashreplace")
    assert run(["show", str(path)], out, io.StringIO()) == 0
    out.flush()
    assert json.loads(data.getvalue().decode(encoding))["title"] == "D\u00e9tecteur \u691c"
