"""What a user of the package would write: a loader of theirs, tested on whatever their own contract allows."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from hypothesis import given

import npzschema
from npzschema.contracts import load
from npzschema.generator import strategies

THEIRS = {
    "id": "beamline/reduced",
    "version": "0.3.0",
    "title": "Reduced scans of one beamline",
    "extends": "ptychopinn/canonical",
    "arrays": {
        "objectGuess": {"required": False},
        "exposure": {
            "required": True,
            "unit": "s",
            "dims": ["N"],
            "dtype": "float32",
            "values": {"finite": True, "exclusiveMinimum": 0},
        },
    },
}


def total_dose(content: bytes) -> float:
    """A loader of theirs: counts per second, summed."""
    with np.load(io.BytesIO(content)) as data:
        rates = (data["diffraction"].astype(np.float64) ** 2).sum(axis=(1, 2)) / data["exposure"]
        return float(rates.sum())


def their_contract(folder: Path) -> Path:
    path = folder / "reduced.json"
    path.write_text(json.dumps(THEIRS), encoding="utf-8")
    return path


def test_their_loader_takes_whatever_their_contract_allows(tmp_path: Path) -> None:
    contract = load(their_contract(tmp_path))
    seen = []

    @given(strategies.files(contract))
    def check(content: bytes) -> None:
        assert npzschema.validate(content, contract).ok
        assert np.isfinite(total_dose(content))
        seen.append(content)

    check()
    assert len(seen) > 10


def test_their_contract_catches_what_breaks_their_loader(tmp_path: Path) -> None:
    contract = load(their_contract(tmp_path))

    @given(strategies.datasets(contract))
    def check(arrays: dict[str, np.ndarray]) -> None:
        arrays["exposure"] = np.zeros_like(arrays["exposure"])
        report = npzschema.validate(arrays, contract)
        assert [(one.code, one.array, one.pointer) for one in report.findings if one.level == "error"] == [
            ("VALUE-002", "exposure", "/arrays/exposure/values/exclusiveMinimum")
        ]

    check()
