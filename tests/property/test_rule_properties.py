"""What must hold of every file: one answer from memory and from disk, exactly the broken frames, live pointers."""

# ruff: noqa: ARG001 - the ways to break a dataset share one signature

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema import validate
from npzschema.contracts import load
from npzschema.validator import dataset

from ..pointers import resolve


def strided(array):
    """A view with gaps."""
    wide = np.zeros((*array.shape[:-1], array.shape[-1] * 2), dtype=array.dtype) if array.ndim else array
    if not array.ndim:
        return array
    wide[..., ::2] = array
    return wide[..., ::2]


def reversed_(array):
    return np.ascontiguousarray(array[::-1])[::-1] if array.ndim else array


def inner(array):
    """Memory with the first axis fastest but one: neither C nor Fortran order."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0) if array.ndim > 2 else array


def swapped(array):
    return array.astype(array.dtype.newbyteorder(">")) if array.dtype.kind in "fciu" else array


LAYOUTS = [
    np.ascontiguousarray,
    np.asfortranarray,
    strided,
    reversed_,
    inner,
    swapped,
    lambda a: swapped(np.asfortranarray(a)),
    lambda a: strided(swapped(a)),
]


def negative(a, rng, some):
    if a["diffraction"].dtype.kind != "u":
        a["diffraction"][some, 3, 4] = -1


def not_finite(a, rng, some):
    if a["diffraction"].dtype.kind == "f":
        a["diffraction"][some, rng.integers(32), rng.integers(32)] = rng.choice([np.nan, np.inf, -np.inf])


def bright(a, rng, some):
    a["diffraction"][some, rng.integers(32), rng.integers(32)] = 11


def blank(a, rng, some):
    a["diffraction"][some] = 0


def legacy(a, rng, some):
    a["diffraction"] = np.ascontiguousarray(a["diffraction"].transpose(1, 2, 0))


def counts(a, rng, some):
    a["diffraction"] = rng.poisson(np.square(a["diffraction"]) * 50).astype(rng.choice(["u2", "f4", "f8", "i4"]))


def second_name(a, rng, some):
    a["diff3d"] = a["diffraction"] * 1


def renamed(a, rng, some):
    a["diff3d"] = a.pop("diffraction")


def moved(a, rng, some):
    a["xcoords"][some] = -5


def single(a, rng, some):
    a["probeGuess"] = a["probeGuess"].astype(np.complex128)


def untouched(a, rng, some):
    pass


@pytest.fixture(scope="module")
def made(datasets):
    held = datasets.canonical()
    return lambda: {name: array.copy() for name, array in held.items()}


FRAMES = st.lists(st.integers(0, 19), min_size=1, max_size=6, unique=True).map(sorted)


@given(
    first=st.sampled_from([untouched, untouched, counts]),
    faults=st.lists(st.sampled_from([negative, not_finite, bright, blank, moved, single, second_name]), max_size=3),
    last=st.sampled_from([untouched, legacy, renamed]),
    frames=FRAMES,
    layouts=st.lists(st.sampled_from(LAYOUTS), min_size=9, max_size=9),
    seed=st.integers(0, 99),
    chunk=st.sampled_from([1 << 18, 1000, 4096 + 8]),
)
def test_memory_and_file_agree(datasets, made, first, faults, last, frames, layouts, seed, chunk):
    arrays = made()
    rng = np.random.default_rng(seed)
    for fault in (first, *faults, last):
        fault(arrays, rng, frames)
    arrays = {name: layout(array) for (name, array), layout in zip(arrays.items(), [*layouts, *layouts], strict=False)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "CHUNK", chunk)
        memory, file = validate(arrays), validate(datasets.saved(arrays))
    keys = [
        [
            (one.code, one.level, one.array, one.pointer, one.message, one.expected, one.found, one.frames, one.fix)
            for one in report.findings
        ]
        for report in (memory, file)
    ]
    assert keys[0] == keys[1]
    assert memory.recognised == file.recognised
    assert memory.binding == file.binding
    assert "INTERNAL-001" not in memory.codes
    document = load(memory.contract).document
    for finding in memory.findings:
        assert resolve(document, finding.pointer) is not None
        assert finding.frames == tuple(sorted(set(finding.frames)))


@given(
    fault=st.sampled_from(
        [(negative, "VALUE-002"), (not_finite, "VALUE-001"), (bright, "VALUE-003"), (moved, "SCAN-001")]
    ),
    frames=FRAMES,
    seed=st.integers(0, 99),
    axes=st.booleans(),
)
def test_exactly_the_broken_frames_are_named(made, fault, frames, seed, axes):
    arrays = made()
    break_, code = fault
    break_(arrays, np.random.default_rng(seed), frames)
    if axes:
        legacy(arrays, None, frames)
    report = validate(arrays)
    assert report.codes == {code} | ({"FORMAT-001"} if axes else set())
    assert next(finding.frames for finding in report.findings if finding.code == code) == tuple(frames)


STEPS_OF_ROUNDING = {10.0**-decimals for decimals in range(1, 10)}


@given(
    scale=st.floats(1e-6, 1e6),
    mean=st.floats(0.3, 1e4),
    dtype=st.sampled_from(["f4", "f8"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_counts_at_any_scale_give_one_finding_and_their_roots_none(made, scale, mean, dtype, seed):
    arrays = made()
    rng = np.random.default_rng(seed)
    photons = rng.poisson(mean * rng.exponential(size=(20, 32, 32))).astype(np.float64)
    scaled = (photons * scale).astype(dtype)
    roots = (np.sqrt(photons) / np.sqrt(photons).max() * min(scale, 9)).astype(np.float32)
    report = validate({**arrays, "diffraction": scaled})
    mantissa = np.frexp(scale)[0]
    if scale in STEPS_OF_ROUNDING:
        # Amplitudes that were rounded look the same: silence is right, too.
        assert report.codes <= {"NORM-001", "VALUE-003"}
    elif mantissa != 0.5:
        assert report.codes == {"NORM-001"} | ({"VALUE-003"} if np.sqrt(float(scaled.max())) >= 10 else set())
    assert validate({**arrays, "diffraction": roots}).codes == set()


@given(frames=FRAMES, seed=st.integers(0, 99))
def test_the_order_of_frames_changes_nothing_but_their_numbers(made, frames, seed):
    arrays = made()
    not_finite(arrays, np.random.default_rng(seed), frames)
    order = np.random.default_rng(seed).permutation(20)
    moved_ = {name: array[order] if array.shape[:1] == (20,) else array for name, array in arrays.items()}
    one, other = validate(arrays), validate(moved_)
    assert one.codes == other.codes == {"VALUE-001"}
    assert {int(order[frame]) for frame in other.findings[0].frames} == set(one.findings[0].frames)
