"""Pictures of a file, gathered from what the rules saw: one file a picture, the table below the only list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..case import Case
from ..dataset import Dataset
from ..faults import Fault
from ..findings import Finding
from ..picture import Picture
from . import axis_order, comparison, histogram, object_and_scan, patterns, positions, probe, totals, worst
from .encoding import decoded, encoded
from .sight import Shown, Sight

Gather = Callable[[Sight], Shown | str | None]

PICTURES: Final[Mapping[tuple[str, str], Gather]] = {
    ("axis-order", "Slices along either axis"): axis_order.gather,
    ("forward-model", "Measured and predicted"): comparison.gather,
    ("worst-frames", "Worst frames beside a typical one"): worst.gather,
    ("totals", "Frame by frame"): totals.gather,
    ("object", "Object"): object_and_scan.gather,
    ("probe", "Probe"): probe.gather,
    ("mean-pattern", "Mean pattern"): patterns.gather,
    ("histogram", "Histogram of the patterns"): histogram.gather,
    ("positions", "Scan positions"): positions.gather,
}
"""In the order in which they are shown. A gatherer gives a picture, why there is none, or None where none is due."""


def gather(case: Case, dataset: Dataset, findings: tuple[Finding, ...]) -> tuple[Picture, ...]:
    """Every picture that can be made of a file; of the others, why not.

    Parts of the patterns may be read a second time, in bounded memory.
    """
    scan = case.contract.scan
    if scan is None or not case.facts:
        return ()
    sight = Sight(case=case, scan=scan, dataset=dataset, findings=findings)
    made = (_made(key, title, one, sight) for (key, title), one in PICTURES.items())
    return tuple(picture for picture in made if picture is not None)


def _made(key: str, title: str, one: Gather, sight: Sight) -> Picture | None:
    try:
        told = one(sight)
    except Fault as fault:
        told = f"the file cannot be read a second time: {fault.what}"
    except Exception as error:  # noqa: BLE001 - the verdict stands without a picture, and the report says so
        told = f"a fault of this tool: {type(error).__name__}: {error}"
    if told is None:
        return None
    if isinstance(told, str):
        return Picture(key=key, title=title, absent=told)
    return Picture(
        key=key,
        title=title,
        caption=told.caption,
        codes=told.codes,
        panels=told.panels,
        columns=told.columns,
    )


__all__ = ["PICTURES", "decoded", "encoded", "gather"]
