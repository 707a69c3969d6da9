"""JSON Lines: a line a file, each as ``$defs/file`` of contracts/report.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..findings import Report
from .json import file
from .style import Style


def render(reports: Sequence[Report], style: Style) -> str:
    return "".join(json.dumps(file(report, pictures=style.pictures), allow_nan=False) + "\n" for report in reports)
