"""The options of validate-npz: what may be asked, in the words of --help."""

from __future__ import annotations

import argparse
from typing import Final

from npzschema.contracts.terminal import Parser

from .outputs import Wanted
from .reporters import REPORTERS

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
  validate-npz --report sarif=out.sarif --report json=out.json data/*.npz
                                             look at the text, keep the rest
  validate-npz --from-report out.json --format markdown
                                             the same again, in another form
"""


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
    made.add_argument("--format", choices=tuple(REPORTERS), default="text", help="form of the report")
    made.add_argument("--output", metavar="FILE", help="write the report to a file instead of standard output")
    made.add_argument(
        "--report",
        action="append",
        default=[],
        type=_report,
        dest="reports",
        metavar="FORMAT=FILE",
        help="write one more report to a file; may be repeated",
    )
    made.add_argument(
        "--from-report",
        metavar="FILE",
        help="render a report that was saved with --format json, without reading any data",
    )
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


def _report(text: str) -> Wanted:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not FORMAT=FILE")
    if name not in REPORTERS:
        raise argparse.ArgumentTypeError(f"no format {name!r}; there are {', '.join(REPORTERS)}")
    return Wanted(format=name, path=path)


def _ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a ratio of at least 1")
    return value
