"""What the template shows: reports regrouped, every finding tied to its pictures. Nothing here knows HTML."""

from __future__ import annotations

import html
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from npzschema.contracts import Rule, rules

from ...findings import LEVELS, Finding, Report
from ...picture import Image, Picture, Plot
from ...words import axes, enumerate_words, indices, shape
from .drawing import Drawing, drawn

SIDES: Final = (512, 192, 128, 96, 64, 48)
"""Pixels of the longer side of images, the first that fits the budget for all of them is taken."""

BUDGET: Final = 2_800_000
"""Bytes that a page may come to by the estimates below, which are on the large side: it stays below 3 MiB."""

COSTS: Final = {"entry": 250, "file": 4_000, "finding": 2_500, "array": 500, "panel": 3_500, "point": 30, "mark": 250}
"""Estimated bytes of each."""

GRAVEST_FIRST: Final = {"violations": 0, "unreadable": 1, "valid": 2}
"""Which files keep their words, where there are very many."""

MOST_FILES: Final = 2_000
MOST_FRAMES: Final = 40
MOST_FINDINGS: Final = 200
MOST_ARRAYS: Final = 200
MOST_CHARACTERS: Final = 1_000
"""Of a name or a message: a hostile file may hold names as long as books."""

PLAIN: Final = ("line", "bars")
"""What the axes of a plot name already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A place in the page, and the words for it."""

    anchor: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingView:
    """A finding, with what the catalogue says of its rule. ``told``: where the same command stands already."""

    anchor: str
    finding: Finding
    rule: Rule | None
    frames: str
    command: str
    told: Link | None
    seen_in: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureView:
    """A picture, drawn, with the findings that it shows.

    ``legend``: kind and label of what is drawn in its panels; ``scale``: the first panel, where all have its scale.
    """

    anchor: str
    picture: Picture
    drawings: tuple[Drawing, ...]
    legend: tuple[tuple[str, str], ...]
    scale: Drawing | None
    shows: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayView:
    """A row of the table of arrays."""

    name: str
    dtype: str
    shape: str
    axes: str
    minimum: str
    maximum: str
    mean: str
    remark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileView:
    """One report. ``without``: why there are no pictures at all; ``more``: findings and arrays that are left out."""

    anchor: str
    report: Report
    folder: str
    name: str
    counts: str
    findings: tuple[FindingView, ...]
    pictures: tuple[PictureView, ...]
    absent: tuple[Picture, ...]
    without: str
    arrays: tuple[ArrayView, ...]
    notes: tuple[str, ...]
    more: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line in the list of files. ``anchor``: where the file is told, empty where it is told nowhere else."""

    anchor: str
    verdict: str
    path: str
    counts: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PageView:
    """All that a page shows. ``only_listed``, ``unlisted``: how many files are named and no more, or not even named."""

    files: list[FileView]
    contents: tuple[Entry, ...]
    only_listed: int
    unlisted: int


def view_of(reports: Sequence[Report]) -> PageView:
    """All reports. Where there are very many, images are shrunk, then left out, then words: the page stays small."""
    gravest = sorted(range(len(reports)), key=lambda at: GRAVEST_FIRST[reports[at].verdict])[:MOST_FILES]
    listed = {at: reports[at] for at in sorted(gravest)}
    left = BUDGET - sum(COSTS["entry"] + len(html.escape(_cut(report.path)).encode()) for report in listed.values())
    told: dict[int, Report] = {}
    for at in gravest:
        left -= _words_cost(reports[at])
        if told and left < 0:
            left += _words_cost(reports[at])
            break
        told[at] = reports[at]
    side, drawing = _fitting(told, left)
    files = {at: _file(at + 1, reports[at], side, draw=at in drawing) for at in sorted(told)}
    entries = tuple(
        Entry(
            anchor=files[at].anchor if at in files else "",
            verdict=report.verdict,
            path=_cut(report.path),
            counts=counts_words(report.findings),
        )
        for at, report in listed.items()
    )
    return PageView(
        files=list(files.values()),
        contents=entries,
        only_listed=len(listed) - len(files),
        unlisted=len(reports) - len(listed),
    )


def _fitting(reports: Mapping[int, Report], left: int) -> tuple[int, frozenset[int]]:
    """Side of the images, and which reports keep their pictures: those with the gravest findings first."""
    for side in SIDES:
        if sum(_pictures_cost(report, side) for report in reports.values()) <= left:
            return side, frozenset(reports)
    kept = set()
    order = {"violations": 0, "valid": 1, "unreadable": 2}
    for at in sorted(reports, key=lambda at: (order[reports[at].verdict], at)):
        left -= _pictures_cost(reports[at], SIDES[-1])
        if left < 0:
            break
        kept.add(at)
    return SIDES[-1], frozenset(kept)


def _words_cost(report: Report) -> int:
    findings, arrays = min(len(report.findings), MOST_FINDINGS), min(len(report.arrays), MOST_ARRAYS)
    return COSTS["file"] + COSTS["finding"] * findings + COSTS["array"] * arrays


def _pictures_cost(report: Report, side: int) -> int:
    panels = [panel for picture in report.pictures or () for panel in picture.panels]
    return sum(COSTS["panel"] + _image_cost(panel, side) + _series_cost(panel) for panel in panels)


def _image_cost(panel: Image | Plot, side: int) -> int:
    """A PNG of noise is as large as its pixels; base64 makes four bytes of three."""
    if isinstance(panel, Plot):
        return 0
    rows, columns = panel.levels.shape
    step = max(1, -(-max(rows, columns, 1) // side))
    return (1_000 + -(-rows // step) * -(-columns // step)) * 4 // 3


def _series_cost(panel: Image | Plot) -> int:
    drawn_over = panel.over if isinstance(panel, Image) else panel.series
    return sum(COSTS["mark" if one.kind == "marks" else "point"] * one.x.shape[0] for one in drawn_over)


def _file(at: int, report: Report, side: int, *, draw: bool) -> FileView:
    anchor = f"file-{at}"
    pictures = report.pictures or ()
    shown = [picture for picture in pictures if picture.panels] if draw else []
    links = {picture.key: Link(anchor=f"{anchor}-{picture.key}", words=picture.title) for picture in shown}
    commands: dict[str, Link] = {}
    findings = tuple(
        _finding(f"{anchor}-finding-{number}", finding, shown, links, commands)
        for number, finding in enumerate(_ordered(report.findings)[:MOST_FINDINGS], start=1)
    )
    views_of = tuple(_picture(picture, links[picture.key], findings, side) for picture in shown)
    folder, name = os.path.split(report.path)
    return FileView(
        anchor=anchor,
        report=report,
        folder=folder + "/" if folder and folder != "/" else folder,
        name=name or report.path,
        counts=counts_words(report.findings),
        findings=findings,
        # Those that show a finding come first; each half keeps its order.
        pictures=tuple(sorted(views_of, key=lambda view: not view.shows)),
        absent=tuple(picture for picture in pictures if not picture.panels),
        without=_without(report, draw=draw),
        arrays=tuple(_arrays(report)[:MOST_ARRAYS]),
        notes=tuple(map(_cut, report.notes)),
        more=(max(0, len(report.findings) - MOST_FINDINGS), max(0, len(report.arrays) - MOST_ARRAYS)),
    )


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -LEVELS.index(finding.level))


def _without(report: Report, *, draw: bool) -> str:
    if report.pictures is None:
        return (
            "This report was made without pictures. To have them, check the file again with --format html, or with "
            "--pictures where the report is saved as JSON to be rendered later."
        )
    if not draw:
        return "Left out, so that the page stays small: it holds very many files. Check this file on its own to see it."
    if report.pictures:
        return ""
    if report.verdict == "unreadable":
        return "There is nothing to look at: the file could not be read."
    if report.headers_only:
        return "There is nothing to look at: only headers were read. Check the file without --headers-only."
    return "There is nothing to look at: no values were read, or the contract describes no scan."


def counts_words(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning and 3 notes, 1 of them known``."""
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.level] += 1
        counts["known"] += finding.known is not None
    names = (("error", "error"), ("warning", "warning"), ("info", "note"))
    told = [f"{counts[level]:,} {name}{'s' * (counts[level] != 1)}" for level, name in names if counts.get(level)]
    known = f", {counts['known']:,} of them known" if counts["known"] else ""
    return (enumerate_words(told, "and") or "no findings") + known


