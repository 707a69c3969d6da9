"""What to do about a finding: the command where one mends it, else the catalogue's words."""

from __future__ import annotations

import os
import shlex

from npzschema.contracts import Rule

from .findings import Deviation

_LOSSY = frozenset({"drop"})


def remedy(path: str, rule: Rule, deviation: Deviation) -> str:
    """One sentence; a command that can be copied where the step is lossless."""
    fix = deviation.fix
    if fix is None or fix["step"] in _LOSSY or not fix.get("lossless", True) or not path.endswith(".npz"):
        return rule.remedy
    folder, name = os.path.split(path)
    target = os.path.join(folder, name.removesuffix(".npz") + "_canonical.npz")
    return f"generate-npz convert {quote(path)} {quote(target)}"


def quote(path: str) -> str:
    """A path as a shell reads it; one that begins with a dash is no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
