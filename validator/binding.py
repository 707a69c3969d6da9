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
from npzschema.contracts.model import Dims, Size, same_axes

from .dataset import ArrayHeader
from .outvoted import outvoted, turned
from .solve import Dissent, Layout, agree, broken_bounds, fits, sizes_of, solve

NAMED: Final = "its axes are as they were named (--axes)"
"""What decided where the user has."""

UNTOLD: Final = "which of its axes of length 1 is too many cannot be told; name all of them with --axes"
"""Why an array is read as it is that has too many axes."""

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
        return _padded(self.layout.dims, self.kept, rank) if self.layout else None

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

    def elsewhere(self, symbol: str) -> tuple[Layout, ...]:
        """Of an undecided cube, the orders that put a symbol where nobody declared it: sizes allow them, too."""
        if not self.alternatives or len(set(self.header.shape)) > 1 or symbol not in self.layouts[0].dims:
            return ()
        dims = self.layouts[0].dims
        others = tuple(one for one in dims if one != symbol)
        orders = ((*others[:at], symbol, *others[at:]) for at in range(len(dims)))
        return tuple(Layout(order) for order in orders if all(order != layout.dims for layout in self.layouts))


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
    forms, untold = _read(contract, found, named)
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
            evidence=UNTOLD if name in untold else NAMED if name in named and layouts else "",
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
            ways = _ways(spec, headers[member])
            every = [(form, layout) for form in ways for layout in _candidates(spec, form, None)]
            first = binding.reading(spec.name)
            if first and first.layout and first.undeclared:
                # An order that nobody declared both names may have.
                every += [(form, first.layout) for form in ways if fits(first.layout.dims, form[0].shape)]
            agreeing = [
                (form, layout)
                for form, layout in every
                if all(
                    binding.sizes.get(symbol, size) == size for symbol, size in sizes_of(layout, form[0].shape).items()
                )
            ]
            told = agreeing or every
            header, kept = told[0][0] if told else ways[0]
            fitting = tuple(layout for form, layout in told if form[1] == kept)
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
    held = set(map(str, layout.dims))
    if layout.dims in spec.dims:
        return layout.dims
    turned = (dims for dims in spec.dims if same_axes(dims, layout.dims))
    longer = (dims for dims in spec.dims if set(map(str, dims)) <= held)
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


def _read(
    contract: Contract, found: Mapping[str, tuple[ArraySpec, ArrayHeader, Legacy | None]], named: Mapping[str, Dims]
) -> tuple[dict[str, Form], set[str]]:
    """Each array without the axes of length 1 that are too many, and the names of those that have too many untold.

    Where several may be left out, all arrays together say which; where they do not, the array stays as it is.
    """
    ways = {name: _ways(spec, header, named.get(name)) for name, (spec, header, _) in found.items()}
    forms = {name: of[0] for name, of in ways.items()}
    several = [name for name, of in ways.items() if len(of) > 1]
    if not several:
        return forms, set()
    shapes = {name: header.shape for name, (_, header, _) in found.items()}
    layouts = {
        name: [
            tuple(
                Layout(_padded(layout.dims, form[1], len(shapes[name])), layout.legacy)
                for layout in _candidates(spec, form, named.get(name))
            )
            for form in ways[name]
        ]
        for name, (spec, _, _) in found.items()
    }
    best, _ = solve(contract, {name: tuple(itertools.chain(*of)) for name, of in layouts.items()}, shapes)
    untold = set()
    for name in several:
        chosen = {_meaning(choice[name], shapes[name]) for choice in best if name in choice}
        fitting = [
            form
            for form, of in zip(ways[name], layouts[name], strict=True)
            if chosen <= {_meaning(layout, shapes[name]) for layout in of}
        ]
        if not fitting:
            untold.add(name)
        forms[name] = fitting[0] if fitting else (found[name][1], None)
    return forms, untold


def _meaning(layout: Layout, shape: tuple[int, ...]) -> tuple[Dims, frozenset[tuple[str, int]]]:
    """What tells two layouts of one array apart: axes that are longer than 1, in order, and the size of each symbol."""
    longer = tuple(size for size, length in zip(layout.dims, shape, strict=True) if length != 1)
    return longer, frozenset(sizes_of(layout, shape).items())


def _padded(dims: Dims, kept: tuple[int, ...] | None, rank: int) -> Dims:
    """Axes of an array as it is stored: 1 for those that are left out."""
    if kept is None:
        return dims
    stored: list[Size] = [1] * rank
    for axis, size in zip(kept, dims, strict=True):
        stored[axis] = size
    return tuple(stored)


def _ways(spec: ArraySpec, header: ArrayHeader, named: Dims | None = None) -> list[Form]:
    """The array without axes of length 1, as few as give it the rank of a declared layout; else as it is.

    One way for each shape that fits. Where all axes are ``named``, those that are left out are called 1.
    """
    forms, rank = _forms(spec), len(header.shape)
    if any(len(form.dims) == rank for form in forms):
        return [(header, None)]
    ones = [axis for axis in reversed(range(rank)) if header.shape[axis] == 1]
    if named is not None and len(named) == rank:
        ones = [axis for axis in ones if named[axis] == 1]
    for excess in range(1, MAX_SQUEEZED + 1):
        ways: dict[tuple[int, ...], Form] = {}
        for dropped in itertools.combinations(ones, excess):
            kept = tuple(axis for axis in range(rank) if axis not in dropped)
            shape = tuple(header.shape[axis] for axis in kept)
            if any(fits(form.dims, shape) for form in forms):
                ways.setdefault(shape, (replace(header, shape=shape), kept))
        if ways:
            return list(ways.values())
    return [(header, None)]


def _candidates(spec: ArraySpec, form: Form, named: Dims | None) -> tuple[Layout, ...]:
    header, kept = form
    fitting = tuple(one for one in _forms(spec) if fits(one.dims, header.shape))
    if named is None:
        return fitting
    if kept is not None and len(named) > len(kept):
        named = tuple(named[axis] for axis in kept if axis < len(named))
    known = tuple(one for one in fitting if one.dims == named)
    turned = any(same_axes(dims, named) for dims in spec.dims)
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
