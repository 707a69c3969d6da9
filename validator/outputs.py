"""Where reports go: never over an input, all of a file or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from npzschema.contracts.terminal import UsageError

from .escape import escape


def refuse_input(output: str, paths: Sequence[str]) -> None:
    """A report never replaces what it reports on."""
    for path in paths:
        try:
            same = os.path.samefile(output, path)
        except OSError:
            continue
        if same:
            raise UsageError(escape(f"--output {output} is an input; name another file"))


def write(path: str, text: str) -> None:
    """All of the report or none: a temporary file beside it, then a rename. A device or pipe is written to."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        # A rename would put a file in the place of /dev/stdout.
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise UsageError(escape(f"cannot write {path}: {(error.strerror or str(error)).lower()}")) from None
        return
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise UsageError(escape(f"cannot write {path}: {(error.strerror or str(error)).lower()}")) from None
