"""Names of members: what numpy calls them, and which are unsafe."""

from __future__ import annotations

from typing import Final

_BIDI: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def unsafe_name(name: str) -> str | None:
    """Why a member name is unsafe to extract or to print, or None."""
    if not name:
        return "is empty"
    if not name.isprintable():
        return _unseen(name)
    if name.startswith(("/", "\\")) or (name[1:2] == ":" and name[:1].isalpha()):
        return "is an absolute path"
    if ".." in name.replace("\\", "/").split("/"):
        return "leads out of the folder"
    return None


def _unseen(name: str) -> str:
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in name):
        return "holds control characters"
    if _BIDI & set(name):
        return "holds marks that change the direction of text"
    if any("\ud800" <= char <= "\udfff" for char in name):
        return "is no valid text"
    return "holds characters that cannot be seen"


def array_name(member: str) -> str:
    """The key under which numpy knows a member."""
    return member.removesuffix(".npy")
