"""A contract that names what it does not declare, or that contradicts itself, is refused here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .catalogue import rules
from .intervals import empty
from .model import (
    ArraySpec,
    Contract,
    ContractError,
    Dimension,
    Dims,
    Legacy,
    Values,
    expand_dtypes,
    pointer,
    same_axes,
)
from .steps import STEPS

Flaw = tuple[tuple[str | int, ...], str]

_OF_FORMS: Final = ("KEY-", "FORMAT-", "SHAPE-", "DTYPE-", "NORM-")
"""Families of rules that tell one form of an array from another."""


def check_consistency(contract: Contract, where: str) -> None:
    """Raises :class:`ContractError` for the first flaw, with a pointer to it."""
    for path, what in _flaws(contract):
        raise ContractError(where, pointer(*path), what)


def _flaws(contract: Contract) -> Iterator[Flaw]:
    for dimension in contract.dimensions.values():
        yield from _dimension(contract, dimension)
    yield from empty(contract.dimensions)
    for spec in contract.arrays.values():
        yield from _array(contract, spec)
    yield from _names(contract)
    yield from _scan(contract)
    yield from _relations(contract)


def _relations(contract: Contract) -> Iterator[Flaw]:
    owners = {name: spec for spec in contract.arrays.values() for name in spec.names()}
    for index, pair in enumerate(contract.identical):
        path = ("relations", index, "identical")
        undeclared = [at for at, name in enumerate(pair) if name not in owners]
        for at in undeclared:
            yield (*path, at), f"array {pair[at]!r} is not declared"
        if undeclared:
            continue
        first, second = (owners[name] for name in pair)
        if not set(first.dims) & set(second.dims):
            yield (*path, 1), f"{pair[0]!r} and {pair[1]!r} have no axes in common, so they are never identical"
        elif (ends := first.values.both(second.values).contradiction()) is not None:
            told = f"no value is above {ends[0]:g} and below {ends[1]:g}, as their bounds ask together"
            yield (*path, 1), f"{pair[0]!r} and {pair[1]!r} are never identical: {told}"
        elif _textual(first) != _textual(second):
            yield (*path, 1), f"one of {pair[0]!r} and {pair[1]!r} is text and the other numbers"


def _textual(spec: ArraySpec) -> bool:
    return "str" in expand_dtypes(spec.dtype)


def _dimension(contract: Contract, dimension: Dimension) -> Iterator[Flaw]:
    path = ("dimensions", dimension.symbol)
    for keyword in ("minimum", "maximum", "equals"):
        bound = getattr(dimension, keyword)
        if isinstance(bound, str):
            if bound not in contract.dimensions:
                yield (*path, keyword), f"dimension {bound!r} is not declared"
            elif _leads_back(contract, dimension.symbol, keyword):
                yield (*path, keyword), f"{dimension.symbol} is bounded by itself"
    low, high, fixed = dimension.minimum, dimension.maximum, dimension.equals
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield (*path, "minimum"), f"{low} is above the maximum of {high}"
    if isinstance(fixed, int):
        if isinstance(low, int) and fixed < low:
            yield (*path, "equals"), f"{fixed} is below the minimum of {low}"
        if isinstance(high, int) and fixed > high:
            yield (*path, "equals"), f"{fixed} is above the maximum of {high}"


def _leads_back(contract: Contract, start: str, keyword: str) -> bool:
    seen: set[str] = set()
    here: int | str | None = start
    while isinstance(here, str) and here in contract.dimensions and here not in seen:
        seen.add(here)
        here = getattr(contract.dimensions[here], keyword)
    return here == start


def _array(contract: Contract, spec: ArraySpec) -> Iterator[Flaw]:
    path = ("arrays", spec.name)
    listed = len(spec.dims) > 1
    for index, dims in enumerate(spec.dims):
        yield from _dims(contract, dims, (*path, "dims", index) if listed else (*path, "dims"))
        if dims in spec.dims[:index]:
            yield (*path, "dims", index), "the same axes are listed twice"
    yield from _values(spec)
    for entry in spec.legacy:
        yield from _legacy(contract, spec, entry)


def _legacy(contract: Contract, spec: ArraySpec, entry: Legacy) -> Iterator[Flaw]:
    here = ("arrays", spec.name, "legacy", entry.index)
    if entry.rule not in rules():
        yield (*here, "rule"), f"rule {entry.rule!r} is not in the catalogue"
    elif not entry.rule.startswith(_OF_FORMS):
        yield (*here, "rule"), f"{entry.rule} says nothing of the form of an array; {' '.join(_OF_FORMS)} do"
    for earlier in spec.legacy[: entry.index]:
        # Two entries for one form would tell one fault twice.
        if (same := _same_form(entry, earlier)) is not None:
            yield (*here, same), f"this is told by legacy entry {earlier.index} already"
    if entry.dims is not None:
        yield from _legacy_dims(contract, spec, entry, entry.dims)
    if entry.name == spec.name:
        yield (*here, "name"), "this is the contract's own name"
    if entry.quantity is not None and entry.quantity == spec.quantity:
        yield (*here, "quantity"), "this is the quantity the contract asks for"
    if entry.quantity is not None and spec.quantity is None:
        yield (*here, "quantity"), "the array itself declares no quantity"
    if entry.dtype and entry.quantity is None:
        both = set(expand_dtypes(entry.dtype)) & set(expand_dtypes(spec.dtype))
        if both:
            yield (*here, "dtype"), f"{min(both)} is what the contract asks for"
    if entry.fix is not None:
        yield from _legacy_fix(spec, entry, entry.fix)


def _legacy_fix(spec: ArraySpec, entry: Legacy, fix: str) -> Iterator[Flaw]:
    here = ("arrays", spec.name, "legacy", entry.index, "fix")
    kind = next(k for k in ("name", "dims", "quantity", "dtype") if getattr(entry, k) not in (None, ()))
    if not any(one.step == fix and one.form == kind for one in STEPS):
        yield here, f"{fix!r} does not mend another {kind}"
    elif fix == "cast" and _textual(spec):
        yield here, "there is no cast between text and numbers"


def _legacy_dims(contract: Contract, spec: ArraySpec, entry: Legacy, dims: Dims) -> Iterator[Flaw]:
    here = ("arrays", spec.name, "legacy", entry.index)
    yield from _dims(contract, dims, (*here, "dims"))
    if dims in spec.dims:
        yield (*here, "dims"), "these axes are what the contract asks for"
    if entry.fix == "transpose" and not any(same_axes(dims, meant) for meant in spec.dims):
        yield (*here, "fix"), "no transposition makes these axes into those the contract asks for"


def _same_form(entry: Legacy, earlier: Legacy) -> str | None:
    """The keyword in which two legacy entries of one array mean the same."""
    for kind in ("name", "dims", "quantity"):
        if getattr(entry, kind) is not None and getattr(entry, kind) == getattr(earlier, kind):
            return kind
    plain = entry.quantity is None and earlier.quantity is None
    return "dtype" if plain and set(expand_dtypes(entry.dtype)) & set(expand_dtypes(earlier.dtype)) else None


def _dims(contract: Contract, dims: Dims, path: tuple[str | int, ...]) -> Iterator[Flaw]:
    for axis, size in enumerate(dims):
        if isinstance(size, str) and size not in contract.dimensions:
            yield (*path, axis), f"dimension {size!r} is not declared"
        if isinstance(size, str) and size in dims[:axis]:
            yield (
                (*path, axis),
                f"dimension {size!r} stands twice; give the second axis a symbol of its own with 'equals'",
            )


def _values(spec: ArraySpec) -> Iterator[Flaw]:
    path = ("arrays", spec.name, "values")
    values = spec.values
    bounds = {
        "minimum": values.minimum,
        "exclusiveMinimum": values.exclusive_minimum,
        "maximum": values.maximum,
        "exclusiveMaximum": values.exclusive_maximum,
        "maximumOverMean": values.maximum_over_mean,
    }
    real = all(name.startswith(("int", "uint", "float", "bool")) for name in expand_dtypes(spec.dtype))
    for keyword, bound in bounds.items():
        if bound is not None and not real:
            yield (*path, keyword), "only real numbers have bounds; this array may be complex or text"
    if (ends := values.contradiction()) is not None:
        keyword = "minimum" if values.minimum is not None else "exclusiveMinimum"
        yield (*path, keyword), f"no value is above {ends[0]:g} and below {ends[1]:g}"
        return
    if real and (values.lows or values.highs):
        yield from _holdable(spec)


def _holdable(spec: ArraySpec) -> Iterator[Flaw]:
    """Integer dtypes that hold no value within the bounds. Of a kind such as ``integer`` one dtype is enough."""
    low, high = spec.values.integers
    for name in spec.dtype:
        held = [limits for one in expand_dtypes((name,)) if (limits := _limits(one)) is not None]
        if held and not any(max(low, least) <= min(high, most) for least, most in held):
            told = spec.values.minimum is not None and low > held[-1][1]
            keyword = "minimum" if told else _first_bound(spec.values)
            yield ("arrays", spec.name, "values", keyword), f"{name} holds no value within the bounds"


def _first_bound(values: Values) -> str:
    highs = {"maximum": values.maximum, "exclusiveMaximum": values.exclusive_maximum}
    lows = {"exclusiveMinimum": values.exclusive_minimum, "minimum": values.minimum}
    return next(keyword for keyword, bound in (highs | lows).items() if bound is not None)


def _limits(dtype: str) -> tuple[int, int] | None:
    """Least and greatest value of an integer dtype, or None."""
    kind, _, bits = dtype.partition("int")
    if dtype == "bool":
        return 0, 1
    if not bits.isdecimal():
        return None
    return (0, 2 ** int(bits) - 1) if kind == "u" else (-(2 ** (int(bits) - 1)), 2 ** (int(bits) - 1) - 1)


def _names(contract: Contract) -> Iterator[Flaw]:
    owners: dict[str, str] = {}
    for spec in contract.arrays.values():
        for entry in spec.legacy_names():
            name = str(entry.name)
            path = ("arrays", spec.name, "legacy", entry.index, "name")
            if name in contract.arrays and name != spec.name:
                yield path, f"{name!r} is an array of this contract, so it cannot be another name of {spec.name!r}"
            if owners.setdefault(name, spec.name) != spec.name:
                yield path, f"{name!r} is a legacy name of {owners[name]!r} already"
    if contract.metadata and contract.metadata.member in contract.arrays:
        yield ("metadata", "member"), f"{contract.metadata.member!r} is declared as an array too"


def _scan(contract: Contract) -> Iterator[Flaw]:
    scan = contract.scan
    if scan is None:
        return
    if scan.dimension not in contract.dimensions:
        yield ("scan", "dimension"), f"dimension {scan.dimension!r} is not declared"
        return
    for keyword in ("frames", "x", "y", "index", "probe", "object"):
        name = getattr(scan, keyword)
        if name is None:
            continue
        spec = contract.arrays.get(name)
        if spec is None:
            yield ("scan", keyword), f"array {name!r} is not declared"
        elif keyword in {"x", "y", "index"} and any(dims != (scan.dimension,) for dims in spec.dims):
            yield ("scan", keyword), f"{name!r} must have the one axis ({scan.dimension})"
        elif keyword == "frames" and any(scan.dimension not in dims for dims in spec.dims):
            yield ("scan", keyword), f"{name!r} has no axis {scan.dimension}"
    for keyword, needs in (
        ("insideTolerance", "object"),
        ("minimumOverlap", "probe"),
        ("forwardModel", "probe"),
        ("forwardModel", "object"),
    ):
        if keyword in contract.document["scan"] and getattr(scan, needs) is None:
            yield ("scan", keyword), f"needs scan.{needs}"
