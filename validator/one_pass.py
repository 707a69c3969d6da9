"""fold: one pass over every member that a contract asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from npzschema.contracts import Contract, Scan, expand_dtypes

from .binding import Binding, order_of, reading_of_member
from .dataset import ArrayHeader, Dataset
from .faults import Fault
from .findings import Finding
from .folds import Facts, fold, keep
from .report import crashed, fault_finding, finding_of


def one_pass(
    dataset: Dataset,
    contracts: Sequence[Contract],
    bindings: Mapping[str, Binding],
    *,
    read: Collection[str] = (),
    strict: bool = False,
) -> tuple[dict[str, Facts], list[Finding]]:
    """The facts of each member, and what cannot be read.

    Args:
        dataset: the arrays.
        contracts: those that may hold; the first is the chosen one.
        bindings: of each of them, by its id.
        read: members that have been read already.
        strict: read also what no contract asks for, to its checksum.
    """
    facts: dict[str, Facts] = {}
    findings: list[Finding] = []
    wanted = frozenset().union(*(one.known_names() for one in contracts))
    # The array as the chosen contract reads it, without axes of length 1 that are too many.
    read_as = {reading.header.name: reading.header for reading in bindings[contracts[0].id].readings.values()}
    scans = [(one.scan, bindings[one.id]) for one in contracts if one.scan]
    asked = {name for scan, binding in scans for name in _kept(scan, binding)}
    kept = keep.kept(read_as.get(name, dataset.headers[name]) for name in sorted(asked))
    orders: dict[str, set[tuple[int, ...]]] = {}
    for one in contracts:
        for name, order in _compared(one, bindings[one.id], dataset.headers, read_as):
            orders.setdefault(name, set()).add(order)
    for name, header in dataset.headers.items():
        if name in read or (name not in wanted and not strict):
            continue
        try:
            if name not in wanted or header.dtype.kind not in "biufc" or header.dtype.itemsize > 16:
                dataset.verify(name)
                continue
            facts[name] = fold(
                read_as.get(name, header),
                dataset.chunks(name),
                frame_axes=sorted(_frame_axes(name, scans)),
                keep=name in kept,
                cast=_may_be_cast(name, contracts, bindings),
                fingerprints=sorted(orders.get(name, ())),
                cheap=dataset.cheap(name),
            )
        except Fault as fault:
            findings.append(fault_finding(fault))
        except Exception as error:  # noqa: BLE001 - a fold that crashes is not a pass
            findings.append(finding_of(crashed(f"the values of {name}", error)))
    if strict:
        try:
            dataset.verify_others()
        except Fault as fault:
            findings.append(fault_finding(fault))
    return facts, findings


def _frame_axes(name: str, scans: Sequence[tuple[Scan, Binding]]) -> set[int]:
    """The axes of a member of patterns along which its frames may lie."""
    return {
        layout.dims.index(scan.dimension)
        for scan, binding in scans
        for reading in binding.readings.values()
        if reading.header.name == name and reading.spec.quantity is not None
        for layout in (*reading.layouts, *reading.elsewhere(scan.dimension))
        if scan.dimension in layout.dims
    }


def _may_be_cast(name: str, contracts: Sequence[Contract], bindings: Mapping[str, Binding]) -> bool:
    """Whether some contract asks for another dtype than a member has."""
    return any(
        reading.header.name == name and reading.header.dtype_name not in expand_dtypes(reading.spec.dtype)
        for one in contracts
        for reading in bindings[one.id].readings.values()
    )


def _kept(scan: Scan, binding: Binding) -> Iterator[str]:
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
