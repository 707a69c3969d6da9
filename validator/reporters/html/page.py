"""What the template shows: reports regrouped, every finding tied to its pictures. Nothing here knows HTML."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from npzschema.contracts import Rule, rules

from ...findings import Finding, Report
from ...picture import Picture
from ...remedy import is_command
from ...words import axes, enumerate_words, indices, shape
from .budget import MOST_ARRAYS, MOST_FINDINGS, cut, quoted, shared_out, shown_findings
from .drawing import Drawing, drawn

MOST_FRAMES: Final = 40

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
    share = shared_out(reports)
    files = {at: _file(at + 1, reports[at], share.side, draw=at in share.pictured) for at in sorted(share.told)}
    entries = tuple(
        Entry(
            anchor=files[at].anchor if at in files else "",
            verdict=reports[at].verdict,
            path=cut(reports[at].path),
            counts=counts_words(reports[at].findings),
        )
        for at in sorted(share.listed)
    )
    return PageView(
        files=list(files.values()),
        contents=entries,
        only_listed=len(share.listed) - len(files),
        unlisted=len(reports) - len(share.listed),
    )


def _file(at: int, report: Report, side: int, *, draw: bool) -> FileView:
    anchor = f"file-{at}"
    pictures = report.pictures or ()
    shown = [picture for picture in pictures if picture.panels] if draw else []
    links = {picture.key: Link(anchor=f"{anchor}-{picture.key}", words=picture.title) for picture in shown}
    commands: dict[str, Link] = {}
    findings = tuple(
        _finding(f"{anchor}-finding-{number}", finding, shown, links, commands)
        for number, finding in enumerate(shown_findings(report), start=1)
    )
    views_of = tuple(_picture(picture, links[picture.key], findings, side) for picture in shown)
    folder, name = os.path.split(report.path)
    return FileView(
        anchor=anchor,
        report=report,
        folder=cut(folder + "/" if folder and folder != "/" else folder),
        name=cut(name or report.path),
        counts=counts_words(report.findings),
        findings=findings,
        # Those that show a finding come first; each half keeps its order.
        pictures=tuple(sorted(views_of, key=lambda view: not view.shows)),
        absent=tuple(picture for picture in pictures if not picture.panels),
        without=_without(report, draw=draw),
        arrays=tuple(_arrays(report)[:MOST_ARRAYS]),
        notes=tuple(map(cut, report.notes)),
        more=(max(0, len(report.findings) - MOST_FINDINGS), max(0, len(report.arrays) - MOST_ARRAYS)),
    )


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
    # Half a command is none.
    command = finding.remedy if is_command(finding) and finding.remedy == cut(finding.remedy) else ""
    # One command mends all that can be mended: it is written out once for a file.
    told = commands.get(command)
    if command and told is None:
        commands[command] = Link(anchor=anchor, words=finding.code)
    if finding.frames:
        n = len(finding.frames)
        frames = f"{indices(finding.frames, MOST_FRAMES)} ({n:,} frame{'s' * (n != 1)}, counted from 0)"
    return FindingView(
        anchor=anchor,
        finding=quoted(finding),
        rule=rules().get(finding.code),
        frames=frames,
        command=command,
        told=told,
        seen_in=tuple(links[picture.key] for picture in shown if picture.shows(finding.code, finding.array)),
    )


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
            Link(anchor=view.anchor, words=cut(f"{view.finding.code} {view.finding.array or ''}".strip()))
            for view in findings
            if link in view.seen_in
        ),
    )


def _arrays(report: Report) -> list[ArrayView]:
    rows = []
    unknown = {finding.array for finding in report.findings if finding.code == "KEY-003"}
    for facts in report.arrays.values():
        numbers = {
            name: f"{facts.statistics[name]:.4g}" if name in facts.statistics else ""
            for name in ("minimum", "maximum", "mean")
        }
        remarks = []
        if facts.reads_as and facts.reads_as != facts.name:
            remarks.append(f"read as {facts.reads_as}")
        elif facts.name in unknown:
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
                name=cut(facts.name),
                dtype=cut(facts.dtype),
                shape=shape(facts.shape),
                axes=axes(facts.axes) if facts.axes else "",
                remark="; ".join(remarks),
                **numbers,
            )
        )
    return rows
