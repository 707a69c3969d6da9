"""Hostile archives, made the same way every time, by family: name -> what to write, exit status, codes."""

from __future__ import annotations

from .hostile_arrays import found, headers, prefixes
from .hostile_case import Case
from .hostile_pickles import metadata, pickles
from .hostile_pieces import pieces
from .hostile_records import (
    central_fields,
    doubles,
    end_fields,
    local_fields,
    methods,
    names,
    outside,
    overlaps,
    truncated,
)
from .hostile_streams import bombs, damaged, other_files, sizes
from .hostile_zip64 import descriptors, zip64_end, zip64_extra


def families() -> dict[str, dict[str, Case]]:
    makers = (
        truncated,
        local_fields,
        central_fields,
        end_fields,
        zip64_end,
        zip64_extra,
        descriptors,
        outside,
        methods,
        headers,
        prefixes,
        sizes,
        damaged,
        pieces,
        doubles,
        overlaps,
        bombs,
        names,
        pickles,
        metadata,
        other_files,
        found,
    )
    return {make.__name__: dict(make()) for make in makers}


FAMILIES = families()
CASES = {f"{family}: {name}": case for family, cases in FAMILIES.items() for name, case in cases.items()}
