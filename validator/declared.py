"""Which contract a file itself declares, in its metadata: by id, or by PtychoPINN's pair of version and domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from npzschema.contracts import Contract, Level, load, shipped
from npzschema.contracts.shortening import short

from .words import enumerate_words

LONGEST: Final = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What a file says of itself.

    ``contract``: the known contract that is meant, or None; ``said``: the declaration in words, empty where there is
    none; ``flaw``: why it cannot be followed to the letter, empty where it can; ``level``: how grave that is.
    """

    contract: Contract | None = None
    said: str = ""
    flaw: str = ""
    level: Level = "error"


def declared(document: Any, own: Sequence[Contract] = ()) -> Declared:
    """What the metadata of a file declares.

    ``document``: the parsed JSON text; ``own``: contracts that are known beside those that ship with the tool; where
    both are meant, the first of these is.
    """
    if not isinstance(document, dict):
        return Declared()
    extra = document.get("additional_parameters")
    said = {**(extra if isinstance(extra, dict) else {}), **document}
    return _named(said["contract"], own) if "contract" in said else _paired(said, own)


def _named(value: Any, own: Sequence[Contract]) -> Declared:
    name, version = value, None
    if isinstance(value, dict):
        name, version = value.get("id"), value.get("version")
    elif isinstance(value, str):
        name, _, after = value.partition("@")
        version = after or None
    if not isinstance(name, str) or not name or not (version is None or isinstance(version, str)):
        return Declared(said=f"contract {_short(value)}", flaw="that is neither an id, id@version, nor {id, version}")
    said = f"contract {_short(name)}" + (f" {_short(version)}" if version else "")
    contract = next((one for one in own if one.id == name), None)
    if contract is None and name not in shipped():
        # Somebody else's contract may well be right; one of ours that is not there is a mistake.
        ours = name.partition("/")[0] in {one.partition("/")[0] for one in shipped()}
        return Declared(said=said, flaw="that is no contract known here", level="error" if ours else "warning")
    contract = contract or load(name)
    if version is not None and version.partition(".")[0] != contract.version.partition(".")[0]:
        return Declared(contract=contract, said=said, flaw=f"the version known here is {contract.version}")
    return Declared(contract=contract, said=said)


def _paired(said: Mapping[str, Any], own: Sequence[Contract]) -> Declared:
    ours = [(one, pair) for one in map(load, shipped()) for pair in one.declared_by]
    pairs = [*((one, pair) for one in own for pair in one.declared_by), *ours]
    for contract, pair in pairs:
        if _matching(pair, said) == len(pair):
            return Declared(contract=contract, said=_words(pair))
    # The keys of the pairs that ship mean nothing else; those of others may be anybody's.
    begun = [pair for _, pair in pairs if _matching(pair, said)]
    begun += [pair for _, pair in ours if any(key in said for key in pair)]
    if not begun:
        return Declared()
    nearest = max(begun, key=lambda pair: _matching(pair, said))
    missing = [key for key in nearest if key not in said]
    what = (
        f"{enumerate_words(missing, 'and')} {'is' if len(missing) == 1 else 'are'} missing, and "
        f"{enumerate_words(list(nearest), 'and')} are inseparable"
        if missing
        else "that is no pair known here"
    )
    known = "; ".join(dict.fromkeys(_words(pair) for _, pair in pairs))
    return Declared(said=_words({key: said[key] for key in nearest if key in said}), flaw=f"{what}; known are: {known}")


def _matching(pair: Mapping[str, Any], said: Mapping[str, Any]) -> int:
    """How many values of a pair are said."""
    return sum(key in said and said[key] == value for key, value in pair.items())


def _words(pair: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_short(value)}" for key, value in pair.items())


def _short(value: Any) -> str:
    return short(value if isinstance(value, str) else repr(value), LONGEST)
