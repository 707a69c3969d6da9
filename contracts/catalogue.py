"""The rule catalogue: every code, its level, why it matters and what to do. The data is rules.json."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemption:
    """Why a rule is not broken on purpose: in no dataset of ``contracts``; where that is empty, in some of any.

    ``reason``: name of the reason, ``why``: its words (:func:`reasons`).
    """

    reason: str
    why: str
    contracts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that can be wrong.

    ``remedy``: what people do; ``mend``: what the tool does, where a finding carries a step; ``remedy_for``: other
    remedies, by what a finding is about. ``unreadable``: the file cannot be checked further (exit status 2).
    ``breakable``: a file can break it. ``exceptions``: where its breaker makes no file that breaks it alone.
    """

    code: str
    level: Level
    title: str
    why: str
    remedy: str
    example: str
    checked_by: str
    unreadable: bool = False
    breakable: bool = True
    mend: str = ""
    remedy_for: Mapping[str, str] = field(default_factory=dict)
    exceptions: tuple[Exemption, ...] = ()

    def advice(self) -> str:
        """Everything that can be done about it."""
        return " ".join(text for text in (self.remedy, *self.remedy_for.values(), self.mend) if text)

    def exempt(self, contract: str) -> str | None:
        """Why no dataset of a contract, named by its id, can break this rule alone; None where some can."""
        return next((one.why for one in self.exceptions if contract in one.contracts), None)

    @property
    def family(self) -> str:
        return self.code.partition("-")[0]


@functools.cache
def _document() -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(
        resources.files(__package__).joinpath("rules.json").read_text(encoding="utf-8")
    )
    return document


def reasons() -> Mapping[str, str]:
    """Why a dataset or its contract cannot break a rule alone, by name: clauses, said by breakers and in exceptions."""
    words: Mapping[str, str] = _document()["reasons"]
    return words


@functools.cache
def rules() -> Mapping[str, Rule]:
    """Every rule by code, in the catalogue's order."""
    return {
        code: Rule(
            code=code,
            level=body["level"],
            title=body["title"],
            why=body["why"],
            remedy=body["remedy"],
            example=body["example"],
            checked_by=body["checkedBy"],
            unreadable=body.get("unreadable", False),
            breakable=body.get("breakable", True),
            mend=body.get("mend", ""),
            remedy_for=body.get("remedyFor", {}),
            exceptions=tuple(
                Exemption(reason=one["reason"], why=reasons()[one["reason"]], contracts=tuple(one.get("contracts", ())))
                for one in body.get("exceptions", ())
            ),
        )
        for code, body in _document()["rules"].items()
    }
