"""The forward model as a judge: its numbers against plain numpy, its verdicts on simulated scenes."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from npzschema.generator.simulate import Experiment, truth
from npzschema.validator import forward
from npzschema.validator import scene as module_of_scene
from npzschema.validator.forward import (
    Affine,
    Reading,
    Scene,
    Score,
    Verdict,
    judge,
    residual,
    score,
    surpasses,
    turned,
)
from npzschema.validator.pairing import strides
from npzschema.validator.places import FRAMES, around
from npzschema.validator.scene import norms
from npzschema.validator.slip import slip, slips

SIDE = 32


def patterns(modes, obj, x, y):
    """Far-field intensities; positions between pixels by the bilinear formula. Patches lie inside the object."""
    side = modes.shape[-1]
    frames = []
    for column, row in zip(np.asarray(x) - side / 2, np.asarray(y) - side / 2, strict=True):
        r, c = math.floor(row), math.floor(column)
        block = obj[r : r + side + 1, c : c + side + 1]
        down, right = row - r, column - c
        block = block[:-1] * (1 - down) + block[1:] * down
        block = block[:, :-1] * (1 - right) + block[:, 1:] * right
        far = np.fft.fftshift(np.fft.fft2(modes * block, norm="ortho"), axes=(1, 2))
        frames.append((np.abs(far) ** 2).sum(axis=0))
    return np.array(frames)


@functools.cache
def scene_of(seed, *, photons=1e5, n=64, modes=1, index=None, side=SIDE, **experiment):
    made = truth(Experiment(positions=n, size=side, seed=seed, **experiment))
    probes = [
        made.probe,
        *(made.probe * np.exp(2j * np.pi * k * np.arange(side) / 4) / (k + 1) for k in range(1, modes)),
    ]
    probe = np.array(probes) / math.sqrt(sum((np.abs(one) ** 2).sum() for one in probes))
    index = np.arange(n) if index is None else np.asarray(index)
    expected = patterns(probe, made.object, made.x[index], made.y[index]) * photons
    counts = np.random.default_rng([seed, 3]).poisson(expected)
    measured = np.sqrt(counts / photons).astype(np.float32)
    return Scene(probe=probe, object=made.object, x=made.x, y=made.y, index=index, measured=measured)


CONDITIONS = {
    "raster": {"photons": 1e5},
    "fermat": {"photons": 1e4, "n": 48, "scan": "fermat", "probe": "disc"},
    "concentric": {"photons": 1e6, "n": 56, "scan": "concentric", "object": "siemens"},
}
SCENES = [
    pytest.param(condition, seed, id=f"{name}-{seed}") for name, condition in CONDITIONS.items() for seed in range(3)
]
ONE_EACH = [SCENES[0], SCENES[4], SCENES[8]]


def correlation_of(scene):
    """The stated reading's, written out."""
    model = np.sqrt(patterns_anywhere(scene))
    model, data = model - model.mean(axis=0), scene.measured - scene.measured.mean(axis=0)
    return float((model * data).sum() / math.sqrt((model**2).sum() * (data**2).sum()))


def patterns_anywhere(scene):
    """The same with zeros around the object, for positions that lead outside."""
    margin = 4 * SIDE
    return patterns(
        scene.probe, np.pad(scene.object, margin), scene.x[scene.index] + margin, scene.y[scene.index] + margin
    )


# Scores


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def test_correlation_is_that_of_the_deviations_from_the_mean_frame():
    predicted, measured = noise(1, 20, 6, 7), noise(2, 20, 6, 7)
    measured += 0.4 * predicted + 5
    found = score(predicted, measured)
    a = (predicted - predicted.mean(axis=0)).reshape(-1)
    b = (measured - measured.mean(axis=0)).reshape(-1)
    assert found.correlation == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), rel=1e-12)
    # Both have the mean zero by then: this is Pearson's.
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-9)
    assert found.z == found.correlation / found.sigma


def test_what_frames_add_is_the_correlation():
    predicted, measured = noise(1, 12, 5, 5), noise(2, 12, 5, 5)
    found = score(predicted, measured)
    assert found.parts.shape == (12,)
    assert found.parts.sum() == pytest.approx(found.correlation, rel=1e-12)


def test_sigma_is_the_deviation_over_all_pairings():
    predicted, measured = noise(3, 6, 4, 4), noise(4, 6, 4, 4) + 0.5 * noise(3, 6, 4, 4)
    every = [score(predicted[list(order)], measured).correlation for order in itertools.permutations(range(6))]
    assert score(predicted, measured).sigma == pytest.approx(np.std(every), rel=1e-9)
    assert np.mean(every) == pytest.approx(0, abs=1e-12)


def test_sigma_is_the_deviation_over_random_pairings_of_real_patterns():
    scene = scene_of(1)
    found = score(scene.measured.astype(float), scene.measured.astype(float))
    rng = np.random.default_rng(5)
    flat = (scene.measured - scene.measured.mean(axis=0)).reshape(64, -1).astype(float)
    products = flat @ flat.T / (flat**2).sum()
    drawn = [np.trace(products[rng.permutation(64)]) for _ in range(3000)]
    # The relative error of a deviation from 3,000 draws is 1.3 %.
    assert found.sigma == pytest.approx(np.std(drawn), rel=0.07)
    assert found.correlation == pytest.approx(1)


