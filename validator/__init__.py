"""Does this file keep the contract? Open, describe, bind, fold, check, report."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from npzschema.contracts import ContractError

    from .archive import Limits
    from .engine import validate
    from .findings import ArrayFacts, Finding, Report, ValidationError
    from .source import ByteSource, BytesSource, FileSource
    from .threads import ThreadsError

# Looked up when asked for: the command line answers --help without numpy.
_HOMES: Final = {
    "ArrayFacts": ".findings",
    "ByteSource": ".source",
    "BytesSource": ".source",
    "ContractError": "..contracts",
    "FileSource": ".source",
    "Finding": ".findings",
    "Limits": ".archive",
    "Report": ".findings",
    "ThreadsError": ".threads",
    "ValidationError": ".findings",
    "validate": ".engine",
}

__all__ = [
    "ArrayFacts",
    "ByteSource",
    "BytesSource",
    "ContractError",
    "FileSource",
    "Finding",
    "Limits",
    "Report",
    "ThreadsError",
    "ValidationError",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
