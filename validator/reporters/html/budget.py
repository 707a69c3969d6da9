"""How much of each report a page has room for, so that it stays below 3 MiB. Costs are estimates on the large side."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final

from ...escape import escape
from ...findings import LEVELS, Finding, Report
from ...picture import Image, Plot

SIDES: Final = (512, 192, 128, 96, 64, 48)
"""Pixels of the longer side of images, the first that fits the budget for all of them is taken."""

BUDGET: Final = 2_800_000
"""Bytes that a page may come to by the costs below."""

COSTS: Final = {"entry": 250, "file": 4_000, "finding": 1_800, "array": 500, "panel": 3_500, "point": 30, "mark": 250}
"""Estimated bytes of each, besides text of others."""

TOLD_FIRST: Final = {"violations": 0, "unreadable": 1, "valid": 2}
"""Which files keep their words, where there are very many."""

PICTURED_FIRST: Final = {"violations": 0, "valid": 1, "unreadable": 2}
"""Which of these keep their pictures."""

MOST_FILES: Final = 2_000
MOST_FINDINGS: Final = 200
MOST_ARRAYS: Final = 200
MOST_BYTES: Final = 1_000
"""Of a name or a message, as the page holds it: a hostile file may hold names as long as books."""

_TEXTS: Final = ("message", "expected", "found", "evidence", "pointer", "remedy")
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Which reports, by their index, are listed, told and shown in pictures; ``side``: pixels of the images."""

    listed: frozenset[int]
    told: frozenset[int]
    pictured: frozenset[int]
    side: int


def shared_out(reports: Sequence[Report]) -> Share:
    """What there is room for: the gravest are listed and told first."""
    gravest = sorted(range(len(reports)), key=lambda at: TOLD_FIRST[reports[at].verdict])[:MOST_FILES]
    left = BUDGET - sum(COSTS["entry"] + _size(cut(reports[at].path)) for at in gravest)
    told: dict[int, Report] = {}
    for at in gravest:
        cost = _words_cost(reports[at])
        if told and cost > left:
            break
        told[at] = reports[at]
        left -= cost
    side, pictured = _fitting(told, left)
    return Share(listed=frozenset(gravest), told=frozenset(told), pictured=pictured, side=side)


def cut(text: str) -> str:
    """Text of others, as long as a page may quote it."""
    if len(text) <= MOST_BYTES and _size(text) <= MOST_BYTES:
        return text
    ends = accumulate(map(_size, text[:MOST_BYTES]))
    fitting = sum(1 for end in ends if end <= MOST_BYTES - _size(_CUT))
    return text[:fitting] + _CUT


def shown_findings(report: Report) -> list[Finding]:
    """The findings that a page has room for: the gravest."""
    return sorted(report.findings, key=lambda finding: -LEVELS.index(finding.level))[:MOST_FINDINGS]


def quoted(finding: Finding) -> Finding:
    """The finding with its texts cut."""
    texts: dict[str, Any] = {name: cut(getattr(finding, name)) for name in _TEXTS}
    return replace(finding, **texts, known=None if finding.known is None else cut(finding.known))


def _size(text: str) -> int:
    """Bytes of text of others, as the page holds it."""
    return len(html.escape(escape(text)).encode())


def _fitting(reports: Mapping[int, Report], left: int) -> tuple[int, frozenset[int]]:
    """Side of the images, and which reports keep their pictures: those with the gravest findings first."""
    for side in SIDES:
        if sum(_pictures_cost(report, side) for report in reports.values()) <= left:
            return side, frozenset(reports)
    kept = set()
    for at in sorted(reports, key=lambda at: (PICTURED_FIRST[reports[at].verdict], at)):
        left -= _pictures_cost(reports[at], SIDES[-1])
        if left < 0:
            break
        kept.add(at)
    return SIDES[-1], frozenset(kept)


def _words_cost(report: Report) -> int:
    texts = [text for finding in map(quoted, shown_findings(report)) for text in _texts(finding)]
    arrays = list(report.arrays)[:MOST_ARRAYS]
    return (
        COSTS["file"]
        + COSTS["finding"] * min(len(report.findings), MOST_FINDINGS)
        + COSTS["array"] * len(arrays)
        + sum(_size(text) for text in (*texts, *map(cut, arrays)))
    )


def _texts(finding: Finding) -> list[str]:
    return [*(getattr(finding, name) for name in _TEXTS), finding.known or ""]


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
