"""Images of a report as PNG data URIs, in a palette, and the colours of their scales."""

from __future__ import annotations

import base64
import functools
import io
from typing import Any, Final

import numpy as np

from ...picture import LEVELS, MASKED, NO_VALUE, Image, Scale

Array = np.ndarray[Any, Any]

MAPS: Final = {"linear": "gray", "log": "magma", "phase": "twilight"}
"""One colour map a meaning: grey for amplitudes leaves colours to what is drawn over them, phases have a cyclic one."""

NOT_FINITE: Final = (0, 200, 140)
"""A green that is in none of the maps."""


def data_uri(image: Image, side: int) -> str:
    """A PNG whose longer side is at most ``side``."""
    from PIL import Image as Pillow

    levels = image.levels.array()
    step = max(1, -(-max(levels.shape, default=1) // side))
    levels = levels[::step, ::step]
    if not levels.size:
        levels = np.full((1, 1), MASKED, dtype=np.uint8)
    made = Pillow.fromarray(np.ascontiguousarray(levels), mode=None)
    made = made.convert("L")
    picture = Pillow.frombytes("P", made.size, made.tobytes())
    picture.putpalette(_palette(image.scale))
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True, transparency=MASKED)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


@functools.cache
def _palette(scale: Scale) -> bytes:
    import matplotlib as mpl

    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[: LEVELS + 1] = np.rint(mpl.colormaps[MAPS[scale]](np.linspace(0, 1, LEVELS + 1))[:, :3] * 255)
    colours[NO_VALUE] = NOT_FINITE
    return colours.tobytes()


def gradient(scale: Scale) -> str:
    """The colours of a scale as a CSS gradient."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    stops = ", ".join(to_hex(mpl.colormaps[MAPS[scale]](at)) for at in np.linspace(0, 1, 13))
    return f"linear-gradient(to right, {stops})"
