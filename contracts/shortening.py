"""Text of others in messages of one line: no longer than it needs to be."""

from __future__ import annotations


def short(text: str, limit: int) -> str:
    """The text, or its beginning with an ellipsis; at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