def _finding(
    anchor: str,
    finding: Finding,
    shown: Sequence[Picture],
    links: Mapping[str, Link],
    commands: dict[str, Link],
) -> FindingView:
    frames = ""
    command = finding.remedy if finding.remedy.startswith("generate-npz ") and finding.fix else ""
    # One command mends all that can be mended: it is written out once for a file.
    told = commands.get(command)
    if command and told is None:
        commands[command] = Link(anchor=anchor, words=finding.code)
    if finding.frames:
        n = len(finding.frames)
        frames = f"{indices(finding.frames, MOST_FRAMES)} ({n:,} frame{'s' * (n != 1)}, counted from 0)"
    return FindingView(
        anchor=anchor,
        finding=_short(finding),
        rule=rules().get(finding.code),
        frames=frames,
        command=command,
        told=told,
        seen_in=tuple(links[picture.key] for picture in shown if picture.shows(finding.code, finding.array)),
    )


def _short(finding: Finding) -> Finding:
    return replace(
        finding,
        message=_cut(finding.message),
        expected=_cut(finding.expected),
        found=_cut(finding.found),
        evidence=_cut(finding.evidence),
        known=None if finding.known is None else _cut(finding.known),
        pointer=_cut(finding.pointer),
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _picture(picture: Picture, link: Link, findings: Sequence[FindingView], side: int) -> PictureView:
    drawings = tuple(drawn(panel, side, compared=picture.columns > 0) for panel in picture.panels)
    shapes = [one for drawing in drawings for one in drawing.shapes if one.kind not in PLAIN]
    labels = {
        kind: dict.fromkeys(one.label for one in shapes if one.kind == kind) for kind in {one.kind for one in shapes}
    }
    legend = dict.fromkeys((one.kind, ", ".join(labels[one.kind])) for one in shapes)
    scales = {(one.scale, one.low, one.high, one.unit) for one in drawings}
    return PictureView(
        anchor=link.anchor,
        picture=picture,
        drawings=drawings,
        legend=tuple(legend),
        scale=drawings[0] if len(scales) == 1 and len(drawings) > 1 and drawings[0].href else None,
        shows=tuple(
            Link(anchor=view.anchor, words=_cut(f"{view.finding.code} {view.finding.array or ''}".strip()))
            for view in findings
            if link in view.seen_in
        ),
    )


def _arrays(report: Report) -> list[ArrayView]:
    rows = []
    for facts in report.arrays.values():
        numbers = {
            name: f"{facts.statistics[name]:.4g}" if name in facts.statistics else ""
            for name in ("minimum", "maximum", "mean")
        }
        remarks = []
        if facts.reads_as and facts.reads_as != facts.name:
            remarks.append(f"read as {facts.reads_as}")
        elif facts.reads_as is None:
            remarks.append("not in the contract")
        if facts.quantity:
            remarks.append(f"holds {'counts' if facts.quantity == 'intensity' else 'amplitudes'}")
        if facts.order == "F":
            remarks.append("Fortran order")
        if facts.statistics.get("constant"):
            remarks.append("constant")
        if nonfinite := facts.statistics.get("nonfinite"):
            remarks.append(f"{nonfinite:,} not finite")
        rows.append(
            ArrayView(
                name=_cut(facts.name),
                dtype=facts.dtype,
                shape=shape(facts.shape),
                axes=axes(facts.axes) if facts.axes else "",
                remark="; ".join(remarks),
                **numbers,
            )
        )
    return rows
