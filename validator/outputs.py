"""Where reports go: never over an input, all of them or none."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from npzschema.terminal import RefusedError, UsageError

from .escape import escape
from .targets import descriptor, holds_archive, part_beside

if TYPE_CHECKING:
    from .findings import Report
    from .reporters import Style


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A report that was asked for. ``path``: where it goes; None for standard output."""

    format: str
    path: str | None = None


def refuse(wanted: Sequence[Wanted], keep: Callable[[], Mapping[str, str]]) -> None:
    """Before anything is read: whatever would fail or do harm when the reports are written.

    ``keep``: gives the files that no report may replace, and what they are; asked only where a file is written.

    Raises:
        UsageError: two reports would go to one file, one would replace what is kept, its folder does not exist, or
            libraries that make it are not installed.
    """
    from .reporters import html

    if any(one.format == "html" for one in wanted) and (why := html.missing()):
        raise UsageError(why)
    paths, appended = [one.path for one in wanted if one.path is not None], _appended(wanted)
    kept = keep() if paths or appended else {}
    for at, path in enumerate(paths):
        if path == "-":
            raise UsageError("a report cannot go to '-'; without a file name it goes to standard output")
        for other, what in kept.items():
            if _same(path, other):
                raise UsageError(escape(f"report {path} is {what}; name another file"))
        if holds_archive(path) and descriptor(path) is None:
            raise UsageError(escape(f"report {path} would replace an archive, such as a dataset is; name another file"))
        for other in paths[:at]:
            if _same(path, other):
                raise UsageError(escape(f"two reports would go to {path}; name a file for each"))
        refuse_place(path)
    for path in appended:
        for other, what in (*kept.items(), *((one, "another report") for one in paths)):
            if _same(path, other):
                raise UsageError(escape(f"the summary would be appended to {path}, which is {what}"))


def deliver(
    reports: Sequence[Report],
    wanted: Sequence[Wanted],
    style: Style,
    stdout: TextIO,
    *,
    beside: Mapping[str, str],
) -> None:
    """Render every report, then write: files all or none, then what is appended, then standard output.

    ``beside``: texts of other files, by their paths, which are among all or none.

    Raises:
        UsageError: a file cannot be written.
    """
    from .reporters import REPORTERS

    plain = replace(style, colour=False, columns=None)
    texts = [(one, REPORTERS[one.format].render(reports, plain if one.path else style)) for one in wanted]
    summaries = {path: render(reports, plain) for path, render in _appended(wanted).items()}
    _write({one.path: text for one, text in texts if one.path is not None} | dict(beside))
    for path, text in summaries.items():
        try:
            with open(path, "a", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise _cannot_write(path, error) from None
    for one, text in texts:
        if one.path is None:
            stdout.write(text)


def _appended(wanted: Sequence[Wanted]) -> Mapping[str, Callable[[Sequence[Report], Style], str]]:
    """What goes to the ends of files that the environment names."""
    from .reporters import REPORTERS

    return {
        os.environ[variable]: render
        for one in wanted
        for variable, render in REPORTERS[one.format].appends.items()
        if os.environ.get(variable)
    }


def _same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:  # one of them does not exist yet
        return os.path.realpath(path) == os.path.realpath(other)
    except ValueError:
        return False


def refuse_place(path: str) -> None:
    """Raise :class:`UsageError` where no file can be written."""
    folder = os.path.dirname(os.path.realpath(path))
    flaw = (
        "is a directory"
        if os.path.isdir(path)
        else "no such file or directory"
        if not os.path.exists(folder)
        else "not a directory"
        if not os.path.isdir(folder)
        else None
    )
    if flaw is not None:
        raise UsageError(escape(f"cannot write {path}: {flaw}"))


def _write(texts: Mapping[str, str]) -> None:
    """All of the files or none: temporary files beside them, then renames, of which after that none should fail.

    A link stays one; a device is written to, and what is open already, as /dev/stdout is.
    """
    with contextlib.ExitStack() as stack:
        finished: dict[str, str] = {}
        for path, text in texts.items():
            number = descriptor(path)
            # A pipe has no path of its own.
            stream = number is not None or (os.path.exists(path) and not os.path.isfile(path))
            target = os.path.realpath(path)
            temporary = path if stream else str(part_beside(Path(target)))
            try:
                opened = temporary if number is None else os.dup(number)
                with open(opened, "w" if stream else "x", encoding="utf-8", newline="\n") as file:
                    if not stream:
                        stack.callback(_remove, temporary)
                        finished[temporary] = path
                        if os.path.exists(target):
                            shutil.copymode(target, temporary)
                    file.write(text)
            except (OSError, ValueError) as error:
                raise _cannot_write(path, error) from None
        for temporary, path in finished.items():
            try:
                os.replace(temporary, os.path.realpath(path))
            except OSError as error:
                raise _cannot_write(path, error) from None


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _cannot_write(path: str, error: OSError | ValueError) -> RefusedError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return RefusedError(escape(f"cannot write {path}: {reason.lower()}"))
