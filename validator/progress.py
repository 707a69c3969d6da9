"""A bar on the terminal for work that takes over a second. It draws with rich, and nothing of it stays."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any, Final, TextIO

from .escape import escape
from .threads import startable, started

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, TaskID

DELAY: Final = 1.0


def drawable(stream: TextIO) -> bool:
    """Whether it is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Bar:
    """Appears after :data:`DELAY` seconds and is wiped out by :meth:`stop`.

    The delay needs a thread: what takes long may never report how far it is.
    """

    def __init__(self, stream: TextIO, *columns: str | ProgressColumn, colour: bool = True) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(
            *columns,
            console=Console(file=stream, no_color=None if colour else True),
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._timer = threading.Timer(DELAY, self._appear)
        self._timer.daemon = True
        self._waiting = False
        self._task: TaskID | None = None

    def start(self, words: str, total: float | None) -> None:
        self._task = self._progress.add_task(words, total=total)
        self._waiting = started(self._timer)

    def show(self, words: str) -> None:
        self._update(description=words)

    def advance(self, count: float) -> None:
        self._update(advance=count)

    def stop(self) -> None:
        if self._waiting:
            self._timer.cancel()
            self._timer.join()
        if self._progress.live.is_started:
            self._progress.stop()

    def _appear(self) -> None:
        # It is drawn by a thread of its own.
        if startable(1):
            self._progress.start()

    def _update(self, **changes: Any) -> None:
        if self._task is not None:
            self._progress.update(self._task, **changes)


def watched(paths: Iterable[str], total: int, stream: TextIO, *, colour: bool = True) -> Generator[str]:
    """The same paths one by one; while the caller works on one of them, the terminal shows which.

    Silent where nothing can be drawn on ``stream``.
    """
    if not drawable(stream):
        yield from paths
        return
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    name = TextColumn(
        "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
    )
    several = (BarColumn(bar_width=12), MofNCompleteColumn()) if total > 1 else ()
    bar = Bar(stream, SpinnerColumn("line"), *several, TimeElapsedColumn(), name, colour=colour)
    bar.start("", total if total > 1 else None)
    try:
        for path in paths:
            bar.show(escape(os.path.basename(path)))
            yield path
            bar.advance(1)
    finally:
        bar.stop()
