"""Which contract a file is checked against, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npzschema.contracts import Contract
from npzschema.contracts.strict_json import parse

from .case import MetadataText
from .declared import Declared, declared


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A contract; ``reason``: why this one, in words that follow a comma or a colon."""

    contract: Contract
    reason: str


def choose(default: Contract, held: MetadataText | None, own: Sequence[Contract] = ()) -> Choice:
    """The contract that the file itself declares, else the default.

    ``held``: the default's metadata member; ``own``: contracts that are known beside those that ship with the tool.
    """
    name = default.metadata.member if default.metadata else ""
    said = declared(_parsed(held.text), own) if held and held.text else Declared()
    if said.contract is None:
        if held and (held.text is None or _parsed(held.text) is None):
            reason = f"the default; the file's {name} declares nothing that can be read"
        else:
            reason = f"the default; the file declares {f'{said.said}: {said.flaw}' if said.said else 'none'}"
        return Choice(contract=default, reason=reason)
    flaw = f"; {said.flaw}" if said.flaw else ""
    return Choice(contract=said.contract, reason=f"the file's {name} says {said.said}{flaw}")


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None
