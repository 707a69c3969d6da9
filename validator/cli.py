"""validate-npz: the command line. Parses arguments, calls the engine, hands reports to a reporter."""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, TextIO

from npzschema import __version__
from npzschema.contracts import Contract, ContractError, load, rules, shipped
from npzschema.contracts.terminal import UsageError, main_of

from .escape import escape
from .options import parser
from .outputs import refuse_input, write

if TYPE_CHECKING:
    from .findings import Report


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
    if not options.paths:
        raise UsageError("no file named")
    for prefix in (*options.select, *options.ignore):
        if not any(code.startswith(prefix) for code in rules()):
            raise UsageError(f"no rule's code begins with {prefix!r}")
    contract = _contract(options.contract)
    if options.axes:
        _check_axes(contract, dict(options.axes))
    if options.output:
        refuse_input(options.output, options.paths)
    return _validate(options, contract, stdout, stderr)


def _contract(reference: str) -> str | Contract:
    if reference == "auto":
        return "auto"
    try:
        return load(reference)
    except ContractError as error:
        raise UsageError(escape(f"contract refused: {error}")) from None


def _check_axes(contract: str | Contract, axes: Mapping[str, Sequence[int | str]]) -> None:
    from .named_axes import check_axes

    try:
        check_axes(map(load, shipped()) if isinstance(contract, str) else [contract], axes)
    except ValueError as error:
        raise UsageError(escape(f"--axes: {error}")) from None


def _validate(options: argparse.Namespace, contract: str | Contract, stdout: TextIO, stderr: TextIO) -> int:
    from .archive import Limits
    from .many import validate_each
    from .reporters import REPORTERS, Style

    reports = [
        _selected(report, options.select, options.ignore)
        for report in validate_each(
            options.paths,
            contract,
            jobs=options.jobs,
            headers_only=options.headers_only,
            axes=dict(options.axes),
            strict_archive=options.strict_archive,
            limits=Limits(expansion=options.max_expansion) if options.max_expansion else None,
        )
    ]
    style = Style(
        colour=not options.output and _colour(options.color, stdout),
        verbosity=1 if options.verbose else -1 if options.quiet else 0,
    )
    text = REPORTERS[options.format](reports, style)
    if options.output:
        write(options.output, text)
    else:
        stdout.write(text)
    return _status(reports, options.fail_on)


def _selected(report: Report, select: Sequence[str], ignore: Sequence[str]) -> Report:
    """The report with some findings left out. What makes a file unreadable always stays."""
    from .engine import verdict_of

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


def _colour(wish: str, stdout: TextIO) -> bool:
    if wish != "auto":
        return wish == "always"
    return stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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
    for word, text in (("Why", rule.why), ("What to do", rule.advice()), ("Example", rule.example)):
        lines += textwrap.wrap(f"{word}: {text}", width=88, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
