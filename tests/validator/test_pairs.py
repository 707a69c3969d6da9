"""Two faults at once that hide each other: found together, named by what is to be mended first, never guessed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from npzschema import validate

SIDE = 32


@pytest.fixture(scope="module")
def round_probe(datasets):
    return datasets.canonical(48, SIDE, 180, 188)


@pytest.fixture(scope="module")
def right(datasets, round_probe):
    """The same with a probe that is its own mirror image about no line."""
    r, c = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    coma = np.exp(1j * (0.9 * c * (r * r + c * c) / 60 + 0.25 * r + 0.0015 * r**3)) * (
        1 + 0.6 * np.tanh((c - 0.5 * r) / 5)
    )
    probe = (round_probe["probeGuess"] * coma).astype(np.complex64)
    counts = datasets.counts_of(probe, round_probe["objectGuess"], round_probe["xcoords"], round_probe["ycoords"])
    amplitude = np.sqrt(counts)
    return {**round_probe, "probeGuess": probe, "diffraction": (amplitude / amplitude.max()).astype(np.float32)}


def placed(a, x, y):
    return {**{name: one for name, one in a.items() if not name.endswith("_start")}, "xcoords": x, "ycoords": y}


def shown(a, frames):
    return {**a, "diffraction": np.ascontiguousarray(frames)}


POSITIONS = {
    "swap": lambda a: placed(a, a["ycoords"], a["xcoords"]),
    "flip-x-object": lambda a: placed(a, 188 - a["xcoords"], a["ycoords"]),
    "corner": lambda a: placed(a, a["xcoords"] - SIDE / 2, a["ycoords"] - SIDE / 2),
}
PATTERNS = {
    "fftshift": lambda a: shown(a, np.fft.ifftshift(a["diffraction"], axes=(1, 2))),
    "transpose": lambda a: shown(a, a["diffraction"].transpose(0, 2, 1)),
    "flip-rows": lambda a: shown(a, a["diffraction"][:, ::-1]),
}


def physical(report):
    return [one for one in report.findings if one.code.startswith("PHYS")]


@pytest.mark.parametrize("second", PATTERNS)
@pytest.mark.parametrize("first", POSITIONS)
def test_positions_and_patterns_at_once(right, first, second):
    (finding,) = physical(validate(PATTERNS[second](POSITIONS[first](right))))
    assert (finding.code, finding.level, finding.found) == ("PHYS-002", "error", f"{first}+{second}")
    stated, both = map(float, re.findall(r"-?\d\.\d\d", finding.message))
    assert stated < 0.4
    assert both > 0.8
    assert finding.fix["step"] == "positions"


@pytest.mark.parametrize("second", ["transpose", "flip-rows"])
def test_centre_and_detector_at_once(right, second):
    (finding,) = physical(validate(PATTERNS["fftshift"](PATTERNS[second](right))))
    assert (finding.code, finding.level) == ("PHYS-003", "error")
    assert finding.found == f"fftshift+{second}"
    assert finding.fix["step"] == "centre"


@pytest.mark.parametrize(
    ("first", "second", "mirror"),
    [("swap", "transpose", np.transpose), ("flip-x-object", "flip-columns", np.fliplr)],
)
def test_a_mirrored_object_is_told_from_two_faults_by_the_probe(right, round_probe, first, second, mirror):
    """With a round probe, an object that is mirrored makes the same patterns: one fault, and no step mends it."""
    patterns = PATTERNS | {"flip-columns": lambda a: shown(a, np.roll(a["diffraction"][:, :, ::-1], 1, axis=2))}
    (finding,) = physical(validate(patterns[second](POSITIONS[first](right))))
    assert finding.found == f"{first}+{second}"
    faults = [patterns[second](POSITIONS[first](round_probe))]
    faults += [{**a, "objectGuess": np.ascontiguousarray(mirror(a["objectGuess"]))} for a in (right, round_probe)]
    for arrays in faults:
        assert [(one.code, one.level) for one in physical(validate(arrays))] == [("PHYS-001", "warning")]


def test_corner_and_swap_are_one_step(right):
    x, y = (right[name] - SIDE / 2 for name in ("ycoords", "xcoords"))
    (finding,) = physical(validate(placed(right, x, y)))
    assert (finding.code, finding.found) == ("PHYS-002", "corner-swap")
    values = finding.fix["values"]
    assert np.allclose(values["xx"] * x + values["xy"] * y + values["x0"], right["xcoords"])
    assert np.allclose(values["yx"] * x + values["yy"] * y + values["y0"], right["ycoords"])


@pytest.mark.parametrize("first", [*POSITIONS, *PATTERNS])
def test_one_fault_is_called_one(right, first):
    (finding,) = physical(validate((POSITIONS | PATTERNS)[first](right)))
    assert "+" not in finding.found


@pytest.mark.parametrize("seed", range(8))
def test_what_nothing_explains_is_no_pair(right, seed):
    """Positions in any order, or another object: no reading is believed, two at once as little as one."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(48)
    lost = placed(right, right["xcoords"][order], right["ycoords"][order])
    noise = rng.normal(size=(2, 180, 188))
    other = {**right, "objectGuess": np.exp(1j * noise[0]).astype(np.complex64)}
    poor = {**right, "objectGuess": (right["objectGuess"] + 0.5 * (noise[0] + 1j * noise[1])).astype(np.complex64)}
    for arrays in (lost, other, poor):
        for finding in physical(validate(arrays)):
            assert finding.level == "warning"
            assert "+" not in finding.found
