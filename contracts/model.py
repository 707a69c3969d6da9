"""What a contract says, as frozen values. Built only by :mod:`npzschema.contracts.loader`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Quantity = Literal["amplitude", "intensity"]
Size = int | str
Dims = tuple[Size, ...]

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "integer": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    "floating": ("float16", "float32", "float64"),
    "complexfloating": ("complex64", "complex128"),
    "text": ("str",),
}


class ContractError(ValueError):
    """A contract is refused.

    Attributes:
        where: the contract's id or path.
        pointer: JSON pointer (RFC 6901) to what is wrong, in the contract after ``extends`` is applied.
        what: what is wrong, in one line.
    """

    def __init__(self, where: str, pointer: str, what: str) -> None:
        super().__init__(f"{where}: {pointer}: {what}" if pointer else f"{where}: {what}")
        self.where, self.pointer, self.what = where, pointer, what

    def __reduce__(self) -> tuple[type[ContractError], tuple[str, str, str]]:
        # Raised in worker processes, which hand their errors on as pickles.
        return type(self), (self.where, self.pointer, self.what)


def pointer(*parts: str | int) -> str:
    """JSON pointer (RFC 6901) of a path of keys and indices."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def same_axes(one: Dims, other: Dims) -> bool:
    """Whether two orders are of the same axes."""
    return sorted(map(str, one)) == sorted(map(str, other))


