"""JSON pointers (RFC 6901), followed by hand."""

from __future__ import annotations


def resolve(document, pointer):
    """The value that a pointer names; raises where there is none."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document
