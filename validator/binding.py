"""Bind: read a file as what it is. Dimension symbols are solved over all arrays at once.

For every array of the contract there is at most one member (its own name, else a legacy one) and a few
candidate layouts of its rank: the contract's dims and the known legacy ones. Each choice of layouts says what
size each symbol has in each array. The choice with the fewest contradictions wins; where several win that give
an array different axes, the order is undecided and nobody guesses.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from npzschema.contracts import ArraySpec, Contract, Legacy
from npzschema.contracts.model import Dims

from .dataset import ArrayHeader

MAX_CHOICES: Final = 20_000
"""Bound of the search. Real contracts need a handful; one that needs more is undecided."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Axes of an array, in the order of its shape; ``legacy`` says which other form this is."""

    dims: Dims
    legacy: Legacy | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How one array of the contract is read.

    ``layout`` is None where no layout has the array's rank; ``alternatives`` are layouts that fit just as well;
    ``evidence`` says what decided between layouts that fit alike, where something other than sizes did.
    """

    spec: ArraySpec
    header: ArrayHeader
    renamed: Legacy | None = None
    layout: Layout | None = None
    alternatives: tuple[Layout, ...] = ()
    evidence: str = ""

    @property
    def decided(self) -> bool:
        return self.layout is not None and not self.alternatives

    def sizes(self) -> Mapping[str, int]:
        """Size of each symbol in this array, under its layout."""
        return _sizes(self.layout, self.header.shape) if self.layout else {}

    def axis(self, symbol: str) -> int | None:
        """Axis of the array's shape that a symbol is, where that is decided."""
        if self.layout is None or self.alternatives or symbol not in self.layout.dims:
            return None
        return self.layout.dims.index(symbol)

    def possible_axes(self, symbol: str) -> tuple[int, ...]:
        """Every axis that a symbol may be, under any layout that fits."""
        layouts = (self.layout, *self.alternatives) if self.layout else ()
        return tuple(dict.fromkeys(layout.dims.index(symbol) for layout in layouts if symbol in layout.dims))


@dataclass(frozen=True, kw_only=True, slots=True)
class Dissent:
    """Arrays that agree among themselves on ``sizes``, against the sizes of the binding."""

    arrays: tuple[str, ...]
    sizes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Binding:
    """The solved symbols, and how each array is read."""

    sizes: Mapping[str, int]
    readings: Mapping[str, Reading]
    dissents: tuple[Dissent, ...] = ()
    witnesses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def reading(self, name: str | None) -> Reading | None:
        return self.readings.get(name) if name is not None else None


def bind(contract: Contract, headers: Mapping[str, ArrayHeader], axes: Mapping[str, Dims] | None = None) -> Binding:
    """Read the arrays of a file under a contract.

    Args:
        contract: what the file should be.
        headers: the arrays of the file by name.
        axes: arrays (by the contract's name) whose axes the user has named; nothing else is considered for them.
    """
    found = {spec.name: one for spec in _by_authority(contract) if (one := _member(spec, headers))}
    candidates = {name: _candidates(spec, header, (axes or {}).get(name)) for name, (spec, header, _) in found.items()}
    shapes = {name: header.shape for name, (_, header, _) in found.items()}
    best = _solve(contract, candidates, shapes)
    first = best[0]
    readings = {}
    for name, (spec, header, renamed) in found.items():
        layouts = tuple(dict.fromkeys(choice[name] for choice in best if name in choice))
        readings[name] = Reading(
            spec=spec, header=header, renamed=renamed, layout=first.get(name), alternatives=layouts[1:]
        )
    sizes, dissents, witnesses = _agree(first, shapes)
    sizes = {symbol: sizes[symbol] for symbol in contract.dimensions if symbol in sizes}
    return Binding(sizes=sizes, readings=readings, dissents=dissents, witnesses=witnesses)


def _by_authority(contract: Contract) -> list[ArraySpec]:
    frames = contract.scan.frames if contract.scan else None
    return sorted(contract.arrays.values(), key=lambda spec: spec.name != frames)


