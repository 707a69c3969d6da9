"""The joint solve: of all choices of one layout per array, those in which the fewest arrays contradict."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from npzschema.contracts import Contract, Legacy
from npzschema.contracts.model import Dims

MAX_CHOICES: Final = 20_000
"""Bound of the search. Real contracts need a handful; one that needs more is undecided."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Axes of an array, in the order of its shape; ``legacy`` says which other form this is."""

    dims: Dims
    legacy: Legacy | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dissent:
    """Arrays that agree among themselves on ``sizes``, against the sizes of the binding."""

    arrays: tuple[str, ...]
    sizes: Mapping[str, int]


Choice = dict[str, Layout]
Cost = tuple[int, int, int]

NOTHING: Final[Cost] = (0, 0, 0)


def fits(dims: Dims, shape: tuple[int, ...]) -> bool:
    return len(dims) == len(shape) and all(
        isinstance(size, str) or size == length for size, length in zip(dims, shape, strict=True)
    )


def sizes_of(layout: Layout, shape: tuple[int, ...]) -> dict[str, int]:
    return {size: length for size, length in zip(layout.dims, shape, strict=True) if isinstance(size, str)}


def solve(
    contract: Contract, candidates: Mapping[str, tuple[Layout, ...]], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[list[Choice], Cost]:
    """All choices of least cost: contradictions first, then bounds that are broken, then arrays that contradict.

    Arrays that say the same against the others are one contradiction: of a scan that was stopped, all positions are.
    """
    options = [(name, layouts) for name, layouts in candidates.items() if layouts]
    if math.prod(len(layouts) for _, layouts in options) > MAX_CHOICES:
        # Each layout of each array once: whatever has several is undecided.
        depth = max(len(layouts) for _, layouts in options)
        each = [{name: layouts[min(at, len(layouts) - 1)] for name, layouts in options} for at in range(depth)]
        return each, NOTHING
    best: list[Choice] = []
    least: Cost | None = None
    for picked in itertools.product(*(layouts for _, layouts in options)):
        choice = {name: layout for (name, _), layout in zip(options, picked, strict=True)}
        sizes, dissents, _ = agree(choice, shapes)
        cost = (
            len(dissents),
            sum(1 for _ in broken_bounds(contract, sizes)),
            sum(len(dissent.arrays) for dissent in dissents),
        )
        if least is None or cost < least:
            best, least = [choice], cost
        elif cost == least:
            best.append(choice)
    return best, least or NOTHING


def agree(
    choice: Choice, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, int], tuple[Dissent, ...], dict[str, tuple[str, ...]]]:
    """Sizes by authority, the arrays that dissent grouped by what they say, and who bears each size out."""
    sizes: dict[str, int] = {}
    witnesses: dict[str, tuple[str, ...]] = {}
    groups: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for name, layout in choice.items():
        own = sizes_of(layout, shapes[name])
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
