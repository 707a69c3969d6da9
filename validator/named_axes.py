"""Axes that the caller names: of an array that a contract has, in an order that it knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from npzschema.contracts import ArraySpec, Contract
from npzschema.contracts.model import Dims, same_axes

from .words import axes as words
from .words import enumerate_words


def check_axes(contracts: Iterable[Contract], axes: Mapping[str, Sequence[int | str]]) -> None:
    """Raise :class:`ValueError` where no contract knows an array, or these axes of it, in whatever order.

    Axes of length 1 may be left out or named.
    """
    specs: dict[str, list[tuple[Contract, ArraySpec]]] = {}
    for contract in contracts:
        for spec in contract.arrays.values():
            for name in spec.names():
                specs.setdefault(name, []).append((contract, spec))
    for name, dims in axes.items():
        if name not in specs:
            raise ValueError(
                f"axes are named for {name!r}, which is no array of the contract; there are {', '.join(specs)}"
            )
        known = dict.fromkeys(order for contract, spec in specs[name] for order in orders_of(contract, spec))
        if not any(same_axes(_plain(dims), _plain(order)) for order in known):
            told = enumerate_words([words(order) for order in known], "or")
            raise ValueError(f"{name}: no contract has the axes {words(dims)}; known are {told}")


def orders_of(contract: Contract, spec: ArraySpec) -> list[Dims]:
    """Every order of axes that a contract knows of an array, or of another one with the same axes."""
    own = _orders(spec)
    others = (order for one in contract.arrays.values() for order in _orders(one))
    return list(dict.fromkeys((*own, *(order for order in others if any(map(partial(same_axes, order), own))))))


def _orders(spec: ArraySpec) -> list[Dims]:
    return [*spec.dims, *(entry.dims for entry in spec.legacy_dims() if entry.dims is not None)]


def _plain(dims: Sequence[int | str]) -> tuple[int | str, ...]:
    return tuple(size for size in dims if size != 1)
