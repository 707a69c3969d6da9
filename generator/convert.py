"""Mend a whole dataset: any file whose findings carry a step becomes one that keeps the contract."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from npzschema.contracts import DEFAULT, Contract, load

from .mend import mended, metadata_stream, passed_through
from .plan import LOSSY, Plan, check_allowed, plan
from .publish import Made, Output, publish
from .sidecar import Sidecar
from .source import Axes, Source, opened, refuse_same
from .stream import Stream
from .write import refuse_existing


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    contract: str | Path | Contract = DEFAULT,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    keep_legacy_names: bool = False,
    metadata_out: str | os.PathLike[str] | None = None,
    options: Output = Output(),
) -> Made:
    """Write a mended copy of a dataset; the input is never changed.

    Args:
        source: the file to mend.
        target: the file to write.
        contract: what it should become.
        allow: lossy steps that may be taken: ``normalise``, ``drop``, ``cast``.
        axes: axes of arrays whose order the caller knows, such as ``{"diffraction": ("H", "W", "N")}``.
        keep_legacy_names: write the patterns under both of their names, for readers of either kind.
        metadata_out: where to write a record of the source and of every step.
        options: how the file is written.

    Raises:
        GeneratorError: something cannot be mended or written. Nothing is left behind.
        ContractError: the contract is refused.
    """
    wanted = contract if isinstance(contract, Contract) else load(contract)
    out = Path(target)
    check_allowed(allow)
    refuse_same(source, out)
    refuse_existing(out, force=options.force)
    record = Path(metadata_out) if metadata_out is not None else None
    with opened(source, wanted, allow=allow, axes=axes) as one:
        steps = tuple(step.document() for step in one.plan.steps)
        return publish(
            out,
            _streams(one, wanted, keep_legacy_names=keep_legacy_names),
            wanted,
            options,
            sidecar=Sidecar(
                command="convert", source=one.path, strategy="all", indices=one.positions(wanted), transformations=steps
            ),
            sidecar_path=record,
            steps=steps,
        )


def dry_run(source: str | os.PathLike[str], *, contract: str | Path | Contract = DEFAULT, axes: Axes | None = None) -> tuple[Plan, Plan]:
    """What :func:`convert` would do, without lossy steps and with all of them."""
    from npzschema.validator.engine import validate

    wanted = contract if isinstance(contract, Contract) else load(contract)
    report = validate(source, wanted, axes=axes)
    if report.verdict == "unreadable":
        with opened(source, wanted, axes=axes):
            pass
    return plan(report, wanted), plan(report, wanted, allow=tuple(LOSSY))


def _streams(one: Source, contract: Contract, *, keep_legacy_names: bool) -> dict[str, Stream]:
    streams = mended(one.dataset, one.report, one.binding, contract, one.plan)
    for pair in contract.identical:
        both = keep_legacy_names or all(name in one.dataset.headers for name in pair)
        main = next((name for name in pair if name in streams), None)
        if both and main is not None:
            # The second name is the first array once more, not a second reading of the file.
            streams |= {name: streams[main] for name in pair}
    streams |= passed_through(one.dataset, streams, contract.known_names())
    name = contract.metadata.member if contract.metadata else None
    if name is not None:
        text = metadata_stream(one.dataset, name)
        if text is not None:
            streams[name] = text
    return streams
