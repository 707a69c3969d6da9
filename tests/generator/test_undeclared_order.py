"""Patterns with the scan axis in the middle, an order that no contract declares: checked and mended like any other."""

from __future__ import annotations

import shlex

import numpy as np
import pytest

from npzschema.validator.engine import validate

from .making import arrays_of, command, simulated

FAULTS = {
    "x and y swapped": (lambda a: a | {"xcoords": a["ycoords"], "ycoords": a["xcoords"]}, "PHYS-002"),
    "rolled": (lambda a: a | {name: np.roll(a[name], 7) for name in ("xcoords", "ycoords")}, "PHYS-001"),
    "corner": (lambda a: a | {"diffraction": np.fft.ifftshift(a["diffraction"], axes=(1, 2))}, "PHYS-003"),
    "transposed": (lambda a: a | {"diffraction": a["diffraction"].transpose(0, 2, 1)}, "PHYS-004"),
}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    made = simulated(tmp_path_factory.mktemp("right") / "a.npz", n=60, size=32, seed=4, object_shape=(110, 120))
    return arrays_of(made)


def in_the_middle(arrays):
    return arrays | {"diffraction": np.moveaxis(arrays["diffraction"], 0, 1).copy()}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_beside_it_is_named_and_one_command_mends_both(right, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    fault, code = FAULTS[name]
    np.savez("broken.npz", **in_the_middle(fault(right)))
    report = validate("broken.npz")
    assert {finding.code for finding in report.findings} == {"FORMAT-001", code}
    (offered,) = {
        line for one in report.findings for line in one.remedy.split("; ") if line.startswith("generate-npz ")
    }
    status, _, told = command(*shlex.split(offered)[1:])
    assert (status, told) == (0, "")
    mended = arrays_of(tmp_path / shlex.split(offered)[-1])
    for array in ("diffraction", "xcoords", "ycoords"):
        np.testing.assert_allclose(mended[array], right[array], atol=1e-9)


def test_its_axes_may_be_named(right, tmp_path):
    np.savez(tmp_path / "a.npz", **in_the_middle(right))
    argv = ("convert", "--axes", "diffraction=H,N,W", tmp_path / "a.npz", tmp_path / "b.npz")
    assert command(*argv)[0] == 0
    np.testing.assert_array_equal(arrays_of(tmp_path / "b.npz")["diffraction"], right["diffraction"])


def test_rows_of_the_scan_are_checked(right):
    broken = right | {"diffraction": right["diffraction"].copy()}
    broken["diffraction"][20] = 0
    broken["diffraction"][9] = broken["diffraction"][8]
    broken["diffraction"][40, 16, 16] = 9.0
    found = {one.code: one.frames for one in validate(in_the_middle(broken)).findings}
    assert {code: found.get(code) for code in ("SCAN-005", "SCAN-006", "SCAN-007")} == {
        "SCAN-005": (20,),
        "SCAN-006": (40,),
        "SCAN-007": (8, 9),
    }


def test_both_names_may_have_it(right, tmp_path):
    arrays = in_the_middle(right)
    np.savez(tmp_path / "a.npz", **arrays, diff3d=arrays["diffraction"])
    assert [one.code for one in validate(tmp_path / "a.npz").findings] == ["FORMAT-001"]
    assert command("convert", tmp_path / "a.npz", tmp_path / "b.npz")[0] == 0
    made = arrays_of(tmp_path / "b.npz")
    for name in ("diffraction", "diff3d"):
        np.testing.assert_array_equal(made[name], right["diffraction"])
