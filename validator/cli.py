"""validate-npz: the command line. Parses arguments, calls the engine, hands reports to a reporter."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO

from npzschema import __version__
from npzschema.contracts import Contract, Level, load, rules, shipped
from npzschema.terminal import RefusedError, UsageError, main_of

from .asked import baseline_of, chosen, config_of, kept
from .escape import escape
from .options import parser
from .outputs import Wanted, deliver, refuse
from .reading_options import limits_of

if TYPE_CHECKING:
    from .config import Config
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
    options = _parsed(list(argv))
    told = _tell(options)
    if told is not None:
        stdout.write(told)
        return 0
    if not options.paths and options.from_report is None:
        raise UsageError("no file named")
    config = config_of(options)
    wanted = [Wanted(format=options.format, path=options.output or None), *options.reports]
    refuse(wanted, lambda: kept(options, config))
    baseline = baseline_of(options, config)
    whole = _validated(options, config, wanted, stderr) if options.from_report is None else _saved(options)
    found = chosen(options, config, baseline, whole)
    deliver(found.reports, wanted, _style(options, config, stdout), stdout, beside=found.files)
    stderr.writelines(escape(f"validate-npz: {note}") + "\n" for note in found.notes)
    return _status(found.reports, config.fail_on)


def _parsed(argv: list[str]) -> argparse.Namespace:
    """Options and paths in any order; after ``--`` only paths."""
    end = argv.index("--") if "--" in argv else len(argv)
    options = parser().parse_intermixed_args(argv[:end])
    options.paths += argv[end + 1 :]
    if options.quiet and options.verbose:
        raise UsageError("-q and -v exclude each other")
    return options


def _validated(options: argparse.Namespace, config: Config, wanted: Sequence[Wanted], stderr: TextIO) -> list[Report]:
    from .config import ConfigError
    from .many import Asked, validate_each
    from .progress import watched
    from .reporters import REPORTERS
    from .threads import ThreadsError

    own = tuple(config.own_contracts.values())
    _check_axes([config.for_file(path).contract or "auto" for path in options.paths], own, dict(options.axes))
    asked = []
    try:
        for path in options.paths:
            wish = config.asked_of(path)
            asked.append(Asked(path, wish.contract or "auto", wish.axes))
    except ConfigError as error:
        raise UsageError(escape(str(error))) from None
    reports = validate_each(
        asked,
        jobs=options.jobs,
        headers_only=options.headers_only,
        strict_archive=options.strict_archive,
        limits=limits_of(options),
        own_contracts=own,
        pictures=options.pictures or any(REPORTERS[one.format].pictures for one in wanted),
    )
    colour = _colour(options.color, stderr)
    with (
        contextlib.closing(reports),
        contextlib.closing(watched(options.paths, len(options.paths), stderr, colour=colour)) as paths,
    ):
        try:
            return [report for _, report in zip(paths, reports, strict=True)]
        except ThreadsError as error:
            raise RefusedError(str(error)) from None


def _check_axes(
    asked: Sequence[str | Contract], own: Sequence[Contract], axes: Mapping[str, Sequence[int | str]]
) -> None:
    """Axes on the command line must be known to a contract that a file may be checked against."""
    from .named_axes import check_axes

    named = [one for one in asked if not isinstance(one, str)]
    try:
        check_axes(named if len(named) == len(asked) else [*named, *own, *map(load, shipped())], axes)
    except ValueError as error:
        raise UsageError(escape(f"--axes: {error}")) from None


def _saved(options: argparse.Namespace) -> Sequence[Report]:
    """What was saved, rendered again: options that say how data is read have nothing to act on."""
    from .saved import SavedError, read

    usual = parser()
    for name in ("paths", "contract", "headers_only", "axes", "strict_archive", "max_expansion", "pictures", "jobs"):
        if (value := getattr(options, name)) and value != usual.get_default(name):
            said = "PATH" if name == "paths" else f"--{name.replace('_', '-')}"
            raise UsageError(f"--from-report reads no data; leave out {said}")
    try:
        return read(options.from_report)
    except SavedError as error:
        raise UsageError(escape(str(error))) from None


def _style(options: argparse.Namespace, config: Config, stdout: TextIO) -> Style:
    from .reporters import Style

    return Style(
        colour=_colour(options.color, stdout),
        verbosity=1 if options.verbose else -1 if options.quiet else 0,
        columns=shutil.get_terminal_size().columns if stdout.isatty() else None,
        fail_on=config.fail_on,
        pictures=options.pictures or options.from_report is not None,
    )


def _status(reports: Sequence[Report], fail_on: Level) -> int:
    from .settings import failing

    if any(report.verdict == "unreadable" for report in reports):
        return 2
    return int(any(failing(report, fail_on) for report in reports))


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
    for word, text in (("Why", rule.why), ("What to do", rule.advice()), ("Example", rule.example)):
        lines += textwrap.wrap(f"{word}: {text}", width=88, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
