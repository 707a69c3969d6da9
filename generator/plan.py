"""What has to be done to a file so that it keeps a contract: read off the validator's findings, nothing else.

No rule is written a second time here. A finding that carries a step can be mended; one that does not, cannot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from npzschema.contracts import Contract
from npzschema.contracts.steps import BY_NAME, LOSSY, ORDER
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.findings import Finding, Report
from npzschema.validator.named_axes import orders_of

from .errors import GeneratorError

ROOTS: Final = frozenset({"sqrt", "square"})
"""Steps that a dtype asks for, and against which the forward model may speak."""


MOVING: Final = frozenset({"pairing", "positions"})
"""Steps that change x and y, and nominal positions where they have the same fault."""


def check_allowed(names: Collection[str]) -> None:
    """Raises :class:`GeneratorError` for a name that is no step taken by name."""
    if isinstance(names, str):
        raise GeneratorError(f"allow is a list of names, not a text; write [{names!r}]")
    for name in names:
        if name not in LOSSY:
            raise GeneratorError(f"{name!r} is no step that is taken by name; those are {', '.join(LOSSY)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One change to one array. ``sentence``: the same for people."""

    step: str
    array: str
    sentence: str
    lossless: bool
    values: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {
            "step": self.step,
            "array": self.array,
            "lossless": self.lossless,
            "sentence": self.sentence,
            **self.values,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Steps in order, and what stands in the way: lines for people, empty where the plan can be carried out."""

    steps: tuple[Step, ...]
    obstacles: tuple[str, ...]

    def of(self, array: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.array == array)


def plan(report: Report, contract: Contract, *, allow: Collection[str] = ()) -> Plan:
    """How to mend a file.

    Args:
        report: what the validator says of it, against ``contract``.
        contract: what it should become.
        allow: names of lossy steps (:data:`~npzschema.contracts.steps.LOSSY`) that may be taken.
    """
    steps: dict[tuple[str, str], Step] = {}
    obstacles: list[str] = []
    for finding in report.findings:
        step = step_of(finding)
        if step is None:
            if finding.level == "error":
                obstacles.append(f"{finding.code} {finding.message}")
            elif finding.code == "FORMAT-002":
                name = finding.array
                why = f": {finding.evidence}" if finding.evidence else ""
                known = [
                    f"--axes {name}={','.join(map(str, dims))}"
                    for dims in orders_of(contract, contract.arrays[str(name)])
                ]
                obstacles.append(f"{finding.code} {finding.message}{why}; name them with {' or '.join(known)}")
        elif not step.lossless and step.step not in allow:
            if finding.level == "error":
                obstacles.append(f"{finding.code} {finding.message}; --allow {step.step} would {LOSSY[step.step]}")
        else:
            steps.setdefault((step.array, step.step), step)
    ordered = sorted(steps.values(), key=lambda step: ORDER.index(step.step))
    return Plan(steps=tuple(ordered), obstacles=tuple(obstacles))


def step_of(finding: Finding) -> Step | None:
    """What would mend one finding, allowed or not; None where nothing does."""
    array = finding.array or ""
    fix = dict(finding.fix) if finding.fix else None
    if fix is None:
        return None
    step = str(fix.pop("step"))
    if step not in ORDER:
        return None
    for other in ("array", "then"):
        fix.pop(other, None)
    # Of two readings at once the first is mended; what is made then shows the other.
    first = (finding.found or "").partition("+")[0]
    lossless = bool(fix.pop("lossless", True)) and step not in BY_NAME
    sentence = {
        "copy": f"copied from {fix.get('source')}, which is the same array",
        "rename": f"renamed from {fix.get('source')}",
        "transpose": f"axes {finding.found} brought into the order {finding.expected}",
        "squeeze": f"axes of length 1 removed: {finding.found} to {finding.expected}",
        "cast": f"cast from {finding.found} to {fix.get('dtype')}"
        + ("" if lossless else f"; {finding.message.rpartition('; ')[2]}"),
        "sqrt": f"square root taken: {finding.found} to {finding.expected}",
        "square": f"squared: {finding.found} to {finding.expected}",
        "normalise": f"divided by the largest value, {fix.get('divisor', 1):.6g}",
        "native": "written in C order, little-endian",
        "drop": f"cut to the first {fix.get('keep')} positions"
        + (f", like {', '.join(others)}" if (others := [one for one in fix.get("arrays", ()) if one != array]) else ""),
        "centre": f"zero frequency moved to the centre: {first}",
        "detector": f"pixels of each pattern put in another order: {first}",
        "pairing": f"positions paired with their frames: {first} {dict(fix.get('values', {})).get('step')}",
        "positions": f"positions written as they fit the patterns: {first}",
        "unpickle-metadata": "text of the pickled array written as plain text",
    }[step]
    return _made(step, array, sentence, fix, lossless=lossless)


def along(step: Step, name: str) -> Step:
    """The same step of nominal positions beside those that are read."""
    return _made(step.step, name, step.sentence.partition(": ")[2], step.values)


def left_out(name: str, why: str) -> Step:
    """An array, or another member, that is not in what is made."""
    return Step(step="leave-out", array=name, sentence=f"left out: {name}, which {why}", lossless=False, values={})


def others_left_out(dataset: ArchiveDataset) -> tuple[Step, ...]:
    """Members of an archive that are no arrays, of which nothing is carried over."""
    return tuple(left_out(name, "is no array that can be read") for name in dataset.others)


def copied(name: str, source: str) -> Step:
    """An array that is written under its second name."""
    return _made("copy", name, f"{source} once more, for readers of that name", {"source": source})


def _made(step: str, array: str, sentence: str, values: Mapping[str, Any], *, lossless: bool = True) -> Step:
    return Step(step=step, array=array, sentence=f"{array}: {sentence}", lossless=lossless, values=values)
