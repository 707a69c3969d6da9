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


def patches(obj: Array, x: Array, y: Array, shape: tuple[int, int]) -> Array:
    """Patches of an object, bilinear between pixels; pixels outside the object are zero.

    Args:
        obj: object, complex, (HO, WO).
        x: column of each patch centre, object pixels, (n,).
        y: row of each patch centre, object pixels, (n,).
        shape: rows and columns of a patch.

    Returns:
        complex128, (n, H, W).
    """
    height, width = shape
    top, left = np.asarray(y, float) - height / 2, np.asarray(x, float) - width / 2
    row, column = np.floor(top).astype(np.int64), np.floor(left).astype(np.int64)
    # One pixel more than a patch on each axis, for the interpolation.
    rows = row[:, None] + np.arange(height + 1)
    columns = column[:, None] + np.arange(width + 1)
    inside = ((rows >= 0) & (rows < obj.shape[0]))[:, :, None] & ((columns >= 0) & (columns < obj.shape[1]))[:, None, :]
    block = obj[np.clip(rows, 0, obj.shape[0] - 1)[:, :, None], np.clip(columns, 0, obj.shape[1] - 1)[:, None, :]]
    block = np.where(inside, block, 0).astype(np.complex128)
    down, right = (top - row)[:, None, None], (left - column)[:, None, None]
    vertical = block[:, :-1] * (1 - down) + block[:, 1:] * down
    result: Array = vertical[:, :, :-1] * (1 - right) + vertical[:, :, 1:] * right
    return result


def amplitudes(probe: Array, obj: Array, x: Array, y: Array) -> Array:
    """Far-field amplitudes of every position.

    Args:
        probe: complex, (H, W), or (P, H, W) for incoherent modes.
        obj: object, complex, (HO, WO).
        x, y: patch centres, object pixels, (n,).

    Returns:
        float64, (n, H, W), in units such that ``(m**2).sum() == (|exit wave|**2).sum()`` for each frame.
    """
    modes = probe if probe.ndim == 3 else probe[None]
    cut = patches(obj, x, y, (modes.shape[1], modes.shape[2]))
    intensity = np.zeros(cut.shape)
    for mode in modes:
        far = np.fft.fftshift(np.fft.fft2(cut * mode, norm="ortho"), axes=(-2, -1))
        intensity += far.real**2 + far.imag**2
    result: Array = np.sqrt(intensity)
    return result
