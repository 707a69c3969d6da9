"""Contracts of users that have no scan: datasets are drawn, and each rule that they can ask for is broken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.errors import InvalidArgument

from npzschema.contracts import from_document, rules
from npzschema.generator import strategies
from npzschema.generator.breakers import DATA, NotApplicable, broken
from npzschema.generator.plain_breakers import PLAIN
from npzschema.validator.engine import validate

FEW = settings(max_examples=40, derandomize=True, deadline=None, database=None)


def contract(**values):
    array = {"required": True, "dims": ["A"], "dtype": "float32", **values}
    return from_document(
        {
            "id": "me/one",
            "version": "1.0.0",
            "title": "t",
            "dimensions": {"A": {"description": "a", "minimum": 2, "maximum": 6}},
            "arrays": {
                "a": array,
                "b": {
                    "required": True,
                    "dims": ["A", 3],
                    "dtype": "float64",
                    "legacy": [{"name": "old", "rule": "KEY-002"}],
                },
                "c": {"dims": ["A", 3], "dtype": "float64"},
            },
            "storage": {"order": "C", "byteOrder": "little"},
            "relations": [{"identical": ["b", "c"]}],
            "metadata": {"member": "notes", "schema": {"type": "object"}},
        }
    )


FULL = contract(values={"finite": True, "minimum": -3, "maximum": 5, "varies": True})


@pytest.mark.parametrize("rule", sorted(PLAIN))
def test_each_rule_is_broken_alone(rule):
    rng = np.random.default_rng(0)
    b = rng.random((4, 3))
    arrays = {"a": rng.random(4, dtype=np.float32), "b": b, "notes": np.array("{}")}
    if rule != "KEY-002":
        arrays["c"] = b
    assert validate(arrays, FULL).ok
    report = validate(broken(arrays, FULL, rule), FULL)
    assert rules()[rule].level in {one.level for one in report.findings if one.code == rule}, report.findings
    assert report.codes <= {rule}


def test_rules_of_scans_say_so():
    arrays = {"a": np.zeros(4, np.float32), "b": np.ones((4, 3))}
    for rule in set(DATA) - set(PLAIN):
        with pytest.raises(NotApplicable, match="has no scan"):
            broken(arrays, FULL, rule)


def breaks_alone(one):
    """Whatever is drawn to break a contract shows its code and no other."""

    @FEW
    @given(strategies.broken(one))
    def breaks(case):
        content, code = case
        report = validate(content, one)
        assert code in {found.code for found in report.findings}
        assert report.codes <= {code}

    breaks()


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int8", {"minimum": -1000}),
        ("uint8", {"maximum": 1000}),
        ("uint8", {"minimum": 200}),
        ("int8", {"exclusiveMinimum": 126}),
        ("float16", {"minimum": 60000}),
        ("float16", {"maximum": -60000}),
        ("float16", {"exclusiveMinimum": 65503}),
        ("float32", {"minimum": 1e37}),
        ("float32", {"exclusiveMaximum": -1e37}),
        ("float32", {"minimum": 0.1, "exclusiveMaximum": 0.10000001}),
        ("float64", {"minimum": -1.7e308, "maximum": 1.7e308}),
        ("float64", {"minimum": 1e300}),
        ("bool", {"minimum": 1}),
        (["int16", "int32"], {"minimum": 30_000}),
        ("float32", {"minimum": 1e6, "maximum": 1e6 + 0.03}),
        ("int64", {}),
    ],
)
def test_bounds_near_the_limits_of_a_dtype(dtype, values):
    one = contract(dtype=dtype, values=values)
    drawn = []

    @FEW
    @given(strategies.datasets(one))
    def keeps(arrays):
        report = validate(arrays, one)
        assert report.ok, report.findings
        drawn.append(arrays)

    keeps()
    breaks_alone(one)
    assert len(drawn) == 40


def pair(a, b, **more):
    """A contract of two arrays that are one."""
    arrays = {name: {"required": True, "dims": ["A"], **array, **more} for name, array in (("a", a), ("b", b))}
    return from_document(
        {
            "id": "me/pair",
            "version": "1.0.0",
            "title": "t",
            "dimensions": {"A": {"description": "a", "minimum": 2, "maximum": 6}, "B": {"description": "b"}},
            "arrays": arrays,
            "relations": [{"identical": ["a", "b"]}],
        }
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"dtype": ["float32", "float64"]}, {"dtype": "float32"}),
        ({"dtype": "float64"}, {"dtype": "float32"}),
        ({"dtype": ["int16", "float32"]}, {"dtype": ["float64", "uint8"]}),
        ({"dtype": "int64"}, {"dtype": "float32"}),
        ({"dtype": "int8"}, {"dtype": "uint8", "values": {"maximum": 1}}),
        ({"dtype": "complex64"}, {"dtype": "float32"}),
        (
            {"dtype": "float32", "values": {"minimum": 0, "maximum": 1}},
            {"dtype": "float32", "values": {"minimum": 0.5}},
        ),
        (
            {"dtype": "float32", "values": {"exclusiveMaximum": 0.1}},
            {"dtype": "float64", "values": {"minimum": 0.0999}},
        ),
        ({"dtype": "float32", "dims": [["A"], ["B"]]}, {"dtype": "float32", "dims": [["B"], ["A", "B"]]}),
        (
            {"dtype": "float32", "dims": [["A"], ["A", "B"]], "required": False},
            {"dtype": "float32", "dims": ["A", "B"]},
        ),
    ],
)
def test_two_names_of_one_array_keep_what_is_asked_of_both(a, b):
    one, drawn = pair(a, b), []

    @FEW
    @given(strategies.datasets(one))
    def keeps(arrays):
        report = validate(arrays, one)
        assert report.ok, report.findings
        if "a" in arrays:
            assert np.array_equal(arrays["a"], arrays["b"])
        drawn.append(arrays)

    keeps()
    breaks_alone(one)
    assert len(drawn) == 40
    assert any(array.size > 1 and np.ptp(array.real) for arrays in drawn for array in arrays.values())


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        # No float16 lies between, and no smaller dtype holds what does.
        (
            {"dtype": "float16", "values": {"minimum": 2049}},
            {"dtype": "float64", "values": {"maximum": 2049}},
            "a and b",
        ),
        ({"dtype": "float32", "values": {"minimum": 1e39}}, {"dtype": "float64"}, "a and b"),
    ],
)
def test_what_nothing_can_keep_is_told_at_once(a, b, told):
    with pytest.raises(InvalidArgument, match=f"{told}: no dtype of .* holds the values asked for of all"):
        strategies.datasets(pair(a, b))


def test_an_array_that_no_dtype_can_hold_is_told_at_once():
    with pytest.raises(InvalidArgument, match="a: no dtype of float32 holds the values asked for"):
        strategies.datasets(contract(values={"minimum": 0.1, "maximum": 0.1}))
