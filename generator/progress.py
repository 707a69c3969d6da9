"""A progress bar for work that takes over a second."""

from __future__ import annotations

from typing import Any

from .publish import Progress


class Bar(Progress):
    """Drawn on standard error, and gone when the work is done."""

    def __init__(self) -> None:
        self._bar: Any = None

    def start(self, total: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, unit="B", unit_scale=True, delay=1.0, leave=False, desc="writing")

    def advance(self, count: int) -> None:
        self._bar.update(count)

    def end(self) -> None:
        self._bar.close()
