"""The catalogue and the source say the same: every code is checked where it says, and every code told is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import npzschema.contracts
import npzschema.generator
import npzschema.validator
from npzschema.contracts import load, reasons, rules, schema, shipped
from npzschema.contracts.steps import LOSSY, ORDER, STEPS

FOLDERS = {
    "contracts": Path(npzschema.contracts.__file__).parent,
    "validator": Path(npzschema.validator.__file__).parent,
}
CODE = re.compile(r"\b[A-Z]+-[0-9]{3}\b")


def text_of(path):
    folder, _, rest = path.partition("/")
    return (FOLDERS[folder] / rest).read_text(encoding="utf-8")


def test_the_catalogue_keeps_its_schema():
    document = json.loads((FOLDERS["contracts"] / "rules.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema("rules"))
    assert list(Draft202012Validator(schema("rules")).iter_errors(document)) == []
    assert list(Draft202012Validator(schema("rules")).iter_errors({"rules": {"FILE-001": {}}}))


def test_exceptions_name_shipped_contracts_and_rules_that_have_a_breaker():
    for rule in rules().values():
        assert rule.breakable or not rule.exceptions
        named = [name for one in rule.exceptions for name in one.contracts]
        assert set(named) <= set(shipped())
        assert len(named) == len(set(named))
        for name in shipped():
            assert (rule.exempt(name) is None) == (name not in named)


def test_reasons_are_said_by_breakers_or_true_of_whole_contracts():
    """Exceptions and breakers have the same words, by the same names, and no other."""
    folder = Path(npzschema.generator.__file__).parent
    quoted = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    said = {reason for reason in reasons() if f'"{reason}"' in quoted}
    excepted = {one.reason: one.contracts for rule in rules().values() for one in rule.exceptions}
    assert set(reasons()) == said | set(excepted)
    # What no breaker says is true of all datasets of some contracts: those are not even tried.
    assert all(excepted[reason] for reason in set(excepted) - said)
    assert len(set(reasons().values())) == len(reasons())


@pytest.mark.parametrize("code", rules())
def test_a_rule_is_complete(code):
    rule = rules()[code]
    assert CODE.fullmatch(code)
    assert rule.level in ("error", "warning", "info")
    for field in ("title", "why", "remedy", "example"):
        assert getattr(rule, field).strip(), field
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")
    assert not rule.title.endswith(".")
    assert not rule.unreadable or rule.level == "error"


@pytest.mark.parametrize("code", rules())
def test_a_rule_is_checked_where_it_says(code):
    text = text_of(rules()[code].checked_by)
    by_contract = code in codes_of_legacy_forms()
    # Codes of legacy forms are data of the contract: the file that yields them never names them.
    assert code in text or (by_contract and rules()[code].checked_by.endswith(("legacy.py", "dims.py", "dtype.py")))


def codes_of_legacy_forms():
    return {entry.rule for name in shipped() for spec in load(name).arrays.values() for entry in spec.legacy}


def test_the_source_and_the_catalogue_have_the_same_codes():
    quoted = re.compile(r"""["']([A-Z]+-[0-9]{3})["']""")
    families = {rule.family for rule in rules().values()}
    found = {
        code
        for path in FOLDERS["validator"].rglob("*.py")
        for code in quoted.findall(path.read_text(encoding="utf-8"))
        if code.split("-")[0] in families
    }
    assert found | codes_of_legacy_forms() == set(rules())


def test_the_files_have_no_duplicate_keys():
    def unique(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    for path in FOLDERS["contracts"].rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)


def test_families():
    families = ["FILE", "KEY", "FORMAT", "SHAPE", "DTYPE", "VALUE", "NORM", "SCAN", "PHYS", "META", "INTERNAL"]
    assert {rule.family for rule in rules().values()} == set(families)


def test_steps_of_mending_are_those_of_the_schema_and_of_the_pages():
    entries = schema("contract")["$defs"]["legacy"]["properties"]["fix"]["enum"]
    assert set(entries) == {one.step for one in STEPS if one.form}
    page = (Path(__file__).parents[2] / "docs" / "generator_design.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z][a-z-]*)` \| (.*) \|$", page, flags=re.MULTILINE))
    # What a fixture leaves out is no mend.
    assert set(rows) - {"trim"} == set(ORDER)
    assert {name for name, row in rows.items() if f"`--allow {name}`" in row} == set(LOSSY)
