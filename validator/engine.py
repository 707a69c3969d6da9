"""open, describe, bind, fold, check, report: one file through the whole flow, in one direction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from npzschema.contracts import DEFAULT, Contract, load, rules, shipped
from npzschema.contracts.model import Dims

from . import sidecar
from .archive import Limits, open_archive
from .binding import Binding, bind
from .case import Case, MetadataText
from .check import check, keeps
from .choice import Choice, choose
from .dataset import ArchiveDataset, ArrayHeader, Dataset, MappingDataset
from .evidence import Evidence, forward_words
from .faults import Fault
from .findings import LEVELS, Deviation, Finding, Report, verdict_of
from .folds import Facts
from .memory import keep_freed
from .named_axes import check_axes
from .one_pass import one_pass
from .remedy import with_commands
from .report import array_facts, fault_finding, finding_of, internal, unreadable
from .scan_table import MAX_ROWS
from .source import ByteSource, BytesSource, FileSource
from .threads import ThreadsError
from .words import shape

if TYPE_CHECKING:
    from .picture import Picture

IN_MEMORY: Final = "arrays in memory"


def validate(
    target: str | os.PathLike[str] | bytes | ByteSource | Mapping[str, Any],
    contract: str | Path | Contract = "auto",
    headers_only: bool = False,
    *,
    axes: Mapping[str, Sequence[str | int]] | None = None,
    strict_archive: bool = False,
    limits: Limits | None = None,
    pictures: bool = False,
    own_contracts: Sequence[Contract] = (),
) -> Report:
    """Check a dataset against a contract.

    Args:
        target: path of an NPZ file, its bytes, a byte source, or a mapping of names to arrays.
        contract: id of a shipped contract, path of a contract file, a loaded contract, or ``auto``: the one that
            the file declares, else ``ptychopinn/canonical``.
        headers_only: stop before any value is read.
        axes: the axes of arrays whose order the caller knows, such as ``{"diffraction": ("H", "W", "N")}``.
        strict_archive: also read the members that no contract asks for, to their checksums, and all of them by zlib,
            as numpy does.
        limits: what to refuse as a bomb.
        pictures: also gather what the file looks like; parts of it may be read twice.
        own_contracts: contracts of the caller's own, beside those that ship with the tool: ``auto`` finds the one that
            a file declares among them, too, and the report says which of them the file keeps.

    Returns:
        A frozen report. What is wrong with the file is in it, never raised.

    Raises:
        ContractError: the contract is refused.
        TypeError: ``target`` or another argument is none of these, or a mapping has a name that is no text.
        ValueError: a value of a mapping cannot be made an array, or is masked; ``axes`` names no array or order of the
            contract; or two of ``own_contracts`` have one id, or one has that of a shipped contract.
        ThreadsError: the system allows no more threads than the libraries need that tell which rows fail.
    """
    _check_arguments(contract, axes, limits, own_contracts)
    chosen = contract if isinstance(contract, Contract) or contract == "auto" else load(contract)
    if axes:
        check_axes([*own_contracts, *map(load, shipped())] if isinstance(chosen, str) else [chosen], axes)
    options = _Options(
        contract=None if isinstance(chosen, str) else chosen,
        headers_only=headers_only,
        axes={name: tuple(dims) for name, dims in (axes or {}).items()},
        strict_archive=strict_archive,
        pictures=pictures,
        own=tuple(own_contracts),
        limits=limits,
    )
    if isinstance(target, Mapping):
        return _Run(MappingDataset(target), IN_MEMORY, options).report()
    if isinstance(target, str | os.PathLike):
        path = os.fsdecode(target)
        try:
            with FileSource(path) as source:
                return _read(source, path, options)
        except Fault as fault:
            return unreadable(path, options.contract, fault, pictures=pictures)
    if isinstance(target, bytes):
        target = BytesSource(target)
    if not hasattr(target, "read") or not hasattr(target, "size"):
        raise TypeError(
            f"validate() takes a path, bytes, a byte source or a mapping of arrays, not {type(target).__name__}"
        )
    try:
        return _read(target, "bytes in memory", options)
    except Fault as fault:
        return unreadable("bytes in memory", options.contract, fault, pictures=pictures)


def _check_arguments(contract: object, axes: object, limits: object, own: Sequence[Contract]) -> None:
    for name, value, kinds, words in (
        ("contract", contract, (str, Path, Contract), "an id, a path or a contract"),
        ("axes", axes, (Mapping, NoneType), "a mapping of names to axes"),
        ("limits", limits, (Limits, NoneType), "Limits"),
        *(("own_contracts", one, (Contract,), "contracts") for one in own),
    ):
        if not isinstance(value, kinds):
            raise TypeError(f"{name} takes {words}, not {type(value).__name__}")
    seen = set(shipped())
    for one in own:
        if one.id in seen:
            raise ValueError(f"own_contracts: another contract has the id {one.id!r}")
        seen.add(one.id)


def validate_dataset(
    dataset: Dataset,
    path: str,
    contract: Contract,
    *,
    headers_only: bool = False,
    axes: Mapping[str, Sequence[str | int]] | None = None,
    recognise: bool = True,
) -> Report:
    """The same check of arrays that come from anywhere; ``path`` is what the report calls them.

    Without ``recognise`` no other contract is tried, which takes about half the time.
    """
    options = _Options(
        contract=contract,
        headers_only=headers_only,
        axes={name: tuple(dims) for name, dims in (axes or {}).items()},
        strict_archive=False,
        pictures=False,
        recognise=recognise,
    )
    return _Run(dataset, path, options).report()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    contract: Contract | None
    headers_only: bool
    axes: Mapping[str, Dims]
    strict_archive: bool
    pictures: bool
    recognise: bool = True
    own: tuple[Contract, ...] = ()
    limits: Limits | None = None


def _read(source: ByteSource, path: str, options: _Options) -> Report:
    dataset = ArchiveDataset(open_archive(source, options.limits, exact=options.strict_archive))
    run = _Run(dataset, path, options)
    if isinstance(source, FileSource) and not options.headers_only:
        other = list(sidecar.check(path, source))
        run.tell(other or sidecar.contents(path, dataset.headers))
    report = run.report()
    if isinstance(source, FileSource) and source.changed:
        raise Fault("FILE-002", "was changed while it was being read; check it again once it is written")
    return report


class _Run:
    """One file on its way through the flow."""

    def __init__(self, dataset: Dataset, path: str, options: _Options) -> None:
        self._dataset, self._path, self._options = dataset, path, options
        self._findings: list[Finding] = [fault_finding(fault) for fault in dataset.faults]
        self._notes: list[str] = []
        self._texts: dict[str, MetadataText] = {}
        self._damaged: set[str] = set()
        self._choice = self._chosen(options.contract)

    def tell(self, deviations: Iterable[Deviation]) -> None:
        """Add what was found outside the flow."""
        self._findings += [finding_of(deviation) for deviation in deviations]

    def report(self) -> Report:
        # Data of any kind may overflow or hold signalling NaNs: that is for the rules to say.
        with np.errstate(all="ignore"):
            try:
                return self._report()
            except (Fault, MemoryError, ThreadsError):
                raise
            except Exception as error:  # noqa: BLE001 - a check that crashes is not a pass, nor the end of all others
                return internal(self._path, f"the check failed: {type(error).__name__}: {error}")

    def _report(self) -> Report:
        contract = self._choice.contract
        self._tell_members(contract)
        # Whoever lacks a required name keeps no contract: most need no solving.
        others = [
            one
            for one in ((*map(load, shipped()), *self._options.own) if self._options.recognise else ())
            if one.id != contract.id and _has_required(one, self._dataset.headers)
        ]
        bindings = {one.id: bind(one, self._dataset.headers, self._options.axes) for one in (contract, *others)}
        by_header = {one.id: one for one in others if keeps(self._case(one, bindings[one.id], {}))}
        folded = (contract, *by_header.values())
        facts = {} if self._options.headers_only else self._fold(folded, bindings)
        evidence = Evidence(facts)
        for one in folded:
            bindings[one.id] = evidence.decided(self._case(one, bindings[one.id], facts))
        own = self._tested(contract, bindings[contract.id], facts, evidence)
        # What is wrong beside the rules is wrong under every contract.
        beside = any(finding.level == "error" for finding in self._findings)
        self._findings += check(own)
        damaged = any(rules()[finding.code].unreadable for finding in self._findings)
        if damaged:
            # Of a damaged file the checksum differs, too; it need not be another one.
            self._findings = [finding for finding in self._findings if finding.code != "META-003"]
        self._findings = with_commands(self._path, self._findings, contract, self._options.axes, self._options.limits)
        self._notes += [
            f"{name}: {one.evidence}" for name, one in own.binding.readings.items() if one.evidence and one.decided
        ]
        positions = own.binding.sizes.get(contract.scan.dimension, 0) if contract.scan else 0
        if facts and positions > MAX_ROWS:
            self._notes.append(f"scan table not checked row by row: {positions:,} positions, more than {MAX_ROWS:,}")
        if own.forward is not None:
            self._notes.append(forward_words(own.forward))
        recognised: list[str] = []
        if not beside and not damaged:
            recognised += (
                one.id
                for one in by_header.values()
                if self._options.headers_only or keeps(self._tested(one, bindings[one.id], facts, evidence))
            )
        errors = any(finding.level == "error" for finding in self._findings)
        if not errors and contract.id in (*shipped(), *(one.id for one in self._options.own)):
            recognised.append(contract.id)
        return Report(
            path=self._path,
            verdict=verdict_of(tuple(self._findings)),
            contract=contract.id,
            contract_version=contract.version,
            contract_reason=self._choice.reason,
            recognised=tuple(sorted(recognised)),
            binding=dict(own.binding.sizes),
            arrays=array_facts(own),
            findings=tuple(sorted(self._findings, key=lambda finding: -LEVELS.index(finding.level))),
            headers_only=self._options.headers_only,
            notes=tuple(self._notes),
            pictures=self._pictures(own) if self._options.pictures else None,
        )

    def _fold(self, contracts: Sequence[Contract], bindings: Mapping[str, Binding]) -> dict[str, Facts]:
        keep_freed()
        strict = self._options.strict_archive
        # What was read to its end, or is damaged, needs no second look.
        read = {name for name, text in self._texts.items() if text.text is not None} | self._damaged
        facts, findings = one_pass(self._dataset, contracts, bindings, read=read, strict=strict)
        self._findings += findings
        return facts

    def _pictures(self, case: Case) -> tuple[Picture, ...]:
        from .pictures import gather

        return gather(case, self._dataset, tuple(self._findings))

    def _chosen(self, asked: Contract | None) -> Choice:
        if asked:
            return Choice(contract=asked, reason="it was asked for")
        default = load(DEFAULT)
        return choose(default, self._metadata(default.metadata.member if default.metadata else None), self._options.own)

    def _metadata(self, name: str | None) -> MetadataText | None:
        """The metadata member, read once; a damaged one is a finding."""
        if name is None or name not in self._dataset.headers:
            return None
        if name not in self._texts:
            pickled = self._dataset.headers[name].pickled
            try:
                self._texts[name] = MetadataText(text=self._dataset.text(name), pickled=pickled)
            except Fault as fault:
                self._findings.append(fault_finding(fault))
                self._texts[name] = MetadataText(text=None, pickled=pickled)
                self._damaged.add(name)
        return self._texts[name]

    def _tell_members(self, contract: Contract) -> None:
        """Members that cannot be read as arrays: fatal where the contract asks for them."""
        for name, fault in self._dataset.malformed.items():
            known = name in contract.known_names()
            idle = Fault("FILE-005", f"is no readable .npy array: {fault.what}", member=fault.member)
            told = [fault if known else idle]
            if (known and not self._options.headers_only) or self._options.strict_archive:
                try:
                    self._dataset.verify(name)
                except Fault as damage:
                    # A header that makes no sense, because its bytes were changed.
                    told = [damage] if known else [idle, damage]
            self._findings += map(fault_finding, told)
        metadata = contract.metadata.member if contract.metadata else None
        for name, header in self._dataset.headers.items():
            if header.pickled and name != metadata:
                what = f"is a pickled object array of shape {shape(header.shape)}; it is never unpickled"
                self._findings.append(finding_of(Deviation(code="FILE-006", array=name, message=what, found="object")))

    def _case(self, contract: Contract, binding: Binding, facts: Mapping[str, Facts]) -> Case:
        return Case(
            contract=contract,
            headers=self._dataset.headers,
            binding=binding,
            facts=facts,
            unreadable=frozenset((*self._dataset.malformed, *self._damaged)),
            metadata=self._metadata(contract.metadata.member if contract.metadata else None),
            own=self._options.own,
        )

    def _tested(self, contract: Contract, binding: Binding, facts: Mapping[str, Facts], evidence: Evidence) -> Case:
        """The case, with the verdict of the forward model."""
        case = self._case(contract, binding, facts)
        return replace(case, forward=evidence.test(case))


def _has_required(contract: Contract, headers: Mapping[str, ArrayHeader]) -> bool:
    return all(name in headers for name, spec in contract.arrays.items() if spec.required)
