"""Counts or amplitudes, from the lattice of values alone: right at any scale, silent where nothing is sure.

Each case is made here from what it is (Poisson counts, their roots, roundings of them), so the answer is known.
"""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema import validate
from npzschema.validator.dataset import ArrayHeader
from npzschema.validator.folds import fold
from npzschema.validator.folds import lattice as module

SCALES = [1.0, 0.37, 1 / 255, 1e-3, 7.3e4]
MEANS = [0.05, 0.3, 1, 10, 100, 1e3, 1e4, 1e5]
FLOATS = [np.float32, np.float64]


def lattice(array):
    header = ArrayHeader(name="d", shape=array.shape, dtype=array.dtype)
    return fold(header, [array.reshape(-1)], frame_axes=(0,)).lattice


def told(mean, scale):
    """What may be said of counts: of many photons on a step that people round to, nothing may be sure."""
    return ("intensity", None) if mean >= 10 and scale in (1 / 255, 1e-3) else ("intensity",)


def poisson(mean, size=(8, 40, 40), seed=0):
    """Counts of a far field: intensities as different as speckle makes them."""
    rng = np.random.default_rng([seed, int(mean * 100)])
    return rng.poisson(mean * rng.exponential(size=size)).astype(np.float64)


def bfloat16(values):
    """Rounded towards zero to eight significant bits."""
    return (values.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("mean", MEANS)
class TestCounts:
    def test_counts(self, mean, scale, dtype):
        assert lattice((poisson(mean) * scale).astype(dtype)) in told(mean, scale)

    def test_counts_scaled_in_their_own_precision(self, mean, scale, dtype):
        assert lattice(poisson(mean).astype(dtype) * dtype(scale)) in told(mean, scale)

    def test_their_roots(self, mean, scale, dtype):
        assert lattice((np.sqrt(poisson(mean)) * scale).astype(dtype)) == "amplitude"

    def test_their_roots_computed_in_single_and_stored_in_double(self, mean, scale, dtype):
        assert lattice((np.sqrt(poisson(mean).astype(np.float32)) * np.float32(scale)).astype(dtype)) == "amplitude"

    def test_some_negative(self, mean, scale, dtype):
        counts = poisson(mean)
        counts.flat[::997] *= -1
        assert lattice((counts * scale).astype(dtype)) in told(mean, scale)

    def test_half_of_them_masked(self, mean, scale, dtype):
        counts = poisson(mean) * (np.random.default_rng(9).random((8, 40, 40)) < 0.5)
        assert lattice((counts * scale).astype(dtype)) in told(mean, scale)
        # Among so few levels so high, single precision may not be enough to see the lattice of squares.
        assert lattice((np.sqrt(counts) * scale).astype(dtype)) in (
            ("amplitude",) if mean < 1e5 else ("amplitude", None)
        )

    def test_roots_rounded_to_few_bits_are_never_counts(self, mean, scale, dtype):
        roots = np.sqrt(poisson(mean))
        for held in (roots, roots / roots.max(), np.sqrt(poisson(mean) + 0.31)):
            for short in (held.astype(np.float16), bfloat16(held)):
                assert lattice(short.astype(dtype) * dtype(scale)) is None

    def test_simulated_intensities_without_noise_are_silent(self, mean, scale, dtype):
        smooth = mean * np.random.default_rng(4).exponential(size=(8, 40, 40))
        assert lattice((smooth * scale).astype(dtype)) is None
        assert lattice((np.sqrt(smooth) * scale).astype(dtype)) is None

    def test_simulated_intensities_rounded_to_whole_photons(self, mean, scale, dtype):
        if mean < 1:
            pytest.skip("fewer than three levels")
        assert lattice(
            (np.rint(mean * np.random.default_rng(4).exponential(size=(8, 40, 40))) * scale).astype(dtype)
        ) in told(mean, scale)


@pytest.mark.parametrize("scale", [*SCALES, 1 / 3, np.pi * 1e-5])
@pytest.mark.parametrize(("low", "high"), [(1, 2), (1, 3.9), (0.5, 3), (0.1, 5), (1, 8), (0.9, 1.1), (100, 130)])
@pytest.mark.parametrize("rounded", [lambda v: v.astype(np.float16), bfloat16, lambda v: v.astype(np.float32)])
@pytest.mark.parametrize("n", [30, 300, 20_000])
def test_a_narrow_range_of_rounded_amplitudes_is_never_a_lattice_of_counts(n, rounded, low, high, scale):
    # Within one binade rounding leaves equal steps, which look like counts from afar.
    values = rounded(np.random.default_rng(n).uniform(low, high, n)).astype(np.float64)
    assert lattice(values * scale) is None
    assert lattice((values * scale).astype(np.float32)) is None
    if scale < 100:
        assert lattice((values * scale).astype(np.float16)) is None


@pytest.mark.parametrize("bits", [1, 4, 8, 10])
def test_dyadic_fractions_are_no_evidence(bits):
    amplitudes = np.sqrt(np.random.default_rng(2).exponential(size=(8, 40, 40)))
    for dtype in (np.float16, np.float32, np.float64):
        assert lattice((np.rint(amplitudes * 2**bits) / 2**bits).astype(dtype)) is None


@functools.cache
def speckle(decay, seed, n=16, side=64, grain=16):
    """Intensities of a far field: grains of some pixels under an envelope that falls off as in measured patterns."""
    rng = np.random.default_rng([seed, decay])
    away = np.hypot(*(np.mgrid[:side, :side] - side / 2))
    amplitudes = np.fft.ifft2(np.fft.fft2(rng.normal(size=(n, side, side, 2)) @ [1, 1j]) * (away < side / grain * 2))
    intensities = np.square(np.abs(amplitudes))
    return intensities / intensities.mean() / (1 + (away / decay) ** 4)


ROUNDINGS = {
    **{f"{decimals} decimals": lambda v, decimals=decimals: np.round(v, decimals) for decimals in range(1, 7)},
    "float16": lambda v: v.astype(np.float16),
    "1/255": lambda v: np.rint(v * 255) / 255,
    "8 bits of the largest": lambda v: np.rint(v / v.max() * 255) / 255,
    "8 bits, scaled back": lambda v: np.rint(v / v.max() * 255) / 255 * v.max(),
    "16 bits, scaled back": lambda v: np.rint(v / v.max() * 65535) / 65535 * v.max(),
    "thousandths of the largest": lambda v: np.rint(v / v.max() * 1000) / 1000,
}
NORMS = {
    "as counted": lambda v: v,
    "largest 1": lambda v: v / v.max(),
    "largest 9": lambda v: 9 * v / v.max(),
    "root mean square 1": lambda v: v / np.sqrt(np.square(v).mean()),
    "padded": lambda v: np.pad(v / v.max(), ((0, 0), (8, 8), (8, 8))),
}


@pytest.mark.parametrize("dose", [1, 10, 100, 1e3, 1e4, 1e6, None])
@pytest.mark.parametrize("decay", [5, 15, 100])
class TestSpeckle:
    """The two kinds that lie on a grid: amplitudes that were rounded to it, and counts that were scaled to it."""

    @pytest.mark.parametrize("norm", NORMS)
    @pytest.mark.parametrize("rounding", ROUNDINGS)
    def test_amplitudes_written_with_few_digits_are_never_counts(self, decay, dose, rounding, norm):
        intensities = speckle(decay, seed=0)
        if dose is not None:
            intensities = np.random.default_rng(1).poisson(dose * intensities)
        written = ROUNDINGS[rounding](NORMS[norm](np.sqrt(intensities)))
        for dtype in FLOATS:
            assert lattice(written.astype(dtype)) in (None, "amplitude")

    @pytest.mark.parametrize("scale", [1.0, 0.37, 1 / 7, "mean", "maximum", 1e-3])
    @pytest.mark.parametrize("pad", [0, 8])
    def test_counts(self, decay, dose, scale, pad):
        if dose is None:
            pytest.skip("no counts")
        counts = np.pad(
            np.random.default_rng(2).poisson(dose * speckle(decay, seed=0)), ((0, 0), (pad, pad), (pad, pad))
        )
        factor = {"mean": 1 / counts.mean(), "maximum": 1 / counts.max()}.get(scale, scale)
        # One in ten or a hundred is what people round to as well, and so is one in a thousand of many photons.
        sure = scale != 1e-3 and not (scale == "maximum" and counts.max() in (10, 100, 255, 1000))
        low = scale == 1e-3 and dose <= 10 and not pad
        for dtype in FLOATS:
            assert lattice((counts * factor).astype(dtype)) in (("intensity",) if sure or low else ("intensity", None))


@pytest.mark.parametrize("decimals", [1, 2, 3, 4, 5, 6])
def test_roots_of_counts_written_with_few_decimals_are_not_counts(decimals):
    roots = np.sqrt(poisson(100))
    assert lattice(np.round(5 * roots / roots.max(), decimals)) is None
    assert lattice(np.round(roots, decimals)) in (None, "amplitude")


@pytest.mark.parametrize("scale", SCALES)
def test_a_single_outlier_among_low_counts_changes_nothing(scale):
    counts = poisson(2)
    counts[3, 3, 3] = 4096
    assert lattice((counts * scale).astype(np.float32)) == "intensity"


@pytest.mark.parametrize(
    "values", [[], [0.0], [0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 2.0], [np.nan, np.inf], [0.0, 0.7, 1.4]]
)
def test_too_few_levels_say_nothing_beyond_plain_integers(values):
    found = lattice(np.array(values, dtype=np.float32).reshape(-1, 1))
    assert found is None


@pytest.mark.parametrize("n", [1, 2, 5, 12, 50])
def test_tiny_files_are_never_told_wrongly(n):
    for seed in range(40):
        counts = np.random.default_rng([n, seed]).poisson(6, n).astype(np.float64)
        for scale in SCALES:
            assert lattice((counts * scale).astype(np.float32).reshape(n, 1)) in (None, "intensity")
            assert lattice((np.sqrt(counts) * scale).astype(np.float32).reshape(n, 1)) in (None, "amplitude")


def test_values_that_are_large_enough_to_be_integers_by_their_format_say_nothing():
    large = np.random.default_rng(1).uniform(1e17, 1e20, (4, 50)).astype(np.float64)
    assert lattice(large) is None


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_any_values_give_an_answer_without_a_warning(values, dtype):
    with np.errstate(over="ignore"):
        array = np.array(values).astype(dtype).reshape(-1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lattice(array) in (None, "intensity", "amplitude")


@given(st.lists(st.integers(0, 4000), min_size=6, max_size=60), st.floats(1e-6, 1e6))
def test_roots_of_integers_are_never_counts(numbers, scale):
    """The one error that must not be made: amplitudes told to be counts would be mended by another root."""
    numbers = np.array(numbers, dtype=np.float64)
    roots = np.sqrt(numbers) * scale
    if np.unique(numbers[numbers > 0]).size > 2 and not (np.sqrt(numbers) % 1).any():
        return  # squares throughout: their roots are whole numbers
    for dtype in FLOATS:
        assert lattice(roots.astype(dtype).reshape(-1, 1)) in (None, "amplitude")


def test_the_sample_reaches_every_column():
    # 2**18 values are sampled at a step; one that divides the row length would see few columns.
    rng = np.random.default_rng(3)
    array = np.zeros((16, 128, 128), dtype=np.float32)
    array[:, :, 5] = rng.poisson(30, size=(16, 128))
    assert lattice(array) == "intensity"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("scale", [1.0, 0.37, 1e-3])
def test_the_finding(datasets, scale, dtype):
    arrays = datasets.counts()
    arrays["diffraction"] = (arrays.pop("diff3d") // 100 * scale).astype(dtype)
    report = validate(arrays)
    found = [finding for finding in report.findings if finding.level == "error"]
    assert "NORM-001" in {finding.code for finding in found}
    assert "DTYPE-001" not in {finding.code for finding in found}
    evidence = next(finding for finding in found if finding.code == "NORM-001").evidence
    # A step of three decimals says nothing of so many photons; then only the forward model speaks.
    assert ("step" if scale != 1e-3 else "fit as amplitudes") in evidence


def test_the_ratio_of_maximum_to_mean_is_no_evidence(datasets):
    # Ratios as of counts, without their lattice: silent.
    amplitudes = datasets.canonical()["diffraction"].astype(np.float64)
    smooth = np.square(amplitudes + 0.001 * np.random.default_rng(0).random((20, 32, 32)))
    assert smooth.max() / smooth.mean() > 50
    assert lattice(smooth) is None
    assert lattice(smooth.astype(np.float32)) is None


@given(
    st.lists(st.integers(-40, 40), max_size=60),
    st.integers(0, 60),
    st.sampled_from(["f2", "f4", "f8", "f16"]),
    st.sampled_from([1, 8, 60]),
)
def test_levels_are_the_magnitudes_above_zero_once_each(values, more, dtype, short):
    values = np.array(values + [7] * more, dtype=dtype) * np.dtype(dtype).type(0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHORT", short)
        levels = module._levels(np.abs(values))
    assert levels.dtype == np.float64
    np.testing.assert_array_equal(levels, np.unique(np.abs(values[values != 0])).astype(np.float64))
