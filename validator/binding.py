"""Bind: read a file as what it is. Dimension symbols are solved over all arrays at once.

For every array of the contract there is at most one member (its own name, else a legacy one) and a few
candidate layouts of its rank: the contract's dims and the known legacy ones. Where no layout has that rank, axes of
length 1 are left out first. Each choice of layouts says what size each symbol has in each array. The choice with the
fewest contradictions wins; where several win that give an array different axes, the order is undecided and nobody
guesses. Where all contradict, one array may have its axes in an order that nobody declared: see :mod:`.outvoted`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from npzschema.contracts import ArraySpec, Contract, Legacy
from npzschema.contracts.model import Dims, Size

from .dataset import ArrayHeader
from .outvoted import outvoted, turned
from .solve import Dissent, Layout, agree, broken_bounds, fits, sizes_of, solve

NAMED: Final = "its axes are as they were named (--axes)"
"""What decided where the user has."""

MAX_SQUEEZED: Final = 3
"""Axes of length 1 that are left out, at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How one array of the contract is read.

    ``header``: the array without the axes of length 1 that are one too many; ``kept``: the other axes of the array as
    it is stored, None where it is read as it is. ``layout`` is None where no layout has the array's rank;
    ``alternatives`` are layouts that fit just as well; ``evidence`` says what decided between layouts that fit alike,
    where something other than sizes did, or why nothing could. ``named``: the axes that the user says it has.
    """

    spec: ArraySpec
    header: ArrayHeader
    renamed: Legacy | None = None
    layout: Layout | None = None
    alternatives: tuple[Layout, ...] = ()
    evidence: str = ""
    kept: tuple[int, ...] | None = None
    named: Dims | None = None

    @property
    def decided(self) -> bool:
        return self.layout is not None and not self.alternatives

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Every layout that fits."""
        return (self.layout, *self.alternatives) if self.layout else ()

    @property
    def undeclared(self) -> bool:
        """Whether the axes are in an order that the contract does not mention."""
        return self.layout is not None and self.layout.legacy is None and self.layout.dims not in self.spec.dims

    def stored_axes(self, rank: int) -> Dims | None:
        """Axes of the array as it is stored, with so many axes: 1 for those that are left out."""
        if self.layout is None or self.kept is None:
            return self.layout.dims if self.layout else None
        dims: list[int | str] = [1] * rank
        for axis, size in zip(self.kept, self.layout.dims, strict=True):
            dims[axis] = size
        return tuple(dims)

    def sizes(self) -> Mapping[str, int]:
        """Size of each symbol in this array, under its layout."""
        return sizes_of(self.layout, self.header.shape) if self.layout else {}

    def axis(self, symbol: str) -> int | None:
        """Axis of the array's shape that a symbol is, where that is decided."""
        if self.layout is None or self.alternatives or symbol not in self.layout.dims:
            return None
        return self.layout.dims.index(symbol)

    def possible_axes(self, symbol: str) -> tuple[int, ...]:
        """Every axis that a symbol may be, under any layout that fits."""
        return tuple(dict.fromkeys(layout.dims.index(symbol) for layout in self.layouts if symbol in layout.dims))


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
    named = {name: dims for name, (spec, _, _) in found.items() if (dims := _named(spec, axes or {}))}
    forms = {name: _squeezed(spec, header) for name, (spec, header, _) in found.items()}
    shapes = {name: header.shape for name, (header, _) in forms.items()}
    candidates = {name: _candidates(spec, forms[name], named.get(name)) for name, (spec, _, _) in found.items()}
    best, cost = solve(contract, candidates, shapes)
    if cost[0]:
        free = {name: spec for name, (spec, _, _) in found.items() if name not in named}
        best = turned(contract, free, candidates, shapes) or best
    readings = {}
    for name, (spec, _, renamed) in found.items():
        layouts = tuple(dict.fromkeys(choice[name] for choice in best if name in choice))
        header, kept = forms[name]
        readings[name] = Reading(
            spec=spec,
            header=header,
            renamed=renamed,
            layout=layouts[0] if layouts else None,
            alternatives=layouts[1:],
            evidence=NAMED if name in named and layouts else "",
            kept=kept,
            named=named.get(name),
        )
    first = best[0]
    sizes, dissents, witnesses = agree(first, shapes)
    alone = outvoted(contract, first, shapes, dissents)
    if alone is not None:
        # It is asked last, so that it is the one that dissents.
        first = {name: first[name] for name in first if name != alone} | {alone: first[alone]}
        sizes, dissents, witnesses = agree(first, shapes)
    sizes = {symbol: sizes[symbol] for symbol in contract.dimensions if symbol in sizes}
    return Binding(sizes=sizes, readings=readings, dissents=dissents, witnesses=witnesses)


