"""The page for whoever's file fails."""

from __future__ import annotations

from families import families
from markup import page, plain, prose, table


def now_what() -> str:
    """One path for every code: what it means, and what to do."""
    lines = [
        "# My file fails: now what",
        "",
        "1. Read the findings of level error from the top: each names an array, what was expected and what was found.",
        "2. Behind `Mend` stands a command that can be copied. It writes a new file and checks it. Steps",
        "   behind `--allow` rest on evidence or lose something: `generate-npz convert --dry-run` shows them first.",
        "3. Where there is no such line, the table below says what to do.",
        "4. To *look* at the data: `validate-npz --format html --output report.html scan.npz`.",
        "5. What you must live with for now goes into a [baseline](in_your_tools.md), with a reason.",
        "",
    ]
    for heading, family in families():
        rows = [
            [f"[{rule.code}](rules/{rule.code}.md)", plain(rule.title), prose(rule.advice(), "./")] for rule in family
        ]
        lines += [f"## {heading}", "", *table(["Code", "Says", "What to do"], rows), ""]
    return page("contracts/rules.json", lines)
