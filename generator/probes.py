"""Probes to simulate with: complex128 (size, size), unit energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from .errors import GeneratorError

Array = np.ndarray[Any, Any]


def gaussian(size: int) -> Array:
    """A Gaussian beam of 1/e radius size / 6, with the curved wavefront of a slight defocus."""
    y, x = _grid(size)
    square = x**2 + y**2
    width = size / 6
    return _unit(np.exp(-square / width**2 - 1j * np.pi * square / size))


def disc(size: int) -> Array:
    """A pinhole of diameter size / 2 with soft edges, a little out of focus."""
    y, x = _grid(size)
    edge = np.clip(size / 4 - np.hypot(x, y) + 0.5, 0, 1)
    return _unit(_propagated(edge.astype(complex), 0.02 * size))


def zone_plate(size: int) -> Array:
    """A zone plate with a central stop, out of focus: the ring-shaped pupil seen in the far field, defocused."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :]
    frequency = np.hypot(fy, fx)
    pupil = ((frequency < 0.22) & (frequency > 0.06)) * np.exp(-1j * np.pi * 2.2 * size * frequency**2)
    return _unit(np.fft.fftshift(np.fft.ifft2(pupil)))


PROBES: Final[Mapping[str, Callable[[int], Array]]] = {"gaussian": gaussian, "disc": disc, "zone-plate": zone_plate}


def _grid(size: int) -> tuple[Array, Array]:
    rows, columns = np.indices((size, size))
    return rows - size / 2, columns - size / 2


def _propagated(field: Array, distance: float) -> Array:
    """Fresnel propagation by a distance in units of pixel**2 / wavelength."""
    size = len(field)
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :]
    result: Array = np.fft.ifft2(np.fft.fft2(field) * np.exp(-1j * np.pi * distance * size * (fx**2 + fy**2)))
    return result


def _unit(probe: Array) -> Array:
    energy = float((np.abs(probe) ** 2).sum())
    if not energy:
        raise GeneratorError(f"this probe has no light on {len(probe)}x{len(probe)} pixels; take more of them")
    result: Array = probe / np.sqrt(energy)
    return result