def test_a_score_does_not_depend_on_scale_or_on_what_all_frames_share():
    predicted, measured = noise(1, 15, 5, 5), noise(1, 15, 5, 5) + noise(2, 15, 5, 5)
    first = score(predicted, measured)
    second = score(1e-3 * predicted + noise(7, 5, 5), 40 * measured + noise(8, 5, 5))
    assert second.correlation == pytest.approx(first.correlation, rel=1e-9)
    assert second.sigma == pytest.approx(first.sigma, rel=1e-9)


@pytest.mark.parametrize(
    ("predicted", "measured"),
    [
        (np.ones((9, 4, 4)), noise(1, 9, 4, 4)),
        (noise(1, 9, 4, 4), np.ones((9, 4, 4))),
        (noise(1, 1, 4, 4), noise(2, 1, 4, 4)),
        (np.zeros((9, 4, 4)), np.zeros((9, 4, 4))),
    ],
)
def test_where_frames_do_not_differ_there_is_nothing_to_correlate(predicted, measured):
    found = score(predicted, measured)
    assert (found.correlation, found.z) == (0, 0)


def test_residual_is_what_the_best_scale_leaves():
    predicted, measured = np.abs(noise(1, 10, 6, 6)), np.abs(noise(2, 10, 6, 6))
    scale = (predicted * measured).sum() / (predicted**2).sum()
    left = np.linalg.norm(measured - scale * predicted) / np.linalg.norm(measured)
    assert residual(predicted, measured) == pytest.approx(left, rel=1e-9)
    assert residual(predicted, 7 * predicted) == pytest.approx(0, abs=1e-6)
    assert residual(predicted, np.zeros_like(measured)) == 1


# Verdicts


@pytest.mark.parametrize(("condition", "seed"), SCENES)
def test_the_right_reading_is_borne_out(condition, seed):
    scene = scene_of(seed, **condition)
    verdict = judge(scene)
    assert verdict.supported
    assert not verdict.other_fits
    assert verdict.stated.z > 6
    assert verdict.stated.correlation == pytest.approx(correlation_of(scene), abs=1e-3)
    assert verdict.frames == len(scene.index)
    assert verdict.best.score.correlation < verdict.stated.correlation


@pytest.mark.parametrize(("photons", "z"), [(1e2, 5), (1e3, 10), (1e7, 10)])
@pytest.mark.parametrize("seed", range(3))
def test_the_right_reading_at_any_dose(photons, z, seed):
    verdict = judge(scene_of(seed, photons=photons, n=32))
    assert verdict.supported
    assert verdict.stated.z > z


@pytest.mark.parametrize("seed", range(3))
def test_a_noisy_object_is_still_borne_out(seed):
    scene = scene_of(seed, n=48)
    rng = np.random.default_rng(seed)
    blurred = rng.normal(size=scene.object.shape) + 1j * rng.normal(size=scene.object.shape)
    verdict = judge(replace(scene, object=scene.object + 0.5 * np.abs(scene.object).mean() / math.sqrt(2) * blurred))
    assert verdict.supported
    assert verdict.stated.z > 6


def moved(x, y):
    return lambda s: replace(s, x=x(s), y=y(s))


def columns(s):
    return s.object.shape[1]


def rows(s):
    return s.object.shape[0]


def ends(values):
    return values.min() + values.max()


def detector(turn):
    return lambda s: replace(s, measured=np.ascontiguousarray(turn(s.measured)))


def rolled(step):
    return moved(lambda s: np.roll(s.x, step), lambda s: np.roll(s.y, step))


def flips(name):
    return {f"{name}-object", f"{name}-scan"}


FAULTS = {
    # name: fault, kind, names that are right
    "swap": (moved(lambda s: s.y, lambda s: s.x), "positions", {"swap"}),
    "flip-x-object": (moved(lambda s: columns(s) - s.x, lambda s: s.y), "positions", flips("flip-x")),
    "flip-y-object": (moved(lambda s: s.x, lambda s: rows(s) - s.y), "positions", flips("flip-y")),
    "flip-xy-object": (moved(lambda s: columns(s) - s.x, lambda s: rows(s) - s.y), "positions", flips("flip-xy")),
    "flip-x-scan": (moved(lambda s: ends(s.x) - s.x, lambda s: s.y), "positions", flips("flip-x")),
    "flip-y-scan": (moved(lambda s: s.x, lambda s: ends(s.y) - s.y), "positions", flips("flip-y")),
    "flip-xy-scan": (moved(lambda s: ends(s.x) - s.x, lambda s: ends(s.y) - s.y), "positions", flips("flip-xy")),
    # The coordinate that is flipped is the one it is swapped back to.
    "flip-y-swap": (moved(lambda s: rows(s) - s.y, lambda s: s.x), "positions", flips("swap-flip-y")),
    "flip-x-swap": (moved(lambda s: s.y, lambda s: columns(s) - s.x), "positions", flips("swap-flip-x")),
    "flip-xy-swap": (
        moved(lambda s: rows(s) - s.y, lambda s: columns(s) - s.x),
        "positions",
        flips("swap-flip-xy"),
    ),
    "corner": (moved(lambda s: s.x - SIDE / 2, lambda s: s.y - SIDE / 2), "positions", {"corner"}),
    "half": (moved(lambda s: s.x / 2, lambda s: s.y / 2), "positions", {"scale-doubled"}),
    "double": (moved(lambda s: s.x * 2, lambda s: s.y * 2), "positions", {"scale-halved"}),
    "half-centred": (
        moved(lambda s: (s.x + columns(s) / 2) / 2, lambda s: (s.y + rows(s) / 2) / 2),
        "positions",
        {"scale-doubled-centred"},
    ),
    "double-centred": (
        moved(lambda s: s.x * 2 - columns(s) / 2, lambda s: s.y * 2 - rows(s) / 2),
        "positions",
        {"scale-halved-centred"},
    ),
    "fftshift": (detector(lambda a: np.fft.ifftshift(a, axes=(1, 2))), "centre", {"fftshift"}),
    "transpose": (detector(lambda a: a.transpose(0, 2, 1)), "detector", {"transpose"}),
    "reversed-columns": (detector(lambda a: a[:, :, ::-1]), "detector", {"flip-columns"}),
    "reversed-rows": (detector(lambda a: a[:, ::-1]), "detector", {"flip-rows"}),
    "reversed-both": (detector(lambda a: a[:, ::-1, ::-1]), "detector", {"flip-both"}),
    # Reversed about the zero frequency, not about the middle of an even detector.
    "mirrored-columns": (detector(lambda a: np.roll(a[:, :, ::-1], 1, axis=2)), "detector", {"flip-columns"}),
    "mirrored-rows": (detector(lambda a: np.roll(a[:, ::-1], 1, axis=1)), "detector", {"flip-rows"}),
    "mirrored-both": (detector(lambda a: np.roll(a[:, ::-1, ::-1], (1, 1), axis=(1, 2))), "detector", {"flip-both"}),
    "turned-left": (detector(lambda a: np.rot90(a, 1, axes=(1, 2))), "detector", {"transpose-flip-columns"}),
    "turned-right": (detector(lambda a: np.rot90(a, -1, axes=(1, 2))), "detector", {"transpose-flip-rows"}),
    "other-diagonal": (
        detector(lambda a: np.rot90(a, 2, axes=(1, 2)).transpose(0, 2, 1)),
        "detector",
        {"transpose-flip-both"},
    ),
    **{f"roll{k:+}": (rolled(k), "pairing", {"roll"}) for k in (1, -1, 2, -2, 3, -4, 5, -7)},
}


