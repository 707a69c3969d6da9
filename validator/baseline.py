"""Known findings, written down: they are reported as known, and only new ones fail."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from npzschema.contracts import ContractError, Level, pointer, rules
from npzschema.contracts.loader import parse_json, schema_error

from .bounded import UnreadError, read_whole
from .escape import escape
from .findings import Finding, Report
from .relative import seen_from
from .settings import failing

MAX_BYTES: Final = 1 << 26

Fingerprint = tuple[str, str, str, str, str]
"""File, code, array, pointer and place: what tells one finding from another."""


class BaselineError(ValueError):
    """A baseline is refused. The message is one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """One known finding. ``file``: relative to the baseline's folder, with slashes; it and ``place`` are escaped."""

    file: str
    code: str
    array: str | None
    pointer: str
    place: str = ""
    count: int
    message: str
    reason: str

    @property
    def fingerprint(self) -> Fingerprint:
        return self.file, self.code, self.array or "", self.pointer, self.place


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """The known findings. ``path``: where they are written down, or are to be."""

    path: str
    known: Mapping[Fingerprint, Known] = field(default_factory=dict)

    def marked(self, report: Report) -> Report:
        """The report with its known findings marked. Where there are more alike than are known, all of them are new."""
        fingerprints = [self._fingerprint(report, finding) for finding in report.findings]
        counts = Counter(fingerprints)
        return replace(
            report,
            findings=tuple(
                replace(finding, known=self.known[one].reason)
                if one in self.known and counts[one] <= self.known[one].count
                else finding
                for one, finding in zip(fingerprints, report.findings, strict=True)
            ),
        )

    def stale(self, reports: Sequence[Report]) -> tuple[Known, ...]:
        """What is known but is not so any more: its file is gone, or was read to the end and holds fewer such findings.

        ``reports`` are whole, nothing left out. A file that was not checked, or only its headers, proves nothing.
        """
        left = self._left(reports)
        return tuple(known for known in self.known.values() if left[known.fingerprint] < known.count)

    def renewed(self, whole: Sequence[Report], chosen: Sequence[Report], fail_on: Level, reason: str) -> Baseline:
        """What is to be written down now: all that fails, and of the old as many as there still are, with its reasons.

        ``whole`` are the reports with nothing left out, ``chosen`` those with what the settings leave.
        """
        left = self._left(whole)
        known = {
            fingerprint: replace(one, count=left[fingerprint])
            for fingerprint, one in self.known.items()
            if left[fingerprint]
        }
        found: dict[Fingerprint, list[Finding]] = {}
        for report in chosen:
            alike: dict[Fingerprint, list[Finding]] = {}
            for finding in failing(report, fail_on):
                if not rules()[finding.code].unreadable:
                    alike.setdefault(self._fingerprint(report, finding), []).append(finding)
            # A file that was named twice has each of its findings once.
            found |= alike
        for fingerprint, findings in found.items():
            file, code, array, where, place = fingerprint
            old = self.known.get(fingerprint)
            known[fingerprint] = Known(
                file=file,
                code=code,
                array=array or None,
                pointer=where,
                place=place,
                count=len(findings),
                message=escape(findings[0].message),
                reason=(old.reason if old else "") or escape(reason),
            )
        return Baseline(path=self.path, known=dict(sorted(known.items())))

    def text(self) -> str:
        """As contracts/baseline.schema.json describes it."""
        document = {"baseline": 1, "findings": [asdict(known) for known in self.known.values()]}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def file(self, path: str) -> str:
        """A path as it is written down."""
        return escape(seen_from(os.path.dirname(self.path) or ".", path) or os.path.abspath(path).replace(os.sep, "/"))

    def _left(self, reports: Sequence[Report]) -> dict[Fingerprint, int]:
        """How many of each known finding there still are; all of them where nothing proves otherwise."""
        counts: Counter[Fingerprint] = Counter()
        for report in reports:
            # The greater of the two: a file that was named twice has each of its findings once.
            counts |= Counter(self._fingerprint(report, finding) for finding in report.findings)
        named = {self.file(report.path) for report in reports}
        read = {
            self.file(report.path) for report in reports if report.verdict != "unreadable" and not report.headers_only
        }
        return {
            fingerprint: min(counts[fingerprint], known.count)
            if known.file in read
            else 0
            if known.file not in named and self._gone(known.file)
            else known.count
            for fingerprint, known in self.known.items()
        }

    def _fingerprint(self, report: Report, finding: Finding) -> Fingerprint:
        array = escape(finding.array) if finding.array is not None else ""
        return self.file(report.path), finding.code, array, finding.pointer, escape(finding.place)

    def _gone(self, file: str) -> bool:
        # A backslash may be an escape or its own: such a name cannot be looked up.
        return "\\" not in file and not os.path.lexists(os.path.join(os.path.dirname(self.path), file))


def unmarked(report: Report) -> Report:
    """The report with nothing known."""
    return replace(report, findings=tuple(replace(finding, known=None) for finding in report.findings))


def read(path: str) -> Baseline:
    """The baseline of a file.

    Raises:
        BaselineError: it cannot be read, is none, or knows what cannot be known.
    """
    try:
        document = parse_json(read_whole(path, MAX_BYTES).decode("utf-8"), path)
    except UnreadError as error:
        raise BaselineError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise BaselineError(f"{path}: is no baseline: not UTF-8 text") from None
    except ContractError as error:
        raise BaselineError(str(error)) from None
    _check(document, path)
    known: dict[Fingerprint, Known] = {}
    for index, body in enumerate(document["findings"]):
        one = Known(**body)
        where = pointer("findings", index)
        if one.code not in rules():
            raise BaselineError(f"{path}: {where}/code: no rule {one.code!r}")
        if rules()[one.code].unreadable:
            raise BaselineError(f"{path}: {where}/code: {one.code} cannot be known: such a file cannot be checked")
        if one.fingerprint in known:
            raise BaselineError(f"{path}: {where}: stands there twice")
        known[one.fingerprint] = one
    return Baseline(path=path, known=known)


def _check(document: dict[str, Any], path: str) -> None:
    error = schema_error("baseline", document)
    if error is not None:
        where = pointer(*error.absolute_path)
        raise BaselineError(f"{path}: is no baseline: {where or 'the whole'}: {error.message[:200]}")
