"""The bar over files, on a terminal of its own."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios

import pyte
import pytest

from npzschema.validator import progress


class Terminal:
    """Both ends of a pseudo-terminal, and what a screen would show."""

    def __init__(self, columns):
        self._outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream = open(inner, "w", encoding="utf-8")  # noqa: SIM115
        self._screen = pyte.Screen(columns, 24)
        self._parser = pyte.ByteStream(self._screen)

    def shown(self):
        """Waits for the next thing that is drawn."""
        self.stream.flush()
        self._parser.feed(os.read(self._outer, 65536))
        return "\n".join(self._screen.display)

    def until(self, *words):
        shown = ""
        while not all(word in shown for word in words):
            shown = self.shown()
        return shown

    def close(self):
        self.stream.close()
        os.close(self._outer)


@pytest.fixture(params=[40, 80])
def terminal(request, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    # rich asks the standard streams for their width, which are none of this terminal.
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setattr(progress, "DELAY", 0)
    made = Terminal(request.param)
    yield made
    made.close()


def test_files_are_counted_and_named_and_nothing_stays(terminal):
    names = ["data/first.npz", "data/[bold]second.npz", "data/th\nird" + "x" * 300]
    shown = []
    for number, _ in enumerate(progress.watched(names, len(names), terminal.stream)):
        shown.append(terminal.until(f"{number}/3", ("first", "[bold]", "th\\nird")[number][: 4 if number else 5]))
    assert "data" not in shown[0]
    terminal.stream.write("done")
    assert terminal.until("done").strip() == "done"


def test_it_goes_when_the_work_fails(terminal):
    paths = progress.watched(["a.npz", "b.npz"], 2, terminal.stream)
    next(paths)
    terminal.until("0/2", "a.npz")
    paths.close()
    terminal.stream.write("done")
    assert terminal.until("done").strip() == "done"


def test_nothing_is_drawn_in_the_first_second(terminal, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 3600)
    assert list(progress.watched(["a.npz", "b.npz"], 2, terminal.stream)) == ["a.npz", "b.npz"]
    terminal.stream.write("done")
    assert terminal.shown().strip() == "done"


def test_nothing_is_drawn_elsewhere(terminal, monkeypatch):
    pipe = io.StringIO()
    assert list(progress.watched(["a.npz"], 1, pipe)) == ["a.npz"]
    assert pipe.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    assert list(progress.watched(["a.npz"], 1, terminal.stream)) == ["a.npz"]
    terminal.stream.write("done")
    assert terminal.shown().strip() == "done"
