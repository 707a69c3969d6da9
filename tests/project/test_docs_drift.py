"""The pages of rules and contracts are those that the JSON gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from npzschema.contracts import rules, shipped

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
