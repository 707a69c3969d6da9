"""``required``: the array must be there, under its name or a legacy one (KEY-001)."""

from __future__ import annotations

from collections.abc import Iterator

from npzschema.contracts import ArraySpec

from ..case import Case
from ..findings import Deviation


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    names = [spec.name, *(str(entry.name) for entry in spec.legacy_names())]
    if spec.required and not any(name in case.headers or name in case.unreadable for name in names):
        near = _near(spec.name, [name for name in case.headers if name not in case.contract.known_names()])
        yield Deviation(
            code="KEY-001",
            array=spec.name,
            message="is missing" + (f"; the file has {near}, perhaps a misspelling" if near else ""),
            expected=" or ".join(names),
            found="no such array",
            fix={"step": "copy", "array": spec.name, "source": twin} if (twin := _twin(case, spec.name)) else None,
        )


def _twin(case: Case, name: str) -> str | None:
    """The other name of an array, where the file has it."""
    return next((other for other in case.contract.twins(name) if other in case.binding.readings), None)


def _near(name: str, others: list[str]) -> str | None:
    import difflib

    match = difflib.get_close_matches(name.lower(), [other.lower() for other in others], n=1, cutoff=0.75)
    return next((other for other in others if match and other.lower() == match[0]), None)
