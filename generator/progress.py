"""A progress bar for work that takes over a second."""

from __future__ import annotations

from typing import TextIO

from npzschema.validator import progress

from .publish import Progress


class Bar(Progress):
    """Drawn on a terminal, and gone when the work is done."""

    def __init__(self, stream: TextIO) -> None:
        from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

        self._stream = stream
        self._columns = (
            "{task.description}",
            BarColumn(bar_width=20),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bar: progress.Bar | None = None

    def start(self, total: int) -> None:
        self._bar = progress.Bar(self._stream, *self._columns)
        self._bar.start("writing", total)

    def advance(self, count: int) -> None:
        if self._bar is not None:
            self._bar.advance(count)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
