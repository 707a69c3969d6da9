"""Cubes without a probe or object to go by: far-field patterns are told by slices, near-field ones never wrongly.

Patterns are made here, by plain numpy: near field as speckle on an illumination, far field as |FFT| of a probe in a
phase object. What changes from frame to frame is laid over both.
"""

from __future__ import annotations

import numpy as np
import pytest

from npzschema import validate

SIDE = 32
INDEX = np.arange(SIDE)

BEAMS = {
    "steady": np.ones(SIDE),
    "drifting": 1 + 0.4 * np.sin(INDEX / SIDE * 2 * np.pi * 1.3),
    "blank frames": np.where((INDEX >= 10) & (INDEX < 15), 0.0, 1.0),
    "last frames never taken": np.where(INDEX >= SIDE - 4, 0.0, 1.0),
    "second half at a fifth": np.where(INDEX >= SIDE // 2, 0.2, 1.0),
    "decaying": np.exp(-INDEX / 12),
    "absorbing under five of eight": np.where(INDEX % 8 < 5, 0.1, 1.0),
    "rising and falling": np.sin(np.pi * (INDEX + 0.5) / SIDE),
    "a short pulse": np.exp(-((INDEX - 15.5) ** 2) / (2 * 3.2**2)),
}

R, C = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
ILLUMINATIONS = {
    "uniform": np.ones((SIDE, SIDE)),
    "wide": np.exp(-(R * R + C * C) / (2 * (0.5 * SIDE) ** 2)),
    "narrow": np.exp(-(R * R + C * C) / (2 * (0.2 * SIDE) ** 2)),
    "slit across": np.exp(-(R * R) / (2 * (0.2 * SIDE) ** 2)),
    "slit along": np.exp(-(C * C) / (2 * (0.2 * SIDE) ** 2)),
    "aperture": (np.hypot(R, C) < 0.35 * SIDE) * 1.0,
}


def smooth(rng, count, width):
    """Random fields of mean 0 and deviation 1, (count, SIDE, SIDE), correlated over about ``width`` pixels."""
    square = np.fft.fftfreq(SIDE)[:, None] ** 2 + np.fft.fftfreq(SIDE)[None, :] ** 2
    low_pass = np.exp(-2 * (np.pi * width) ** 2 * square)
    fields = np.fft.ifft2(np.fft.fft2(rng.normal(size=(count, SIDE, SIDE))) * low_pass).real
    return fields / fields.std(axis=(1, 2), keepdims=True)


def near_field(seed, illumination, beam, contrast=0.1):
    """Amplitudes of Poisson counts, one speckle a frame on the same illumination."""
    rng = np.random.default_rng(seed)
    speckle = (1 + contrast * smooth(rng, SIDE, rng.uniform(1.5, 3)).clip(-3, 3)).clip(0)
    counts = rng.poisson(2000 * illumination * speckle * beam[:, None, None])
    return np.sqrt(counts / 2000)


def far_field(seed, beam, photons=1e4):
    """Amplitudes of Poisson counts, a curved probe in a different part of a phase object for every frame."""
    rng = np.random.default_rng(seed)
    square = (R * R + C * C) / SIDE**2
    probe = np.exp(-square / (2 * 0.16**2)) * np.exp(1j * SIDE * square)
    waves = np.fft.fft2(probe * np.exp(0.8j * smooth(rng, SIDE, 2.5)), norm="ortho")
    intensity = np.fft.fftshift(np.abs(waves) ** 2, axes=(1, 2)) * beam[:, None, None]
    return np.sqrt(rng.poisson(intensity / intensity.sum(axis=(1, 2)).max() * photons) / photons)


@pytest.fixture(scope="module")
def read(datasets):
    """Codes about axes, and the report, of patterns (N, H, W) in either order; probe and object are placeholders."""
    made = datasets.canonical(SIDE, SIDE)
    for name in ("probeGuess", "objectGuess"):
        made[name] = np.ones_like(made[name])

    def ask(frames):
        told = []
        for order in ((0, 1, 2), (1, 2, 0)):
            stored = np.ascontiguousarray(frames.transpose(order).astype(np.float32))
            report = validate({**made, "diffraction": stored})
            told.append(({one.code for one in report.findings if one.code.startswith("FORMAT")}, report))
        return told

    return ask


def answers(told):
    """``right``, ``wrong`` or ``undecided``, for the canonical order and the legacy one."""
    for (codes, report), right in zip(told, (("N", "H", "W"), ("H", "W", "N")), strict=True):
        if codes == {"FORMAT-002"}:
            assert report.arrays["diffraction"].axes is None
            yield "undecided"
        else:
            assert codes == ({"FORMAT-001"} if report.arrays["diffraction"].axes[0] == "H" else set())
            yield "right" if report.arrays["diffraction"].axes == right else "wrong"


@pytest.mark.parametrize("beam", BEAMS)
@pytest.mark.parametrize("illumination", ILLUMINATIONS)
def test_near_field_frames_are_never_read_across(read, illumination, beam):
    for seed, contrast in ((1, 0.1), (2, 0.4), (3, 0.2)):
        told = read(near_field(seed, ILLUMINATIONS[illumination], BEAMS[beam], contrast))
        assert "wrong" not in set(answers(told))


@pytest.mark.parametrize("beam", BEAMS)
def test_a_detector_lit_throughout_decides_nothing(read, beam):
    for seed in (4, 5):
        told = read(near_field(seed, ILLUMINATIONS["uniform"], BEAMS[beam]))
        assert set(answers(told)) == {"undecided"}
        for _, report in told:
            (finding,) = [one for one in report.findings if one.code == "FORMAT-002"]
            assert finding.level == "warning"
            assert "neither sizes nor content decide" in finding.message
            assert "forward model not asked: probeGuess is a placeholder" in finding.evidence
            assert "along axis 1, the detector's in either order, energies vary by" in finding.evidence
            assert "forward model not asked: probeGuess is a placeholder" in report.notes


@pytest.mark.parametrize("beam", ["steady", "drifting", "blank frames", "last frames never taken"])
@pytest.mark.parametrize("seed", range(4))
def test_far_field_frames_are_told(read, beam, seed):
    assert list(answers(read(far_field(seed, BEAMS[beam])))) == ["right", "right"]


@pytest.mark.parametrize("seed", range(3))
def test_so_they_are_as_an_fft_leaves_them(read, seed):
    frames = np.fft.ifftshift(far_field(seed, BEAMS["steady"]), axes=(1, 2))
    assert list(answers(read(frames))) == ["right", "right"]


@pytest.mark.parametrize("beam", BEAMS)
def test_far_field_frames_are_never_read_across(read, beam):
    for seed, photons in ((6, 1e2), (7, 1e3), (8, 1e5)):
        assert "wrong" not in set(answers(read(far_field(seed, BEAMS[beam], photons))))


def test_slices_that_do_not_differ_enough_are_named_with_their_figures(read):
    """Where little comes through the sample, energies vary along the scan as much as along the detector."""
    for _, report in read(far_field(9, BEAMS["absorbing under five of eight"])):
        (finding,) = [one for one in report.findings if one.code == "FORMAT-002"]
        assert "along axis 0 slices resemble each other" in finding.evidence
        assert "along axis 2 slices resemble each other" in finding.evidence
        assert finding.evidence.count("energies vary by") == 2


def test_large_cubes_of_which_slices_are_sampled(datasets):
    """Of 96 frames 64 are sampled; neighbouring pixels are compared all the same."""
    made = datasets.canonical(96, 96, 220, 230)
    made["objectGuess"] = np.ones_like(made["objectGuess"])
    assert validate(made).arrays["diffraction"].axes == ("N", "H", "W")
    turned = {**made, "diffraction": np.ascontiguousarray(made["diffraction"].transpose(1, 2, 0))}
    assert validate(turned).arrays["diffraction"].axes == ("H", "W", "N")
