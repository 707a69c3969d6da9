"""open, describe, bind, fold, check, report: one file through the whole flow, in one direction."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from npzschema.contracts import DEFAULT, Contract, ContractError, load, pointer, rules, shipped
from npzschema.contracts.model import Dims
from npzschema.contracts.strict_json import parse

from . import sidecar
from .archive import Limits, open_archive
from .binding import Binding, bind, order_of, reading_of_member
from .case import Case, MetadataText
from .dataset import ArchiveDataset, ArrayHeader, Dataset, MappingDataset
from .declared import Declared, declared
from .evidence import Evidence, forward_words
from .faults import Fault
from .findings import LEVELS, ArrayFacts, Deviation, Finding, Report, verdict_of
from .folds import Facts, fold
from .named_axes import check_axes
from .picture import Picture
from .remedy import remedy_of, with_commands
from .rules import ARRAY_RULES, CASE_RULES
from .scan_table import MAX_ROWS, warm
from .source import ByteSource, BytesSource, FileSource
from .words import shape

WARMING: Final = 1 << 24
"""Bytes that take about as long to read as the scan table's libraries to import."""

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

    Returns:
        A frozen report. What is wrong with the file is in it, never raised.

    Raises:
        ContractError: the contract is refused.
        TypeError: ``target`` is none of these.
        ValueError: a value of a mapping cannot be made an array; or ``axes`` names no array or order of the contract.
    """
    chosen = contract if isinstance(contract, Contract) or contract == "auto" else load(contract)
    if axes:
        check_axes(map(load, shipped()) if isinstance(chosen, str) else [chosen], axes)
    options = _Options(
        contract=None if isinstance(chosen, str) else chosen,
        headers_only=headers_only,
        axes={name: tuple(dims) for name, dims in (axes or {}).items()},
        strict_archive=strict_archive,
        pictures=pictures,
    )
    if isinstance(target, Mapping):
        return _Run(MappingDataset(target), IN_MEMORY, options).report()
    if isinstance(target, str | os.PathLike):
        path = os.fsdecode(target)
        try:
            with FileSource(path) as source:
                return _read(source, path, options, limits)
        except Fault as fault:
            return _unreadable(path, options, fault)
    if isinstance(target, bytes):
        target = BytesSource(target)
    if not hasattr(target, "read") or not hasattr(target, "size"):
        raise TypeError(
            f"validate() takes a path, bytes, a byte source or a mapping of arrays, not {type(target).__name__}"
        )
    try:
        return _read(target, "bytes in memory", options, limits)
    except Fault as fault:
        return _unreadable("bytes in memory", options, fault)


def validate_dataset(
    dataset: Dataset,
    path: str,
    contract: Contract,
    *,
    headers_only: bool = False,
    axes: Mapping[str, Sequence[str | int]] | None = None,
) -> Report:
    """The same check of arrays that come from anywhere; ``path`` is what the report calls them."""
    named = {name: tuple(dims) for name, dims in (axes or {}).items()}
    options = _Options(contract=contract, headers_only=headers_only, axes=named, strict_archive=False, pictures=False)
    return _Run(dataset, path, options).report()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    contract: Contract | None
    headers_only: bool
    axes: Mapping[str, Dims]
    strict_archive: bool
    pictures: bool


def _read(source: ByteSource, path: str, options: _Options, limits: Limits | None) -> Report:
    dataset = ArchiveDataset(open_archive(source, limits, exact=options.strict_archive))
    run = _Run(dataset, path, options)
    if isinstance(source, FileSource) and not options.headers_only:
        other = list(sidecar.check(path, source))
        run.tell(other or sidecar.contents(path, dataset.headers))
    report = run.report()
    if isinstance(source, FileSource) and source.changed:
        raise Fault("FILE-002", "was changed while it was being read; check it again once it is written")
    return report


def _unreadable(path: str, options: _Options, fault: Fault) -> Report:
    contract = options.contract
    return Report(
        path=path,
        verdict="unreadable",
        contract=contract.id if contract else None,
        contract_version=contract.version if contract else None,
        findings=(_fault_finding(fault),),
        pictures=() if options.pictures else None,
    )


def internal(path: str, what: str) -> Report:
    """The report of a file whose check failed by itself: never a pass."""
    finding = _finding(Deviation(code="INTERNAL-001", message=what))
    return Report(path=path, verdict="unreadable", findings=(finding,))


def _fault_finding(fault: Fault) -> Finding:
    message = f"{fault.member}: {fault.what}" if fault.member is not None else fault.what
    deviation = Deviation(code=fault.code, message=message, expected=fault.expected, found=fault.found)
    return _finding(deviation)


def _finding(deviation: Deviation, where: str = "") -> Finding:
    rule = rules()[deviation.code]
    return Finding(
        code=deviation.code,
        level=deviation.level or rule.level,
        array=deviation.array,
        pointer=where,
        message=f"{deviation.array}: {deviation.message}" if deviation.array else deviation.message,
        expected=deviation.expected,
        found=deviation.found,
        evidence=deviation.evidence,
        frames=deviation.frames,
        remedy=remedy_of(deviation),
        fix=deviation.fix,
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    contract: Contract
    reason: str


class _Run:
    """One file on its way through the flow."""

    def __init__(self, dataset: Dataset, path: str, options: _Options) -> None:
        self._dataset, self._path, self._options = dataset, path, options
        self._findings: list[Finding] = [_fault_finding(fault) for fault in dataset.faults]
        self._notes: list[str] = []
        self._texts: dict[str, MetadataText] = {}
        asked = options.contract
        self._choice = _Choice(asked, "it was asked for") if asked else self._choose()

    def tell(self, deviations: Iterable[Deviation]) -> None:
        """Add what was found outside the flow."""
        self._findings += [_finding(deviation) for deviation in deviations]

    def report(self) -> Report:
        # Data of any kind may overflow or hold signalling NaNs: that is for the rules to say.
        with np.errstate(all="ignore"):
            return self._report()

    def _report(self) -> Report:
        contract = self._choice.contract
        self._tell_members(contract)
        # Whoever lacks a required name keeps no contract: most need no solving.
        others = [
            one for one in map(load, shipped()) if one.id != contract.id and _has_required(one, self._dataset.headers)
        ]
        bindings = {one.id: bind(one, self._dataset.headers, self._options.axes) for one in (contract, *others)}
        by_header = {one.id: one for one in others if self._keeps(self._case(one, bindings[one.id], {}))}
        folded = (contract, *by_header.values())
        facts = {} if self._options.headers_only else self._fold({one.id: bindings[one.id] for one in folded}, folded)
        evidence = Evidence(facts)
        for one in folded:
            bindings[one.id] = evidence.decided(self._case(one, bindings[one.id], facts))
        own = self._tested(contract, bindings[contract.id], facts, evidence)
        self._findings += self._check(own)
        self._findings = with_commands(self._path, self._findings, contract)
        self._notes += [f"{name}: {one.evidence}" for name, one in own.binding.readings.items() if one.evidence]
        positions = own.binding.sizes.get(contract.scan.dimension, 0) if contract.scan else 0
        if facts and positions > MAX_ROWS:
            self._notes.append(f"scan table not checked row by row: {positions:,} positions, more than {MAX_ROWS:,}")
        if own.forward is not None:
            self._notes.append(forward_words(own.forward))
        unreadable = any(rules()[finding.code].unreadable for finding in self._findings)
        recognised = (
            []
            if unreadable
            else [
                one.id
                for one in by_header.values()
                if self._options.headers_only or self._keeps(self._tested(one, bindings[one.id], facts, evidence))
            ]
        )
        errors = any(finding.level == "error" for finding in self._findings)
        if not errors and contract.id in shipped():
            recognised.append(contract.id)
        return Report(
            path=self._path,
            verdict=verdict_of(tuple(self._findings)),
            contract=contract.id,
            contract_version=contract.version,
            contract_reason=self._choice.reason,
            recognised=tuple(sorted(recognised)),
            binding=dict(own.binding.sizes),
            arrays=_array_facts(own),
            findings=tuple(sorted(self._findings, key=lambda finding: -LEVELS.index(finding.level))),
            headers_only=self._options.headers_only,
            notes=tuple(self._notes),
            pictures=self._pictures(own) if self._options.pictures else None,
        )

    def _pictures(self, case: Case) -> tuple[Picture, ...]:
        from .pictures import gather

        return gather(case, self._dataset, tuple(self._findings))

    def _choose(self) -> _Choice:
        """The contract that the file itself declares, else the default."""
        default = load(DEFAULT)
        name = default.metadata.member if default.metadata else ""
        held = self._metadata(name)
        said = declared(_parsed(held.text)) if held and held.text else Declared()
        if said.contract is None:
            if held and (held.text is None or _parsed(held.text) is None):
                return _Choice(default, f"the default; the file's {name} declares nothing that can be read")
            told = f"{said.said}: {said.flaw}" if said.said else "none"
            return _Choice(default, f"the default; the file declares {told}")
        flaw = f"; {said.flaw}" if said.flaw else ""
        return _Choice(said.contract, f"the file's {name} says {said.said}{flaw}")

    def _metadata(self, name: str | None) -> MetadataText | None:
        """The metadata member, read once; a damaged one is a finding."""
        if name is None or name not in self._dataset.headers:
            return None
        if name not in self._texts:
            pickled = self._dataset.headers[name].pickled
            try:
                self._texts[name] = MetadataText(text=self._dataset.text(name), pickled=pickled)
            except Fault as fault:
                self._findings.append(_fault_finding(fault))
                self._texts[name] = MetadataText(text=None, pickled=pickled)
        return self._texts[name]

    def _tell_members(self, contract: Contract) -> None:
        """Members that cannot be read as arrays: fatal where the contract asks for them."""
        for name, fault in self._dataset.malformed.items():
            idle = Fault("FILE-005", f"is no readable .npy array: {fault.what}", member=fault.member)
            self._findings.append(_fault_finding(fault if name in contract.known_names() else idle))
        metadata = contract.metadata.member if contract.metadata else None
        for name, header in self._dataset.headers.items():
            if header.pickled and name != metadata:
                what = f"is a pickled object array of shape {shape(header.shape)}; it is never unpickled"
                self._findings.append(_finding(Deviation(code="FILE-006", array=name, message=what, found="object")))

    def _case(self, contract: Contract, binding: Binding, facts: Mapping[str, Facts]) -> Case:
        return Case(
            contract=contract,
            headers=self._dataset.headers,
            binding=binding,
            facts=facts,
            unreadable=frozenset(self._dataset.malformed),
            metadata=self._metadata(contract.metadata.member if contract.metadata else None),
        )

    def _tested(self, contract: Contract, binding: Binding, facts: Mapping[str, Facts], evidence: Evidence) -> Case:
        """The case, with the verdict of the forward model."""
        case = self._case(contract, binding, facts)
        return replace(case, forward=evidence.test(case))

    def _keeps(self, case: Case) -> bool:
        """Whether nothing at error level is found. Rules that crash here are told by the chosen contract's check."""
        try:
            return not any(
                (deviation.level or rules()[deviation.code].level) == "error" for _, deviation in _deviations(case)
            )
        except Exception:  # noqa: BLE001 - any bug of a rule; not recognised is the honest answer
            return False

    def _check(self, case: Case) -> Iterator[Finding]:
        for where, deviation in _deviations(case, crash=self._crashed):
            yield _finding(deviation, where)

    def _crashed(self, where: str, error: Exception) -> Deviation:
        return Deviation(code="INTERNAL-001", message=f"the check of {where} failed: {type(error).__name__}: {error}")

    def _fold(self, bindings: Mapping[str, Binding], contracts: tuple[Contract, ...]) -> dict[str, Facts]:
        """One pass over every member that a contract asks for."""
        if sum(header.count * header.dtype.itemsize for header in self._dataset.headers.values()) > WARMING:
            warm()
        facts: dict[str, Facts] = {}
        wanted = frozenset().union(*(one.known_names() for one in contracts))
        chosen = bindings[contracts[0].id]
        # The array as the chosen contract reads it, without axes of length 1 that are too many.
        read_as = {reading.header.name: reading.header for reading in chosen.readings.values()}
        scans = [(one.scan, bindings[one.id]) for one in contracts if one.scan]
        kept = {name for scan, binding in scans for name in _kept(scan, binding)}
        orders: dict[str, set[tuple[int, ...]]] = {}
        for one in contracts:
            for name, order in _compared(one, bindings[one.id], self._dataset.headers, read_as):
                orders.setdefault(name, set()).add(order)
        for name, header in self._dataset.headers.items():
            if name not in wanted and not self._options.strict_archive:
                continue
            try:
                if name in self._texts:
                    continue
                if name not in wanted or header.dtype.kind not in "biufc" or header.dtype.itemsize > 16:
                    self._dataset.verify(name)
                    continue
                axes = {
                    axis
                    for scan, binding in scans
                    for reading in binding.readings.values()
                    if reading.header.name == name and reading.spec.quantity is not None
                    for axis in reading.possible_axes(scan.dimension)
                }
                facts[name] = fold(
                    read_as.get(name, header),
                    self._dataset.chunks(name),
                    frame_axes=sorted(axes),
                    keep=name in kept,
                    fingerprints=sorted(orders.get(name, ())),
                    cheap=self._dataset.cheap(name),
                )
            except Fault as fault:
                self._findings.append(_fault_finding(fault))
            except Exception as error:  # noqa: BLE001 - a fold that crashes is not a pass
                self.tell([self._crashed(f"the values of {name}", error)])
        if self._options.strict_archive:
            try:
                self._dataset.verify_others()
            except Fault as fault:
                self._findings.append(_fault_finding(fault))
        return facts


