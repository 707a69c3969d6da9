"""Small pieces of wording that messages share. Nothing here escapes: that is the reporters' part."""

from __future__ import annotations

from collections.abc import Sequence


def shape(lengths: Sequence[int]) -> str:
    """``(48, 128, 128)``, ``(48,)``."""
    return "(" + ", ".join(map(str, lengths)) + ("," if len(lengths) == 1 else "") + ")"


def axes(dims: Sequence[int | str]) -> str:
    """``(N, H, W)``."""
    return "(" + ", ".join(map(str, dims)) + ")"


def plural(count: int, noun: str, more: str = "") -> str:
    """``1 frame``, ``2,000 frames``; or with an irregular plural."""
    return f"{count:,} {noun if count == 1 else more or f'{noun}s'}"


def share(count: int, total: int, noun: str, one: str = "is", more: str = "are") -> str:
    """``1 of 20 frames is``, ``2,000 of 9,000 values are``; or with another verb."""
    return f"{count:,} of {total:,} {noun}{'s' * (total != 1)} {one if count == 1 else more}"


def enumerate_words(words: Sequence[str], joint: str) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {joint} {words[-1]}" if words else ""


def indices(numbers: Sequence[int], limit: int = 8) -> str:
    """``3, 17, 40-45``: runs joined, cut after some."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    told = [str(low) if low == high else f"{low}-{high}" for low, high in runs[:limit]]
    return ", ".join(told) + (", ..." if len(runs) > limit else "")
