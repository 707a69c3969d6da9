"""The rules by family, each under the heading that the pages give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from npzschema.contracts import Rule, rules

_HEADINGS: Final[Mapping[str, str]] = {
    "FILE": "The container",
    "KEY": "Names of arrays",
    "FORMAT": "Order of axes and of bytes",
    "SHAPE": "Shapes",
    "DTYPE": "Data types",
    "VALUE": "Values",
    "NORM": "Amplitudes and their scale",
    "SCAN": "Scan positions and frames",
    "PHYS": "The file against the forward model",
    "META": "Metadata",
    "INTERNAL": "Faults of the tool",
}


def families() -> Iterator[tuple[str, list[Rule]]]:
    """Heading and rules of each family, in the order of the catalogue."""
    for family in dict.fromkeys(rule.family for rule in rules().values()):
        yield _HEADINGS.get(family, family), [rule for rule in rules().values() if rule.family == family]
