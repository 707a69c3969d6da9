"""JSON Schemas of others: what a contract's ``metadata.schema`` may say, and checks by it that end.

Nothing is fetched. A schema of a few lines can ask for any amount of work, by references that fan out or by a
regular expression that tries everything; both are refused where that can be seen, and what is left is counted.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote

MAX_EXPANSION: Final = 10_000
"""Schemas that one value may be held against once references are followed."""

MAX_PLACES: Final = 5_000
"""Places of a schema: each is held against the schema of schemas first, which takes a fifth of a millisecond."""

MAX_WRITTEN_OUT: Final = 10_000
"""Characters of a regular expression, once fixed repeats such as ``{8}`` are written out."""

MAX_STEPS: Final = 1_000_000
"""Of a check: keywords looked at, and what they look at. Takes about a second."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_IN_PLACE: Final = ("$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
"""Keywords that hold the same value against other schemas."""

Path = tuple[str | int, ...]


class TooMuchWorkError(Exception):
    """A document would take too long to be checked against its schema."""


def places(schema: Any) -> int:
    """Where a schema has another one, or may have."""
    return sum(isinstance(value, dict | bool) for _, _, value in _walk(schema, ()))


def flaws(schema: Any) -> Iterator[tuple[Path, str]]:
    """What is wrong with a sound JSON Schema: where, and what."""
    weights = _Weights(schema)
    for path, key, value in _walk(schema, ()):
        # Where it is no text it is the name of a property, not a keyword.
        if isinstance(value, str) and (flaw := _text_flaw(weights, path, str(key), value)) is not None:
            yield path, flaw
        elif key == "patternProperties" and isinstance(value, dict):
            yield from (((*path, name), f"{name!r} {flaw}") for name in value if (flaw := pattern_flaw(name)))
        elif isinstance(value, dict) and MAX_EXPANSION < weights.of(value) < math.inf:
            yield path, f"its references unfold to more than {MAX_EXPANSION:,} schemas"


def _text_flaw(weights: _Weights, path: Path, keyword: str, value: str) -> str | None:
    if keyword in {"$id", "$dynamicRef"}:
        return f"{keyword} is not supported; refer by $ref to a place inside the schema, #/..."
    if keyword == "$schema" and (len(path) > 1 or value.rstrip("#") != DIALECT):
        return f"only JSON Schema 2020-12 is supported, {DIALECT}, named at the top"
    if keyword == "pattern":
        flaw = pattern_flaw(value)
        return f"{value!r} {flaw}" if flaw else None
    return _reference_flaw(weights, value) if keyword == "$ref" else None


def _reference_flaw(weights: _Weights, value: str) -> str | None:
    if value != "#" and not value.startswith("#/"):
        return f"refers to {value!r}; only references inside the schema, #/..., are followed"
    target = follow(weights.schema, value)
    if not isinstance(target, dict | bool):
        return f"refers to {value!r}, which is no schema"
    if weights.of(target) == math.inf:
        return f"refers to {value!r}, which refers back without looking at a part of the text"
    return None


def follow(schema: Any, reference: str) -> Any:
    """What a local reference points to, or None."""
    here = schema
    for part in unquote(reference).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdecimal() and len(key) < 8 and int(key) < len(here):
            here = here[int(key)]
        else:
            return None
    return here


