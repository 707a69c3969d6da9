"""``--axes ARRAY=A,B,C``, as every command takes it."""

from __future__ import annotations

import argparse

from npzschema.contracts.model import Dims


def add_axes_option(made: argparse._ActionsContainer) -> None:
    made.add_argument(
        "--axes",
        action="append",
        default=[],
        type=_axes,
        metavar="ARRAY=A,B,C",
        help="axes of an array whose order you know, such as diffraction=H,W,N; may be repeated",
    )


def _axes(text: str) -> tuple[str, Dims]:
    name, _, dims = text.partition("=")
    if not name or not dims:
        raise argparse.ArgumentTypeError(f"{text!r} is not ARRAY=A,B,C")
    return name, tuple(map(_axis, dims.replace(" ", "").split(",")))


def _axis(text: str) -> int | str:
    # A length has few digits; anything else is a symbol, which the contract knows or not.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
