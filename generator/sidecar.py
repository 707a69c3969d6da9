"""The JSON file beside a generated dataset: where it came from and how, and digests to check it by."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from npzschema import __version__
from npzschema.contracts import Contract

from .errors import GeneratorError
from .write import Written

VERSION: Final = "1.0.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sidecar:
    """What is known before the file is written."""

    command: str
    source: Path
    strategy: str
    indices: Sequence[int]
    transformations: tuple[Mapping[str, Any], ...]


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes, in hexadecimal.

    Raises:
        GeneratorError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GeneratorError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from None


def document(sidecar: Sidecar, npz: Path, contract: Contract, arrays: Mapping[str, Written]) -> dict[str, Any]:
    """The sidecar of a file that is about to get its name, as contracts/sidecar.schema.json describes it."""
    try:
        size = sidecar.source.stat().st_size
    except OSError as error:
        raise GeneratorError(f"{sidecar.source}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    return {
        "version": VERSION,
        "created": _created(),
        "generator": {"name": "npzschema", "command": sidecar.command, "version": __version__},
        "source_dataset": {
            # A name need not be UTF-8; the sidecar must be.
            "name": os.fsencode(sidecar.source.name).decode("utf-8", "backslashreplace"),
            "size": size,
            "sha256": sha256_of(sidecar.source),
        },
        "contract": {"id": contract.id, "version": contract.version},
        "subset_strategy": sidecar.strategy,
        "subset_size": len(sidecar.indices),
        "indices": list(sidecar.indices),
        "transformations": [dict(step) for step in sidecar.transformations],
        "sha256_checksum": sha256_of(npz),
        "arrays": {
            name: {"dtype": one.dtype, "shape": list(one.shape), "sha256": one.sha256} for name, one in arrays.items()
        },
    }


def _created() -> str:
    """Now, or the moment that reproducible builds name (https://reproducible-builds.org/specs/source-date-epoch/)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = (
            datetime.datetime.now(datetime.UTC)
            if epoch is None
            else datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        )
    except (ValueError, OverflowError, OSError):
        raise GeneratorError(f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds") from None
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
