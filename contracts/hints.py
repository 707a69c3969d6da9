"""What may have been meant where a name is not known."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, known: Iterable[str]) -> str:
    """A hint where something known is spelt alike."""
    import difflib  # only where something is misspelt

    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
