"""The steps by which datasets are mended: in which order, and which of them must be asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Mending:
    """One kind of step.

    ``would``: what it does, in words, where it must be asked for by name: it loses something, or nothing but the
    forward model speaks for it. ``doubted``: it must be only where a finding says that it loses something.
    ``by_content``: values alone tell that it is needed. ``form``: the keyword of a contract's legacy entries that it
    mends.
    """

    step: str
    would: str = ""
    doubted: bool = False
    by_content: bool = False
    form: Literal["name", "dims", "dtype", "quantity"] | None = None


STEPS: Final = (
    Mending(step="rename", form="name"),
    Mending(step="squeeze"),
    Mending(step="transpose", form="dims"),
    Mending(step="drop", would="drop the positions after the last frame"),
    Mending(step="centre", would="move the zero frequency to the centre", by_content=True),
    Mending(step="detector", would="put the detector's rows and columns in order", by_content=True),
    Mending(step="pairing", would="move positions along the scan, back to their frames", by_content=True),
    Mending(step="positions", would="write the positions as they fit probe, object and patterns", by_content=True),
    Mending(step="sqrt", would="take the square root although the evidence is mixed", doubted=True, form="quantity"),
    Mending(step="square", would="take the square although the evidence is mixed", doubted=True, form="quantity"),
    Mending(step="normalise", would="divide the patterns by their largest value"),
    Mending(step="cast", would="cast although it loses something", doubted=True, form="dtype"),
    Mending(step="native"),
    Mending(step="copy"),
    Mending(step="unpickle-metadata"),
)
"""In which order they are applied to one array."""

ORDER: Final = tuple(one.step for one in STEPS)
LOSSY: Final[Mapping[str, str]] = {one.step: one.would for one in STEPS if one.would}
DOUBTED: Final = frozenset(one.step for one in STEPS if one.doubted)
BY_NAME: Final = LOSSY.keys() - DOUBTED
BY_CONTENT: Final = frozenset(one.step for one in STEPS if one.by_content)
