"""Hypothesis strategies from any contract: datasets that keep it, files of them, and files that break it.

For tests of code that reads or writes such data::

    from hypothesis import given
    from npzschema.contracts import load
    from npzschema.generator import strategies

    @given(strategies.datasets(load("ptychopinn/canonical")))
    def test_my_loader(arrays): ...

Needs hypothesis. Values come from a seed that is drawn, so that examples are made fast and shrink by what matters:
sizes, alternatives, memory order and byte order.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from npzschema.contracts import ArraySpec, Contract, load, rules, shipped
from npzschema.contracts.json_schema import errors
from npzschema.contracts.model import same_axes
from npzschema.validator.binding import bind
from npzschema.validator.dataset import MappingDataset

from .breakers import DATA, made_to_break
from .breakers import broken as break_bytes
from .containers import CONTAINER, saved
from .drawn import alike, arrays_of, check_drawable, form_of, sizes_of, stored
from .errors import NotApplicable
from .plain_breakers import PLAIN
from .random_contracts import contracts
from .scan_dataset import ScanDataset

__all__ = ["broken", "contracts", "datasets", "files"]

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
Draw = Callable[[st.SearchStrategy[Any]], Any]

COSTLY: Final = frozenset({"FILE-009"})
"""Codes whose files are large; drawn only when named."""


def datasets(contract: Contract, *, metadata: str | None = None, tolerated: bool = False) -> st.SearchStrategy[Arrays]:
    """Arrays in memory that keep a contract: no finding at error level.

    Every declared alternative of axes and dtype, optional arrays present or not, one array under both of its names,
    sizes at their edges (one position; as many as detector rows), both memory orders and byte orders.

    Args:
        contract: what the arrays keep; a user's own too.
        metadata: text for the metadata member, where the contract asks for one that cannot be guessed.
        tolerated: also what is only warned of: positions after the last frame (SCAN-004), and metadata as PtychoPINN
            stores it, in an object array that numpy pickles (META-004).

    Raises:
        InvalidArgument: the contract requires metadata, and neither ``metadata`` nor its ``declaredBy`` gives it; or
            nothing holds the values, or has the axes, that it asks of an array and of its other names.
    """
    text = _metadata(contract, metadata)
    check_drawable(contract)

    @st.composite
    def build(draw: Draw) -> Arrays:
        sizes = sizes_of(draw, contract)
        rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        present = [spec for spec in contract.arrays.values() if spec.required or draw(st.booleans())]
        more = draw(st.integers(0, 2)) if tolerated and contract.scan and contract.scan.surplus else 0
        longer = sizes | {contract.scan.dimension: sizes[contract.scan.dimension] + more} if contract.scan else sizes
        drawn: Arrays = {}
        for specs in alike(contract, present):
            drawn |= arrays_of(draw, contract, specs, longer if _per_scan(contract, specs[0]) else sizes, rng)
        # In the order of the contract.
        arrays = {spec.name: drawn[spec.name] for spec in present}
        if more and not _is_surplus(contract, arrays, sizes):
            cut = {spec.name for spec in present if _per_scan(contract, spec)}
            arrays = {name: array[:-more] if name in cut else array for name, array in arrays.items()}
        for name, second in _second_names(contract):
            if name in arrays and draw(st.booleans()):
                order = draw(st.sampled_from(_orders(contract, name, arrays[name].ndim)))
                arrays[second] = stored(arrays[name].transpose(order), form_of(draw))
        if text is not None and contract.metadata is not None:
            pickled = tolerated and draw(st.booleans())
            arrays[contract.metadata.member] = np.array(text, dtype=object) if pickled else np.array(text)
        return arrays

    return build()


def files(contract: Contract, *, metadata: str | None = None, tolerated: bool = False) -> st.SearchStrategy[bytes]:
    """NPZ files that keep a contract, stored or deflated, in the form that numpy writes.

    Arguments as for :func:`datasets`.
    """
    return st.builds(saved, datasets(contract, metadata=metadata, tolerated=tolerated), deflated=st.booleans())


def broken(
    contract: Contract,
    *,
    codes: Collection[str] | None = None,
    metadata: str | None = None,
    tolerated: bool = False,
) -> st.SearchStrategy[tuple[bytes, str]]:
    """NPZ files that break one rule, and no other at error level, with its code.

    Args:
        contract: what the files break.
        codes: rules to break; by default all that a file of random numbers can break and that are made fast.
        metadata: as for :func:`datasets`.
        tolerated: as for :func:`datasets`.
    """
    breakable = [code for code in rules() if code in DATA or code in CONTAINER]
    for code in codes or ():
        if code not in breakable:
            raise InvalidArgument(f"no file alone breaks {code}")
        if (why := rules()[code].exempt(contract.id)) is not None:
            raise InvalidArgument(f"{contract.id} cannot break {code}: {why}")
    # Without a scan only few rules about data can be asked for.
    told = [
        code
        for code in breakable
        if (contract.scan is not None or code in PLAIN or code in CONTAINER)
        and rules()[code].exempt(contract.id) is None
    ]
    chosen = sorted(codes) if codes is not None else [code for code in told if code not in COSTLY]
    if not chosen:
        raise InvalidArgument("no code is named")
    kept = datasets(contract, metadata=metadata, tolerated=tolerated)
    # Of shipped contracts it is known, by the project's own tests, that what is made breaks one rule alone.
    make = made_to_break if contract.id in shipped() and contract == load(contract.id) else break_bytes

    @st.composite
    def build(draw: Draw) -> tuple[bytes, str]:
        first = draw(st.integers(0, len(chosen) - 1))
        arrays, deflated = draw(kept), draw(st.booleans())
        vain = _in_vain(contract, arrays) if codes is None else frozenset()
        # Not every dataset can break every rule: then the next one.
        for code in (*chosen[first:], *chosen[:first]):
            if not vain & {one.reason for one in rules()[code].exceptions}:
                with contextlib.suppress(NotApplicable):
                    return make(arrays, contract, code, deflated=deflated), code
        assume(False)
        raise NotApplicable(f"no rule of {', '.join(chosen)} can be broken")

    return build()


def _in_vain(contract: Contract, arrays: Arrays) -> frozenset[str]:
    """Reasons why some rules cannot be broken in random numbers, which to find out by trying takes long."""
    scan = contract.scan
    if scan is None or scan.frames not in arrays or ScanDataset(arrays, contract, scan).told_by_sizes():
        return frozenset({"not-predicted"})
    return frozenset({"not-predicted", "frames-untold", "axes-untold"})


def _per_scan(contract: Contract, spec: ArraySpec) -> bool:
    """Whether this is a column of the scan table."""
    return contract.scan is not None and spec.dims == ((contract.scan.dimension,),)


def _is_surplus(contract: Contract, arrays: Arrays, sizes: Mapping[str, int]) -> bool:
    """Whether more positions than frames are read as just that: the other sizes leave no doubt of the axes."""
    scan, binding = contract.scan, bind(contract, MappingDataset(arrays).headers)
    return (
        scan is not None
        and {scan.frames, scan.x, scan.y} <= set(arrays)
        and all(reading.decided and not reading.undeclared for reading in binding.readings.values())
        and binding.sizes == {symbol: sizes[symbol] for symbol in binding.sizes}
        and [set(dissent.sizes) for dissent in binding.dissents] == [{scan.dimension}]
    )


def _second_names(contract: Contract) -> Iterator[tuple[str, str]]:
    """Arrays that may be there under their legacy name besides, with that name."""
    for pair in contract.identical:
        for name, other in (pair, pair[::-1]):
            if name in contract.arrays and other in contract.arrays[name].names()[1:]:
                yield name, other


def _orders(contract: Contract, name: str, rank: int) -> list[tuple[int, ...]]:
    """Orders of axes that the second name of an array may have, its own first: each name may have another one."""
    own, spec = tuple(range(rank)), contract.arrays[name]
    if len(spec.dims) > 1:
        return [own]
    (dims,) = spec.dims
    known = [entry.dims for entry in spec.legacy_dims() if entry.dims and same_axes(entry.dims, dims)]
    return [own, *(tuple(map(dims.index, order)) for order in known)]


def _metadata(contract: Contract, text: str | None) -> str | None:
    if contract.metadata is None or text is not None:
        return text
    if contract.declared_by:
        guessed = {"additional_parameters": dict(contract.declared_by[0])}
        if not errors(contract.metadata.schema or {}, guessed, 1):
            return json.dumps(guessed)
    if contract.metadata.required:
        raise InvalidArgument(f"{contract.id} requires metadata; pass metadata=")
    return None