def mended(scene, reading):
    """The faulty scene with what the reading says undone."""
    values = dict(reading.values)
    if reading.kind == "positions":
        x, y = Affine(**values).apply(scene.x, scene.y)
        return replace(scene, x=x, y=y)
    if reading.kind == "pairing":
        return replace(scene, x=np.roll(scene.x, -values["step"]), y=np.roll(scene.y, -values["step"]))
    if reading.kind == "centre":
        return replace(scene, measured=np.fft.fftshift(scene.measured, axes=(1, 2)))
    return replace(scene, measured=turned(scene.measured, reading.name, **values))


@pytest.mark.parametrize(("condition", "seed"), ONE_EACH)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_its_values_mend_it(name, condition, seed):
    fault, kind, names = FAULTS[name]
    right = scene_of(seed, **condition)
    wrong = fault(right)
    verdict = judge(wrong)
    assert verdict.other_fits
    assert not verdict.supported
    best = verdict.best
    assert (best.kind, best.name in names) == (kind, True), (best, verdict.stated)
    assert best.score.z >= 6
    again = mended(wrong, best)
    assert correlation_of(again) > correlation_of(right) - 0.02


@pytest.mark.parametrize("name", ["corner", "corner of the detector"])
@pytest.mark.parametrize("seed", range(3))
def test_a_named_reading_is_preferred_to_one_that_fits_a_little_better(name, seed):
    """Half a turn of phase across the probe moves patterns by half a pixel; positions are uncertain by half of one."""
    right = scene_of(seed, photons=1e4)
    ramp = np.exp(1j * np.pi * np.arange(SIDE) / SIDE)
    jitter = 0.5 * noise(seed, 2, len(right.x))
    right = replace(right, probe=right.probe * ramp, x=right.x + jitter[0], y=right.y + jitter[1])
    if name == "corner":
        wrong = replace(right, x=right.x - SIDE / 2, y=right.y - SIDE / 2)
    else:
        wrong = replace(right, measured=np.fft.ifftshift(right.measured, axes=(1, 2)))
    verdict = judge(wrong)
    assert verdict.other_fits
    assert verdict.best.name == ("corner" if name == "corner" else "fftshift")


@pytest.mark.parametrize("name", ["swap", "flip-x-object", "fftshift"])
@pytest.mark.parametrize("seed", range(3))
def test_faults_are_found_in_poor_reconstructions(name, seed):
    right = scene_of(seed)
    rng = np.random.default_rng([seed, 11])
    rough = np.array([1, 1j]) @ rng.normal(size=(2, *right.object.shape)).reshape(2, -1) / math.sqrt(2)
    right = replace(right, object=right.object + 0.45 * np.abs(right.object).mean() * rough.reshape(right.object.shape))
    assert not judge(right).other_fits
    verdict = judge(FAULTS[name][0](right))
    assert verdict.best.score.explained < 0.7
    assert verdict.other_fits
    assert verdict.best.name in FAULTS[name][2]


@pytest.mark.parametrize("name", ["flip-x-object", "transpose", "reversed-columns", "corner"])
@pytest.mark.parametrize("seed", range(3))
def test_faults_are_found_where_neighbouring_pixels_share_nothing(name, seed):
    """A probe that fills its frame gives speckle as fine as the pixels."""
    right = scene_of(seed)
    rng = np.random.default_rng([seed, 5])
    probe = np.exp(2j * np.pi * rng.random((1, SIDE, SIDE))) / SIDE
    expected = patterns(probe, right.object, right.x[right.index], right.y[right.index])
    right = replace(right, probe=probe, measured=np.sqrt(rng.poisson(expected * 1e5) / 1e5).astype(np.float32))
    assert judge(right).supported
    verdict = judge(FAULTS[name][0](right))
    assert verdict.other_fits
    assert verdict.best.name in FAULTS[name][2]


