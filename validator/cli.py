"""validate-npz: the command line. Parses arguments, calls the engine, hands reports to a reporter."""

from __future__ import annotations

import argparse
import contextlib
import os
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from npzschema import __version__
from npzschema.contracts import Contract, ContractError, load, rules, shipped
from npzschema.contracts.terminal import Parser, UsageError, main_of

from .escape import escape

if TYPE_CHECKING:
    from .findings import Report

_EPILOG: Final = """\
exit status:
  0  no finding at or above --fail-on
  1  findings
  2  could not check: unreadable file, wrong usage, or a fault of the tool

examples:
  validate-npz scan.npz                      is it ready for training?
  validate-npz --headers-only data/*.npz     names, shapes and dtypes only
  validate-npz --contract ./mine.json a.npz  against a contract of your own
  validate-npz --explain FORMAT-001          what a finding means, and what to do
"""


def main() -> NoReturn:
    main_of("validate-npz", run)


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="validate-npz",
        description="Check ptychography datasets in NPZ files against a contract, and name every deviation.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("paths", nargs="*", metavar="PATH", help="NPZ files; after -- a name may begin with a dash")
    made.add_argument(
        "--contract",
        default="auto",
        metavar="ID|FILE|auto",
        help="contract to check against; auto (default): what the file declares, else ptychopinn/canonical",
    )
    made.add_argument("--headers-only", action="store_true", help="names, shapes and dtypes only; reads no values")
    made.add_argument(
        "--axes",
        action="append",
        default=[],
        type=_axes,
        metavar="ARRAY=A,B,C",
        help="axes of an array whose order you know, such as diffraction=H,W,N; may be repeated",
    )
    made.add_argument(
        "--strict-archive", action="store_true", help="also read members that no contract asks for, to their checksums"
    )
    made.add_argument(
        "--max-expansion",
        type=_ratio,
        metavar="RATIO",
        help="how often its own size an archive may expand to (default 250)",
    )
    made.add_argument("--format", choices=("text", "json"), default="text", help="form of the report")
    made.add_argument("--output", metavar="FILE", help="write the report to a file instead of standard output")
    made.add_argument(
        "--fail-on", choices=("error", "warning", "info"), default="error", help="least level that gives exit status 1"
    )
    made.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="PREFIX",
        help="only findings whose code begins so, such as SCAN; may be repeated",
    )
    made.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="PREFIX",
        help="no findings whose code begins so; an unreadable file stays unreadable",
    )
    made.add_argument("--explain", metavar="CODE", help="say what a rule means and what to do, and stop")
    made.add_argument("--list-rules", action="store_true", help="list all rules and stop")
    made.add_argument(
        "--list-contracts", action="store_true", help="list the contracts that ship with the tool and stop"
    )
    made.add_argument("-q", "--quiet", action="store_true", help="errors only; nothing for a file that passes")
    made.add_argument(
        "-v", "--verbose", action="store_true", help="also findings at info level, and facts of each array"
    )
    made.add_argument(
        "--color",
        "--colour",
        dest="color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour; auto: on a terminal, unless NO_COLOR is set",
    )
    made.add_argument("--version", action="store_true", help="print the version and stop")
    return made


def _axes(text: str) -> tuple[str, tuple[str | int, ...]]:
    name, _, dims = text.partition("=")
    if not name or not dims:
        raise argparse.ArgumentTypeError(f"{text!r} is not ARRAY=A,B,C")
    return name, tuple(int(dim) if dim.isascii() and dim.isdigit() else dim for dim in dims.replace(" ", "").split(","))


def _ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a ratio of at least 1")
    return value


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
    if options.output:
        _refuse_input(options.output, options.paths)
    return _validate(options, contract, stdout, stderr)


def _contract(reference: str) -> str | Contract:
    if reference == "auto":
        return "auto"
    try:
        return load(reference)
    except ContractError as error:
        raise UsageError(escape(f"contract refused: {error}")) from None


def _validate(options: argparse.Namespace, contract: str | Contract, stdout: TextIO, stderr: TextIO) -> int:
    from .archive import Limits
    from .engine import validate
    from .reporters import REPORTERS, Style

    limits = Limits(expansion=options.max_expansion) if options.max_expansion else None
    reports = [
        _selected(
            validate(
                path,
                contract,
                options.headers_only,
                axes=dict(options.axes),
                strict_archive=options.strict_archive,
                limits=limits,
            ),
            options.select,
            options.ignore,
        )
        for path in options.paths
    ]
    style = Style(
        colour=not options.output and _colour(options.color, stdout),
        verbosity=1 if options.verbose else -1 if options.quiet else 0,
    )
    text = REPORTERS[options.format](reports, style)
    if options.output:
        _write(options.output, text)
    else:
        stdout.write(text)
    return _status(reports, options.fail_on)


def _refuse_input(output: str, paths: Sequence[str]) -> None:
    """A report never replaces what it reports on."""
    for path in paths:
        try:
            same = os.path.samefile(output, path)
        except OSError:
            continue
        if same:
            raise UsageError(escape(f"--output {output} is an input; name another file"))


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


def _write(path: str, text: str) -> None:
    """All of the report or none: a temporary file beside it, then a rename."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise UsageError(escape(f"cannot write {path}: {(error.strerror or str(error)).lower()}")) from None


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
