"""One file a format. A reporter turns reports into text; it reads no data and prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..findings import Report
from . import github, html, json, jsonl, junit, markdown, sarif, text
from .style import Style

Render = Callable[[Sequence[Report], Style], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reporter:
    """A format.

    Attributes:
        render: reports to text.
        pictures: whether it shows what a file looks like, so that pictures must be gathered while the file is read.
        appends: what goes, besides, to the end of the file that an environment variable names.
    """

    render: Render
    pictures: bool = False
    appends: Mapping[str, Render] = field(default_factory=dict)


REPORTERS: Final[Mapping[str, Reporter]] = {
    "text": Reporter(render=text.render),
    "json": Reporter(render=json.render),
    "html": Reporter(render=html.render, pictures=True),
    "jsonl": Reporter(render=jsonl.render),
    "sarif": Reporter(render=sarif.render),
    "junit": Reporter(render=junit.render),
    "github": Reporter(render=github.render, appends={"GITHUB_STEP_SUMMARY": github.summary}),
    "markdown": Reporter(render=markdown.render),
}

__all__ = ["REPORTERS", "Reporter", "Style"]
