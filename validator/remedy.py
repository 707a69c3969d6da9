"""What to do about a finding: the command where one mends it, else the catalogue's words."""

from __future__ import annotations

import os
import shlex
from typing import Final

from npzschema.contracts import DEFAULT, Contract, Rule

from .findings import Deviation

BY_NAME: Final = frozenset({"drop", "positions", "pairing", "centre", "detector"})
"""Steps that are taken only when asked for by name: they lose something, or only the forward model speaks for them."""


def remedy(path: str, rule: Rule, deviation: Deviation, contract: Contract | None) -> str:
    """One sentence, or a command that can be copied."""
    fix = deviation.fix
    if fix is None or contract is None or not path.endswith(".npz"):
        return rule.remedy
    named = fix["step"] if fix["step"] in BY_NAME else "cast" if not fix.get("lossless", True) else None
    words = ["generate-npz convert"]
    if named:
        words.append(f"--allow {named}")
    if contract.reference != DEFAULT:
        words.append(f"--contract {quote(contract.reference)}")
    folder, name = os.path.split(path)
    target = os.path.join(folder, f"{name.removesuffix('.npz')}_{contract.id.rpartition('/')[2]}.npz")
    return " ".join([*words, quote(path), quote(target)])


def quote(path: str) -> str:
    """A path as a shell reads it; one that begins with a dash is no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
