"""``storage``: memory and byte order (FORMAT-003)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ..case import Case
from ..dataset import ArrayHeader
from ..findings import Deviation
from ..words import enumerate_words


def check(case: Case) -> Iterator[Deviation]:
    storage = case.contract.storage
    for name, reading in case.binding.readings.items():
        header = reading.header
        told, asked = [], []
        if storage.order == "C" and header.fortran:
            told.append("in Fortran order")
            asked.append("C order")
        if storage.byte_order == "little" and _big(header):
            told.append("big-endian")
            asked.append("little-endian")
        if told:
            yield Deviation(
                code="FORMAT-003",
                array=name,
                message=f"is stored {enumerate_words(told, 'and')}; the contract says {', '.join(asked)}",
                expected=", ".join(asked),
                found=", ".join(told),
                at=("order" if "Fortran" in told[0] else "byteOrder",),
                fix={"step": "native", "array": name},
            )


def _big(header: ArrayHeader) -> bool:
    order = header.dtype.byteorder
    return order == ">" or (order == "=" and sys.byteorder == "big")
