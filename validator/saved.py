"""Reports that were saved as JSON, read back. Whoever wrote the file is not trusted: it is checked and escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from npzschema import __version__
from npzschema.contracts import pointer, rules
from npzschema.contracts.loader import schema_error
from npzschema.contracts.strict_json import Flaw, StrictJsonError, parse

from .bounded import UnreadError, read_whole
from .escape import escape, escape_all
from .findings import ArrayFacts, Finding, Report

if TYPE_CHECKING:
    from .picture import Picture

LARGEST: Final = 64 * 1024 * 1024
"""Bytes. A file with thousands of findings and frames takes less than one MiB."""

MOST_DIGITS: Final = 20
"""64 bits hold every size and count that a file can have; longer digits are slow to read and fit no float."""

_WORDS: Final[dict[Flaw, str]] = {
    "syntax": "is no JSON: {}",
    "nesting": "is nested too deeply",
    "constant": "holds {}, which JSON does not know",
    "number": "holds the number {}, which is out of range",
    "key": "holds an object that names one key twice",
    "character": "holds half a surrogate pair, which is no character",
}


class SavedError(ValueError):
    """A saved report is refused. One line says where and why."""


def read(path: str) -> tuple[Report, ...]:
    """The reports of a file that ``validate-npz --format json`` wrote.

    Raises:
        SavedError: it cannot be read, or is no such report.
    """
    try:
        return reports(_parsed(read_whole(path, LARGEST)))
    except (UnreadError, SavedError) as error:
        raise SavedError(f"{path}: {error}") from None


def reports(document: Any) -> tuple[Report, ...]:
    """The reports of a JSON document.

    Raises:
        SavedError: it is not as contracts/report.schema.json describes it, or knows rules that this version does not.
    """
    try:
        document = escape_all(document)
        _check(document)
    except RecursionError:
        raise SavedError("is nested too deeply") from None
    for file in document["files"]:
        for finding in file["findings"]:
            if finding["code"] not in rules():
                by = document["tool"]["version"]
                raise SavedError(f"{finding['code']} is no rule of this version; the report was saved by version {by}")
    return tuple(map(_report, document["files"]))


def _parsed(held: bytes) -> Any:
    try:
        return parse(held, most_digits=MOST_DIGITS)
    except StrictJsonError as error:
        raise SavedError(_WORDS[error.flaw].format(error.found)) from None


def _check(document: Any) -> None:
    error = schema_error("report", document)
    if error is not None:
        # The message shows the value, which may be the whole document.
        said = error.message if len(error.message) <= 200 else f"breaks {error.validator!r} of the schema"
        where = pointer(*error.absolute_path)
        raise SavedError(
            f"is no report of validate-npz: {f'{where}: ' if where else ''}{escape(said)}{_hint(document)}"
        )


def _hint(document: Any) -> str:
    """What to do about a report that is none: another version may have written it."""
    tool = document.get("tool") if isinstance(document, dict) else None
    by = tool.get("version") if isinstance(tool, dict) and tool.get("name") == "npzschema" else None
    if not isinstance(by, str):
        return "; what --format json wrote is one"
    return f"; version {escape(by[:40])} wrote it, this is {__version__}" if by != __version__ else ""


def _report(file: dict[str, Any]) -> Report:
    contract = file["contract"] or {"id": None, "version": None, "reason": ""}
    return Report(
        path=file["path"],
        verdict=file["verdict"],
        contract=contract["id"],
        contract_version=contract["version"],
        contract_reason=contract["reason"],
        recognised=tuple(file["recognised"]),
        binding=file["binding"],
        arrays={name: _array(name, body) for name, body in file["arrays"].items()},
        findings=tuple(map(_finding, file["findings"])),
        headers_only=file["headers_only"],
        notes=tuple(file["notes"]),
        pictures=_pictures(file),
    )


def _pictures(file: dict[str, Any]) -> tuple[Picture, ...] | None:
    """None where the report was saved without."""
    if "pictures" not in file:
        return None
    from .pictures.encoding import decoded

    try:
        return tuple(map(decoded, file["pictures"]))
    except ValueError as error:
        raise SavedError(f"{file['path']}: a picture cannot be read: {error}") from None


# The schema allows the fields of the dataclasses and no others.


def _array(name: str, body: dict[str, Any]) -> ArrayFacts:
    axes = body["axes"]
    return ArrayFacts(
        **{**body, "name": name, "shape": tuple(body["shape"]), "axes": None if axes is None else tuple(axes)}
    )


def _finding(body: dict[str, Any]) -> Finding:
    return Finding(**{**body, "frames": tuple(body["frames"])})
