"""The pages of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from families import families
from markup import page, plain, prose, table

from npzschema.contracts import Rule

LEVELS: Final[Mapping[str, str]] = {
    "error": "The file breaks its contract: exit status 1.",
    "warning": "The file keeps its contract, but look at it. Exit status 0, or 1 with `--fail-on warning`.",
    "info": "Good to know. Exit status 0, or 1 with `--fail-on info`.",
}
UNREADABLE: Final = "The file cannot be checked further: exit status 2."


def index() -> str:
    lines = ["# Rules", "", "Everything that can be wrong with a file. The reports name these codes.", ""]
    for heading, family in families():
        rows = [[f"[{rule.code}]({rule.code}.md)", rule.level, plain(rule.title)] for rule in family]
        lines += [f"## {heading}", "", *table(["Code", "Level", "Title"], rows), ""]
    return page("contracts/rules.json", lines)


def rule_page(rule: Rule, places: Mapping[str, list[str]]) -> str:
    said = UNREADABLE if rule.unreadable else LEVELS[rule.level]
    lines = [
        f"# {rule.code}: {plain(rule.title)}",
        "",
        f"**Level: {rule.level}.** {said}",
        "",
        *("## Why it matters", "", prose(rule.why, ""), ""),
        *("## Remedy", "", prose(rule.advice(), ""), ""),
        *("## Example", "", prose(rule.example, ""), ""),
        *_picture(rule),
        *("## Which contracts trigger it", ""),
    ]
    asking = {one: found for one, found in places.items() if found}
    if not asking:
        lines += ["It is tied to no keyword of a shipped contract.", ""]
    elif all(found == [""] for found in asking.values()) and len(asking) == len(places):
        lines += ["Every contract: this is checked whatever the contract says.", ""]
    else:
        rows = [[f"[{one}](../contracts/{one}.md)", _places(found)] for one, found in asking.items()]
        lines += [*table(["Contract", "Where it asks for it"], rows), ""]
    lines += ["## Where it is checked", "", f"`{rule.checked_by}`", "", *_broken_on_purpose(rule)]
    return page("contracts/rules.json", lines)


def _broken_on_purpose(rule: Rule) -> Iterator[str]:
    """How to make a file that breaks the rule, and the documented exceptions."""
    if not rule.breakable:
        return
    yield from ("## Broken on purpose", "", "```console")
    yield from (f"$ generate-npz break --rule {rule.code} sim.npz broken.npz", "```", "")
    if not rule.exceptions:
        yield from ("Any dataset of any shipped contract can be broken so, with no other error.", "")
        return
    yield from ("Any dataset of any shipped contract can be broken so, with no other error, except:", "")
    for one in rule.exceptions:
        among = ", ".join(f"[{name}](../contracts/{name}.md)" for name in one.contracts) or "any contract"
        yield f"- {among}: {prose(one.why, '')}"
    yield ""


def _picture(rule: Rule) -> tuple[str, ...]:
    """The picture that docs/draw_pictures.py makes for a rule, where there is one."""
    if not (Path(__file__).parent / "images" / f"{rule.code}.png").is_file():
        return ()
    return (f"![What it looks like: {plain(rule.title)}](../images/{rule.code}.png)", "")


def _places(found: list[str], most: int = 4) -> str:
    shown = ", ".join(f"`{place or '/'}`" for place in found[:most])
    return shown + (f" and {len(found) - most} more" if len(found) > most else "")