def test_what_can_be_attained_is_told_from_the_noise():
    right = scene_of(0, photons=1e7)
    rng = np.random.default_rng(8)
    signal = (right.measured - right.measured.mean(axis=0)).std()
    for level in (0.0, 0.5, 1.0, 2.0):
        noisy = right.measured + level * signal * rng.normal(size=right.measured.shape)
        found = score(right.predicted(right.x, right.y), noisy)
        assert found.attainable == pytest.approx(1 / math.hypot(1, level), abs=0.03)
        assert found.explained == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("step", [1, 5, -3])
@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize(("condition", "seed"), ONE_EACH)
def test_frames_out_of_step_hang_where_nothing_wraps_round(step, wraps, condition, seed):
    """Cut apart, frames at one end have lost their positions; rolled, they have not."""
    right = scene_of(seed, **condition)
    n = len(right.x) if wraps else len(right.x) - abs(step)
    places = (np.arange(n) - step) % n if wraps else np.arange(n) + max(-step, 0)
    frames = np.arange(n) + (0 if wraps else max(step, 0))
    wrong = replace(right, x=right.x[places], y=right.y[places], index=np.arange(n), measured=right.measured[frames])
    verdict = judge(wrong)
    assert verdict.best.name == "roll"
    assert dict(verdict.best.values) == {"step": step}
    assert verdict.hanging != wraps


@pytest.mark.parametrize("part", [0.4, 0.5])
@pytest.mark.parametrize(("condition", "seed"), [SCENES[0], SCENES[1], SCENES[8]])
def test_part_of_a_scan_astray_is_told_from_where_on(part, condition, seed):
    right = scene_of(seed, **condition)
    assert judge(right).astray == ()
    first = int(len(right.x) * (1 - part))
    order = np.arange(len(right.x))
    order[first:] = np.roll(np.random.default_rng(seed).permutation(order[first:]), 1)
    verdict = judge(replace(right, x=right.x[order], y=right.y[order]))
    assert not verdict.other_fits
    assert not verdict.supported
    assert first <= min(verdict.astray) <= first + 6
    assert len(verdict.astray) > (verdict.sampled >= first).sum() / 2


