"""Which other arrays bear the axes of one out."""

from __future__ import annotations

from .binding import Reading
from .case import Case


def witnesses(case: Case, reading: Reading) -> str:
    """The evidence of sizes, in words."""
    told = []
    scan = case.contract.scan
    sizes = reading.sizes()
    others = {
        symbol: [name for name in names if name != reading.spec.name]
        for symbol, names in case.binding.witnesses.items()
    }
    if scan and scan.dimension in sizes and {scan.x, scan.y} & set(others.get(scan.dimension, ())):
        told.append(f"{sizes[scan.dimension]} positions")
    probe = case.binding.reading(scan.probe) if scan else None
    if probe and any(probe.spec.name in others.get(symbol, ()) for symbol in sizes):
        told.append("x".join(map(str, probe.header.shape)) + " probe")
    return "; ".join(told) or "no other order of the axes keeps the bounds of the contract"
