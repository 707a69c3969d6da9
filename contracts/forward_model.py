"""What ``diffraction`` means, as code; the one place.

``m_i = |FFT(probe * object[patch at (x_i, y_i)])|``, orthonormal, zero frequency in the centre, incoherent probe
modes added in intensity. The patch is centred on the position: rows ``y - H/2`` to ``y + H/2``, columns
``x - W/2`` to ``x + W/2``. Source: hoidn/PtychoPINN@712c23f ptycho/tf_helper.py:346-366,
ptycho/raw_data.py:119-124.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

FOOTPRINT_ENERGY: Final = 0.9
"""Share of a probe's intensity within what is called its footprint."""

DIM: Final = 1e-2
"""Part of the largest intensity below which pixels need not be sorted, if the others hold that share."""

GROUP: Final = 1 << 19
"""Bytes of waves that are transformed at a time: they stay in the cache."""


def patches(obj: Array, x: Array, y: Array, shape: tuple[int, int], *, precise: bool = True) -> Array:
    """Patches of an object, bilinear between pixels; pixels outside the object are zero.

    Args:
        obj: object, complex, (HO, WO).
        x: column of each patch centre, object pixels, (n,).
        y: row of each patch centre, object pixels, (n,).
        shape: rows and columns of a patch.
        precise: in double precision; single is twice as fast.

    Returns:
        complex128, or complex64 where not precise, (n, H, W).
    """
    height, width = shape
    kind: type[Any] = np.float64 if precise else np.float32
    # Real and imaginary parts side by side: interpolating them needs no complex products.
    parts = np.ascontiguousarray(obj, np.complex128 if precise else np.complex64).view(kind)
    top, left = np.asarray(y, float) - height / 2, np.asarray(x, float) - width / 2
    above, before = np.floor(top), np.floor(left)
    down, right = (top - above).astype(kind)[:, None, None], (left - before).astype(kind)[:, None, None]
    # However far outside: what is there is zero, and no integer overflows.
    row = np.clip(above, -height - 1, parts.shape[0]).astype(np.int64)
    column = np.clip(before, -width - 1, parts.shape[1] // 2).astype(np.int64)
    # One pixel more than a patch on each axis, for the interpolation.
    blocks = _blocks(parts, row, 2 * column, (height + 1, 2 * (width + 1)))
    vertical = blocks[:, :-1] * (1 - down)
    vertical += blocks[:, 1:] * down
    result = vertical[:, :, :-2] * (1 - right)
    result += vertical[:, :, 2:] * right
    complex_: Array = result.view(np.complex128 if precise else np.complex64)
    return complex_


def _blocks(plane: Array, row: Array, column: Array, shape: tuple[int, int]) -> Array:
    """Parts of a plane, (n, rows, columns), from the rows and columns where they begin; zero outside of it."""
    room = [side - part for side, part in zip(plane.shape, shape, strict=True)]
    if len(row) and min(row.min(), column.min()) >= 0 and row.max() <= room[0] and column.max() <= room[1]:
        # Every part there is, as a view: those that are wanted are copied in one step.
        windows: Array = np.ndarray((room[0] + 1, room[1] + 1, *shape), plane.dtype, plane, strides=plane.strides * 2)
        return np.asarray(windows[row, column])
    blocks = np.zeros((len(row), *shape), dtype=plane.dtype)
    for block, top, left in zip(blocks, row.tolist(), column.tolist(), strict=True):
        inside = plane[max(top, 0) : max(top + shape[0], 0), max(left, 0) : max(left + shape[1], 0)]
        down, right = max(-top, 0), max(-left, 0)
        block[down : down + inside.shape[0], right : right + inside.shape[1]] = inside
    return blocks


def amplitudes(probe: Array, obj: Array, x: Array, y: Array, *, precise: bool = True) -> Array:
    """Far-field amplitudes of every position.

    Args:
        probe: complex, (H, W), or (P, H, W) for incoherent modes.
        obj: object, complex, (HO, WO).
        x, y: patch centres, object pixels, (n,).
        precise: in double precision; single is twice as fast.

    Returns:
        float64, or float32 where not precise, (n, H, W), in units such that for each frame
        ``(m**2).sum() == (|exit wave|**2).sum()``.
    """
    modes = probe if probe.ndim == 3 else probe[None]
    height, width = modes.shape[1:]
    even = height % 2 == 0 and width % 2 == 0
    modes = modes.astype(np.complex128 if precise else np.complex64)
    if even:
        # A wave times +1, -1, +1, ... has its spectrum moved by half of the axis: no pass to move it afterwards.
        modes[:, 1::2, ::2] *= -1
        modes[:, ::2, 1::2] *= -1
    result = np.empty((len(x), height, width), dtype=np.float64 if precise else np.float32)
    count = max(1, GROUP // modes[0].nbytes)
    for at in range(0, len(x), count):
        some = slice(at, at + count)
        _far_field(patches(obj, x[some], y[some], (height, width), precise=precise), modes, result[some])
    return result if even else np.fft.fftshift(result, axes=(-2, -1))


def _far_field(cut: Array, modes: Array, out: Array) -> None:
    """Amplitudes of patches (n, H, W), which are used up, under every mode."""
    waves = cut if len(modes) == 1 else np.empty_like(cut)
    for at, mode in enumerate(modes):
        np.multiply(cut, mode, out=waves)
        np.fft.fft2(waves, norm="ortho", out=waves)
        if len(modes) == 1:
            np.abs(waves, out=out)
        elif at == 0:
            np.square(np.abs(waves), out=out)
        else:
            out += np.square(np.abs(waves))
    if len(modes) > 1:
        np.sqrt(out, out=out)


def footprint(intensity: Array) -> float:
    """Diameter of a probe, in pixels: of the disc as large as the fewest pixels that hold most of its intensity.

    Args:
        intensity: real, not negative, of any shape; incoherent modes added.

    Returns:
        NaN where there is no intensity.
    """
    enough = FOOTPRINT_ENERGY * intensity.sum()
    if not enough > 0:
        return math.nan
    bright = intensity[intensity > DIM * intensity.max()]
    if bright.sum() < enough:
        bright = intensity.reshape(-1)
    area = int(np.searchsorted(np.cumsum(np.sort(bright)[::-1]), enough)) + 1
    return 2 * math.sqrt(area / math.pi)
