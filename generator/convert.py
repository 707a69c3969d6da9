"""Mend a whole dataset: any file whose findings carry a step becomes one that keeps the contract."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from npzschema.contracts import DEFAULT, Contract, load
from npzschema.contracts.steps import BY_CONTENT, LOSSY
from npzschema.validator.archive import Limits
from npzschema.validator.memory import give_back

from .errors import GeneratorError, NotKeptError
from .mend import second_names
from .metadata import metadata
from .plan import Plan, Step, check_allowed, others_left_out, plan
from .publish import DEFAULTS, Made, Output, publish
from .replace import refuse_existing
from .rounds import mended_in_rounds
from .sidecar import Sidecar
from .source import Axes, Source, examined, opened, refuse_same
from .stream import Stream
from .transpose import BLOCK


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    contract: str | Path | Contract = DEFAULT,
    allow: Collection[str] = (),
    axes: Axes | None = None,
    limits: Limits | None = None,
    keep_legacy_names: bool = False,
    metadata_out: str | os.PathLike[str] | None = None,
    options: Output = DEFAULTS,
) -> Made:
    """Write a mended copy of a dataset; the input is never changed.

    Args:
        source: the file to mend.
        target: the file to write.
        contract: what it should become.
        allow: steps that are taken only by name, such as ``normalise``: any of
            :data:`npzschema.contracts.steps.LOSSY`.
        axes: axes of arrays whose order the caller knows, such as ``{"diffraction": ("H", "W", "N")}``.
        limits: what to refuse as a bomb.
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
    record = Path(metadata_out) if metadata_out is not None else None
    outputs = (out,) if record is None else (out, record)
    refuse_same(source, *outputs)
    for path in outputs:
        refuse_existing(path, force=options.force, dataset=path is out)

    def attempt(*, headers_only: bool) -> Made:
        with opened(source, wanted, allow=allow, axes=axes, headers_only=headers_only, limits=limits) as one:
            streams, steps = mended_in_rounds(
                one, wanted, allow=allow, guarded=headers_only, both_names=keep_legacy_names
            )
            block = BLOCK
            if not headers_only:
                # Values were looked at already: what that took must leave room for what is to be written.
                give_back()
                block //= 2
            return _publish(one, streams, (*steps, *others_left_out(one.dataset)), out, wanted, options, record, block)

    try:
        # Most files can be mended by what their headers say, in one pass; what is made is validated in any case.
        return attempt(headers_only=not BY_CONTENT & set(allow))
    except NotKeptError:
        pass
    # Not beside the error, which holds on to all that the first attempt had in hand.
    give_back()
    return attempt(headers_only=False)


def _publish(
    one: Source,
    streams: Mapping[str, Stream],
    taken: tuple[Step, ...],
    out: Path,
    wanted: Contract,
    options: Output,
    record: Path | None,
    block: int,
) -> Made:
    steps = tuple(step.document() for step in taken)
    return publish(
        out,
        streams,
        wanted,
        options,
        sidecar=Sidecar(
            command="convert", source=one.path, strategy="all", indices=one.positions(wanted), transformations=steps
        ),
        sidecar_path=record,
        steps=steps,
        last=one.unchanged,
        block=block,
    )


def dry_run(
    source: str | os.PathLike[str],
    *,
    contract: str | Path | Contract = DEFAULT,
    axes: Axes | None = None,
    limits: Limits | None = None,
    keep_legacy_names: bool = False,
) -> tuple[Plan, Plan]:
    """What :func:`convert` would do, without lossy steps and with all of them."""
    wanted = contract if isinstance(contract, Contract) else load(contract)
    one = examined(source, wanted, axes=axes, limits=limits)
    one.check_readable()
    with one.opened() as (dataset, _, _):
        declared = *metadata(dataset, wanted)[1], *others_left_out(dataset)
    names = {facts.reads_as for facts in one.report.arrays.values() if facts.reads_as}

    def whole(planned: Plan) -> Plan:
        made = names | {step.array for step in planned.steps if step.step == "copy"}
        copies = second_names(wanted, made, one.report.arrays) if keep_legacy_names else ()
        return replace(planned, steps=(*planned.steps, *copies, *declared))

    without, everything = map(whole, (one.plan, plan(one.report, wanted, allow=tuple(LOSSY))))
    if everything.obstacles or not any(step.step in BY_CONTENT for step in everything.steps):
        return without, everything
    # With what shows only once it is carried out.
    with opened(source, wanted, allow=tuple(LOSSY), axes=axes, limits=limits) as mended:
        try:
            _, steps = mended_in_rounds(mended, wanted, allow=tuple(LOSSY), both_names=keep_legacy_names)
        except GeneratorError as error:
            return without, replace(everything, obstacles=(str(error),))
    return without, replace(everything, steps=(*steps, *others_left_out(mended.dataset)))
