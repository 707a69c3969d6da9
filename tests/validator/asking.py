"""validate-npz, asked in this process, and files to ask it of."""

from __future__ import annotations

import io

from npzschema.validator.cli import run

from .handmade import archive, parts


def write(path, **changed):
    path.write_bytes(archive(parts(**changed)))
    return str(path)


def command(*argv, terminal=False):
    out, err = io.StringIO(), io.StringIO()
    out.isatty = lambda: terminal
    status = run(list(argv), out, err)
    assert err.getvalue() == ""
    return status, out.getvalue()
