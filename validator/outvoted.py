"""One array against all others: its axes may be in an order that no contract declares, such as (H, N, W)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

from npzschema.contracts import ArraySpec, Contract
from npzschema.contracts.model import Dims

from .solve import Choice, Dissent, Layout, agree, broken_bounds, fits, sizes_of, solve

MAX_RANK: Final = 4
"""Arrays of more axes are not turned: there are too many orders."""


def turned(
    contract: Contract,
    specs: Mapping[str, ArraySpec],
    candidates: Mapping[str, tuple[Layout, ...]],
    shapes: Mapping[str, tuple[int, ...]],
) -> list[Choice] | None:
    """Choices without a contradiction in which exactly one array has its axes in an undeclared order.

    None where no array, or more than one, could be the one. Of several orders of that array the one that is nearest
    to the contract's: the detector's rows and columns stay in order where they can.
    """
    found: dict[str, list[Choice]] = {}
    for name, spec in specs.items():
        told: dict[int, list[list[Choice]]] = {}
        for moves, layout in _orders(spec, shapes[name]):
            if layout in candidates[name]:
                continue
            choices, cost = solve(contract, {**candidates, name: (layout,)}, shapes)
            if not cost[0] and not _breaks(contract, choices[0], shapes, layout):
                told.setdefault(moves, []).append(choices)
        if told:
            nearest = told[min(told)]
            if len(nearest) > 1:
                return None
            found[name] = nearest[0]
    return next(iter(found.values())) if len(found) == 1 else None


def _orders(spec: ArraySpec, shape: tuple[int, ...]) -> list[tuple[int, Layout]]:
    """Every order of the contract's axes that fits a shape, with how many pairs of axes have changed places."""
    return [
        (sum(a > b for a, b in itertools.combinations(order, 2)), Layout(dims))
        for meant in spec.dims
        if 1 < len(meant) == len(shape) <= MAX_RANK
        for order in itertools.permutations(range(len(meant)))
        if fits(dims := tuple(meant[axis] for axis in order), shape) and dims not in spec.dims
    ]


def _breaks(contract: Contract, choice: Choice, shapes: Mapping[str, tuple[int, ...]], layout: Layout) -> bool:
    """Whether a bound of one of the layout's own axes is broken: then it explains nothing."""
    sizes: dict[str, int] = {}
    for name, one in choice.items():
        sizes |= sizes_of(one, shapes[name])
    own: Dims = layout.dims
    return any(symbol in own for symbol, _, _ in broken_bounds(contract, sizes))


def outvoted(
    contract: Contract, choice: Choice, shapes: Mapping[str, tuple[int, ...]], dissents: tuple[Dissent, ...]
) -> str | None:
    """The one array that all others contradict, who agree among themselves.

    Lists of positions are written together: against the frames they are one voice.
    """
    scan = contract.scan.dimension if contract.scan else None
    if sum(len(dissent.arrays) for dissent in dissents) < 2 or all(set(one.sizes) == {scan} for one in dissents):
        return None
    alone = [
        name
        for name in choice
        if not agree({other: layout for other, layout in choice.items() if other != name}, shapes)[1]
    ]
    return alone[0] if len(alone) == 1 else None
