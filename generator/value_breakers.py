"""Break values, positions and physics of a dataset with a scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from .errors import NotApplicable
from .scan_dataset import Arrays, ScanDataset, with_array


def _nan(data: ScanDataset) -> Arrays:
    name = data.scan.frames if data.arrays[data.scan.frames].dtype.kind == "f" else data.scan.probe
    spec = data.spec(name)
    if not spec.values.finite:
        raise NotApplicable.because("may-be-infinite")
    array = data.arrays[spec.name].copy(order="K")
    array[(0,) * array.ndim] = np.nan
    return with_array(data.arrays, data.contract, spec.name, array)


def _negative(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    if spec.values.minimum is None:
        raise NotApplicable.because("not-asked")
    frames = data.frames()
    dtype = frames.dtype
    if dtype.kind == "u":
        dtype = np.dtype(np.int32 if dtype.itemsize < 4 else np.int64)
    frames = frames.astype(dtype)
    frames[(0,) * frames.ndim] = -1
    return data.with_frames(frames, dtype)


def _too_large(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    bound = spec.values.exclusive_maximum if spec.values.exclusive_maximum is not None else spec.values.maximum
    frames = data.frames()
    if bound is None:
        raise NotApplicable.because("no-maximum")
    if not frames.max():
        raise NotApplicable.because("dark")
    return data.with_frames(frames * (2.0 * bound / float(frames.max())))


def _placeholder(data: ScanDataset) -> Arrays:
    for name in (data.scan.object, data.scan.probe):
        if name in data.arrays and data.spec(name).values.varies and data.arrays[name].size > 1:
            return data.changed(name, np.ones_like(data.arrays[name]))
    raise NotApplicable.because("single-items")


def _other_quantity(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    frames = data.frames().astype(np.float64)
    most = float(frames.max())
    if not most:
        raise NotApplicable.because("dark")
    if spec.quantity == "amplitude":
        # Few enough counts that their square roots keep the bound of 10.
        return data.with_frames(np.maximum(np.rint((frames / most) ** 2 * 80), 0), np.dtype(np.uint16))
    if len(np.unique(np.rint(frames))) < 12:
        raise NotApplicable.because("few-levels")
    return data.shown("NORM-001", [data.with_frames(np.sqrt(np.rint(frames)), np.dtype(np.float32))], "few-levels")


def _one_bright_pixel(data: ScanDataset) -> Arrays:
    spec = data.spec(data.scan.frames)
    ratio = spec.values.maximum_over_mean
    frames = data.frames().astype(np.float64)
    if ratio is None:
        raise NotApplicable.because("no-ratio")
    if not frames.size or frames[0].size < 2 * ratio or not frames.mean():
        raise NotApplicable.because("few-pixels")
    frames *= 0.01 / frames.mean()
    frames = np.minimum(frames, 0.5)
    # In every frame: in one alone it would be a hot pixel (SCAN-006).
    frames.reshape(len(frames), -1)[:, 0] = min(9.0, 4 * ratio * 0.01)
    return data.with_frames(frames)


def _moved(data: ScanDataset, index: int, x: float, y: float) -> Arrays:
    changed = data.arrays
    for name, value in ((data.scan.x, x), (data.scan.y, y)):
        moved = data.arrays[data.spec(name).name].copy()
        moved[index] = value
        changed = with_array(changed, data.contract, name, moved)
    return changed


def _outside(data: ScanDataset) -> Arrays:
    if data.scan.inside_tolerance is None or not data.n_frames:
        raise NotApplicable.because("not-asked")
    data.spec(data.scan.object)
    side = data.frames().shape[-1]
    return _moved(data, 0, -2.0 * side - 10, float(data.arrays[data.scan.y][0]))


def _same_position(data: ScanDataset) -> Arrays:
    data.needs_positions(2)
    x, y = data.arrays[data.spec(data.scan.x).name], data.arrays[data.spec(data.scan.y).name]
    return _moved(data, 1, float(x[0]), float(y[0]))


def _metres(data: ScanDataset) -> Arrays:
    data.needs_positions(2)
    return data.arrays | {name: data.arrays[data.spec(name).name] * 1e-8 for name in (data.scan.x, data.scan.y)}


def _more_positions(data: ScanDataset) -> Arrays:
    data.needs_frames(1)
    changed = dict(data.arrays)
    for name, reading in data.binding.readings.items():
        if name != data.scan.frames and reading.layout and reading.layout.dims == (data.scan.dimension,):
            changed[name] = np.concatenate([data.arrays[name], data.arrays[name][-1:]])
    return data.shown("SCAN-004", [changed], "axes-turn")


def _blank_frame(data: ScanDataset) -> Arrays:
    data.needs_frames(2)
    frames = data.frames()
    frames[0] = 0
    return data.shown("SCAN-005", [data.with_frames(frames)], "one-lit")


def _hot_pixel(data: ScanDataset) -> Arrays:
    data.needs_frames(4, "few-frames")
    if data.scan.hot_factor is None:
        raise NotApplicable.because("not-asked")
    amplitudes = data.amplitudes()
    peaks = amplitudes.reshape(len(amplitudes), -1).max(axis=1)
    usual = float(np.median(peaks))
    if not usual:
        raise NotApplicable.because("mostly-blank")
    if data.arrays[data.scan.frames].dtype.kind == "f":
        amplitudes, usual = amplitudes / usual, 1.0
    amplitudes.reshape(len(amplitudes), -1)[int(np.argmax(peaks)), 0] = 1.5 * data.scan.hot_factor * usual
    return data.stored(amplitudes)


def _same_frame(data: ScanDataset) -> Arrays:
    data.needs_frames(2)
    frames = data.frames()
    source = int(np.argmax(frames.reshape(len(frames), -1).max(axis=1)))
    if not frames[source].any():
        raise NotApplicable.because("constant-frames")
    frames[source - 1] = frames[source]
    return data.shown("SCAN-007", [data.with_frames(frames)], "constant-frames")


def _far_away(data: ScanDataset) -> Arrays:
    data.needs_positions(2)
    if data.scan.minimum_overlap is None:
        raise NotApplicable.because("not-asked")
    probe, obj = data.arrays[data.spec(data.scan.probe).name], data.arrays[data.spec(data.scan.object).name]
    if probe.ndim != 2 or not np.ptp(np.abs(probe)):
        raise NotApplicable.because("constant-probe")
    side = max(probe.shape)
    # Room for one more position, farther from all others than the probe is wide.
    padded = np.pad(obj, ((0, 3 * side), (0, 3 * side)), mode="edge")
    moved = _moved(data, 0, obj.shape[1] + 2 * side, obj.shape[0] + 2 * side)
    return moved | {data.scan.object or "": padded}


def _needs_all(data: ScanDataset) -> None:
    """What the forward model needs."""
    data.needs_frames(2)
    if not {data.scan.probe, data.scan.object, data.scan.x, data.scan.y} <= set(data.arrays):
        raise NotApplicable.because("not-predicted")


def _out_of_step(data: ScanDataset) -> Arrays:
    _needs_all(data)
    names = [data.spec(name).name for name in (data.scan.x, data.scan.y)]
    # A scan may repeat itself at some steps.
    changes = (data.arrays | {name: np.roll(data.arrays[name], step) for name in names} for step in (3, 2, 5))
    return data.shown("PHYS-001", changes, "not-predicted")


def _mirrored(data: ScanDataset) -> Arrays:
    _needs_all(data)
    obj = data.arrays[data.spec(data.scan.object).name]
    if obj.ndim != 2:
        raise NotApplicable.because("not-predicted")
    ends = ((data.spec(data.scan.x).name, obj.shape[1]), (data.spec(data.scan.y).name, obj.shape[0]))
    changes = (data.arrays | {name: (end - data.arrays[name]).astype(data.arrays[name].dtype)} for name, end in ends)
    return data.shown("PHYS-002", changes, "not-predicted")


def _corner(data: ScanDataset) -> Arrays:
    _needs_all(data)
    return data.shown("PHYS-003", [data.with_frames(np.fft.ifftshift(data.frames(), axes=(-2, -1)))], "not-predicted")


def _turned(data: ScanDataset) -> Arrays:
    _needs_all(data)
    frames = data.frames()
    changes = [
        data.with_frames(turn)
        for turn in (np.swapaxes(frames, -1, -2), frames[..., ::-1])
        if turn.shape == frames.shape
    ]
    return data.shown("PHYS-004", changes, "not-predicted")


VALUES: Final[Mapping[str, Callable[[ScanDataset], Arrays]]] = {
    "VALUE-001": _nan,
    "VALUE-002": _negative,
    "VALUE-003": _too_large,
    "VALUE-004": _placeholder,
    "NORM-001": _other_quantity,
    "NORM-002": _one_bright_pixel,
    "SCAN-001": _outside,
    "SCAN-002": _same_position,
    "SCAN-003": _metres,
    "SCAN-004": _more_positions,
    "SCAN-005": _blank_frame,
    "SCAN-006": _hot_pixel,
    "SCAN-007": _same_frame,
    "SCAN-008": _far_away,
    "PHYS-001": _out_of_step,
    "PHYS-002": _mirrored,
    "PHYS-003": _corner,
    "PHYS-004": _turned,
}
