"""Write the figures of docs/threat_model.md: ``python -m tests.fuzz.figures [SUMMARY]``, after ``make fuzz``."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from ..validator.hostile import FAMILIES
from ..validator.hostile_paths import PATHS, SIDECARS

PAGE = Path(__file__).parents[2] / "docs" / "threat_model.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def peaks(family: str) -> list[int]:
    """Peak memory in MiB of each file of a family, through every command."""
    with tempfile.TemporaryDirectory() as folder:
        for at, case in enumerate(FAMILIES[family].values()):
            (Path(folder) / f"{at:03}.npz").write_bytes(case.make())
        child = Path(__file__).parents[1] / "validator" / "hostile_child.py"
        done = subprocess.run([sys.executable, str(child), folder], capture_output=True, text=True, check=True)
    return [told["peak"] for told in json.loads(done.stdout).values()]


def counts() -> str:
    """The line that a test compares with the corpus."""
    cases = sum(map(len, FAMILIES.values()))
    return (
        f"{cases:,} archives in {len(FAMILIES)} families, {len(PATHS)} paths that lead to no file, "
        f"{len(SIDECARS)} sidecars."
    )


def figures(summary: dict) -> str:
    """The text between the marks."""
    lines = ["\n", counts() + "\n", "\n", "| Family | Files | Peak memory, MiB |\n", "| --- | ---: | ---: |\n"]
    lines += [f"| {family} | {len(cases)} | {max(peaks(family))} |\n" for family, cases in FAMILIES.items()]
    lines += [
        "\n",
        "| Fuzz target | Seconds | Executions | Edges | Crashes |\n",
        "| --- | ---: | ---: | ---: | ---: |\n",
    ]
    total = 0
    for name, one in summary["targets"].items():
        total += one["executions"]
        lines.append(
            f"| {name} | {one['seconds']} | {one['executions']:,} | {one['edges']:,} | {int(one['status'] != 0)} |\n"
        )
    lines += [
        "\n",
        f"{total:,} executions in this run, without a crash where the last column says 0.\n",
        f"atheris {summary['atheris']}, numpy {summary['numpy']}, CPython {summary['python']}, {platform.machine()}.\n",
        "\n",
    ]
    return "".join(lines)


def main(argv: list[str]) -> None:
    path = Path(argv[0] if argv else "build/fuzz/summary.json")
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    made = figures(json.loads(path.read_text(encoding="utf-8")))
    PAGE.write_text(head + BEGIN + made + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
