"""The guard in front of training code: arrays of a file that keeps its contract, or an error that says what to do."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from npzschema import contracts
from npzschema.contracts import Contract
from npzschema.contracts.steps import LOSSY
from npzschema.validator.archive import Limits
from npzschema.validator.escape import escape
from npzschema.validator.findings import Finding, Report, ValidationError
from npzschema.validator.named_axes import orders_of
from npzschema.validator.remedy import is_command

from .errors import GeneratorError
from .loaded import Loaded, streams_of
from .plan import Plan, Step, step_of
from .rounds import Round, planned
from .source import Axes, Examined, examined


def load(
    path: str | os.PathLike[str],
    contract: str | Path | Contract = "auto",
    *,
    mend: bool = False,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    headers_only: bool = False,
    mmap: bool = True,
    limits: Limits | None = None,
) -> Loaded:
    """Open a dataset only if it keeps its contract: what training code calls in place of ``numpy.load``.

    The file is validated in one pass, in bounded memory. Arrays are then read when they are asked for: those that are
    stored without compression, and need no change of their items, come as read-only ``numpy.memmap``; all others are
    read into memory through the checking reader. Nothing is unpickled, and the file is never changed.

    Args:
        path: the file.
        contract: id of a shipped contract, path of a contract file, a loaded contract, or ``auto``: the one that the
            file declares, else ``ptychopinn/canonical``.
        mend: bring the arrays into the contract's form in memory, by the steps of ``generate-npz convert``: names,
            axes, dtypes, amplitudes in place of counts, byte order. What comes out is validated too. Without it
            the arrays are those that ``numpy.load`` gives.
        allow: steps of mending that are taken only by name, such as ``normalise``.
        axes: axes of arrays whose order the caller knows, such as ``{"diffraction": ("H", "W", "N")}``.
        headers_only: trust the values: check names, shapes and dtypes alone. The report says so. Checksums are then
            compared only where an array is read into memory.
        mmap: False reads stored arrays into memory, too.
        limits: what to refuse as a bomb.

    Returns:
        a mapping of names to arrays, with ``report``, ``contract``, ``sizes`` and ``steps``.

    Raises:
        ValidationError: the file does not keep the contract, or the order of its axes cannot be told. The text has
            one line a finding, each with what to do; ``report`` has the rest.
        GeneratorError: ``allow`` or ``axes`` name what there is not, or the file changes meanwhile.
        ContractError: the contract is refused.
        ThreadsError: as for :func:`npzschema.validate`.
    """
    wanted = contract if isinstance(contract, Contract) else None if contract == "auto" else contracts.load(contract)
    if allow and not mend:
        raise GeneratorError("allow names steps of mending; it needs mend=True")

    def look(*, by_headers: bool) -> Examined:
        return examined(path, wanted, allow=allow, axes=axes, headers_only=by_headers, limits=limits)

    if mend and not headers_only and not allow:
        # Most files can be mended by what their headers say; what comes out is validated in any case. Steps that are
        # taken by name follow from values.
        one = look(by_headers=True)
        if one.report.verdict != "unreadable" and one.headers_suffice:
            loaded = _mended(one, mmap=mmap, guarded=True)
            if _keeps(loaded.report):
                return loaded
    one = look(by_headers=headers_only)
    if one.report.verdict == "unreadable" or (one.plan.obstacles if mend else not _keeps(one.report)):
        raise ValidationError(one.report, _refusal(one, mend=mend))
    if mend:
        loaded = _mended(one, allow=allow, mmap=mmap, guarded=headers_only, headers_only=headers_only)
        if not _keeps(loaded.report):
            left = replace(one, report=loaded.report, plan=Plan(steps=(), obstacles=()))
            raise ValidationError(loaded.report, _refusal(left, mend=True))
        return loaded
    with one.opened() as (dataset, _, _):
        streams, steps = streams_of(one.contract, dataset, ())
    return Loaded(one, one.report, tuple(streams), steps, rounds=(), guarded=False, mapped=mmap)


def _keeps(report: Report) -> bool:
    """No error, and no array whose axes nobody can tell: that is a warning, but a guard must not guess."""
    return report.ok and all(finding.code != "FORMAT-002" for finding in report.findings)


def _mended(
    one: Examined, *, mmap: bool, guarded: bool, allow: Collection[str] = (), headers_only: bool = False
) -> Loaded:
    """The dataset as it is when mended, with what the validator says of that."""
    with one.opened() as (dataset, _, source):
        first = Round(plan=one.plan, axes=one.read_axes)
        rounds, report = planned(
            dataset, one.contract, first, name=one.name, allow=allow, headers_only=headers_only, guarded=guarded
        )
        streams, steps = streams_of(one.contract, dataset, rounds, guarded=guarded)
        one.check_unchanged(source)
    report = replace(report, contract_reason=one.report.contract_reason)
    return Loaded(one, report, tuple(streams), steps, rounds=rounds, guarded=guarded, mapped=mmap)


def _refusal(one: Examined, *, mend: bool) -> str:
    """Why nothing was loaded: a line for each finding that stands in the way, with what to do about it."""
    report, contract = one.report, one.contract
    unreadable = report.verdict == "unreadable"
    what = "cannot be read" if unreadable else f"does not keep {contract.id} {contract.version}"
    lines = [f"{report.path}: {what}; nothing was loaded"]
    planned = {(step.array, step.step) for step in one.plan.steps}
    steps = []
    for finding in report.findings:
        if finding.level != "error" and finding.code != "FORMAT-002":
            continue
        step = None if unreadable else step_of(finding)
        if mend and step is not None and (step.array, step.step) in planned:
            continue
        steps.append(step)
        lines.append(f"  {finding.code} {finding.message}; {_advice(one, finding, step, mend=mend)}")
    convert = next((one.remedy for one in report.findings if is_command(one)), None)
    if convert is not None and all(step is not None and step.lossless for step in steps):
        lines.append(f"or write a mended copy once: {convert}")
    return "\n".join(map(escape, lines))


def _advice(one: Examined, finding: Finding, step: Step | None, *, mend: bool) -> str:
    if finding.code == "FORMAT-002":
        spec = one.contract.arrays[str(finding.array)]
        orders = " or ".join(f"axes={{{spec.name!r}: {dims!r}}}" for dims in orders_of(one.contract, spec))
        values = "look at the values too (no headers_only), or " if one.report.headers_only else ""
        return f"{values}name them: {orders}"
    if step is None:
        return finding.remedy
    if step.lossless:
        return "mend=True mends it"
    return f"{'' if mend else 'mend=True with '}allow=[{step.step!r}] would {LOSSY[step.step]}"
