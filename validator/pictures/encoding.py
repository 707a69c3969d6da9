"""Pictures as JSON values and back: arrays in base64 with their shape and dtype, as report.schema.json describes."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ..picture import Image, Numbers, Picture, Plot, Series

LONGEST: Final = 1 << 20
"""Far more than any picture holds along an axis."""


def encoded(picture: Picture) -> dict[str, Any]:
    """A picture as JSON values. Text in it is escaped already: see :mod:`npzschema.validator.pictures`."""
    return {
        "key": picture.key,
        "title": picture.title,
        "caption": picture.caption,
        "codes": {array: list(codes) for array, codes in picture.codes.items()},
        "panels": [_image(panel) if isinstance(panel, Image) else _plot(panel) for panel in picture.panels],
        "columns": picture.columns,
        "absent": picture.absent,
    }


def _image(panel: Image) -> dict[str, Any]:
    return {
        "kind": "image",
        "title": panel.title,
        "alt": panel.alt,
        "levels": _numbers(panel.levels),
        "low": panel.low,
        "high": panel.high,
        "scale": panel.scale,
        "size": list(panel.size),
        "unit": panel.unit,
        "over": [_series(one) for one in panel.over],
    }


def _plot(panel: Plot) -> dict[str, Any]:
    return {
        "kind": "plot",
        "title": panel.title,
        "alt": panel.alt,
        "x_label": panel.x_label,
        "y_label": panel.y_label,
        "series": [_series(one) for one in panel.series],
        "log": panel.log,
        "alike": panel.alike,
        "down": panel.down,
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "kind": series.kind,
        "label": series.label,
        "x": _numbers(series.x),
        "y": _numbers(series.y),
        "words": list(series.words),
    }


def _numbers(numbers: Numbers) -> dict[str, Any]:
    return {
        "dtype": numbers.dtype,
        "shape": list(numbers.shape),
        "base64": base64.b64encode(numbers.data).decode("ascii"),
    }


def decoded(value: Mapping[str, Any]) -> Picture:
    """A picture from the JSON values of a report that keeps its schema.

    Raises:
        ValueError: an array's bytes are not as many as its shape says, or no base64; x and y differ in length
            or are not finite.
    """
    return Picture(
        key=value["key"],
        title=value["title"],
        caption=value["caption"],
        codes={array: tuple(codes) for array, codes in value["codes"].items()},
        panels=tuple(_image_of(panel) if panel["kind"] == "image" else _plot_of(panel) for panel in value["panels"]),
        columns=value["columns"],
        absent=value["absent"],
    )


def _image_of(value: Mapping[str, Any]) -> Image:
    levels = _numbers_of(value["levels"])
    if levels.dtype != "uint8" or len(levels.shape) != 2:
        raise ValueError("the levels of an image are no plane of uint8")
    rows, columns = value["size"]
    return Image(
        title=value["title"],
        alt=value["alt"],
        levels=levels,
        low=float(value["low"]),
        high=float(value["high"]),
        scale=value["scale"],
        size=(rows, columns),
        unit=value["unit"],
        over=tuple(map(_series_of, value["over"])),
    )


def _plot_of(value: Mapping[str, Any]) -> Plot:
    return Plot(
        title=value["title"],
        alt=value["alt"],
        x_label=value["x_label"],
        y_label=value["y_label"],
        series=tuple(map(_series_of, value["series"])),
        log=value["log"],
        alike=value["alike"],
        down=value["down"],
    )


def _series_of(value: Mapping[str, Any]) -> Series:
    x, y = _numbers_of(value["x"]), _numbers_of(value["y"])
    if len(x.shape) != 1 or x.shape != y.shape:
        raise ValueError("x and y of a series differ in length")
    if not all(np.isfinite(one.array()).all() for one in (x, y)):
        raise ValueError("a series holds points that are not finite")
    return Series(kind=value["kind"], label=value["label"], x=x, y=y, words=tuple(value["words"]))


def _numbers_of(value: Mapping[str, Any]) -> Numbers:
    try:
        data = base64.b64decode(value["base64"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"an array of a picture is no base64: {error}") from None
    shape = tuple(value["shape"])
    if any(length > LONGEST for length in shape):
        raise ValueError(f"an array of a picture has an axis longer than {LONGEST:,}")
    if math.prod(shape) * np.dtype(value["dtype"]).itemsize != len(data):
        raise ValueError(f"an array of a picture has {len(data)} bytes, which is not what its shape says")
    return Numbers(dtype=value["dtype"], shape=shape, data=data)