def test_frames_beside_the_sample_are_not_astray():
    """Little but noise tells one of them from another."""
    right = scene_of(0)
    obj = right.object.copy()
    obj[:, : obj.shape[1] // 2] = obj.mean()
    expected = patterns(right.probe, obj, right.x[right.index], right.y[right.index])
    for photons in (1e3, 1e4, 1e6):
        counts = np.random.default_rng(3).poisson(expected * photons) / photons
        assert judge(replace(right, object=obj, measured=np.sqrt(counts).astype(np.float32))).astray == ()


SHIFTS = [(6, -2), (-5, 4), (3.5, 3), (0, -7)]


@pytest.mark.parametrize(("dx", "dy"), SHIFTS)
@pytest.mark.parametrize(("condition", "seed"), ONE_EACH[1:])
def test_a_shift_is_named_and_measured(condition, seed, dx, dy):
    right = scene_of(seed, **condition)
    wrong = replace(right, x=right.x + dx, y=right.y + dy)
    verdict = judge(wrong)
    assert verdict.other_fits
    assert (verdict.best.kind, verdict.best.name) == ("positions", "shift")
    affine = Affine(**dict(verdict.best.values))
    assert affine.x0 == pytest.approx(-dx, abs=0.75)
    assert affine.y0 == pytest.approx(-dy, abs=0.75)
    assert correlation_of(mended(wrong, verdict.best)) > correlation_of(right) - 0.05


@pytest.mark.parametrize(
    ("seed", "dx", "dy"),
    [
        (0, 6, -2),
        (0, 3.5, 3),
        (1, 0, -7),
        (3, -5, 4),
        (1, 6, -2),
        (0, -5, 4),
        (2, -5, 4),
    ],
)
def test_a_shift_of_a_raster_is_no_matter_of_pairing(seed, dx, dy):
    right = scene_of(seed)
    verdict = judge(replace(right, x=right.x + dx, y=right.y + dy))
    assert verdict.other_fits
    assert (verdict.best.kind, verdict.best.name) == ("positions", "shift")


@pytest.mark.parametrize("factor", [0.9, 0.95, 0.98, 1.02, 1.05, 1.1])
@pytest.mark.parametrize(("condition", "seed"), ONE_EACH)
def test_positions_of_another_pixel_size(condition, seed, factor):
    """A shift alone would fit the middle of the scan, and leave its edges pixels off."""
    right = scene_of(seed, **condition)
    wrong = replace(right, x=right.x * factor, y=right.y * factor)
    verdict = judge(wrong)
    if abs(factor - 1) * max(np.ptp(right.x), np.ptp(right.y)) / 2 < 1:
        pytest.skip("too little to be told from a shift")
    assert verdict.other_fits
    assert verdict.best.name == "rescale"
    x, y = verdict.placed(wrong.x, wrong.y)
    np.testing.assert_allclose(x, right.x, atol=0.8)
    np.testing.assert_allclose(y, right.y, atol=0.8)


TURNED = {
    "probe-transposed": lambda probe: probe.swapaxes(-1, -2),
    "probe-mirrored": lambda probe: probe[..., ::-1],
    "probe-turned-upside-down": lambda probe: probe[..., ::-1, :],
    "probe-turned-upside-down-and-mirrored": lambda probe: probe[..., ::-1, ::-1],
    "probe-transposed-and-mirrored": lambda probe: probe.swapaxes(-1, -2)[..., ::-1],
}


def lopsided(scene):
    """A probe that is no mirror image of itself: what it explains is measured anew."""
    rows, columns = np.indices(scene.probe.shape[-2:]) - SIDE // 2
    blob = np.exp(-((rows - 4) ** 2 + (columns + 3) ** 2) / 8) * np.exp(1j * columns / 4)
    probe = scene.probe * (0.3 + np.exp(1j * rows * columns / 40)) + 0.2 * blob
    expected = patterns(probe, scene.object, scene.x[scene.index], scene.y[scene.index])
    return replace(scene, probe=probe, measured=np.sqrt(expected).astype(np.float32))


@pytest.mark.parametrize("name", TURNED)
@pytest.mark.parametrize("seed", range(4))
def test_a_probe_seen_from_another_side_is_no_matter_of_positions(name, seed):
    right = lopsided(scene_of(seed, scan="fermat", object="smooth"))
    assert judge(right).supported
    verdict = judge(replace(right, probe=TURNED[name](right.probe)))
    # It is named, or nothing is at error level: no positions are to be moved, nor the centre.
    if verdict.other_fits and not verdict.best.slight:
        assert verdict.best.name == name


@pytest.mark.parametrize(("condition", "seed"), ONE_EACH)
def test_positions_counted_from_the_middle_of_the_object(condition, seed):
    right = scene_of(seed, **condition)
    verdict = judge(replace(right, x=right.x - columns(right) / 2, y=right.y - rows(right) / 2))
    assert verdict.other_fits
    values = dict(verdict.best.values)
    assert verdict.best.name == "shift"
    assert (values["x0"], values["y0"]) == pytest.approx((columns(right) / 2, rows(right) / 2), abs=0.7)


@pytest.mark.parametrize(("signs", "name"), [((-1, 1), "flip-x"), ((1, -1), "flip-y"), ((-1, -1), "flip-xy")])
@pytest.mark.parametrize(("condition", "seed"), ONE_EACH)
def test_positions_of_the_other_sign(condition, seed, signs, name):
    right = scene_of(seed, **condition)
    verdict = judge(replace(right, x=signs[0] * right.x, y=signs[1] * right.y))
    assert verdict.other_fits
    assert verdict.best.name == f"{name}-sign"
    x, y = verdict.placed(signs[0] * right.x, signs[1] * right.y)
    assert (x == right.x).all()
    assert (y == right.y).all()
    # Counted from elsewhere too: the scan lies about the middle of the object.
    away = replace(right, x=signs[0] * right.x - 300, y=signs[1] * right.y + 300)
    verdict = judge(away)
    assert verdict.best.name == f"{name}-scan-laid-on-the-object"
    x, y = verdict.placed(away.x, away.y)
    assert np.abs(x - right.x).max() < 1
    assert np.abs(y - right.y).max() < 1


def one_frame_lost(s):
    """The frame in the middle, in memory of all: those behind it are one step off."""
    at = len(s.x) // 2
    kept = np.delete(np.arange(len(s.x)), at)
    return replace(s, x=s.x[:-1], y=s.y[:-1], index=np.arange(len(kept)), measured=s.measured[kept])


def about_middle(factor_x, factor_y):
    def scaled(values, factor):
        middle = ends(values) / 2
        return (values - middle) * factor + middle

    return moved(lambda s: scaled(s.x, factor_x), lambda s: scaled(s.y, factor_y))


PARTLY = {
    "one frame lost": one_frame_lost,
    "neighbours exchanged": lambda s: reordered(s, np.arange(len(s.x)).reshape(-1, 2)[:, ::-1].reshape(-1)),
    "jumbled": lambda s: reordered(
        s, np.argsort(np.arange(len(s.x)) + np.random.default_rng(0).uniform(0, 6, len(s.x)))
    ),
    "x half as large again": about_middle(1.5, 1),
    "y halved": about_middle(1, 0.5),
}


def reordered(s, order):
    return replace(s, x=s.x[order], y=s.y[order])


@pytest.mark.parametrize("name", PARTLY)
@pytest.mark.parametrize(("condition", "seed"), SCENES)
def test_frames_that_fit_other_places_better_are_told(name, condition, seed):
    """No reading mends these; neither may they pass, nor be mended by a shift or a step that fits in part."""
    right = scene_of(seed, **condition)
    verdict = judge(PARTLY[name](right))
    assert not verdict.supported
    assert not verdict.other_fits
    assert verdict.strays or verdict.astray or verdict.contested or verdict.stated.z < 6 or verdict.slip


def slipped(scene, at, step):
    """Frames from ``at`` on belong ``step`` positions further: so many frames were lost; positions, where negative."""
    n = len(scene.x)
    frames = np.delete(np.arange(n), range(at, at + max(step, 0)))[: n - abs(step)]
    places = np.delete(np.arange(n), range(at, at + max(-step, 0)))[: n - abs(step)]
    return replace(
        scene,
        x=scene.x[places],
        y=scene.y[places],
        index=np.arange(len(frames)),
        measured=scene.measured[frames],
    )


@pytest.mark.parametrize("overlap", [0.6, 0.9])
@pytest.mark.parametrize("side", [32, 128])
@pytest.mark.parametrize(("at", "step"), [(10, 1), (30, 1), (50, 1), (30, 2), (30, 3), (30, -1), (30, -2)])
def test_where_and_by_how_much_positions_slip_is_told(at, step, side, overlap):
    """Also where steps are so small beside the probe that frames fit their own positions nearly as well."""
    right = scene_of(2, photons=1e6, n=72, side=side, overlap=overlap, probe="gaussian", object="smooth")
    assert judge(right).slip is None
    verdict = judge(slipped(right, at, step))
    assert not verdict.supported
    assert not verdict.other_fits
    assert verdict.slip.step == step
    assert abs(verdict.slip.frame - at) <= 3
    assert verdict.slip.beside > max(0.8, verdict.slip.own + 0.02)


@pytest.mark.parametrize(("condition", "seed"), SCENES)
def test_a_right_scan_does_not_slip(condition, seed):
    right = scene_of(seed, **condition)
    assert slip(right) is None
    assert not slips(right)
    # Each frame measured twice fits the position beside its own as well, not better.
    twice = np.repeat(np.arange(len(right.x)), 2)
    again = replace(
        right, x=right.x[twice], y=right.y[twice], index=np.arange(len(twice)), measured=right.measured[twice]
    )
    assert slip(again) is None
    assert not slips(again)


def test_a_whole_scan_out_of_step_is_no_slip():
    right = scene_of(2, photons=1e6)
    assert slip(replace(right, x=np.roll(right.x, 1), y=np.roll(right.y, 1))) is None


@pytest.mark.parametrize(
    ("step", "experiment"),
    [
        (-3, {"seed": 0, "n": 80, "scan": "fermat", "object": "siemens", "probe": "disc"}),
        (-3, {"seed": 1, "n": 80, "scan": "fermat", "object": "siemens", "probe": "disc"}),
        (5, {"seed": 0, "n": 48, "scan": "raster", "object": "smooth", "probe": "gaussian"}),
    ],
)
def test_a_later_part_that_fits_a_little_less_badly_hides_no_step_of_the_whole_scan(step, experiment):
    right = scene_of(overlap=0.75, **experiment)
    wrong = replace(right, x=np.roll(right.x, step), y=np.roll(right.y, step))
    assert slip(wrong) is not None
    assert slip(wrong, (right.x, right.y)) is None
    verdict = judge(wrong)
    assert verdict.other_fits
    assert (verdict.best.name, dict(verdict.best.values)["step"]) == ("roll", step)
    assert verdict.slip is None
    # A frame that was lost is no step of the whole scan, however well that fits what comes after it.
    lost = slipped(right, len(right.x) // 4, 1)
    other = np.roll(lost.x, -1), np.roll(lost.y, -1)
    assert slip(lost, other) is not None


@pytest.mark.parametrize(("condition", "seed"), SCENES)
def test_frames_of_a_right_file_fit_no_other_place(condition, seed):
    right = scene_of(seed, **condition)
    n = len(right.x)
    frames = right.taken(right.scattered(FRAMES))
    every = np.stack([correlations_at(right, frames, np.full(n, i)) for i in range(n)]).max(axis=0)
    places = around(right, right.x, right.y, every)
    assert places.gain < 0.02
    assert not len(places.strays(1.0))
    # Elsewhere they do: each at its neighbour's.
    away = around(right, np.roll(right.x, 1), np.roll(right.y, 1), every)
    assert (away.best >= every).all()
    assert len(away.strays(1.0)) > len(away.index) / 2


def correlations_at(scene, frames, places):
    """Each frame with the pattern of the place that it is given, written out."""
    model = np.sqrt(patterns(scene.probe, scene.object, scene.x[places[:1]], scene.y[places[:1]]))[0]
    middle = np.sqrt(patterns(scene.probe, scene.object, scene.x[frames.index], scene.y[frames.index])).mean(axis=0)
    data = frames.measured - frames.measured.mean(axis=0)
    a, b = (model - middle).reshape(-1), data.reshape(len(data), -1)
    return b @ a / np.linalg.norm(a) / np.linalg.norm(b, axis=1)


def test_another_reading_is_found_where_the_stated_one_lies_outside_the_object():
    right = scene_of(0)
    obj = np.pad(right.object, ((200, 0), (200, 0)))
    right = replace(right, object=obj, x=right.x + 200, y=right.y + 200)
    assert judge(right).supported
    verdict = judge(FAULTS["double"][0](right))
    assert verdict.other_fits
    assert verdict.best.name == "scale-halved"


@pytest.mark.parametrize("order", range(2))
@pytest.mark.parametrize(("condition", "seed"), SCENES)
def test_shuffled_positions_are_neither_borne_out_nor_explained(condition, seed, order):
    right = scene_of(seed, **condition)
    shuffled = np.random.default_rng([seed, order]).permutation(len(right.x))
    verdict = judge(replace(right, x=right.x[shuffled], y=right.y[shuffled]))
    assert not verdict.other_fits
    assert not verdict.supported


@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_the_first_frames_with_every_kth_position(seed, stride):
    whole = scene_of(seed, n=64 * stride, index=range(64), scan="fermat")
    wrong = replace(whole, x=whole.x[::stride], y=whole.y[::stride])
    verdict = judge(wrong)
    assert verdict.other_fits
    assert (verdict.best.kind, verdict.best.name) == ("pairing", "stride")
    assert dict(verdict.best.values) == {"stride": stride}


def test_dead_pixels_tell_nothing_of_a_stride_either():
    whole = scene_of(1, n=128, index=range(64), scan="fermat")
    dead = np.zeros(whole.measured.shape[1:], dtype=bool)
    dead[::2] = True
    measured = np.where(dead, 0, whole.measured).astype(np.float32)
    every = replace(whole, x=whole.x[::2], y=whole.y[::2], measured=measured, dead=dead)
    found = next(iter(strides(every)))
    assert found.name == "stride"
    assert not found.predicted[:, dead].any()
    assert judge(every).best.name == "stride"


@pytest.mark.parametrize("step", [1, -3])
@pytest.mark.parametrize("seed", range(3))
def test_a_sample_of_a_longer_scan_is_as_good(seed, step):
    index = np.linspace(0, 299, 64).round().astype(int)
    right = scene_of(seed, n=300, index=tuple(index), scan="fermat")
    assert judge(right).supported
    verdict = judge(rolled(step)(right))
    assert verdict.other_fits
    assert (verdict.best.kind, dict(verdict.best.values)) == ("pairing", {"step": step})


@pytest.mark.parametrize("seed", range(3))
def test_incoherent_modes(seed):
    scene = scene_of(seed, modes=3)
    verdict = judge(scene)
    assert verdict.supported
    assert verdict.stated.correlation == pytest.approx(correlation_of(scene), abs=1e-3)
    one = judge(replace(scene, probe=scene.probe[:1]))
    assert one.stated.correlation < verdict.stated.correlation - 0.02
    for name in ("swap", "transpose", "fftshift"):
        fault, kind, names = FAULTS[name]
        found = judge(fault(scene))
        assert found.other_fits
        assert (found.best.kind, found.best.name in names) == (kind, True)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_shift_is_found_with_many_modes(seed, mixed):
    """It is looked for with the strongest only; which these are does not depend on how modes are mixed."""
    scene = scene_of(seed, modes=8)
    if mixed:
        rng = np.random.default_rng(seed)
        rotation, _ = np.linalg.qr(rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8)))
        mixture = np.einsum("pq,qij->pij", rotation, scene.probe)
        at = (scene.object, scene.x[:4], scene.y[:4])
        np.testing.assert_allclose(patterns(mixture, *at), patterns(scene.probe, *at), atol=1e-12)
        scene = replace(scene, probe=mixture)
    verdict = judge(replace(scene, x=scene.x + 5, y=scene.y - 3))
    assert verdict.best.name == "shift"
    assert verdict.other_fits
    values = dict(verdict.best.values)
    assert math.hypot(values["x0"] + 5, values["y0"] - 3) < 0.6


