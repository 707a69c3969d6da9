from __future__ import annotations

import functools

import pytest

from npzschema.contracts import load
from npzschema.generator.breakers import broken
from npzschema.validator.engine import validate


@pytest.fixture(scope="session")
def report_of(datasets):
    """A report, with pictures, of a simulated dataset that breaks one rule; ``""`` breaks none."""
    contract = load("ptychopinn/canonical")

    @functools.cache
    def made(code):
        # Only a cube can be undecided.
        arrays = datasets.canonical(32 if code == "FORMAT-002" else datasets.N)
        data = broken(arrays, contract, code) if code else datasets.saved(arrays)
        return validate(data, contract, pictures=True)

    return made
