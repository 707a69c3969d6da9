"""The name under which a file lies until it is whole."""

from __future__ import annotations

import secrets
from pathlib import Path


def part_beside(target: Path) -> Path:
    """A name beside the target. Random: what a killed run left behind stands in no later run's way."""
    return target.with_name(f".npzschema-{secrets.token_hex(8)}.part")