@pytest.mark.parametrize("seed", range(5))
def test_noise_for_frames_proves_nothing(seed):
    scene = scene_of(seed, n=48)
    verdict = judge(replace(scene, measured=np.abs(noise(seed, *scene.measured.shape)).astype(np.float32)))
    assert not verdict.other_fits
    assert not verdict.supported


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_probe_does_not_matter(scale):
    scene = scene_of(2)
    first, second = judge(scene), judge(replace(scene, probe=scene.probe * scale))
    assert second.supported
    assert second.stated.correlation == pytest.approx(first.stated.correlation, rel=1e-4)


@pytest.mark.parametrize("name", ["smooth", "siemens"])
@pytest.mark.parametrize("by", [(0, 0), (0.5, 0), (2, 0), (-6, 2)])
def test_a_glance_at_fewer_pixels_decides_as_all_of_them_do(name, by, monkeypatch):
    right = scene_of(5, side=128, object=name)
    scene = replace(right, x=right.x + by[0], y=right.y + by[1])
    wider, searched = [], forward._searched
    monkeypatch.setattr(forward, "_searched", lambda *given: wider.append(given) or searched(*given))
    found = judge(scene)
    # Only what fits nearly as well as can be is no more than glanced at.
    assert bool(wider) == (math.hypot(*by) > 1.5)
    monkeypatch.setattr(forward, "GLANCED", 128**2)
    whole = judge(scene)
    assert (found.supported, found.other_fits, found.contested) == (whole.supported, whole.other_fits, whole.contested)
    assert found.supported == (math.hypot(*by) < 1.5)


