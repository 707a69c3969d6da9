"""What to do about findings: one command where it mends them all, else the catalogue's words."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from npzschema.contracts import DEFAULT, Contract, rules

from .findings import Deviation, Finding

BY_NAME: Final = frozenset({"drop", "positions", "pairing", "centre", "detector", "normalise"})
"""Steps that are taken only when asked for by name: they lose something, or only the forward model speaks for them."""


def remedy_of(deviation: Deviation) -> str:
    """What people do about it."""
    rule = rules()[deviation.code]
    return rule.remedy_for.get(deviation.about) or rule.remedy


def with_commands(path: str, findings: Iterable[Finding], contract: Contract) -> list[Finding]:
    """The same findings; those that the tool can mend say how.

    A command is offered only where it mends every error of the file: where one is left, nothing is written.
    """
    told = list(findings)
    errors = [one for one in told if one.level == "error"]
    # A remedy of its own says that the step is not the right one here.
    left = sorted({one.code for one in errors if one.fix is None or _advised_otherwise(one)})
    needed = {name for one in errors for name in _by_name(one)}
    return [
        one
        if one.fix is None or _advised_otherwise(one)
        else replace(one, remedy=_mend(path, one, contract, left, needed))
        for one in told
    ]


def _advised_otherwise(finding: Finding) -> bool:
    return finding.remedy in rules()[finding.code].remedy_for.values()


def _by_name(finding: Finding) -> set[str]:
    """Steps that must be asked for by name: the finding's own, and those that show only once it is taken."""
    fix = finding.fix or {}
    step = fix.get("step")
    own = {str(step)} if step in BY_NAME or not fix.get("lossless", True) else set()
    return own | set(fix.get("then", ()))


def _mend(path: str, finding: Finding, contract: Contract, left: list[str], needed: set[str]) -> str:
    mend = rules()[finding.code].mend or finding.remedy
    if left:
        return f"First put {' and '.join(left)} right, which no command does; then {mend}"
    if not path.endswith(".npz"):
        return mend
    words = ["generate-npz convert"]
    words += [f"--allow {name}" for name in sorted(needed | _by_name(finding))]
    if contract.reference != DEFAULT:
        words.append(f"--contract {quote(contract.reference)}")
    folder, name = os.path.split(path)
    target = os.path.join(folder, f"{name.removesuffix('.npz')}_{contract.id.rpartition('/')[2]}.npz")
    return " ".join([*words, quote(path), quote(target)])


def quote(path: str) -> str:
    """A path as a shell reads it; one that begins with a dash is no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
