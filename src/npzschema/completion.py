"""Shell completion of the commands, by shtab: options, files, contracts and codes of rules."""

from __future__ import annotations

import argparse
from typing import Final

from .contracts import rules, shipped

SHELLS: Final = ("bash", "zsh", "tcsh")

_FILES: Final = frozenset({"PATH", "FILE", "IN.npz", "OUT.npz", "S.npz", "O.npz", "M.json", "P.png"})
_CONTRACTS: Final = "_npzschema_contracts"
# A contract is an id or a file: shtab offers words or files, not both, so a function of the shell does.
_PREAMBLES: Final = {
    "bash": '{name}() {{ compgen -W "{words}" -- "$1"; compgen -f -- "$1"; }}',
    "zsh": "{name}() {{ compadd -- {words}; _files; }}",
}


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that teaches a shell the command of ``parser``, which is spent by it: it parses nothing any more."""
    import shtab

    _teach(parser)
    words = " ".join(["auto", *shipped()])
    preamble = {name: text.format(name=_CONTRACTS, words=words) for name, text in _PREAMBLES.items()}
    return shtab.complete(parser, shell, preamble=preamble.get(shell, "")).rstrip("\n") + "\n"


def _teach(parser: argparse.ArgumentParser) -> None:
    """What the arguments take, told from the word that --help shows for it."""
    import shtab

    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                _teach(command)
        elif action.metavar == "CODE":
            action.choices = list(rules())
        elif action.metavar == "PREFIX":
            action.choices = [*dict.fromkeys(rule.family for rule in rules().values()), *rules()]
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif isinstance(action.metavar, str) and "ID" in action.metavar.split("|"):
            action.complete = {"bash": _CONTRACTS, "zsh": _CONTRACTS, "tcsh": "f"}  # type: ignore[attr-defined]
