"""The rules: one file a keyword of the contract, named after it, with one public function ``check``.

A rule yields deviations: facts without level, pointer or remedy, which the engine adds. The tables below are
the only list of them, in the order in which findings of one level are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from npzschema.contracts import ArraySpec

from ..case import Case
from ..findings import Deviation
from . import (
    arrays,
    dims,
    dtype,
    finite,
    forward_model,
    legacy,
    maximum,
    maximum_over_mean,
    metadata,
    minimum,
    relations,
    required,
    scan,
    storage,
    varies,
)

ArrayRule = Callable[[Case, ArraySpec], Iterator[Deviation]]
CaseRule = Callable[[Case], Iterator[Deviation]]

ARRAY_RULES: Final[Mapping[str, ArrayRule]] = {
    "required": required.check,
    "legacy": legacy.check,
    "dims": dims.check,
    "dtype": dtype.check,
    "values/finite": finite.check,
    "values/minimum": minimum.check,
    "values/maximum": maximum.check,
    "values/varies": varies.check,
    "values/maximumOverMean": maximum_over_mean.check,
}
"""Keyword of an array, as a path below ``/arrays/<name>``, to its rule."""

CASE_RULES: Final[Mapping[str, CaseRule]] = {
    "dimensions": dims.check_sizes,
    "scan": scan.check,
    "scan/forwardModel": forward_model.check,
    "relations": relations.check,
    "metadata": metadata.check,
    "storage": storage.check,
    "arrays": arrays.check,
}
"""Keyword of the contract to its rule."""
