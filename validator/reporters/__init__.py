"""One file a format. A reporter turns reports into text; it reads no data and prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..findings import Report
from . import html, json, text
from .style import Style

Reporter = Callable[[Sequence[Report], Style], str]

REPORTERS: Final[Mapping[str, Reporter]] = {"text": text.render, "json": json.render, "html": html.render}

__all__ = ["REPORTERS", "Reporter", "Style"]
