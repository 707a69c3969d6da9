"""validate-npz: the command line. Parses arguments, calls the engine, hands reports to a reporter."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, TextIO

from npzschema import __version__
from npzschema.contracts import Contract, ContractError, load, rules, shipped
from npzschema.contracts.terminal import UsageError, main_of

from .escape import escape
from .options import parser
from .outputs import Wanted, deliver, refuse

if TYPE_CHECKING:
    from .findings import Report
    from .reporters import Style


def main() -> NoReturn:
    main_of("validate-npz", run)


def run(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """The command, without exiting: returns its status.

    Raises:
        UsageError: the arguments are wrong.
    """
    if list(argv) in (["-h"], ["--help"]):
        stdout.write(parser().format_help())
        return 0
    options = parser().parse_args(list(argv))
    told = _tell(options)
    if told is not None:
        stdout.write(told)
        return 0
    if not options.paths and options.from_report is None:
        raise UsageError("no file named")
    for prefix in (*options.select, *options.ignore):
        if not any(code.startswith(prefix) for code in rules()):
            raise UsageError(f"no rule's code begins with {prefix!r}")
    wanted = [Wanted(format=options.format, path=options.output or None), *options.reports]
    refuse(wanted, [*options.paths, *([options.from_report] if options.from_report is not None else [])])
    whole = _validated(options, stderr) if options.from_report is None else _saved(options)
    reports = [_selected(report, options.select, options.ignore) for report in whole]
    deliver(reports, wanted, _style(options, stdout), stdout)
    return _status(reports, options.fail_on)


def _validated(options: argparse.Namespace, stderr: TextIO) -> list[Report]:
    from .archive import Limits
    from .engine import validate
    from .progress import watched

    contract = _contract(options.contract)
    limits = Limits(expansion=options.max_expansion) if options.max_expansion else None
    colour = _colour(options.color, stderr)
    with contextlib.closing(watched(options.paths, len(options.paths), stderr, colour=colour)) as paths:
        return [
            validate(
                path,
                contract,
                options.headers_only,
                axes=dict(options.axes),
                strict_archive=options.strict_archive,
                limits=limits,
            )
            for path in paths
        ]


def _saved(options: argparse.Namespace) -> Sequence[Report]:
    """What was saved, rendered again: options that say how data is read have nothing to act on."""
    from .saved import SavedError, read

    for name in ("paths", "contract", "headers_only", "axes", "strict_archive", "max_expansion"):
        if getattr(options, name) not in (None, False, [], "auto"):
            said = "PATH" if name == "paths" else f"--{name.replace('_', '-')}"
            raise UsageError(f"--from-report reads no data; leave out {said}")
    try:
        return read(options.from_report)
    except SavedError as error:
        raise UsageError(escape(str(error))) from None


def _contract(reference: str) -> str | Contract:
    if reference == "auto":
        return "auto"
    try:
        return load(reference)
    except ContractError as error:
        raise UsageError(escape(f"contract refused: {error}")) from None


def _style(options: argparse.Namespace, stdout: TextIO) -> Style:
    from .reporters import Style

    return Style(
        colour=_colour(options.color, stdout),
        verbosity=1 if options.verbose else -1 if options.quiet else 0,
        columns=shutil.get_terminal_size().columns if stdout.isatty() else None,
        fail_on=options.fail_on,
    )


def _selected(report: Report, select: Sequence[str], ignore: Sequence[str]) -> Report:
    """The report with some findings left out. What makes a file unreadable always stays."""
    from .findings import verdict_of

    kept = tuple(
        finding
        for finding in report.findings
        if rules()[finding.code].unreadable
        or ((not select or finding.code.startswith(tuple(select))) and not finding.code.startswith(tuple(ignore)))
    )
    return report if kept == report.findings else replace(report, findings=kept, verdict=verdict_of(kept))


def _status(reports: Sequence[Report], fail_on: str) -> int:
    from .findings import LEVELS

    if any(report.verdict == "unreadable" for report in reports):
        return 2
    least = [str(level) for level in LEVELS].index(fail_on)
    return int(any(LEVELS.index(finding.level) >= least for report in reports for finding in report.findings))


def _colour(wish: str, stream: TextIO) -> bool:
    if wish != "auto":
        return wish == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _tell(options: argparse.Namespace) -> str | None:
    if options.version:
        return f"validate-npz {__version__}\n"
    if options.explain:
        return _explain(options.explain)
    if options.list_rules:
        width = max(map(len, rules()))
        return "".join(f"{rule.code:{width}}  {rule.level:7}  {rule.title}\n" for rule in rules().values())
    if options.list_contracts:
        contracts = [load(name) for name in shipped()]
        width = max(len(contract.id) for contract in contracts)
        return "".join(f"{contract.id:{width}}  {contract.version}  {contract.title}\n" for contract in contracts)
    return None


def _explain(code: str) -> str:
    rule = rules().get(code.upper())
    if rule is None:
        raise UsageError(f"no rule {code!r}; --list-rules lists them")
    lines = [f"{rule.code}  {rule.level}  {rule.title}", ""]
    for word, text in (("Why", rule.why), ("What to do", rule.remedy), ("Example", rule.example)):
        lines += textwrap.wrap(f"{word}: {text}", width=88, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