def reading_of_member(
    contract: Contract, binding: Binding, headers: Mapping[str, ArrayHeader], member: str
) -> Reading | None:
    """How a member is read, also one that is a second name of an array and not read in its own right.

    A second name may have its axes in another order than the first: of the layouts that fit, those that agree with
    the sizes of the binding.
    """
    for reading in binding.readings.values():
        if reading.header.name == member:
            return reading
    for spec in contract.arrays.values():
        if member in {entry.name for entry in spec.legacy_names()}:
            header, kept = _squeezed(spec, headers[member])
            layouts = _candidates(spec, (header, kept), None)
            agreeing = tuple(
                layout
                for layout in layouts
                if all(
                    binding.sizes.get(symbol, size) == size for symbol, size in sizes_of(layout, header.shape).items()
                )
            )
            fitting = agreeing or layouts
            return Reading(
                spec=spec,
                header=header,
                layout=fitting[0] if fitting else None,
                alternatives=fitting[1:],
                kept=kept,
            )
    return None


def order_of(spec: ArraySpec, layout: Layout) -> tuple[int, ...]:
    """The layout's axes in the order of the contract."""
    return places(meant_by(spec, layout), layout.dims)


def places(sizes: Iterable[Size], dims: Dims) -> tuple[int, ...]:
    """The axis that each of some sizes is, where there is one; of equal lengths the first is the first."""
    left = list(enumerate(dims))
    found = []
    for size in sizes:
        if (place := next((place for place in left if place[1] == size), None)) is not None:
            left.remove(place)
            found.append(place[0])
    return tuple(found)


def meant_by(spec: ArraySpec, layout: Layout) -> Dims:
    """The contract's own axes that a layout is another form of."""
    held = sorted(map(str, layout.dims))
    if layout.dims in spec.dims:
        return layout.dims
    turned = (dims for dims in spec.dims if sorted(map(str, dims)) == held)
    longer = (dims for dims in spec.dims if set(map(str, dims)) <= set(held))
    return next(itertools.chain(turned, longer), spec.dims[0])


def _by_authority(contract: Contract) -> list[ArraySpec]:
    frames = contract.scan.frames if contract.scan else None
    # Another name of the frames stands for them where they are missing.
    twins = contract.twins(frames)
    return sorted(contract.arrays.values(), key=lambda spec: (spec.name != frames, spec.name not in twins))


def _member(spec: ArraySpec, headers: Mapping[str, ArrayHeader]) -> tuple[ArraySpec, ArrayHeader, Legacy | None] | None:
    header = headers.get(spec.name)
    if header is not None:
        return None if header.pickled else (spec, header, None)
    for entry in spec.legacy_names():
        header = headers.get(entry.name or "")
        if header is not None and not header.pickled:
            return spec, header, entry
    return None


def _named(spec: ArraySpec, axes: Mapping[str, Dims]) -> Dims | None:
    """The axes that the user has named, under the array's own name or a legacy one."""
    return next((axes[name] for name in spec.names() if name in axes), None)


def _forms(spec: ArraySpec) -> list[Layout]:
    return [Layout(dims) for dims in spec.dims] + [
        Layout(entry.dims, entry) for entry in spec.legacy_dims() if entry.dims is not None
    ]


Form = tuple[ArrayHeader, tuple[int, ...] | None]
"""An array as it is read, and the axes that are kept of it, where some are left out."""


def _squeezed(spec: ArraySpec, header: ArrayHeader) -> Form:
    """The array without axes of length 1, as few as give it the rank of a declared layout; else as it is."""
    forms, rank = _forms(spec), len(header.shape)
    if any(len(form.dims) == rank for form in forms):
        return header, None
    ones = [axis for axis in reversed(range(rank)) if header.shape[axis] == 1]
    for excess in range(1, MAX_SQUEEZED + 1):
        for dropped in itertools.combinations(ones, excess):
            kept = tuple(axis for axis in range(rank) if axis not in dropped)
            shape = tuple(header.shape[axis] for axis in kept)
            if any(fits(form.dims, shape) for form in forms):
                return replace(header, shape=shape), kept
    return header, None


def _candidates(spec: ArraySpec, form: Form, named: Dims | None) -> tuple[Layout, ...]:
    header, kept = form
    fitting = tuple(one for one in _forms(spec) if fits(one.dims, header.shape))
    if named is None:
        return fitting
    if kept is not None and len(named) > len(kept):
        named = tuple(named[axis] for axis in kept if axis < len(named))
    known = tuple(one for one in fitting if one.dims == named)
    turned = any(sorted(map(str, dims)) == sorted(map(str, named)) for dims in spec.dims)
    return known or ((Layout(named),) if turned and fits(named, header.shape) else ())


__all__ = [
    "Binding",
    "Dissent",
    "Layout",
    "Reading",
    "bind",
    "broken_bounds",
    "meant_by",
    "order_of",
    "places",
    "reading_of_member",
]
