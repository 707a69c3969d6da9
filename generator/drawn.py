"""Sizes and arrays that keep a contract, as :mod:`.strategies` draws them. Needs hypothesis."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from npzschema.contracts import ArraySpec, Contract, Values, expand_dtypes
from npzschema.contracts.model import Size
from npzschema.validator.binding import broken_bounds

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
Draw = Callable[[st.SearchStrategy[Any]], Any]

SPREAD: Final = 5
"""How far above its least size a dimension is drawn."""

SPAN: Final = 100
"""How far from a single bound values are drawn, at least."""

LARGE: Final = 1 << 14
"""Items from which on numbers come again: noise of that size takes long to make, and to deflate."""

PERIODS: Final[Mapping[int, int]] = {8: 2039, 16: 1021}
"""After how many items of so many bytes they come again: deflate looks back 32 KiB. Primes: no two frames are the same,
nor two rows of one frame."""

PERIOD: Final = 4099
"""The same for smaller items."""


def sizes_of(draw: Draw, contract: Contract) -> dict[str, int]:
    """Sizes that keep every bound, small, and often equal to one another."""
    sizes: dict[str, int] = {}
    far = _far(contract)
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
            if one.symbol in far:
                least, patch = far[one.symbol]
                low = max(low, math.ceil(least + _length(patch, sizes) / 2))
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


def alike(contract: Contract, specs: Iterable[ArraySpec]) -> list[tuple[ArraySpec, ...]]:
    """The arrays in groups that must be identical; most are alone."""
    groups: list[tuple[ArraySpec, ...]] = []
    for spec in specs:
        twins = {spec.name, *contract.twins(spec.name)}
        joined = [group for group in groups if any(one.name in twins for one in group)]
        groups = [group for group in groups if group not in joined]
        groups.append((*(one for group in joined for one in group), spec))
    return groups


def arrays_of(
    draw: Draw, contract: Contract, specs: Sequence[ArraySpec], sizes: Mapping[str, int], rng: np.random.Generator
) -> Arrays:
    """One array, under the names of one or more specs that it must keep all."""
    first, *others = specs
    dims = draw(st.sampled_from([dims for dims in first.dims if all(dims in one.dims for one in others)]))
    shape = tuple(sizes[size] if isinstance(size, str) else size for size in dims)
    held = draw(st.sampled_from(_held_as(specs)))
    dtypes = [held] if not others else [draw(st.sampled_from(_safe(one, held))) for one in specs]
    forms = [form_of(draw) for _ in specs]
    # Made in the form of the first, large arrays need not be brought into it.
    values = _made(contract, specs, held, sizes, shape, rng, forms[0])
    return {
        one.name: stored(values.astype(dtype, order="K", copy=False) if dtype != held else values, form, order="C")
        for one, dtype, form in zip(specs, dtypes, forms, strict=True)
    }


def check_drawable(contract: Contract) -> None:
    """Raises InvalidArgument for arrays that nothing drawn can keep, alone or together with those of other names."""
    for specs in alike(contract, contract.arrays.values()):
        _held_as(specs)
        first, *others = specs
        if not any(all(dims in one.dims for one in others) for dims in first.dims):
            raise InvalidArgument(f"{_named(specs)}: no axes are those of all, though they are one array")


def _named(specs: Sequence[ArraySpec]) -> str:
    return " and ".join(spec.name for spec in specs)


def _held_as(specs: Sequence[ArraySpec]) -> list[str]:
    """Dtypes to draw values in, such that each of the arrays can hold them without loss."""
    values = _joint(specs)
    declared = dict.fromkeys(dtype for spec in specs for dtype in expand_dtypes(spec.dtype))
    # Values that all can hold need not be in a dtype that one of them has.
    for names in (declared, ("uint8", "bool")) if len(specs) > 1 else (declared,):
        able = [
            dtype
            for dtype in names
            if _window(values, _dtype(dtype)) is not None and all(_safe(spec, dtype) for spec in specs)
        ]
        if able:
            return able
    asked = ", ".join(declared)
    raise InvalidArgument(
        f"{_named(specs)}: no dtype of {asked} holds the values asked for"
        + ("" if len(specs) == 1 else " of all, though they are one array")
    )


def _safe(spec: ArraySpec, dtype: str) -> list[str]:
    """Dtypes of an array that hold whatever ``dtype`` holds."""
    return [one for one in expand_dtypes(spec.dtype) if np.can_cast(_dtype(dtype), _dtype(one), "safe")]


def _joint(specs: Sequence[ArraySpec]) -> Values:
    return reduce(Values.both, (spec.values for spec in specs))


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype("U6" if name == "str" else name)


def _made(
    contract: Contract,
    specs: Sequence[ArraySpec],
    dtype: str,
    sizes: Mapping[str, int],
    shape: tuple[int, ...],
    rng: np.random.Generator,
    form: Form,
) -> Array:
    scan = contract.scan
    placed = next((spec for spec in specs if scan and spec.name in (scan.x, scan.y)), None)
    values = _joint(specs)
    if placed is not None:
        values = _coordinates(contract, placed, values, sizes, _dtype(dtype))
    return _values(values, _dtype(dtype), shape, rng, form)


def _coordinates(
    contract: Contract, spec: ArraySpec, values: Values, sizes: Mapping[str, int], dtype: np.dtype[Any]
) -> Values:
    """The bounds of positions whose patches lie inside the object, where it has room for them."""
    obj, patch = (_length(size, sizes) for size in _sides(contract, spec))
    if not obj or not patch:
        plain = values.both(Values(minimum=10, maximum=50))
        return plain if _window(plain, dtype) else values
    if obj < patch:
        return values
    inside = values.both(Values(minimum=patch / 2, maximum=obj - patch / 2))
    # Other sizes may leave room.
    assume(_window(inside, dtype) is not None)
    return inside


def _sides(contract: Contract, spec: ArraySpec) -> tuple[Size | None, Size | None]:
    """Axes of the object and of a frame along which a coordinate counts."""
    scan = contract.scan
    if scan is None or scan.object is None:
        return None, None
    obj, patch = contract.arrays[scan.object].dims[0], contract.frame_axes()
    column = spec.name == scan.x
    return (obj[column], patch[column]) if len(obj) == len(patch) == 2 else (None, None)


def _far(contract: Contract) -> dict[Size | None, tuple[float, Size | None]]:
    """Where positions have a least value: the object's axis along which they count, that value, and a frame's axis."""
    found = {}
    for spec in contract.arrays.values():
        if contract.scan and spec.name in (contract.scan.x, contract.scan.y) and spec.values.lows:
            obj, patch = _sides(contract, spec)
            found[obj] = max(spec.values.lows), patch
    return found


def _length(size: Size | None, sizes: Mapping[str, int]) -> int:
    """Length of an axis; 0 where there is none."""
    return sizes.get(size, 0) if isinstance(size, str) else size or 0


def _values(
    values: Values, dtype: np.dtype[Any], shape: tuple[int, ...], rng: np.random.Generator, form: Form
) -> Array:
    if dtype.kind == "U":
        return rng.choice(["a", "bc", "déf"], shape).astype(dtype)
    if math.prod(shape) > LARGE:
        period = PERIODS.get(dtype.itemsize, PERIOD)
        items = stored(_values(values, dtype, (period,), rng, form), form)
        return np.resize(items, shape[::-1]).T if form.fortran else np.resize(items, shape)
    if dtype.kind == "c":
        return np.asarray(rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    low, high = _window(values, dtype) or (0, 0)
    if dtype.kind == "b":
        return rng.integers(int(low), int(high), shape, endpoint=True).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(int(low), int(high), shape, dtype=dtype, endpoint=True)
    # Both ends are values of the dtype, so that rounding does not lead beyond them.
    part = 0.05 + 0.9 * rng.random(shape)
    return np.asarray(np.clip(low * (1 - part) + high * part, low, high)).astype(dtype)


def _window(values: Values, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """The least and largest value to draw, both within the bounds and of this dtype; None where there is none."""
    if dtype.kind in "iub":
        return _of_integers(values, dtype)
    if dtype.kind != "f":
        return 0, 1
    info = np.finfo(dtype)
    least, most = float(info.min), float(info.max)
    lows, highs = values.lows, values.highs
    if max(lows, default=least) > most or min(highs, default=most) < least:
        return None
    low = max((_above(bound, dtype, strict=bound == values.exclusive_minimum) for bound in lows), default=least)
    high = min((-_above(-bound, dtype, strict=bound == values.exclusive_maximum) for bound in highs), default=most)
    if not lows:
        low = max(least, high - max(SPAN, abs(high))) if highs else max(least, min(0.0, high))
    if not highs:
        high = min(most, low + max(SPAN, abs(low)))
    # Ends that were reckoned are rounded to what the dtype holds.
    low, high = float(dtype.type(low)), float(dtype.type(high))
    return (low, high) if low <= high else None


def _above(bound: float, dtype: np.dtype[Any], *, strict: bool) -> float:
    """The least value of a float dtype that is at least, or strictly more than, a bound within its range."""
    near = dtype.type(max(bound, float(np.finfo(dtype).min)))
    if float(near) < bound or (strict and float(near) == bound):
        near = np.nextafter(near, dtype.type(np.inf))
    return float(near)


def _of_integers(values: Values, dtype: np.dtype[Any]) -> tuple[int, int] | None:
    least, most = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    low, high = max(least, values.integers[0]), min(most, values.integers[1])
    if low > high:
        return None
    if not values.lows:
        low = max(low, min(0, high) if not values.highs else high - SPAN)
    if not values.highs:
        high = min(high, low + SPAN)
    return int(low), int(high)


class Form(NamedTuple):
    """Memory order and byte order of an array."""

    fortran: bool
    swapped: bool


def form_of(draw: Draw) -> Form:
    # Drawn whether or not they matter: a choice that needs fewer draws would be what all examples shrink to.
    return Form(draw(st.booleans()), draw(st.booleans()))


def stored(array: Array, form: Form, *, order: Literal["C", "K"] = "K") -> Array:
    """The array in a form; ``order`` is what it has where that is not Fortran's."""
    wide = array.dtype.itemsize > 1 and array.dtype.kind in "iufc"
    dtype = array.dtype.newbyteorder(">" if form.swapped and wide else "=")
    return array.astype(dtype, order="F" if form.fortran and array.ndim > 1 else order, copy=False)
