"""The pages of rules and contracts are those that the JSON gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from npzschema.contracts import rules, schema, shipped

DOCS = Path(__file__).resolve().parents[2] / "docs"

pytestmark = pytest.mark.skipif(not (DOCS / "build_pages.py").is_file(), reason="no docs here")


def build(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DOCS / "build_pages.py"), *arguments], capture_output=True, text=True, check=False
    )


def test_pages_are_up_to_date() -> None:
    told = build("--check")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_every_rule_and_contract_has_a_page() -> None:
    assert {path.stem for path in (DOCS / "rules").glob("*.md")} - {"index"} == set(rules())
    pages = {path.relative_to(DOCS / "contracts").with_suffix("") for path in (DOCS / "contracts").rglob("*.md")}
    assert {page.as_posix() for page in pages} - {"index"} == set(shipped())


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object that a schema describes, at any depth."""
    if isinstance(node, dict):
        if "properties" in node and isinstance(node.get("required"), list):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from objects(one)


def test_the_page_of_reports_names_every_field_and_none_is_left_out() -> None:
    page = (DOCS / "report_format.md").read_text(encoding="utf-8")
    found = list(objects(schema("report")))
    assert len(found) > 10
    for body in found:
        assert set(body["properties"]) - set(body["required"]) <= {"pictures"}
        for key, one in body["properties"].items():
            assert f"{key}` |" in page
            assert one.get("description"), key


def test_drift_is_told_and_mended(tmp_path: Path) -> None:
    where = ("--docs", str(tmp_path))
    assert build(*where).returncode == 0
    first, second, *_ = sorted((tmp_path / "rules").glob("*-*.md"))
    first.write_text(first.read_text(encoding="utf-8") + "by hand\n", encoding="utf-8")
    second.unlink()
    (tmp_path / "rules" / "OLD-001.md").write_text("a rule that is gone\n", encoding="utf-8")
    told = build("--check", *where)
    assert told.returncode == 1
    assert set(told.stdout.splitlines()[:-1]) == {
        f"rules/{first.name} is out of date",
        f"rules/{second.name} is missing",
        "rules/OLD-001.md describes nothing that exists",
    }
    assert build(*where).returncode == 0
    assert build("--check", *where).returncode == 0
