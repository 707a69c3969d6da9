"""Small random contracts that are sound, for tools that read contracts. Needs hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from npzschema.contracts import Contract, from_document

Draw = Callable[[st.SearchStrategy[Any]], Any]


def contracts() -> st.SearchStrategy[Contract]:
    """Small random contracts that are sound: for testing tools that read contracts."""

    @st.composite
    def build(draw: Draw) -> Contract:
        symbols = draw(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True))
        dimensions = {symbol: _dimension(draw, symbols[:index]) for index, symbol in enumerate(symbols)}
        names = draw(
            st.lists(st.sampled_from(["data", "mask", "x", "label", "probe"]), min_size=1, max_size=4, unique=True)
        )
        arrays = {name: _entry(draw, symbols) for name in names}
        more: dict[str, Any] = {}
        if draw(st.booleans()):
            arrays[names[0]]["legacy"] = [{"name": "old", "rule": "KEY-002", "fix": "rename"}]
        if draw(st.booleans()):
            arrays["twin"] = {**arrays[names[-1]], "required": False}
            arrays["twin"].pop("legacy", None)
            more["relations"] = [{"identical": [names[-1], "twin"]}]
        if draw(st.booleans()):
            more["storage"] = {"order": "C", "byteOrder": "little"}
        if draw(st.booleans()):
            more["metadata"] = {"member": "notes", "schema": {"type": "object"}}
        head = {"id": "random/contract", "version": "1.0.0", "title": "Random"}
        return from_document({**head, "dimensions": dimensions, "arrays": arrays, **more})

    return build()


def _dimension(draw: Draw, earlier: list[str]) -> dict[str, Any]:
    bounds: list[dict[str, Any]] = [{}, {"minimum": 2}, {"maximum": 4}, {"equals": 3}, {"minimum": 1, "maximum": 3}]
    bounds += [{"equals": symbol} for symbol in earlier] + [{"minimum": symbol} for symbol in earlier]
    return {"description": "a length", **draw(st.sampled_from(bounds))}


def _entry(draw: Draw, symbols: list[str]) -> dict[str, Any]:
    dims = st.lists(st.sampled_from([*symbols, 1, 2]), max_size=3).filter(
        lambda axes: all(axes.count(symbol) == 1 for symbol in axes if isinstance(symbol, str))
    )
    # Lists of that kind are mostly short; rules about axes need two that are longer than 1.
    planes = st.permutations([*symbols, 2, 3]).map(lambda axes: axes[:2])
    alternatives = draw(st.lists(dims | planes, min_size=1, max_size=2, unique_by=tuple))
    dtypes = draw(
        st.lists(
            st.sampled_from(["float32", "float64", "int16", "uint8", "complex64", "bool"]),
            min_size=1,
            max_size=2,
            unique=True,
        )
    )
    values: dict[str, Any] = draw(st.sampled_from([{}, {"finite": True}, {"varies": True}]))
    if not {"complex64", "bool"} & set(dtypes):
        values = values | draw(
            st.sampled_from([{}, {"minimum": 0}, {"minimum": -3, "exclusiveMaximum": 9}, {"maximum": 5}])
        )
    return {
        "required": draw(st.booleans()),
        "dims": alternatives if len(alternatives) > 1 else alternatives[0],
        "dtype": dtypes,
        "values": values,
    }