@functools.lru_cache(maxsize=256)
def expand_dtypes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Dtype names with every kind (``integer``, ``floating``...) replaced by its members, in order."""
    return tuple(dict.fromkeys(one for name in names for one in KINDS.get(name, (name,))))


def preferred_dtype(names: tuple[str, ...]) -> str:
    """What to write: the first dtype, and of a kind the widest, so that no cast into it wraps or rounds needlessly."""
    return _WIDEST.get(names[0], names[0])


_WIDEST: Final[Mapping[str, str]] = {
    "integer": "int64",
    "floating": "float64",
    "complexfloating": "complex128",
    "text": "str",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dimension:
    """A symbol that arrays share, and the sizes it may have."""

    symbol: str
    description: str
    minimum: Size | None = None
    maximum: Size | None = None
    equals: Size | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """Bounds of the values; ``None`` or ``False`` where the contract says nothing."""

    finite: bool = False
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    exclusive_maximum: float | None = None
    varies: bool = False
    maximum_over_mean: float | None = None

    @property
    def lows(self) -> list[float]:
        """Bounds from below, strict or not."""
        return [bound for bound in (self.minimum, self.exclusive_minimum) if bound is not None]

    @property
    def highs(self) -> list[float]:
        """Bounds from above, strict or not."""
        return [bound for bound in (self.maximum, self.exclusive_maximum) if bound is not None]

    @property
    def integers(self) -> tuple[float, float]:
        """The least and the greatest integer within the bounds; infinite where there is no bound."""
        low = -math.inf if self.minimum is None else math.ceil(self.minimum)
        high = math.inf if self.maximum is None else math.floor(self.maximum)
        if self.exclusive_minimum is not None:
            low = max(low, math.floor(self.exclusive_minimum) + 1)
        if self.exclusive_maximum is not None:
            high = min(high, math.ceil(self.exclusive_maximum) - 1)
        return low, high

    def holds(self, value: float) -> bool:
        """Whether a value is within the bounds."""
        above = self.exclusive_minimum is None or value > self.exclusive_minimum
        below = self.exclusive_maximum is None or value < self.exclusive_maximum
        return (
            above
            and below
            and (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
        )

    def both(self, other: Values) -> Values:
        """What asks for all that either asks for."""
        return Values(
            finite=self.finite or other.finite,
            minimum=_bound(max, self.minimum, other.minimum),
            exclusive_minimum=_bound(max, self.exclusive_minimum, other.exclusive_minimum),
            maximum=_bound(min, self.maximum, other.maximum),
            exclusive_maximum=_bound(min, self.exclusive_maximum, other.exclusive_maximum),
            varies=self.varies or other.varies,
            maximum_over_mean=_bound(min, self.maximum_over_mean, other.maximum_over_mean),
        )

    def contradiction(self) -> tuple[float, float] | None:
        """The least and the greatest bound, where no number lies between; None where one does."""
        if not self.lows or not self.highs:
            return None
        low, high = max(self.lows), min(self.highs)
        strict = self.exclusive_minimum == low or self.exclusive_maximum == high
        return (low, high) if low > high or (strict and low == high) else None


def _bound(stricter: Callable[..., float], *bounds: float | None) -> float | None:
    held = [bound for bound in bounds if bound is not None]
    return stricter(held) if held else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Legacy:
    """Another known form of an array, the rule it triggers and the step that mends it."""

    index: int
    rule: str
    fix: str | None = None
    name: str | None = None
    dims: Dims | None = None
    dtype: tuple[str, ...] = ()
    quantity: Quantity | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArraySpec:
    """One array of the contract. ``dims`` and ``dtype`` list the allowed forms, preferred first."""

    name: str
    dims: tuple[Dims, ...]
    dtype: tuple[str, ...]
    required: bool = False
    description: str = ""
    source: str = ""
    quantity: Quantity | None = None
    unit: str = ""
    values: Values = field(default_factory=Values)
    legacy: tuple[Legacy, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Its own name, then the legacy ones."""
        return (self.name, *(entry.name for entry in self.legacy if entry.name is not None))

    def legacy_names(self) -> Iterator[Legacy]:
        return (entry for entry in self.legacy if entry.name is not None)

    def legacy_dims(self) -> Iterator[Legacy]:
        return (entry for entry in self.legacy if entry.dims is not None)

    def legacy_dtypes(self) -> Iterator[Legacy]:
        return (entry for entry in self.legacy if entry.dtype and entry.quantity is None)

    def legacy_quantity(self, quantity: Quantity) -> Legacy | None:
        return next((entry for entry in self.legacy if entry.quantity == quantity), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """The scan table: which arrays make its columns, and what its rows must keep."""

    dimension: str
    frames: str
    x: str
    y: str
    index: str | None = None
    probe: str | None = None
    object: str | None = None
    pixel_extent: float | None = None
    inside_tolerance: float | None = None
    distinct: bool = False
    surplus: bool = False
    blank_fraction: float | None = None
    hot_factor: float | None = None
    repeated: bool = False
    minimum_overlap: float | None = None
    forward_model: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """How arrays should lie in the file."""

    order: str | None = None
    byte_order: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """The JSON text a dataset may carry, and the schema it must keep."""

    member: str
    required: bool = False
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """A checked contract.

    ``document`` is the JSON after ``extends``, which findings point into; ``reference`` is what it was loaded by: an
    id, or the path of a file, nothing where it was a document; ``parents`` is what it extends, the nearest first.
    """

    id: str
    version: str
    title: str
    document: Mapping[str, Any]
    reference: str = ""
    parents: tuple[str, ...] = ()
    finding: str | None = None
    description: str = ""
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    arrays: Mapping[str, ArraySpec] = field(default_factory=dict)
    storage: Storage = field(default_factory=Storage)
    scan: Scan | None = None
    identical: tuple[tuple[str, str], ...] = ()
    metadata: Metadata | None = None
    declared_by: tuple[Mapping[str, Any], ...] = ()

    def __repr__(self) -> str:
        # The document alone would fill pages of a notebook or of a test's output.
        return f"<Contract {self.id} {self.version}>"

    def twins(self, name: str | None) -> tuple[str, ...]:
        """The other names of an array, under which it must be identical."""
        return tuple(other for pair in self.identical if name in pair for other in pair if other != name)

    def identical_among(self, names: Collection[str]) -> Iterator[tuple[str, tuple[str, str]]]:
        """Each pair of identical arrays of which there is one, behind the name that counts: the first of them."""
        for pair in self.identical:
            first = next((name for name in pair if name in names), None)
            if first is not None:
                yield first, pair

    def frame_axes(self) -> Dims:
        """Axes of one frame, rows first: as the probe has them, where they are the same; else as the patterns do."""
        if self.scan is None:
            return ()
        own = tuple(size for size in self.arrays[self.scan.frames].dims[0] if size != self.scan.dimension)
        probe = self.arrays[self.scan.probe].dims[0][-2:] if self.scan.probe else ()
        return probe if same_axes(probe, own) else own

    def known_names(self) -> frozenset[str]:
        """Every array name the contract mentions: its own, legacy ones, aliases, the metadata member."""
        names = set(self.arrays)
        for spec in self.arrays.values():
            names.update(entry.name for entry in spec.legacy_names() if entry.name)
        for pair in self.identical:
            names.update(pair)
        if self.metadata:
            names.add(self.metadata.member)
        return frozenset(names)
