"""How a file is to be read, as every command that reads one is told: ``--axes``, ``--max-expansion``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from npzschema.contracts.model import Dims

if TYPE_CHECKING:
    from .archive import Limits


def add_reading_options(made: argparse._ActionsContainer) -> None:
    made.add_argument(
        "--axes",
        action="append",
        default=[],
        type=_axes,
        metavar="ARRAY=A,B,C",
        help="axes of an array whose order you know, such as diffraction=H,W,N; may be repeated",
    )
    made.add_argument(
        "--max-expansion",
        type=_ratio,
        metavar="RATIO",
        help="how often its own size an archive may expand to (default: 250)",
    )


def limits_of(options: argparse.Namespace) -> Limits | None:
    """What is refused as a bomb; None for what is usual."""
    from .archive import Limits

    return Limits(expansion=options.max_expansion) if options.max_expansion else None


def _axes(text: str) -> tuple[str, Dims]:
    name, _, dims = text.partition("=")
    if not name or not dims:
        raise argparse.ArgumentTypeError(f"{text!r} is not ARRAY=A,B,C")
    return name, tuple(map(_axis, dims.replace(" ", "").split(",")))


def _axis(text: str) -> int | str:
    # A length has few digits; anything else is a symbol, which the contract knows or not.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a ratio of at least 1")
    return value