def test_fewer_pixels_of_frames_of_one_energy_are_of_one_energy():
    scene = scene_of(3, side=128, photons=300.0).levelled().within(64 * 64)
    assert scene.measured.shape[1:] == (64, 64)
    np.testing.assert_allclose(norms(scene.measured), norms(scene.measured)[0], rtol=1e-5)


@pytest.mark.parametrize("together", [1, 3 * 64 * SIDE * SIDE, 1 << 30])
@pytest.mark.parametrize("how", ["plain", "level", "dead"])
def test_readings_predicted_together_are_what_each_is_alone(monkeypatch, together, how):
    monkeypatch.setattr(module_of_scene, "TOGETHER", together)
    right = scene_of(3)
    dead = np.random.default_rng(0).random((SIDE, SIDE)) < 0.1
    seen = {"plain": right, "level": right.levelled(), "dead": replace(right, dead=dead)}[how]
    places = [(right.x + dx, right.y * scale) for dx in (0, 1.5, -40) for scale in (1, -1)]
    found = list(seen.predicted_each(places))
    assert len(found) == len(places)
    for one, (x, y) in zip(found, places, strict=True):
        np.testing.assert_array_equal(one, seen.predicted(x, y))


def test_the_same_scene_gives_the_same_verdict():
    scene = FAULTS["swap"][0](scene_of(0))
    first, second = judge(scene), judge(scene)
    assert first.best == second.best
    assert first.stated == second.stated


