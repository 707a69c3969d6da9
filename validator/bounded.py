"""Files that are read whole, up to a size: what a team writes beside its data."""

from __future__ import annotations


class UnreadError(ValueError):
    """A file is not read. A few words say why."""


def read_whole(path: str, most: int) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadError: it cannot be read, or holds more than ``most`` bytes.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UnreadError(f"cannot be read: {reason.lower()}") from None
    if len(raw) > most:
        raise UnreadError(f"larger than {most:,} bytes")
    return raw
