"""What the rules look at: one file under one contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from npzschema.contracts import ArraySpec, Contract, Legacy, Quantity, expand_dtypes

from .binding import Binding, Dissent, Reading
from .dataset import ArrayHeader
from .folds import Facts, FrameFacts
from .forward import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class MetadataText:
    """The metadata member: its text, or None where it holds anything else."""

    text: str | None
    pickled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ForwardTest:
    """The file against its own forward model: a verdict, or why there is none.

    ``quantity``: what the patterns hold, where one reading explains them clearly better; ``residuals``: how badly
    they fit as amplitudes and as intensities; ``orders``: what was found of each order of axes, where none is decided.
    """

    verdict: Verdict | None = None
    silent: str = ""
    orders: str = ""
    quantity: Quantity | None = None
    residuals: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A file, read under a contract. ``facts``: by member, empty where values were not read.

    ``unreadable``: arrays that are there but malformed or damaged, which is told already; ``own``: contracts that are
    known beside those that ship with the tool.
    """

    contract: Contract
    headers: Mapping[str, ArrayHeader]
    binding: Binding
    facts: Mapping[str, Facts] = field(default_factory=dict)
    metadata: MetadataText | None = None
    unreadable: frozenset[str] = frozenset()
    own: tuple[Contract, ...] = ()
    forward: ForwardTest | None = None

    def reading(self, spec: ArraySpec) -> Reading | None:
        return self.binding.readings.get(spec.name)

    def facts_of(self, reading: Reading | None) -> Facts | None:
        """Facts of the array as it is read, where values were read."""
        facts = self.facts.get(reading.header.name) if reading else None
        if facts and reading and facts.values is not None and facts.values.shape != reading.header.shape:
            # Another contract reads it without some axis of length 1.
            return replace(facts, values=facts.values.reshape(reading.header.shape))
        return facts

    def quantity(self, reading: Reading) -> Quantity | None:
        """What patterns hold, where that is known.

        Integers are counts; floats say it by their lattice or by the forward model, and nothing where these disagree.
        """
        if reading.spec.quantity is None:
            return None
        if reading.header.dtype.kind in "iu":
            return "intensity"
        facts = self.facts_of(reading)
        lattice = facts.lattice if facts else None
        scan = self.contract.scan
        model = self.forward.quantity if self.forward and scan and reading.spec.name == scan.frames else None
        if lattice and model and lattice != model:
            return None
        return lattice or model

    def holds_counts(self, reading: Reading) -> bool:
        """Whether patterns are taken for intensities: as they are known to be, else as the contract has them."""
        return (self.quantity(reading) or reading.spec.quantity) == "intensity"

    def other_quantity(self, reading: Reading) -> Legacy | None:
        """The contract's entry for the quantity that the patterns hold, where it is not the one asked for."""
        quantity = self.quantity(reading)
        if quantity is None or quantity == reading.spec.quantity:
            return None
        entry = reading.spec.legacy_quantity(quantity)
        if entry is None or reading.header.dtype_name not in expand_dtypes(entry.dtype):
            return None
        return entry

    def as_meant(self, reading: Reading, values: Any) -> Any:
        """A value, or an array of them, under the quantity that the contract asks for. Negative counts stay."""
        entry = self.other_quantity(reading)
        if entry is None:
            return values
        meant = np.asarray(values, dtype=np.float64)
        found = np.where(meant < 0, meant, np.sqrt(np.abs(meant)) if entry.quantity == "intensity" else meant * meant)
        return found if found.ndim else found.item()

    def is_surplus(self, dissent: Dissent) -> bool:
        """Whether there are more positions than frames, as the contract allows, and nothing else.

        Whoever has a scan axis beside the patterns must agree on it.
        """
        scan = self.contract.scan
        if scan is None or not scan.surplus or set(dissent.sizes) != {scan.dimension}:
            return False
        return (
            self.binding.reading(scan.frames) is not None
            and {scan.x, scan.y} <= set(dissent.arrays)
            and dissent.sizes[scan.dimension] > self.binding.sizes[scan.dimension]
        )

    @property
    def disputes(self) -> tuple[Dissent, ...]:
        """Where arrays contradict each other on a size: a surplus of positions contradicts nothing."""
        return tuple(dissent for dissent in self.binding.dissents if not self.is_surplus(dissent))

    def frames_of(self, reading: Reading) -> FrameFacts | None:
        """Facts by frame, where the scan axis is decided."""
        facts = self.facts_of(reading)
        axis = self.scan_axis(reading)
        return facts.frames.get(axis) if facts and axis is not None else None

    def scan_axis(self, reading: Reading) -> int | None:
        return reading.axis(self.contract.scan.dimension) if self.contract.scan else None
