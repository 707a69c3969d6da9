"""Faults that show only once others are mended: what was made is read like any file, and planned for again.

A pattern's zero frequency in the corner hides that its rows are reversed, as nothing fits until both are put right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from npzschema.contracts import Contract
from npzschema.contracts.model import Dims
from npzschema.validator.binding import bind
from npzschema.validator.engine import validate_dataset

from .errors import GeneratorError
from .mend import mended_file
from .mended import MendedDataset
from .plan import BY_CONTENT, Step, plan
from .source import Axes, Source, decided
from .stream import Stream

ROUNDS: Final = 3
"""How often what was made is planned for again: few faults hide another, and readings that undo each other must end."""


def mended_further(
    one: Source,
    streams: Mapping[str, Stream],
    contract: Contract,
    steps: Collection[Step],
    *,
    allow: Collection[str],
    axes: Axes | None,
    both_names: bool = False,
) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """What was made, mended by further steps that are allowed, and these steps; nothing is written.

    Args:
        one: the file that the streams come from.
        streams: what was made of it.
        contract: what it should become.
        steps: those taken so far.
        allow: names of steps that may be taken.
        axes: axes of arrays of the file whose order the caller knows; once decided, by whatever told them, they are not
            asked again.
        both_names: arrays that have two names have them both.

    Raises:
        GeneratorError: what was made needs a step that is not allowed, or that there is not.
    """
    made, name = dict(streams), str(one.path)
    meant = _meant(contract, {**decided(one.report, contract), **(axes or {})})
    further: list[Step] = []
    for _ in range(ROUNDS if BY_CONTENT & set(allow) else 0):
        seen = MendedDataset(one.dataset, made)
        report = validate_dataset(seen, name, contract, axes=meant)
        todo = plan(report, contract, allow=allow)
        if todo.obstacles:
            taken = ", ".join(dict.fromkeys(step.step for step in (*steps, *further))) or "nothing"
            told = "; ".join(todo.obstacles)
            raise GeneratorError(
                f"{name}: cannot become {contract.id}: once mended by {taken}: {told}; nothing was written"
            )
        if not any(step.step in BY_CONTENT for step in todo.steps):
            break
        binding = bind(contract, seen.headers, decided(report, contract))
        made, declared = mended_file(seen, binding, contract, todo, both_names=both_names)
        further += [*todo.steps, *declared]
    return made, tuple(further)


def _meant(contract: Contract, axes: Axes) -> dict[str, Dims]:
    """The same axes as they are once the array is mended: in the contract's order."""
    meant = {}
    for array, named in axes.items():
        spec = next((one for one in contract.arrays.values() if array in one.names()), None)
        dims = (
            next((one for one in spec.dims if sorted(map(str, one)) == sorted(map(str, named))), None) if spec else None
        )
        if spec is not None and dims is not None:
            meant[spec.name] = dims
    return meant
