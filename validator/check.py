"""check: every rule of a contract, asked of one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from npzschema.contracts import pointer, rules

from .case import Case
from .findings import Deviation, Finding
from .report import crashed, finding_of
from .rules import ARRAY_RULES, CASE_RULES
from .threads import ThreadsError


def check(case: Case) -> Iterator[Finding]:
    """What every rule finds. One that crashes is a finding itself."""
    for where, deviation in _deviations(case, crash=crashed):
        yield finding_of(deviation, where)


def keeps(case: Case) -> bool:
    """Whether nothing at error level is found and no rule crashes: of that, only a chosen contract's check tells."""
    try:
        return not any(
            (deviation.level or rules()[deviation.code].level) == "error" for _, deviation in _deviations(case)
        )
    except ThreadsError:
        raise
    except Exception:  # noqa: BLE001 - any bug of a rule; not recognised is the honest answer
        return False


def _deviations(
    case: Case, crash: Callable[[str, Exception], Deviation] | None = None
) -> Iterator[tuple[str, Deviation]]:
    """Every deviation with its JSON pointer. Without ``crash``, what a rule raises is raised."""
    for name, spec in case.contract.arrays.items():
        for keyword, rule in ARRAY_RULES.items():
            base = ("arrays", name, keyword.split("/")[0])
            try:
                for deviation in rule(case, spec):
                    yield pointer(*base, *deviation.at), deviation
            except Exception as error:
                if crash is None:
                    raise
                yield pointer("arrays", name), crash("/".join(base), error)
    for keyword, check in CASE_RULES.items():
        try:
            for deviation in check(case):
                yield pointer(keyword.split("/")[0], *deviation.at), deviation
        except Exception as error:
            if crash is None:
                raise
            yield "", crash(keyword, error)
