"""Faults that show only once others are mended: what was made is read like any file, and planned for again.

A pattern's zero frequency in the corner hides that its rows are reversed, as nothing fits until both are put right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from npzschema.contracts import Contract
from npzschema.contracts.model import Dims
from npzschema.contracts.steps import BY_CONTENT
from npzschema.validator.binding import bind
from npzschema.validator.dataset import Dataset
from npzschema.validator.engine import validate_dataset
from npzschema.validator.findings import Report

from .errors import GeneratorError
from .mend import mended_file
from .mended import MendedDataset
from .plan import Plan, Step, plan
from .source import Source, decided
from .stream import Stream

ROUNDS: Final = 4
"""How often a file is mended at most: few faults hide another, and readings that undo each other must end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What is mended at once, and the axes by which the arrays are read before that. Can be pickled."""

    plan: Plan
    axes: dict[str, Dims]


def mended_in_rounds(
    one: Source, contract: Contract, *, allow: Collection[str], guarded: bool = False, both_names: bool = False
) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """Everything that the mended file holds, and every step: those that are planned, and those that show only then.

    Args:
        one: the file.
        contract: what it should become.
        allow: names of steps that may be taken.
        guarded, both_names: as for :func:`~.mend.mended_file`.

    Raises:
        GeneratorError: what was made needs a step that is not allowed, or that there is not.
    """
    rounds: tuple[Round, ...] = (Round(plan=one.plan, axes=one.axes),)
    if BY_CONTENT & set(allow):
        name = str(one.path)
        rounds, report = planned(one.dataset, contract, rounds[0], name=name, allow=allow, both_names=both_names)
        if obstacles := plan(report, contract, allow=allow).obstacles:
            taken = ", ".join(dict.fromkeys(step.step for each in rounds for step in each.plan.steps)) or "nothing"
            told = "; ".join(obstacles)
            raise GeneratorError(
                f"{name}: cannot become {contract.id}: once mended by {taken}: {told}; nothing was written"
            )
    return carried_out(one.dataset, contract, rounds, guarded=guarded, both_names=both_names)


def planned(
    dataset: Dataset,
    contract: Contract,
    first: Round,
    *,
    name: str,
    allow: Collection[str],
    headers_only: bool = False,
    guarded: bool = False,
    both_names: bool = False,
) -> tuple[tuple[Round, ...], Report]:
    """The first round and those that show only once it is carried out, and what the validator says of the result."""
    rounds: tuple[Round, ...] = (first,)
    while True:
        streams, _ = carried_out(dataset, contract, rounds, guarded=guarded, both_names=both_names)
        made, axes = MendedDataset(dataset, streams), _after(contract, rounds[-1])
        report = validate_dataset(made, name, contract, headers_only=headers_only, axes=axes)
        todo = plan(report, contract, allow=allow)
        more = any(step.step in BY_CONTENT for step in todo.steps) and not todo.obstacles
        if not more or len(rounds) == ROUNDS:
            return rounds, report
        rounds = (*rounds, Round(plan=todo, axes=decided(report, contract)))


def carried_out(
    dataset: Dataset, contract: Contract, rounds: Sequence[Round], *, guarded: bool = False, both_names: bool = False
) -> tuple[dict[str, Stream], tuple[Step, ...]]:
    """Everything that the mended file holds, and every step. Nothing is validated, and little is read yet."""
    seen, streams, steps = dataset, dict[str, Stream](), list[Step]()
    for one in rounds:
        binding = bind(contract, seen.headers, one.axes)
        streams, declared = mended_file(seen, binding, contract, one.plan, guarded=guarded, both_names=both_names)
        steps += [*one.plan.steps, *declared]
        seen = MendedDataset(dataset, streams)
    return streams, tuple(steps)


def _after(contract: Contract, one: Round) -> Mapping[str, Dims]:
    """The same axes once the arrays are mended; what is decided is not asked again."""
    after = {}
    for array, named in one.axes.items():
        spec = next((spec for spec in contract.arrays.values() if array in spec.names()), None)
        if spec is None:
            continue
        turned = any(step.step == "transpose" for step in one.plan.of(spec.name))
        meant = [dims for dims in spec.dims if _as_told(dims, turned=turned) == _as_told(named, turned=turned)]
        after[spec.name] = named if named in meant or not meant else meant[0]
    return after


def _as_told(dims: Dims, *, turned: bool) -> list[str]:
    """Axes to compare: those of length 1 may be named or left out."""
    told = [str(dim) for dim in dims if dim != 1]
    return sorted(told) if turned else told
