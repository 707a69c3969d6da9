"""validate-npz: the command line. Parses arguments, calls the engine, hands reports to a reporter."""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO

from npzschema import __version__
from npzschema.contracts import Level, load, rules, shipped
from npzschema.contracts.terminal import UsageError, main_of

from .asked import baseline_of, chosen, config_of
from .options import parser
from .outputs import refuse_input, write

if TYPE_CHECKING:
    from .config import Config
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
    config = config_of(options)
    if options.output:
        refuse_input(options.output, options.paths)
    return _validate(options, config, stdout, stderr)


def _validate(options: argparse.Namespace, config: Config, stdout: TextIO, stderr: TextIO) -> int:
    from .archive import Limits
    from .many import validate_each
    from .reporters import REPORTERS, Style

    baseline = baseline_of(options, config)
    asked = [config.for_file(path) for path in options.paths]
    whole = list(
        validate_each(
            options.paths,
            jobs=options.jobs,
            each=[{"contract": one.contract or "auto", "axes": one.axes} for one in asked],
            headers_only=options.headers_only,
            strict_archive=options.strict_archive,
            limits=Limits(expansion=options.max_expansion) if options.max_expansion else None,
        )
    )
    reports = chosen(options, config, baseline, whole, stderr)
    style = Style(
        colour=not options.output and _colour(options.color, stdout),
        verbosity=1 if options.verbose else -1 if options.quiet else 0,
    )
    text = REPORTERS[options.format](reports, style)
    if options.output:
        write(options.output, text)
    else:
        stdout.write(text)
    return _status(reports, config.fail_on)


def _status(reports: Sequence[Report], fail_on: Level) -> int:
    from .settings import failing

    if any(report.verdict == "unreadable" for report in reports):
        return 2
    return int(any(failing(report, fail_on) for report in reports))


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
    for word, text in (("Why", rule.why), ("What to do", rule.remedy), ("Example", rule.example)):
        lines += textwrap.wrap(f"{word}: {text}", width=88, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
