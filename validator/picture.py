"""Pictures of a dataset, as a report carries them: small frozen values that anything can draw. Nothing here draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Self

if TYPE_CHECKING:
    # Reports are named by the options of the command line, which answers --help without numpy.
    import numpy as np

    Array = np.ndarray[Any, Any]

DType = Literal["uint8", "float32", "float64"]
Scale = Literal["linear", "log", "phase"]
SeriesKind = Literal["line", "path", "fit", "start", "points", "bars", "marks", "bound"]

LEVELS: Final = 253
"""Highest level of an image."""

MASKED: Final = 254
"""Level of a pixel where there is nothing to show, such as the phase outside the probe."""

NO_VALUE: Final = 255
"""Level of a pixel without a finite value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """An array as a value: its bytes, little-endian, in C order."""

    dtype: DType
    shape: tuple[int, ...]
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, array: Array, dtype: DType = "float32") -> Self:
        import numpy as np

        held = np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<"))
        return cls(dtype=dtype, shape=held.shape, data=held.tobytes())

    def array(self) -> Array:
        """The array, native-endian; read-only where that needs no copy."""
        import numpy as np

        held = np.frombuffer(self.data, dtype=np.dtype(self.dtype).newbyteorder("<")).reshape(self.shape)
        return held.astype(self.dtype, copy=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Points of a plot, or of what is drawn over an image: x to the right, y along the rows of an image.

    ``words``: a label for each point, or nothing.
    """

    kind: SeriesKind
    label: str
    x: Numbers
    y: Numbers
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A plane of values, (rows, columns), shrunk where it was large.

    Attributes:
        title: what is shown, a few words.
        alt: the same for those who cannot see it, with its numbers.
        levels: uint8; 0 to 253 stand for ``low`` to ``high`` on the scale, 254 is masked, 255 has no finite value.
        low, high: values of the ends; for a log scale of the values themselves, not of their logarithms.
        scale: linear, log, or phase, which is cyclic.
        size: rows and columns before it was shrunk; ``over`` is in these pixels.
        unit: of the values.
        over: what is drawn over it.
    """

    title: str
    alt: str
    levels: Numbers
    low: float
    high: float
    scale: Scale = "linear"
    size: tuple[int, int]
    unit: str = ""
    over: tuple[Series, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """A diagram. ``log``: the y axis; ``alike``: both axes at one scale; ``down``: y grows downwards, as rows do."""

    title: str
    alt: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log: bool = False
    alike: bool = False
    down: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One picture: its panels, or why there are none.

    Attributes:
        key: a word of its own, such as ``probe``.
        title, caption: what it shows, and how to read it.
        codes: by array of the contract, codes of the rules whose findings can be seen in it.
        panels: images and plots, side by side.
        columns: how many of them are to stand in a row, to be compared; 0 for as many as fit.
        absent: why there are no panels.
    """

    key: str
    title: str
    caption: str = ""
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    panels: tuple[Image | Plot, ...] = ()
    columns: int = 0
    absent: str = ""

    def shows(self, code: str, array: str | None) -> bool:
        """Whether a finding with this code, on this array, can be seen in it."""
        arrays = self.codes if array is None else (array,)
        return bool(self.panels) and any(code in self.codes.get(name, ()) for name in arrays)
