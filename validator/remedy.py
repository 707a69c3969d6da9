"""What to do about findings: one command where it mends them all, else the catalogue's words."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from npzschema.contracts import DEFAULT, Contract, rules
from npzschema.contracts.model import Dims
from npzschema.contracts.steps import BY_NAME

from .archive import Limits
from .findings import Deviation, Finding
from .words import enumerate_words


def remedy_of(deviation: Deviation) -> str:
    """What people do about it."""
    rule = rules()[deviation.code]
    return rule.remedy_for.get(deviation.about) or rule.remedy


def is_command(finding: Finding) -> bool:
    """Whether the remedy is a command that can be copied."""
    return finding.fix is not None and finding.remedy.startswith("generate-npz convert ")


def with_commands(
    path: str,
    findings: Iterable[Finding],
    contract: Contract,
    axes: Mapping[str, Dims] | None = None,
    limits: Limits | None = None,
) -> list[Finding]:
    """The same findings; those that the tool can mend say how.

    A command is offered only where it mends every error of the file: where one is left, nothing is written. It reads
    the file as this one was read: by the same ``axes`` and ``limits``.
    """
    told = list(findings)
    errors = [one for one in told if one.level == "error"]
    first = _first(told)
    needed = {name for one in errors for name in _by_name(one)}
    read = _read_as(axes or {}, limits or Limits())
    return [
        one
        if one.fix is None or _advised_otherwise(one)
        else replace(one, remedy=_mend(path, one, contract, first, needed, read))
        for one in told
    ]


def _first(findings: Sequence[Finding]) -> str:
    """What stands in the way of every mend, in words; nothing where one command does it all."""
    errors = [one for one in findings if one.level == "error"]
    # A remedy of its own says that the step is not the right one here.
    advised = sorted({one.code for one in errors if one.fix is not None and _advised_otherwise(one)})
    stuck = sorted({one.code for one in errors if one.fix is None})
    undecided = [one for one in findings if one.code == "FORMAT-002"]
    unread = any(_advised_otherwise(one) for one in undecided)
    unnamed = [] if unread else sorted({str(one.array) for one in undecided})
    told = [f"put {enumerate_words(stuck, 'and')} right, which no command does"] if stuck else []
    told += [f"do what is said of {enumerate_words(advised, 'and')}"] if advised else []
    told += ["check it without --headers-only, since the content may decide the axes"] if unread else []
    told += [f"name the axes of {enumerate_words(unnamed, 'and')} (--axes)"] if unnamed else []
    return enumerate_words(told, "and")


def _read_as(axes: Mapping[str, Dims], limits: Limits) -> list[str]:
    """The options by which a file is read as it was here."""
    named = [f"--axes {quote(name + '=' + ','.join(map(str, dims)))}" for name, dims in axes.items()]
    wide = [f"--max-expansion {limits.expansion:.12g}"] if limits.expansion != Limits().expansion else []
    return named + wide


def _advised_otherwise(finding: Finding) -> bool:
    return finding.remedy in rules()[finding.code].remedy_for.values()


def _by_name(finding: Finding) -> set[str]:
    """Steps that must be asked for by name: the finding's own, and those that show only once it is taken."""
    fix = finding.fix or {}
    step = fix.get("step")
    own = {str(step)} if step in BY_NAME or not fix.get("lossless", True) else set()
    return own | set(fix.get("then", ()))


def _mend(path: str, finding: Finding, contract: Contract, first: str, needed: set[str], read: Sequence[str]) -> str:
    mend = rules()[finding.code].mend or finding.remedy
    if first:
        return f"First {first}; then {mend}"
    if not path.endswith(".npz") or not contract.reference:
        # No command has the data, or a contract that was never a file.
        return mend
    words = ["generate-npz convert", *read]
    words += [f"--allow {name}" for name in sorted(needed | _by_name(finding))]
    if contract.reference != DEFAULT:
        words.append(f"--contract {quote(contract.reference)}")
    folder, name = os.path.split(path)
    target = os.path.join(folder, f"{name.removesuffix('.npz')}_{contract.id.rpartition('/')[2]}.npz")
    return " ".join([*words, quote(path), quote(target)])


def quote(path: str) -> str:
    """A path as a shell reads it; one that begins with a dash is no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
