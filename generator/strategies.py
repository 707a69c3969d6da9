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
import io
import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from npzschema.contracts import ArraySpec, Contract, Values, expand_dtypes, from_document, rules
from npzschema.validator.binding import broken_bounds

from .breakers import DATA
from .breakers import broken as break_bytes
from .containers import CONTAINER
from .errors import NotApplicable
from .plain_breakers import PLAIN

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
Draw = Callable[[st.SearchStrategy[Any]], Any]

SPREAD: Final = 5
"""How far above its least size a dimension is drawn."""

SPAN: Final = 100
"""How far from a single bound values are drawn."""

LARGE: Final = 1 << 14
"""Items from which on numbers come again: noise of that size takes long to deflate."""

PERIOD: Final = 4099
"""After how many items they come again. A prime: no two frames or rows are the same."""

COSTLY: Final = frozenset({"FILE-009"})
"""Codes whose files are large; drawn only when named."""


def datasets(contract: Contract, *, metadata: str | None = None) -> st.SearchStrategy[Arrays]:
    """Arrays in memory that keep a contract: no finding at error level.

    Every declared alternative of axes and dtype, optional arrays present or not, sizes at their edges
    (one position; as many as detector rows), both memory orders and byte orders.

    Args:
        contract: what the arrays keep; a user's own too.
        metadata: text for the metadata member, where the contract asks for one that cannot be guessed.

    Raises:
        InvalidArgument: the contract requires metadata, and neither ``metadata`` nor its ``declaredBy`` gives it.
    """
    text = _metadata(contract, metadata)

    @st.composite
    def build(draw: Draw) -> Arrays:
        sizes = _sizes(draw, contract)
        rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        arrays: Arrays = {}
        for spec in contract.arrays.values():
            if spec.required or draw(st.booleans()):
                arrays[spec.name] = _array(draw, contract, spec, sizes, rng)
        for first, second in contract.identical:
            if first in arrays and second in contract.arrays and second in arrays:
                arrays[second] = arrays[first]
        if text is not None and contract.metadata is not None:
            arrays[contract.metadata.member] = np.array(text)
        return {name: _stored(draw, array) for name, array in arrays.items()}

    return build()


def files(contract: Contract, *, metadata: str | None = None) -> st.SearchStrategy[bytes]:
    """NPZ files that keep a contract, stored or deflated, as numpy writes them."""
    return st.builds(_saved, datasets(contract, metadata=metadata), st.booleans())


def broken(
    contract: Contract, *, codes: Collection[str] | None = None, metadata: str | None = None
) -> st.SearchStrategy[tuple[bytes, str]]:
    """NPZ files that break one rule, with its code.

    Args:
        contract: what the files break.
        codes: rules to break; by default all that a file alone can break and that are made fast.
        metadata: as for :func:`datasets`.
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
    kept = datasets(contract, metadata=metadata)

    @st.composite
    def build(draw: Draw) -> tuple[bytes, str]:
        first = draw(st.integers(0, len(chosen) - 1))
        arrays = draw(kept)
        # Not every dataset can break every rule: then the next one.
        for code in (*chosen[first:], *chosen[:first]):
            with contextlib.suppress(NotApplicable):
                return break_bytes(arrays, contract, code), code
        assume(False)
        raise NotApplicable(f"no rule of {', '.join(chosen)} can be broken")

    return build()


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


def _sizes(draw: Draw, contract: Contract) -> dict[str, int]:
    """Sizes that keep every bound, small, and often equal to one another."""
    sizes: dict[str, int] = {}
    left = list(contract.dimensions.values())
    while left:
        ready = [
            one
            for one in left
            if all(not isinstance(bound, str) or bound in sizes for bound in (one.equals, one.minimum, one.maximum))
        ]
        for one in ready or left[:1]:
            left.remove(one)
            known = {
                key: sizes.get(bound, 1) if isinstance(bound, str) else bound
                for key, bound in (("equals", one.equals), ("minimum", one.minimum), ("maximum", one.maximum))
            }
            if known["equals"] is not None:
                sizes[one.symbol] = known["equals"]
                continue
            low = known["minimum"] if known["minimum"] is not None else 1
            high = min(low + SPREAD, known["maximum"]) if known["maximum"] is not None else low + SPREAD
            assume(low <= high)
            same = [size for size in sizes.values() if low <= size <= high]
            size = draw(st.integers(low, high))
            # Equal sizes leave the axes undecided: often enough to be met, not so often that little else is.
            if draw(st.integers(0, 3)) == 3 and same:
                size = draw(st.sampled_from(same))
            sizes[one.symbol] = size
    assume(not list(broken_bounds(contract, sizes)))
    return sizes


def _array(
    draw: Draw, contract: Contract, spec: ArraySpec, sizes: Mapping[str, int], rng: np.random.Generator
) -> Array:
    dims = draw(st.sampled_from(spec.dims))
    able = [one for one in expand_dtypes(spec.dtype) if _window(spec.values, np.dtype(one)) is not None]
    if not able:
        raise InvalidArgument(f"{spec.name}: no dtype of {', '.join(spec.dtype)} holds the values asked for")
    dtype = draw(st.sampled_from(able))
    shape = tuple(sizes[size] if isinstance(size, str) else size for size in dims)
    scan = contract.scan
    if scan and spec.name in (scan.x, scan.y):
        return _coordinates(contract, spec, sizes, shape, rng).astype(dtype)
    return _values(spec.values, np.dtype("U6" if dtype == "str" else dtype), shape, rng)


def _coordinates(
    contract: Contract, spec: ArraySpec, sizes: Mapping[str, int], shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Positions whose patches lie inside the object, by the contract's own order of rows and columns."""
    scan = contract.scan
    column = scan is not None and spec.name == scan.x
    patch = [size for size in contract.arrays[scan.frames].dims[0] if size != scan.dimension] if scan else []
    obj = contract.arrays[scan.object].dims[0] if scan and scan.object else ()
    if len(patch) != 2 or len(obj) != 2:
        return rng.uniform(10, 50, shape)
    half = sizes[str(patch[column])] / 2
    return rng.uniform(half, sizes[str(obj[column])] - half, shape)


