"""Which sizes the bounds of dimensions leave, followed from symbol to symbol."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from .model import Dimension

Flaw = tuple[tuple[str | int, ...], str]


def empty(dimensions: Mapping[str, Dimension]) -> Iterator[Flaw]:
    """The first dimension for which no size is left, with the bound that takes the last one."""
    least = dict.fromkeys(dimensions, 0.0)
    most = dict.fromkeys(dimensions, math.inf)
    # Bounds only ever move to one of the numbers that the contract holds, so this ends.
    moved = True
    while moved:
        moved = False
        for symbol, keyword, bound in _bounds(dimensions):
            low, high = (least[bound], most[bound]) if isinstance(bound, str) else (bound, bound)
            limits = [(symbol, low if keyword != "maximum" else 0, high if keyword != "minimum" else math.inf)]
            if isinstance(bound, str):
                # Seen from the other side: whoever is a minimum is at most as large as what it bounds.
                own = least[symbol], most[symbol]
                limits.append(
                    (bound, own[0] if keyword != "minimum" else 0, own[1] if keyword != "maximum" else math.inf)
                )
            for name, lowest, highest in limits:
                new = max(least[name], lowest), min(most[name], highest)
                moved |= new != (least[name], most[name])
                least[name], most[name] = new
                if new[0] > new[1]:
                    yield (
                        ("dimensions", symbol, keyword),
                        f"no size is left for {name}: at least {new[0]:g}, at most {new[1]:g}",
                    )
                    return


def _bounds(dimensions: Mapping[str, Dimension]) -> Iterator[tuple[str, str, int | str]]:
    for symbol, one in dimensions.items():
        for keyword, bound in (("minimum", one.minimum), ("maximum", one.maximum), ("equals", one.equals)):
            if bound is not None and (not isinstance(bound, str) or bound in dimensions):
                yield symbol, keyword, bound
