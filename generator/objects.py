"""Objects to simulate with: complex128 arrays of any shape, |transmission| at most 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from .errors import GeneratorError

Array = np.ndarray[Any, Any]
# As text: numpy would import its random numbers for it.
Maker = Callable[[tuple[int, int], "np.random.Generator"], Array]


def smooth(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Random amplitude and phase with structure at all scales above a few pixels."""
    return _complex(_field(shape, rng), _field(shape, rng))


def siemens(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """A Siemens star of 36 spokes, with a little smooth texture so that no patch is empty."""
    rows, columns = np.indices(shape)
    y, x = rows - (shape[0] - 1) / 2, columns - (shape[1] - 1) / 2
    radius = np.hypot(y, x) / (min(shape) / 2)
    spokes = (np.sin(36 * np.arctan2(y, x)) > 0) & (radius > 0.06) & (radius < 0.95)
    texture = _field(shape, rng)
    return _complex(0.8 * spokes + 0.2 * texture, 0.8 * spokes + 0.2 * _field(shape, rng))


def photograph(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """A photograph that ships with scikit-image, as amplitude, and its mirror image as phase."""
    try:
        from skimage import data, transform
    except ImportError:
        raise GeneratorError(
            "the object 'photograph' needs scikit-image; install it with: pip install 'npzschema[images]'"
        ) from None
    image = transform.resize(data.camera().astype(float) / 255, shape, anti_aliasing=True)
    return _complex(image, image[:, ::-1])


OBJECTS: Final[Mapping[str, Maker]] = {"smooth": smooth, "siemens": siemens, "photograph": photograph}


def _field(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Random field between 0 and 1 whose power falls with the spatial frequency."""
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    frequency = np.hypot(fy, fx)
    spectrum = np.fft.rfft2(rng.standard_normal(shape))
    spectrum *= np.exp(-((frequency / 0.15) ** 2)) / (frequency + 0.02)
    field = np.fft.irfft2(spectrum, s=shape)
    low, high = field.min(), field.max()
    result: Array = (field - low) / (high - low) if high > low else np.zeros(shape)
    return result


def _complex(thickness: Array, phase: Array) -> Array:
    """Absorption and phase shift of a specimen: amplitude 0.6 to 1, phase 0 to -1.2 rad."""
    # In place: with the scan, the object is what grows.
    result: Array = -1.2j * phase
    np.exp(result, out=result)
    result *= 1 - 0.4 * thickness
    return result
