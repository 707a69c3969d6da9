"""Break a dataset on purpose: for every rule of the catalogue, the smallest change that it must catch.

What the validator is tested with, and what a reader of a finding can look at. A data breaker changes arrays, a
container breaker changes the bytes of the archive. Files are written by numpy and zipfile, not by the project's
own writer, so that the two halves do not agree by accident.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from npzschema.contracts import Contract, load, rules
from npzschema.validator.engine import validate
from npzschema.validator.sidecar import check, sidecar_beside
from npzschema.validator.source import BytesSource

from .containers import CONTAINER, saved
from .errors import GeneratorError, NotApplicable
from .layout_breakers import LAYOUT
from .plain_breakers import first_shown
from .replace import refuse_existing, replacing_all
from .scan_dataset import Arrays, ScanDataset, expendable, names_of
from .source import load_arrays, refuse_same
from .value_breakers import VALUES

__all__ = ["CONTAINER", "DATA", "NotApplicable", "break_file", "broken"]

Array = np.ndarray[Any, Any]

DATA: Final[Mapping[str, Callable[[ScanDataset], Arrays]]] = {**LAYOUT, **VALUES}
"""Rules that are broken by other arrays."""


def break_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    rule: str,
    *,
    contract: str | Contract = "auto",
    force: bool = False,
) -> Path:
    """Write a copy of a dataset that breaks one rule.

    Args:
        source: a dataset that keeps its contract.
        target: the file to write; for META-003 a sidecar is written beside it.
        rule: code of the rule to break.
        contract: what the source keeps; ``auto`` as for the validator.
        force: replace an existing file.

    Raises:
        GeneratorError: the rule or the source cannot be broken so.
    """
    out = Path(target)
    refuse_existing(out, force=True)
    sidecar = sidecar_beside(out) if rule == "META-003" else None
    outputs = (out,) if sidecar is None else (out, sidecar)
    refuse_same(source, *outputs)
    for path in outputs:
        refuse_existing(path, force=force)
    report = validate(source, contract)
    if not report.ok or report.contract is None:
        found = "".join(f"{code}, " for code in sorted(report.codes)).rstrip(", ")
        raise GeneratorError(
            f"{os.fsdecode(source)}: is not valid as it is ({found}); only a valid dataset can be broken in one place"
        )
    wanted = contract if isinstance(contract, Contract) else load(report.contract if contract == "auto" else contract)
    arrays, stored = load_arrays(source)
    try:
        data = made_to_break(arrays, wanted, rule, stored=stored)
    except NotApplicable as error:
        raise NotApplicable(f"{os.fsdecode(source)}: {rule} cannot be broken here: {error}") from None
    if rule != "META-003":
        _check(data, contract, wanted, rule)
    if sidecar is None and any(check(str(out), BytesSource(data))):
        raise GeneratorError(
            f"{out}: {sidecar_beside(out).name} beside it is another file's sidecar; remove it, or name another output"
        )
    with replacing_all(*outputs, force=force) as (file, *beside):
        file.put(data)
        for part in beside:
            part.put(json.dumps({"sha256_checksum": "0" * 64}).encode() + b"\n")
    return out


def _check(data: bytes, mode: str | Contract, wanted: Contract, rule: str) -> None:
    """What is written must show its rule and no other error, read as the source was."""
    report = validate(data, mode, strict_archive=True)
    if report.contract is not None and report.contract != wanted.id:
        raise NotApplicable(
            f"broken by {rule}, the file no longer declares {wanted.id} and would be read as {report.contract}; "
            f"name --contract {wanted.id}"
        )
    if rule not in {one.code for one in report.findings} or not report.codes <= {rule}:
        told = ", ".join(sorted(report.codes)) or "nothing"
        raise NotApplicable(f"this file cannot break {rule} alone: {told} would be found")


def broken(arrays: Mapping[str, Array], contract: Contract, rule: str, *, deflated: bool = True) -> bytes:
    """An NPZ that breaks one rule, and no other at error level.

    Args:
        arrays: a conforming dataset; not changed.
        contract: what it keeps.
        rule: code of the rule to break.
        deflated: False stores the arrays without compression.

    Raises:
        GeneratorError: there is no such rule, or no breaker for it.
        NotApplicable: this dataset cannot break it.
    """
    data = made_to_break(arrays, contract, rule, deflated=deflated)
    if rule != "META-003":
        _check(data, contract, contract, rule)
    return data


def made_to_break(
    arrays: Mapping[str, Array],
    contract: Contract,
    rule: str,
    *,
    stored: Mapping[str, bytes] | None = None,
    deflated: bool = True,
) -> bytes:
    """The same, not yet checked.

    Args:
        arrays: a conforming dataset; not changed.
        contract: what it keeps.
        rule: code of the rule to break.
        stored: the bytes of members that are passed on as they are, unless the rule is about them.
        deflated: False stores the arrays without compression.
    """
    why = rules()[rule].exempt(contract.id) if rule in rules() else None
    if why is not None:
        raise NotApplicable(f"not in a dataset of {contract.id}: {why}")
    if rule in DATA:
        changed = _changed(dict(arrays), contract, rule)
        same = {name: npy for name, npy in (stored or {}).items() if changed.get(name) is arrays[name]}
        return saved(changed, stored=same, deflated=deflated)
    if rule in CONTAINER:
        spec = expendable(arrays, contract, contract.arrays.values())
        names = names_of(arrays, contract, spec) if spec is not None else ()
        whole = saved(arrays, stored=stored, deflated=deflated)
        return CONTAINER[rule](whole, tuple(f"{name}.npy" for name in names))
    if rule == "META-003":
        return saved(arrays, stored=stored, deflated=deflated)
    known = rule in rules()
    raise GeneratorError(
        f"rule {rule} is about the tool itself; no file breaks it"
        if known
        else f"no rule {rule!r}; validate-npz --list-rules lists them"
    )


def _changed(arrays: Arrays, contract: Contract, rule: str) -> Arrays:
    """The arrays that break a rule about data: what an array becomes, it becomes under its legacy name, too."""
    second = {
        str(entry.name): spec.name
        for spec in contract.arrays.values()
        if spec.name in arrays
        for entry in spec.legacy_names()
        if entry.name in arrays
    }
    own = {name: array for name, array in arrays.items() if name not in second}
    scan = contract.scan
    changed = DATA[rule](ScanDataset(own, contract, scan)) if scan else first_shown(own, contract, rule)
    return {name: changed[first] for name, first in second.items() if first in changed} | changed
