"""Panels as SVG geometry: numbers and strings that the template writes down. Colours are the style sheet's part."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ...picture import Image, Plot, Series
from .raster import data_uri

Array = np.ndarray[Any, Any]

LONG: Final = 400.0
"""Units of the longer side of an image's drawing."""

NARROW: Final = 0.3
"""Least ratio of the shorter side of an image to the longer one: strips are stretched to it."""

COMPARED: Final = 0.9
"""The same where images are to be compared side by side."""

EDGE: Final = 9.0
"""How far from the edge of an image a ring stays."""

WIDTH, HEIGHT = 480.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 76.0, 14.0, 12.0, 44.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One thing to draw. ``kind``: as of a series; ``path``: SVG path data.

    ``dots``: centre and label of each point.
    """

    kind: str
    label: str
    path: str = ""
    dots: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A mark on an axis: where, and what stands there."""

    at: str
    word: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A panel, ready to be written. ``href``: of an image; ``x_ticks``, ``y_ticks``: of a plot."""

    title: str
    alt: str
    width: str
    height: str
    shapes: tuple[Shape, ...]
    href: str = ""
    scale: str = ""
    low: str = ""
    high: str = ""
    unit: str = ""
    not_finite: bool = False
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_label: str = ""
    y_label: str = ""


def drawn(panel: Image | Plot, side: int, *, compared: bool = False) -> Drawing:
    """A panel; images at most ``side`` pixels, and of similar outlines where they are compared."""
    return _image(panel, side, COMPARED if compared else NARROW) if isinstance(panel, Image) else _plot(panel)


def _image(image: Image, side: int, least: float) -> Drawing:
    from ...picture import NO_VALUE

    rows, columns = (max(1, length) for length in image.size)
    width = LONG if columns >= rows else max(LONG * columns / rows, LONG * least)
    height = LONG if rows >= columns else max(LONG * rows / columns, LONG * least)
    return Drawing(
        title=image.title,
        alt=image.alt,
        width=_number(width),
        height=_number(height),
        shapes=tuple(
            _over(one, one.x.array() * (width / columns), one.y.array() * (height / rows), width, height)
            for one in image.over
        ),
        href=data_uri(image, side),
        scale=image.scale,
        low="-π" if image.scale == "phase" else _value(image.low),
        high="π" if image.scale == "phase" else _value(image.high),
        unit=image.unit,
        not_finite=bool((image.levels.array() == NO_VALUE).any()),
    )


def _over(series: Series, x: Array, y: Array, width: float, height: float) -> Shape:
    """What is drawn over an image; rings beyond its edge are kept in sight."""
    if series.kind == "marks":
        x, y = np.clip(x, EDGE, width - EDGE), np.clip(y, EDGE, height - EDGE)
    return _shape(series, x, y)


def _plot(plot: Plot) -> Drawing:
    from matplotlib.ticker import MaxNLocator

    x_low, x_high = _range([one.x.array() for one in plot.series], 0.0 if _is_histogram(plot) else 0.03)
    ys = [one.y.array().astype(float) for one in plot.series if not (one.kind == "bound" and len(one.y.array()) == 1)]
    if plot.log:
        top = max((float(y.max()) for y in ys if y.size), default=1.0)
        y_low, y_high = 0.0, max(1.0, math.log10(max(top, 1.0)) * 1.06)
    else:
        y_low, y_high = _range(ys, 0.06)
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    if plot.alike:
        # One unit is as long on either axis: the axis that has room is widened.
        unit = max((x_high - x_low) / across, (y_high - y_low) / down)
        x_low, x_high = _widened(x_low, x_high, unit * across)
        y_low, y_high = _widened(y_low, y_high, unit * down)

    def to_x(values: Array) -> Array:
        return LEFT + (values.astype(float) - x_low) / (x_high - x_low) * across

    def to_y(values: Array) -> Array:
        scaled = values.astype(float)
        if plot.log:
            scaled = np.log10(np.maximum(scaled, 0.7))
        part = np.clip((scaled - y_low) / (y_high - y_low), -0.02, 1.02)
        return TOP + part * down if plot.down else TOP + (1 - part) * down

    x_at = [float(at) for at in MaxNLocator(6).tick_values(x_low, x_high) if x_low <= at <= x_high]
    if plot.log:
        every = max(1, math.ceil(y_high / 5))
        y_at = [10.0**power for power in range(0, int(y_high) + 1, every)]
    else:
        y_at = [float(at) for at in MaxNLocator(5).tick_values(y_low, y_high) if y_low <= at <= y_high]
    return Drawing(
        title=plot.title,
        alt=plot.alt,
        width=_number(WIDTH),
        height=_number(HEIGHT),
        shapes=tuple(_shape(one, to_x(one.x.array()), to_y(one.y.array())) for one in plot.series),
        x_ticks=tuple(_ticks(x_at, to_x(np.array(x_at)))),
        y_ticks=tuple(_ticks(y_at, to_y(np.array(y_at)))),
        x_label=plot.x_label,
        y_label=plot.y_label,
    )


def _is_histogram(plot: Plot) -> bool:
    return any(one.kind == "bars" for one in plot.series)


def _ticks(values: Sequence[float], places: Array) -> Iterator[Tick]:
    step = min((abs(b - a) for a, b in itertools.pairwise(values)), default=1.0)
    for value, place in zip(values, places, strict=True):
        yield Tick(at=_number(float(place)), word=_value(0.0 if abs(value) < step * 1e-6 else value))


def _range(arrays: Sequence[Array], room: float) -> tuple[float, float]:
    values = [one.astype(float) for one in arrays if one.size]
    if not values:
        return 0.0, 1.0
    low, high = min(float(one.min()) for one in values), max(float(one.max()) for one in values)
    if not high - low > 1e-9 * max(abs(low), abs(high), 1e-300):
        half = abs(low) / 2 or 1.0
        return low - half, high + half
    return low - (high - low) * room, high + (high - low) * room


def _widened(low: float, high: float, length: float) -> tuple[float, float]:
    middle = (low + high) / 2
    return middle - length / 2, middle + length / 2


def _shape(series: Series, x: Array, y: Array) -> Shape:
    if series.kind == "points":
        # Lines of no length with round ends: an element for each of them would make the page ten times as long.
        dotted = "".join(f"M{_number(float(a))} {_number(float(b))}h0" for a, b in zip(x, y, strict=True))
        return Shape(kind="points", label=series.label, path=dotted)
    if series.kind in ("start", "marks"):
        words = series.words or ("",) * len(x)
        dots = tuple((_number(float(a)), _number(float(b)), word) for a, b, word in zip(x, y, words, strict=False))
        return Shape(kind=series.kind, label=series.label, dots=dots)
    if series.kind == "bars":
        return Shape(kind="bars", label=series.label, path=_bars(x, y))
    if series.kind == "bound" and len(x) == 1:
        return Shape(kind="bound", label=series.label, path=f"M{_number(float(x[0]))} {TOP:g}V{HEIGHT - BOTTOM:g}")
    return Shape(kind=series.kind, label=series.label, path=_line(x, y))


def _line(x: Array, y: Array) -> str:
    return "".join(
        f"{'L' if at else 'M'}{_number(float(a))} {_number(float(b))}"
        for at, (a, b) in enumerate(zip(x, y, strict=True))
    )


def _bars(x: Array, y: Array) -> str:
    """One filled outline: a step at each edge."""
    if len(x) < 2:
        return ""
    base = HEIGHT - BOTTOM
    steps = "".join(f"V{_number(min(float(b), base))}H{_number(float(a))}" for a, b in zip(x[1:], y[:-1], strict=True))
    return f"M{_number(float(x[0]))} {base:g}{steps}V{base:g}Z"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _value(value: float) -> str:
    """A number as a reader wants it: 12,300, 0.012, 1.2e-7."""
    if value == 0:
        return "0"
    if 1 <= abs(value) < 1e6 or 1e-3 <= abs(value) < 1:
        told = f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
        return told.replace("-", "\N{MINUS SIGN}")
    return f"{value:.2g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e").replace("-", "\N{MINUS SIGN}")
