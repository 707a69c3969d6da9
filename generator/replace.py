"""Files come whole or not at all: written under a temporary name beside their targets, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from npzschema.validator.targets import descriptor, holds_archive, part_beside
from npzschema.validator.threads import Threads, Work

from .errors import GeneratorError


@dataclass(frozen=True, slots=True)
class Part:
    """A file that lies under a temporary name beside its target until it is whole."""

    target: Path
    temporary: Path
    file: BinaryIO
    _threads: Threads
    _syncs: list[Work[None]] = field(default_factory=list)

    def put(self, data: bytes) -> None:
        with _told_of(self.target):
            self.file.write(data)

    def sync(self) -> None:
        """Start to bring what was written onto the disk, beside other work."""
        with _told_of(self.target):
            self.file.flush()
        self._syncs.append(self._threads.submit(os.fsync, self.file.fileno()))

    def end(self) -> None:
        """All bytes on the disk."""
        self.sync()
        with _told_of(self.target):
            # Of a write that failed the system tells once only, so each of them is asked.
            for one in self._syncs:
                one.result()


@contextlib.contextmanager
def replacing_all(target: Path, *beside: Path, force: bool) -> Iterator[tuple[Part, ...]]:
    """A temporary file for a target and for each file that speaks of it; all take their names, or none does.

    At no moment does a target lie beside what speaks of another one: a run that is killed between two renames leaves
    the target alone.

    Raises:
        GeneratorError: one of them exists and ``force`` is not given, or cannot be written.
    """
    targets = (target, *beside)
    for one in targets:
        refuse_existing(one, force=force)
    with contextlib.ExitStack() as stack:
        parts = tuple(stack.enter_context(_part(one)) for one in targets)
        with _told_of(target):
            yield parts
        for part in parts:
            part.end()
        for one in targets:
            refuse_existing(one, force=force)
        _rename(parts[0], parts[1:])


@contextlib.contextmanager
def _part(target: Path) -> Iterator[Part]:
    temporary = part_beside(target)
    with _told_of(target):
        file = open(temporary, "xb+")  # noqa: SIM115 - closed below, whatever its last bytes meet
    try:
        with _told_of(target):
            if target.exists():
                # Who may read the file that it replaces, may read it.
                shutil.copymode(target, temporary)
        with Threads(1, "npzschema-sync") as threads:
            yield Part(target, temporary, file, threads)
    finally:
        with contextlib.suppress(OSError):
            file.close()
        _forget(temporary)


@contextlib.contextmanager
def _told_of(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GeneratorError(f"{target}: cannot be written: {(error.strerror or str(error)).lower()}") from None


def _rename(first: Part, beside: tuple[Part, ...]) -> None:
    """What speaks of the old target leaves before it, what speaks of the new one comes after it."""
    with contextlib.ExitStack() as kept, contextlib.ExitStack() as undo:
        for part in beside:
            if os.path.lexists(part.target):
                old = part_beside(part.target)
                with _told_of(part.target):
                    os.replace(part.target, old)
                    _sync_folder(part.target.parent)
                kept.callback(_forget, old)
                undo.callback(os.replace, old, part.target)
        second = _second_name(first.target, kept) if beside else None
        with _told_of(first.target):
            os.replace(first.temporary, first.target)
            _sync_folder(first.target.parent)
        undo.callback(_back, first.target, second)
        for part in beside:
            with _told_of(part.target):
                os.replace(part.temporary, part.target)
                _sync_folder(part.target.parent)
        undo.pop_all()


def _second_name(target: Path, kept: contextlib.ExitStack) -> Path | None:
    """Another name of the file that is replaced, so that it can come back; None where there is no such file."""
    if not os.path.lexists(target):
        return None
    old = part_beside(target)
    try:
        os.link(target, old, follow_symlinks=False)
    except OSError:
        # A file system without hard links: should a rename fail after this one, the file goes rather than mislead.
        return None
    kept.callback(_forget, old)
    return old


def _back(target: Path, old: Path | None) -> None:
    if old is not None:
        os.replace(old, target)
    else:
        _forget(target)


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def refuse_existing(target: Path, *, force: bool, dataset: bool = True) -> None:
    """Raises :class:`GeneratorError` where nothing can be written, or what is there may not be replaced.

    ``dataset``: whether a dataset is written; nothing else may take the place of one.
    """
    if os.fspath(target) == "-":
        raise GeneratorError("a dataset cannot go to '-'; name a file")
    if "\0" in os.fspath(target):
        raise GeneratorError(f"{target}: a name cannot hold NUL")
    # os.path says no where pathlib raises: on names that are too long, in folders that may not be searched.
    if os.path.isdir(target):
        raise GeneratorError(f"{target}: is a directory; name a file")
    if descriptor(target) is not None or (os.path.exists(target) and not os.path.isfile(target)):
        raise GeneratorError(f"{target}: is no regular file; it is never replaced")
    if not dataset and holds_archive(target):
        raise GeneratorError(f"{target}: holds an archive, such as a dataset; no record replaces one")
    if os.path.lexists(target) and not force:
        raise GeneratorError(f"{target}: exists already; --force replaces it")
    if not os.path.isdir(target.parent):
        raise GeneratorError(f"{target}: there is no folder {target.parent}")


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