def _has_required(contract: Contract, headers: Mapping[str, ArrayHeader]) -> bool:
    return all(name in headers for name, spec in contract.arrays.items() if spec.required)


def _kept(scan: Any, binding: Binding) -> Iterator[str]:
    for name in (scan.x, scan.y, scan.index, scan.probe, scan.object if scan.forward_model else None):
        reading = binding.reading(name)
        if reading:
            yield reading.header.name


def _compared(
    contract: Contract, binding: Binding, headers: Mapping[str, ArrayHeader], read_as: dict[str, ArrayHeader]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each order of axes in which an array must be compared with its second name."""
    for pair in contract.identical:
        for name in pair if all(name in headers for name in pair) else ():
            reading = reading_of_member(contract, binding, headers, name)
            header = read_as.setdefault(name, reading.header if reading else headers[name])
            yield name, tuple(range(len(header.shape)))
            if reading:
                yield from ((name, order_of(reading.spec, layout)) for layout in reading.layouts)


def _deviations(
    case: Case, crash: Callable[[str, Exception], Deviation] | None = None
) -> Iterator[tuple[str, Deviation]]:
    """Every deviation with its JSON pointer. Without ``crash``, what a rule raises is raised."""
    for name, spec in case.contract.arrays.items():
        for keyword, rule in ARRAY_RULES.items():
            base = ("arrays", name, keyword.split("/")[0])
            try:
                for deviation in rule(case, spec):
                    yield pointer(*base, *deviation.at), deviation
            except Exception as error:
                if crash is None:
                    raise
                yield pointer("arrays", name), crash("/".join(base), error)
    for keyword, check in CASE_RULES.items():
        try:
            for deviation in check(case):
                yield pointer(keyword.split("/")[0], *deviation.at), deviation
        except Exception as error:
            if crash is None:
                raise
            yield "", crash(keyword, error)


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None


def _array_facts(case: Case) -> dict[str, ArrayFacts]:
    by_member = {reading.header.name: reading for reading in case.binding.readings.values()}
    facts = {}
    for name, header in case.headers.items():
        reading = by_member.get(name)
        dims = reading.stored_axes(len(header.shape)) if reading and reading.decided else None
        facts[name] = ArrayFacts(
            name=name,
            dtype="object" if header.pickled else header.dtype.str if header.dtype.kind in "USV" else header.dtype.name,
            shape=header.shape,
            axes=tuple(map(str, dims)) if dims else None,
            reads_as=reading.spec.name if reading else None,
            quantity=(case.quantity(reading) or reading.spec.quantity) if reading else None,
            order="F" if header.fortran else "C",
            statistics=_statistics(case.facts.get(name)),
        )
    return facts


def _statistics(facts: Facts | None) -> dict[str, float | int | bool]:
    if facts is None:
        return {}
    told: dict[str, float | int | bool] = {
        "count": facts.range.count,
        "nonfinite": facts.range.nonfinite,
        "constant": facts.range.constant,
    }
    for name in ("minimum", "maximum", "mean"):
        value = getattr(facts.range, name)
        if np.isfinite(value):
            told[name] = value
    return told


__all__ = ["ContractError", "internal", "validate", "validate_dataset", "verdict_of"]