class _Weights:
    """How many schemas a value is held against by each, itself included; infinite where that never ends."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self._known: dict[int, float] = {}
        self._open: set[int] = set()

    def of(self, node: Any) -> float:
        if not isinstance(node, dict):
            return 1
        key = id(node)
        if key in self._open:
            return math.inf
        if key not in self._known:
            self._open.add(key)
            self._known[key] = 1 + sum(map(self.of, self._in_place(node)))
            self._open.remove(key)
        return self._known[key]

    def _in_place(self, node: dict[str, Any]) -> Iterator[Any]:
        for keyword in _IN_PLACE:
            below = node.get(keyword)
            if keyword == "$ref" and isinstance(below, str):
                yield follow(self.schema, below)
            elif isinstance(below, list):
                yield from below
            elif isinstance(below, dict):
                yield from below.values() if keyword == "dependentSchemas" else [below]


def _walk(node: Any, path: Path) -> Iterator[tuple[Path, str | int, Any]]:
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    for key, value in items:
        yield (*path, key), key, value
        yield from _walk(value, (*path, key))


@functools.cache
def pattern_flaw(pattern: str) -> str | None:
    """Why a regular expression is refused, or None."""
    try:
        return _Effort(pattern).flaw
    except (re.error, RecursionError, OverflowError):
        return "is no regular expression"


class _Effort:
    """How many ways a pattern can be tried: repeats and options, none of them inside a repeat.

    A repeat inside a repeat, as in ``(a+)+``, is tried in a number of ways that doubles with each character.
    ``length``: its characters, with fixed repeats written out.
    """

    def __init__(self, pattern: str) -> None:
        self.repeats = self.options = self.length = 0
        self.flaw: str | None = None
        # Python's own parser. It has no public name; a copy of its grammar would be worse.
        self._walk(importlib.import_module("re._parser").parse(pattern), inside=False, times=1)
        if self.length > MAX_WRITTEN_OUT:
            self.flaw = f"repeats more than {MAX_WRITTEN_OUT:,} characters"

    def _walk(self, items: Iterable[tuple[Any, Any]], *, inside: bool, times: int) -> None:
        """``times``: how often these are repeated at least, each of them even where it matches nothing."""
        for code, argument in items:
            kind = str(code)
            self.length += times
            if kind.endswith("_REPEAT"):
                low, high, body = argument
                self._choice(inside=inside, repeats=high > 1, varies=low != high)
                self.length += times * low
                self._walk(body, inside=inside or high > 1, times=times * max(1, low))
            elif kind == "BRANCH":
                self._choice(inside=inside, repeats=False, varies=True)
                for branch in argument[1]:
                    self._walk(branch, inside=inside, times=times)
            elif kind in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
                self._walk(argument[-1], inside=inside, times=times)
            elif kind == "ATOMIC_GROUP":
                self._walk(argument, inside=inside, times=times)
            elif kind.startswith("GROUPREF"):
                self.flaw = "refers to a group, which may take for ever"

    def _choice(self, *, inside: bool, repeats: bool, varies: bool) -> None:
        if varies and inside:
            self.flaw = "repeats what itself repeats or has a choice, which may take for ever; write it out"
        elif varies and repeats:
            self.repeats += 1
        elif varies:
            self.options += 1


@functools.cache
def _effort(pattern: str) -> tuple[int, int, int]:
    one = _Effort(pattern)
    return one.repeats, one.options, one.length


class _Spent:
    """Steps of one check, in units of about a microsecond."""

    def __init__(self) -> None:
        self._steps = 0.0
        self._sizes: dict[int, int] = {}

    def add(self, steps: float) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise TooMuchWorkError

    def size(self, value: Any) -> int:
        """Values that one holds, itself included, however deep. What is asked of lives as long as the check."""
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in self._sizes:
            self._sizes[id(value)] = 1 + sum(map(self.size, value.values() if isinstance(value, dict) else value))
        return self._sizes[id(value)]

    def of(self, keyword: str, value: Any, instance: Any) -> float:
        """At least what a keyword takes."""
        steps = 1.0
        for one in (value, instance):
            if isinstance(one, dict | list):
                steps += len(one)
        if keyword in {"const", "enum"}:
            steps += self.size(value)
        elif keyword == "uniqueItems" and isinstance(instance, list):
            # What cannot be sorted is compared pair by pair.
            steps += len(instance) * self.size(instance) / 4
        elif keyword == "pattern" and isinstance(instance, str):
            steps += _tries(value, instance)
        elif keyword == "patternProperties" and isinstance(instance, dict):
            # More of them than Python keeps are compiled again and again.
            steps += sum(map(len, value)) + sum(_tries(pattern, key) for pattern in value for key in instance)
        return steps


def _tries(pattern: str, text: str) -> float:
    repeats, options, length = _effort(pattern)
    if repeats >= 100 or options >= 100:
        return math.inf
    # Few are longer than this: then what is looked at before a try fails counts.
    return float(len(text)) ** (repeats + 1) * 2.0**options * max(1, length / 20) / 100


_spent: Final[ContextVar[_Spent]] = ContextVar("steps of the check that is under way")


def _counted(keyword: str, check: Callable[..., Iterable[Any] | None]) -> Callable[..., Iterator[Any]]:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        spent = _spent.get()
        spent.add(spent.of(keyword, value, instance))
        for error in check(validator, value, instance, schema) or ():
            # Errors of branches are kept until one of them is found to hold, each with the value in words.
            spent.add(20 + len(error.message) / 20)
            yield error

    return run


@functools.cache
def _kind() -> Any:
    # Made once: classes are large, and what makes them is slow.
    from jsonschema import Draft202012Validator, validators

    return validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {keyword: _counted(keyword, check) for keyword, check in Draft202012Validator.VALIDATORS.items()},
    )


def errors(schema: Mapping[str, Any], document: Any, limit: int) -> list[Any]:
    """The first errors of a document, as ``jsonschema`` tells them.

    Raises:
        TooMuchWorkError: the document takes more than :data:`MAX_STEPS`.
    """
    # A schema that names its dialect would be given to that dialect's own class, which counts nothing.
    validator = _kind()({key: value for key, value in schema.items() if key != "$schema"})
    token = _spent.set(_Spent())
    try:
        return list(itertools.islice(validator.iter_errors(document), limit))
    finally:
        _spent.reset(token)