@pytest.mark.parametrize("n", range(8, 16))
def test_few_frames_never_condemn_a_right_file(n):
    for seed in range(4):
        assert not judge(scene_of(seed, n=n)).other_fits


# The parts


def test_an_affine_by_default_changes_nothing():
    x, y = noise(1, 9), noise(2, 9)
    same = Affine().apply(x, y)
    np.testing.assert_array_equal(same, (x, y))
    moved_ = Affine(xx=2, xy=3, x0=5, yx=-1, yy=0.5, y0=-7).apply(x, y)
    np.testing.assert_allclose(moved_, (2 * x + 3 * y + 5, -x + 0.5 * y - 7))


def test_turned_is_what_numpy_says():
    a = noise(1, 3, 6, 6)
    expected = {
        "transpose": a.transpose(0, 2, 1),
        "flip-columns": np.flip(a, 2),
        "flip-rows": np.flip(a, 1),
        "flip-both": np.flip(a, (1, 2)),
        "transpose-flip-columns": np.rot90(a, -1, axes=(1, 2)),
        "transpose-flip-rows": np.rot90(a, 1, axes=(1, 2)),
        "transpose-flip-both": np.rot90(a.transpose(0, 2, 1), 2, axes=(1, 2)),
    }
    for name, frames in expected.items():
        np.testing.assert_array_equal(turned(a, name, roll_rows=0, roll_columns=0), frames)
        np.testing.assert_array_equal(turned(a, name, roll_rows=1, roll_columns=2), np.roll(frames, (1, 2), (1, 2)))


def told(correlation, sigma, explained=None):
    """A score to which every frame adds about the same; without noise, but for what is said."""
    parts = correlation / 32 * (1 + 0.1 * noise(1, 32))
    attainable = 1.0 if explained is None else abs(correlation) / explained
    return Score(
        correlation=correlation, sigma=sigma, likeness=0.95, attainable=attainable, parts=parts, own=32 * parts
    )


@pytest.mark.parametrize(
    ("explained", "sigma", "stated", "rival", "believed"),
    [
        (0.65, 0.05, 0.0, 0.4, True),  # it explains enough: rivals don't count
        (0.5, 0.04, 0.0, 0.19, True),  # poorly, but it stands alone
        (0.5, 0.04, 0.0, 0.21, False),
        (0.5, 0.04, -0.21, 0.0, False),  # the stated one is as far from nothing
        (0.5, 0.05, 0.0, 0.1, False),  # eight sigma
        (0.3, 0.02, 0.0, 0.1, False),
        (0.5, 0.04, 0.0, math.inf, False),  # fitted
    ],
)
def test_a_reading_that_explains_poorly_must_stand_alone(explained, sigma, stated, rival, believed):
    assert surpasses(told(0.4, sigma, explained), told(stated, 0.03), rival) == believed


def test_what_is_no_number_explains_nothing():
    assert Score(correlation=math.nan, sigma=math.nan, attainable=0.0).explained == 0
    assert Score(correlation=0.0, sigma=0.1, attainable=0.0).explained == 0


def test_the_margin_shrinks_with_what_noise_lets_be_attained():
    ahead = told(0.1, 0.01, 0.95)
    assert surpasses(ahead, told(0.02, 0.01))
    assert not surpasses(ahead, told(0.095, 0.01))
    assert not surpasses(told(0.8, 0.03), told(0.75, 0.03))


@pytest.mark.parametrize(
    ("correlation", "explained", "supported"),
    [(0.2, 0.3, True), (0.2, 0.2, False), (0.13, 0.3, False), (0.13, 0.5, True), (0.08, 1, False)],
)
def test_what_is_borne_out_explains_something_and_more_where_it_is_hardly_beyond_chance(
    correlation, explained, supported
):
    verdict = Verdict(stated=told(correlation, 0.03, explained), best=None, tried=1, frames=32)
    assert verdict.supported == supported


def reading(correlation, sigma):
    return Reading(kind="positions", name="swap", words="", score=told(correlation, sigma))


@pytest.mark.parametrize(
    ("stated", "best", "fits", "supported"),
    [
        ((0.8, 0.03), (0.88, 0.03), False, True),  # too close
        ((0.1, 0.03), (0.8, 0.03), True, False),
        ((0.0, 0.3), (0.8, 0.3), False, False),  # not significant
        ((-0.5, 0.03), (0.04, 0.005), False, False),  # a negative correlation lends nothing to others
        ((0.5, 0.03), (0.4, 0.03), False, True),
    ],
)
def test_when_another_reading_is_believed(stated, best, fits, supported):
    verdict = Verdict(stated=told(*stated), best=reading(*best), tried=2, frames=32)
    assert verdict.other_fits == fits
    assert verdict.supported == supported


def test_a_thinned_scene_keeps_frames_with_their_positions():
    scene = scene_of(0, n=50)
    thin = scene.thinned(10)
    assert len(thin.index) == len(thin.measured) == 10
    assert (thin.index[0], thin.index[-1]) == (0, 49)
    np.testing.assert_array_equal(thin.measured, scene.measured[thin.index])
    assert len(thin.x) == 50
    whole = scene.thinned(500)
    np.testing.assert_array_equal(whole.index, scene.index)


def test_mean_patterns_that_disagree_make_no_reading_believed():
    """Near-field data resembles some readings frame by frame, yet its mean pattern is not the predicted one."""
    best = replace(reading(0.8, 0.03), score=replace(told(0.8, 0.03), likeness=0.8))
    assert not Verdict(stated=told(0.1, 0.03), best=best, tried=2, frames=32).other_fits
