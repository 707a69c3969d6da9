"""Where a file lies, seen from the folder of a configuration or of a baseline."""

from __future__ import annotations

import os


def seen_from(folder: str, path: str) -> str | None:
    """``path`` relative to ``folder``, with slashes; None where there is no way, as to another drive.

    A folder on the way may be a link: where ``path`` leads out of ``folder`` as it is named, real folders count if they
    lead less far out. The file itself is not followed.
    """
    try:
        seen = os.path.relpath(path, folder)
        if _steps_out(seen):
            real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            seen = min(seen, os.path.relpath(real, os.path.realpath(folder)), key=_steps_out)
    except ValueError:
        return None
    return seen.replace(os.sep, "/")


def _steps_out(seen: str) -> int:
    return seen.split(os.sep).count(os.pardir)