def _values(values: Values, dtype: np.dtype[Any], shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if dtype.kind == "U":
        return rng.choice(["a", "bc", "déf"], shape).astype(dtype)
    if math.prod(shape) > LARGE:
        return np.resize(_values(values, dtype, (PERIOD,), rng), shape)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind == "c":
        return np.asarray(rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    low, high = _window(values, dtype) or (0, 0)
    if dtype.kind in "iu":
        return rng.integers(int(low), int(high), shape, dtype=dtype, endpoint=True)
    # Away from either bound by more than rounding.
    return np.asarray(low + (high - low) * (0.05 + 0.9 * rng.random(shape))).astype(dtype)


def _window(values: Values, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """The least and largest value to draw: within the bounds and the dtype; None where there is none."""
    if dtype.kind not in "iuf":
        return 0, 1
    whole = dtype.kind != "f"
    limits = np.iinfo(dtype) if whole else np.finfo(dtype)
    lows = [bound for bound in (values.minimum, values.exclusive_minimum) if bound is not None]
    highs = [bound for bound in (values.maximum, values.exclusive_maximum) if bound is not None]
    low = max(lows) if lows else -math.inf
    high = min(highs) if highs else math.inf
    if whole:
        if lows:
            low = math.floor(low) + 1 if values.exclusive_minimum == low else math.ceil(low)
        if highs:
            high = math.ceil(high) - 1 if values.exclusive_maximum == high else math.floor(high)
    least = int(limits.min) if whole else float(limits.min)
    most = int(limits.max) if whole else float(limits.max)
    low, high = max(low, least), min(high, most)
    if low > high:
        return None
    if not lows:
        low = max(low, min(0, high) if not highs else high - SPAN)
    if not highs:
        high = min(high, low + SPAN)
    return low, high


def _stored(draw: Draw, array: Array) -> Array:
    # Drawn whether or not they matter: a choice that needs fewer draws would be what all examples shrink to.
    fortran, swapped = draw(st.booleans()), draw(st.booleans())
    if fortran and array.ndim > 1:
        array = np.asfortranarray(array)
    if swapped and array.dtype.itemsize > 1 and array.dtype.kind in "iufc":
        array = array.astype(array.dtype.newbyteorder(">"))
    return array


def _metadata(contract: Contract, text: str | None) -> str | None:
    if contract.metadata is None or text is not None:
        return text
    if contract.declared_by:
        return json.dumps({"additional_parameters": dict(contract.declared_by[0])})
    if contract.metadata.required:
        raise InvalidArgument(f"{contract.id} requires metadata; pass metadata=")
    return None


def _saved(arrays: Mapping[str, Array], deflated: bool) -> bytes:
    out = io.BytesIO()
    save: Callable[..., None] = np.savez_compressed if deflated else np.savez
    save(out, **arrays)
    return out.getvalue()
