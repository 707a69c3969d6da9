"""What ``diffraction`` means, as code; the one place.

``m_i = |FFT(probe * object[patch at (x_i, y_i)])|``, orthonormal, zero frequency in the centre, incoherent probe
modes added in intensity. The patch is centred on the position: rows ``y - H/2`` to ``y + H/2``, columns
``x - W/2`` to ``x + W/2``. Source: hoidn/PtychoPINN@712c23f ptycho/tf_helper.py:346-366,
ptycho/raw_data.py:119-124.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


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
    top, left = np.asarray(y, float) - height / 2, np.asarray(x, float) - width / 2
    row, column = np.floor(top).astype(np.int64), np.floor(left).astype(np.int64)
    # One pixel more than a patch on each axis, for the interpolation.
    rows = row[:, None] + np.arange(height + 1)
    columns = column[:, None] + np.arange(width + 1)
    inside = ((rows >= 0) & (rows < obj.shape[0]))[:, :, None] & ((columns >= 0) & (columns < obj.shape[1]))[:, None, :]
    block = obj[np.clip(rows, 0, obj.shape[0] - 1)[:, :, None], np.clip(columns, 0, obj.shape[1] - 1)[:, None, :]]
    block = np.where(inside, block, 0).astype(np.complex128 if precise else np.complex64)
    real = np.float64 if precise else np.float32
    down, right = (top - row)[:, None, None].astype(real), (left - column)[:, None, None].astype(real)
    vertical = block[:, :-1] * (1 - down) + block[:, 1:] * down
    result: Array = vertical[:, :, :-1] * (1 - right) + vertical[:, :, 1:] * right
    return result


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
    cut = patches(obj, x, y, (modes.shape[1], modes.shape[2]), precise=precise)
    intensity = np.zeros(cut.shape, dtype=cut.real.dtype)
    for mode in modes.astype(cut.dtype, copy=False):
        far = np.fft.fftshift(np.fft.fft2(cut * mode, norm="ortho"), axes=(-2, -1))
        intensity += far.real**2 + far.imag**2
    result: Array = np.sqrt(intensity)
    return result
