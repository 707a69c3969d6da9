"""Large frames, probes, objects and scans, small in the file: checked in bounded memory and time, and honestly told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from npzschema import validate
from npzschema.contracts.forward_model import amplitudes
from npzschema.validator.folds import keep
from npzschema.validator.prepared import POSITIONS

from .test_hostile import PROCESS

ROOT = Path(__file__).parents[2]

SECONDS = 5
"""Of processor time."""

SCRIPT = """
import io, resource, sys
from npzschema.{package}.cli import run
from tests.validator.hostile_child import peak_mib
out = io.StringIO()
status = run(sys.argv[1:], out, out)
used = resource.getrusage(resource.RUSAGE_SELF)
sys.stdout.write(f"{{status}} {{peak_mib()}} {{used.ru_utime + used.ru_stime}} {{out.getvalue()}}")
"""


def in_a_process(package, *argv):
    """Status, MiB, seconds and what was said."""
    script = SCRIPT.format(package=package)
    done = subprocess.run([sys.executable, "-c", script, *argv], capture_output=True, text=True, check=True, cwd=ROOT)
    status, peak, seconds, said = done.stdout.split(" ", 3)
    assert "Traceback" not in said + done.stderr
    assert "INTERNAL" not in said
    return int(status), int(peak), float(seconds), said


def complex_plane(*shape):
    """Constant but for a corner: it takes no room in the file."""
    plane = np.ones(shape, np.complex64)
    plane[..., :2, :2] = 2j
    return plane


def arrays(n, side, *, frames=None, probe=None, rows=None, **changed):
    rows = rows or side + 40
    rng = np.random.default_rng(0)
    return {
        "diffraction": rng.integers(0, 20, (n, side, side)).astype(np.float32) if frames is None else frames,
        "probeGuess": complex_plane(side, side) if probe is None else probe,
        "objectGuess": complex_plane(rows, rows),
        **{name: rng.uniform(side / 2, rows - side / 2, n) for name in ("xcoords", "ycoords")},
        **changed,
    }


def stepped(n, side):
    """Frames of few values, each unlike the others."""
    frames = np.zeros((n, side, side), np.float32)
    frames += np.arange(1, n + 1)[:, None, None]
    frames[:, ::100, ::100] *= 3
    return frames


MANY = 300_000

LARGE = {
    "noise of 512x512": lambda: arrays(9, 512),
    "frames of 1400x1400": lambda: arrays(9, 1400, frames=stepped(9, 1400)),
    "frames of 2880x2880": lambda: arrays(9, 2880, frames=stepped(9, 2880)),
    "a probe of 2800x2800, an object of 2048x2048": lambda: arrays(12, 64, probe=complex_plane(2800, 2800), rows=2048),
    "positions by the hundred thousand, all values bad": lambda: arrays(
        MANY, 4, frames=np.tile(np.array([np.nan, -1, 1e6, 0], np.float32), (MANY, 4, 1))
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_arrays_are_validated_in_bounded_memory_and_time(name, tmp_path):
    path = tmp_path / "scan.npz"
    np.savez_compressed(path, **LARGE[name]())
    status, peak, seconds, said = in_a_process("validator", "--max-expansion", "100000", str(path))
    assert status in (0, 1), said
    assert peak < PROCESS
    assert seconds < SECONDS


def test_as_many_positions_as_are_judged_are_converted_in_bounded_memory(tmp_path):
    n = 1 << 18
    levels = np.sqrt(np.arange(12)).astype(np.float32) / 20
    cube = np.tile(levels, (12, n, 1)).transpose(0, 2, 1)
    made = arrays(n, 12, frames=np.ascontiguousarray(cube))
    np.savez(tmp_path / "scan.npz", **made)
    out = tmp_path / "out.npz"
    status, peak, _, said = in_a_process("generator", "convert", str(tmp_path / "scan.npz"), str(out))
    assert status == 0, said
    assert peak < PROCESS
    with np.load(out) as loaded:
        assert (loaded["diffraction"][:: n // 8] == made["diffraction"].transpose(2, 0, 1)[:: n // 8]).all()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"objectGuess": complex_plane(2900, 2900)}, "objectGuess takes 64 MiB; no more than 32 MiB"),
        ({"frames": POSITIONS}, f"frames, more than {POSITIONS:,}"),
        ({"probe": "fills"}, "frames of 600x600 pixels that probeGuess of 1 mode fills are too large to be predicted"),
    ],
)
def test_what_is_too_large_for_the_model_is_said_to_be(changed, why, monkeypatch):
    monkeypatch.setattr(keep, "MAX_BYTES", 1 << 25)
    if "frames" in changed:
        made = arrays(POSITIONS + 1, 4, frames=np.ones((POSITIONS + 1, 4, 4), np.float32))
    elif "probe" in changed:
        made = arrays(8, 600)
    else:
        made = arrays(8, 8) | changed
    notes = [note for note in validate(made).notes if note.startswith("forward model")]
    assert len(notes) == 1
    assert notes[0].startswith("forward model not asked: ")
    assert why in notes[0]


def simulated(side, modes=1, n=12):
    """A right file with large frames, whose probe takes a fifth of them."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:side, :side] - side // 2
    beam = np.exp(-(x**2 + y**2) / (2 * (side / 20) ** 2))
    probe = np.stack([beam * np.exp(1j * (x + at * y) * y * 2 / side) / (at + 1) for at in range(modes)])
    rows = side + 120
    blocks = rng.uniform(-1.5, 1.5, (rows // 6 + 1, rows // 6 + 1))
    obj = np.exp(1j * np.kron(blocks, np.ones((6, 6)))[:rows, :rows])
    places = rng.uniform(side / 2 + 2, rows - side / 2 - 2, (2, n))
    found = amplitudes(probe.astype(np.complex64), obj.astype(np.complex64), *places, precise=False)
    scale = np.sqrt(1e6 / np.square(found).sum(axis=(1, 2)).mean())
    frames = np.sqrt(rng.poisson(np.square(found * scale))).astype(np.float32)
    return {
        "diffraction": frames / (1.01 * frames.max()),
        "probeGuess": probe[0].astype(np.complex64) if modes == 1 else probe.astype(np.complex64),
        "objectGuess": obj.astype(np.complex64),
        "xcoords": places[0],
        "ycoords": places[1],
    }


@pytest.fixture(scope="module", params=[600, 601, 1024])
def large(request):
    return simulated(request.param)


def test_large_frames_are_compared_at_some_of_their_pixels(large):
    report = validate(large)
    assert not {finding.code for finding in report.findings} & {"PHYS-001", "PHYS-002", "PHYS-003", "PHYS-004"}
    side = large["probeGuess"].shape[0]
    assert any(f"frames of {side}x{side} pixels compared at" in note for note in report.notes), report.notes


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("PHYS-001", lambda one: {"xcoords": np.roll(one["xcoords"], 3), "ycoords": np.roll(one["ycoords"], 3)}),
        ("PHYS-002", lambda one: {"xcoords": one["ycoords"], "ycoords": one["xcoords"]}),
        ("PHYS-002", lambda one: {"xcoords": one["xcoords"] + 20}),
        ("PHYS-003", lambda one: {"diffraction": np.fft.fftshift(one["diffraction"], axes=(1, 2))}),
        ("PHYS-003", lambda one: {"diffraction": np.roll(one["diffraction"], (40, -24), axis=(1, 2))}),
        ("PHYS-004", lambda one: {"diffraction": np.ascontiguousarray(one["diffraction"].transpose(0, 2, 1))}),
        ("PHYS-004", lambda one: {"diffraction": np.roll(one["diffraction"][:, ::-1], 1, axis=1)}),
    ],
)
def test_faults_of_large_frames_are_told(large, code, change):
    report = validate(large | change(large))
    found = [finding for finding in report.findings if finding.code.startswith("PHYS")]
    assert [finding.code for finding in found] == [code], (found, report.notes)
    assert found[0].level == "error"
    assert "compared at" in found[0].evidence