def _member(spec: ArraySpec, headers: Mapping[str, ArrayHeader]) -> tuple[ArraySpec, ArrayHeader, Legacy | None] | None:
    header = headers.get(spec.name)
    if header is not None:
        return None if header.pickled else (spec, header, None)
    for entry in spec.legacy_names():
        header = headers.get(entry.name or "")
        if header is not None and not header.pickled:
            return spec, header, entry
    return None


def _candidates(spec: ArraySpec, header: ArrayHeader, named: Dims | None) -> tuple[Layout, ...]:
    layouts = [Layout(dims) for dims in spec.dims]
    layouts += [Layout(entry.dims, entry) for entry in spec.legacy_dims() if entry.dims is not None]
    return tuple(layout for layout in layouts if _fits(layout.dims, header.shape) and named in (None, layout.dims))


def _fits(dims: Dims, shape: tuple[int, ...]) -> bool:
    return len(dims) == len(shape) and all(
        isinstance(size, str) or size == length for size, length in zip(dims, shape, strict=True)
    )


def _sizes(layout: Layout, shape: tuple[int, ...]) -> dict[str, int]:
    return {size: length for size, length in zip(layout.dims, shape, strict=True) if isinstance(size, str)}


Choice = dict[str, Layout]
Cost = tuple[int, int]


def _solve(
    contract: Contract, candidates: Mapping[str, tuple[Layout, ...]], shapes: Mapping[str, tuple[int, ...]]
) -> list[Choice]:
    """All choices of least cost: arrays that contradict first, then bounds of dimensions that are broken."""
    options = [(name, layouts) for name, layouts in candidates.items() if layouts]
    if math.prod(len(layouts) for _, layouts in options) > MAX_CHOICES:
        # Each layout of each array once: whatever has several is undecided.
        depth = max(len(layouts) for _, layouts in options)
        return [{name: layouts[min(at, len(layouts) - 1)] for name, layouts in options} for at in range(depth)]
    best: list[Choice] = []
    least: Cost | None = None
    for picked in itertools.product(*(layouts for _, layouts in options)):
        choice = {name: layout for (name, _), layout in zip(options, picked, strict=True)}
        sizes, dissents, _ = _agree(choice, shapes)
        cost = (sum(len(dissent.arrays) for dissent in dissents), sum(1 for _ in broken_bounds(contract, sizes)))
        if least is None or cost < least:
            best, least = [choice], cost
        elif cost == least:
            best.append(choice)
    return best or [{}]


def _agree(
    choice: Choice, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, int], tuple[Dissent, ...], dict[str, tuple[str, ...]]]:
    """Sizes by authority, the arrays that dissent grouped by what they say, and who bears each size out."""
    sizes: dict[str, int] = {}
    witnesses: dict[str, tuple[str, ...]] = {}
    groups: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for name, layout in choice.items():
        own = _sizes(layout, shapes[name])
        against = tuple((symbol, length) for symbol, length in own.items() if sizes.get(symbol, length) != length)
        if against:
            groups.setdefault(against, []).append(name)
        for symbol, length in own.items():
            if sizes.setdefault(symbol, length) == length:
                witnesses[symbol] = (*witnesses.get(symbol, ()), name)
    dissents = tuple(Dissent(arrays=tuple(names), sizes=dict(against)) for against, names in groups.items())
    return sizes, dissents, witnesses


def broken_bounds(contract: Contract, sizes: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    """Symbol, keyword and bound of every dimension whose size is out of range."""
    for symbol, dimension in contract.dimensions.items():
        size = sizes.get(symbol)
        if size is None:
            continue
        for keyword, bound in (
            ("equals", dimension.equals),
            ("minimum", dimension.minimum),
            ("maximum", dimension.maximum),
        ):
            limit = sizes.get(bound) if isinstance(bound, str) else bound
            if limit is None:
                continue
            if (
                (keyword == "equals" and size != limit)
                or (keyword == "minimum" and size < limit)
                or (keyword == "maximum" and size > limit)
            ):
                yield symbol, keyword, limit
                break
