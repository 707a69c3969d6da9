"""The last steps of everything that is made: write, check against the contract, give it its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npzschema.contracts import Contract
from npzschema.validator.engine import validate
from npzschema.validator.findings import Report

from .errors import GeneratorError
from .sidecar import Sidecar, write_sidecar
from .stream import Stream, c_order
from .write import Compression, NpzWriter, Written, refuse_existing, replacing


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A file that was written. ``report``: what the validator says of it; ``steps``: what was done, as data."""

    path: Path
    report: Report
    steps: tuple[Mapping[str, Any], ...] = ()
    sidecar: Path | None = None


def publish(
    target: Path,
    streams: Mapping[str, Stream],
    contract: Contract,
    *,
    force: bool,
    compression: Compression = "isal",
    level: int | None = None,
    sidecar: Sidecar | None = None,
    sidecar_path: Path | None = None,
    steps: tuple[Mapping[str, Any], ...] = (),
) -> Made:
    """Write arrays in the contract's order, then whatever else there is by name.

    Raises:
        GeneratorError: the target exists, cannot be written, or what was made does not keep the contract.
            Nothing is left behind.
    """
    if sidecar_path is not None:
        refuse_existing(sidecar_path, force=force)
    order = [name for name in contract.arrays if name in streams]
    order += sorted(set(streams) - set(order))
    with replacing(target, force=force) as (file, temporary):
        writer = NpzWriter(file, compression, level)
        for name in order:
            stream = streams[name]
            writer.add(name, stream.dtype, stream.shape, c_order(stream, target.parent))
        writer.close()
        file.flush()
        report = validate(temporary, contract)
        if not report.ok:
            wrong = "; ".join(f"{one.code} {one.message}" for one in report.findings if one.level == "error")
            raise GeneratorError(f"{target}: what was made does not keep {contract.id}: {wrong}; nothing was written")
        written: Mapping[str, Written] = writer.arrays
        if sidecar is not None and sidecar_path is not None:
            write_sidecar(sidecar_path, sidecar, temporary, contract, written)
    return Made(path=target, report=report, steps=steps, sidecar=sidecar_path)
