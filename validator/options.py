"""The options of validate-npz: what may be asked, in the words of --help."""

from __future__ import annotations

import argparse
from typing import Final

from npzschema.terminal import Parser, tool_options

from .outputs import Wanted
from .reading_options import add_reading_options
from .reporters import REPORTERS

MOST_JOBS: Final = 256

_EPILOG: Final = """\
exit status:
  0    no finding at or above --fail-on, but for known ones
  1    findings
  2    could not check: unreadable file, wrong usage, or a fault of the tool
  130  interrupted
  143  terminated (SIGTERM); 129: hung up (SIGHUP)

files:
  npzschema.toml, or pyproject.toml with a table [tool.npzschema]
        configuration; the nearest one counts, from the working directory upwards
  PATH with .json instead of .npz
        sidecar; where there is one, its checksum is compared

environment:
  NO_COLOR    no colour, where set and not empty
  TERM        no colour, where "dumb"
  GITHUB_STEP_SUMMARY
              a file to which --format github appends its summary

examples:
  validate-npz scan.npz                      is it ready for training?
  validate-npz --headers-only data/*.npz     names, shapes and dtypes only
  validate-npz --contract ./mine.json a.npz  against a contract of your own
  validate-npz --explain FORMAT-001          what a finding means, and what to do
  validate-npz --report sarif=out.sarif --report html=out.html data/*.npz
                                             look at the text, keep the rest
  validate-npz --from-report out.json --format markdown
                                             the same again, in another form
  validate-npz --write-baseline known.json data/*.npz
                                             accept what is wrong today ...
  validate-npz --baseline known.json data/*.npz
                                             ... and fail on what is new
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="validate-npz",
        usage="validate-npz [OPTION]... PATH...",
        description="Check ptychography datasets in NPZ files against a contract, and name every deviation.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    _read(made.add_argument_group("what is read"))
    _asked(made.add_argument_group("what is asked"))
    _known(made.add_argument_group("known findings"))
    _report(made.add_argument_group("report"))
    _told(made.add_argument_group("told without a file"))
    return made


Group = argparse._ArgumentGroup  # noqa: SLF001 - argparse gives its type no public name


def _read(made: Group) -> None:
    made.add_argument("paths", nargs="*", metavar="PATH", help="NPZ files; after -- a name may begin with a dash")
    made.add_argument(
        "--headers-only",
        action="store_true",
        help="names, shapes and dtypes only; reads no values but the text of the metadata",
    )
    add_reading_options(made)
    made.add_argument(
        "--strict-archive",
        action="store_true",
        help="read every member to its checksum, and inflate it as numpy does, by zlib: slower",
    )
    made.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N|auto",
        help="files checked at a time, each in a process of its own; auto: one a core (default: 1)",
    )


def _asked(made: Group) -> None:
    made.add_argument(
        "--contract",
        metavar="ID|FILE|auto",
        help="contract to check against (default: the configuration's, else auto: what the file declares, else "
        "ptychopinn/canonical)",
    )
    made.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="PREFIX",
        help="only findings whose code begins so, such as SCAN; may be repeated; wins over the configuration",
    )
    made.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="PREFIX",
        help="no findings whose code begins so; may be repeated; an unreadable file stays unreadable",
    )
    made.add_argument(
        "--level",
        action="append",
        default=[],
        type=_level,
        metavar="CODE=LEVEL",
        help="level of a rule: error, warning, info or off, such as SCAN-002=error; may be repeated",
    )
    made.add_argument(
        "--fail-on",
        choices=("error", "warning", "info"),
        help="least level that gives exit status 1 (default: the configuration's, else error)",
    )
    made.add_argument("--config", metavar="FILE", help="this configuration instead of the nearest one")
    made.add_argument("--isolated", action="store_true", help="no configuration at all")


def _known(made: Group) -> None:
    made.add_argument(
        "--baseline",
        metavar="FILE",
        help="findings that FILE knows do not fail (default: the configuration's baseline, else none)",
    )
    made.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write what fails now to FILE; what it knew already keeps its reason, what is gone is dropped",
    )
    made.add_argument("--reason", metavar="TEXT", help="why the newly written ones are accepted (default: empty)")


def _report(made: Group) -> None:
    made.add_argument("--format", choices=tuple(REPORTERS), default="text", help="form of the report (default: text)")
    made.add_argument("--output", metavar="FILE", help="write the report to a file instead of standard output")
    made.add_argument(
        "--report",
        action="append",
        default=[],
        type=_one_more,
        dest="reports",
        metavar="FORMAT=FILE",
        help="write one more report to a file; may be repeated",
    )
    made.add_argument(
        "--pictures",
        action="store_true",
        help="also gather what the file looks like, for json; html has it anyway",
    )
    made.add_argument(
        "--from-report",
        metavar="FILE",
        help="render a report that was saved as json, without reading any data",
    )
    made.add_argument("-q", "--quiet", action="store_true", help="errors only; nothing for a file that passes")
    made.add_argument(
        "-v", "--verbose", action="store_true", help="also infos, known findings, and facts of each array"
    )
    made.add_argument(
        "--color",
        "--colour",
        dest="color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour (default: auto: on a terminal, unless NO_COLOR is set)",
    )


def _told(made: Group) -> None:
    made.add_argument("--explain", metavar="CODE", help="say what a rule means and what to do, and stop")
    made.add_argument("--list-rules", action="store_true", help="list all rules and stop")
    made.add_argument(
        "--list-contracts", action="store_true", help="list the contracts that ship with the tool and stop"
    )
    made.add_argument("--version", action="store_true", help="print the version and stop")
    tool_options(made, parser)


def _level(text: str) -> tuple[str, str]:
    code, _, level = text.partition("=")
    if level not in {"error", "warning", "info", "off"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not CODE=error, warning, info or off")
    return code, level


def _one_more(text: str) -> Wanted:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not FORMAT=FILE")
    if name not in REPORTERS:
        raise argparse.ArgumentTypeError(f"no format {name!r}; there are {', '.join(REPORTERS)}")
    return Wanted(format=name, path=path)


def _jobs(text: str) -> int:
    if text == "auto":
        from .threads import CORES

        return CORES
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST_JOBS):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is neither a number from 1 to {MOST_JOBS} nor auto")
    return int(text)
