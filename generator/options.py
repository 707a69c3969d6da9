"""What generate-npz is asked for: the arguments of each command."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from npzschema import __version__
from npzschema.contracts.steps import LOSSY
from npzschema.terminal import Parser, command, tool_options
from npzschema.validator.reading_options import add_reading_options
from npzschema.validator.words import enumerate_words

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]  # noqa: SLF001 - argparse gives its types no public names

_EPILOG: Final = """\
exit status:
  0    written; with --dry-run: it could be, by the steps named
  2    nothing written: wrong usage, or it could not be made
  130  interrupted
  143  terminated (SIGTERM); 129: hung up (SIGHUP)

files:
  OUT.npz with .json instead of .npz
        sidecar of a fixture: its source, every step, checksums

environment:
  SOURCE_DATE_EPOCH    the time that a sidecar names, in seconds since 1970: same input, same bytes

examples:
  generate-npz convert old.npz new.npz                         a mended copy
  generate-npz fixture --source scan.npz --output small.npz    64 frames for your tests
  generate-npz simulate --output sim.npz                       a measurement that never was
  generate-npz break --rule FORMAT-001 sim.npz legacy.npz      wrong on purpose

generate-npz COMMAND --help tells more.
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="generate-npz",
        usage="generate-npz COMMAND ...",
        description="Make ptychography datasets that keep their contract: cut from a real one, mended, or simulated.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    commands = made.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    _convert(commands)
    _fixture(commands)
    _simulate(commands)
    _break(commands)
    about = made.add_argument_group("told without a dataset")
    about.add_argument(
        "--version", action="version", version=f"generate-npz {__version__}", help="print the version and stop"
    )
    tool_options(about, parser)
    return made


def _convert(commands: Commands) -> None:
    made = command(
        commands,
        "convert",
        "write a mended copy of a dataset",
        usage="generate-npz convert [OPTION]... IN.npz OUT.npz",
        examples="""\
generate-npz convert old.npz new.npz             lossless steps only
generate-npz convert --dry-run old.npz           what it would do
generate-npz convert --allow cast old.npz new.npz
                                                 a step that loses something, by name
""",
    )
    made.add_argument("source", metavar="IN.npz", help="the dataset to mend; never changed")
    made.add_argument("target", metavar="OUT.npz", nargs="?", help="the file to write; not needed with --dry-run")
    what = made.add_argument_group("what is made")
    what.add_argument(
        "--contract",
        default="ptychopinn/canonical",
        metavar="ID|FILE",
        help="what it should become (default: ptychopinn/canonical)",
    )
    _steps(what)
    what.add_argument("--dry-run", action="store_true", help="list the steps, lossy ones too, and write nothing")
    what.add_argument(
        "--keep-legacy-names",
        action="store_true",
        help="write the patterns under both names, for readers of either kind",
    )
    where = _output(made)
    where.add_argument("--metadata-out", metavar="M.json", help="also write a record of the source and of every step")


def _fixture(commands: Commands) -> None:
    made = command(
        commands,
        "fixture",
        "cut a small deterministic fixture from a dataset",
        usage="generate-npz fixture [OPTION]... --source S.npz --output O.npz",
        examples="""\
generate-npz fixture --source scan.npz --output tests/small.npz
                                                 64 frames, with a record of their origin
generate-npz fixture --source scan.npz --output small.npz --positions strided
                                                 spread over the whole scan
""",
    )
    what = made.add_argument_group("what is made")
    what.add_argument("--source", required=True, metavar="S.npz", help="the dataset to cut from, in any known layout")
    what.add_argument("--subset-size", type=int, default=64, metavar="N", help="number of positions (default: 64)")
    what.add_argument(
        "--positions",
        choices=("first", "strided"),
        default="first",
        help="the first ones, or evenly spaced over the scan (default: first)",
    )
    what.add_argument(
        "--contract",
        default="ptychopinn/fixture-v1",
        metavar="ID|FILE",
        help="what the fixture must keep (default: ptychopinn/fixture-v1)",
    )
    _steps(what)
    where = _output(made)
    where.add_argument("--output", required=True, metavar="O.npz", help="the file to write")
    where.add_argument("--metadata-out", metavar="M.json", help="the sidecar (default: the output's name with .json)")


def _steps(made: argparse._ArgumentGroup) -> None:
    made.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="STEP",
        help=f"a step that may be taken: {enumerate_words(tuple(LOSSY), 'or')}; may be repeated",
    )
    add_reading_options(made)


def _output(made: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    where = made.add_argument_group("what is written")
    where.add_argument(
        "--compress",
        choices=("isal", "zlib", "none"),
        default="isal",
        help="isal: fast; zlib: smaller; none (default: isal)",
    )
    where.add_argument(
        "--level",
        type=int,
        choices=range(10),
        metavar="0-9",
        help="of the compression: 0 to 3 for isal, 0 to 9 for zlib",
    )
    where.add_argument("--force", action="store_true", help="replace an existing output")
    return where


def _simulate(commands: Commands) -> None:
    made = command(
        commands,
        "simulate",
        "simulate a measurement",
        usage="generate-npz simulate [OPTION]... --output O.npz",
        examples="""\
generate-npz simulate --output sim.npz           100 positions, 64x64 patterns
generate-npz simulate --output sim.npz --scan fermat --photons 1e5 --png sim.png
                                                 noisier, along a spiral, with a picture
""",
    )
    what = made.add_argument_group("what is made")
    what.add_argument(
        "--contract", default="ptychopinn/canonical", metavar="ID", help="its form (default: ptychopinn/canonical)"
    )
    what.add_argument(
        "--positions",
        type=int,
        default=None,
        metavar="N",
        help="scan positions (default: 100, or what the contract fixes)",
    )
    what.add_argument(
        "--size", type=int, default=64, metavar="PIXELS", help="side of the detector and of the probe (default: 64)"
    )
    what.add_argument(
        "--probe", choices=("gaussian", "disc", "zone-plate"), default="gaussian", help="(default: gaussian)"
    )
    what.add_argument(
        "--object", choices=("smooth", "siemens", "photograph"), default="smooth", help="(default: smooth)"
    )
    what.add_argument(
        "--object-shape",
        type=_shape,
        metavar="ROWSxCOLUMNS",
        help="size of the object; a scan that has no room in it is drawn closer (default: as large as the scan needs)",
    )
    what.add_argument(
        "--scan", choices=("raster", "fermat", "concentric"), default="raster", help="path (default: raster)"
    )
    what.add_argument(
        "--overlap",
        type=float,
        default=0.7,
        metavar="FRACTION",
        help="of neighbouring probe footprints; steps are one pixel at least (default: 0.7)",
    )
    what.add_argument("--photons", type=float, default=None, metavar="COUNT", help="expected per frame (default: 1e6)")
    what.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    where = _output(made)
    where.add_argument("--output", required=True, metavar="O.npz", help="the file to write")
    where.add_argument("--png", metavar="P.png", help="also draw probe, object with scan path, and mean pattern")


def _break(commands: Commands) -> None:
    made = command(
        commands,
        "break",
        "break a valid dataset in one place, to see what the validator says",
        usage="generate-npz break [OPTION]... --rule CODE IN.npz OUT.npz",
        examples="generate-npz break --rule FORMAT-001 sim.npz legacy.npz",
    )
    made.add_argument("source", metavar="IN.npz", help="a valid dataset; never changed")
    made.add_argument("target", metavar="OUT.npz", help="the file to write")
    made.add_argument(
        "--rule", required=True, metavar="CODE", help="rule to break; validate-npz --list-rules lists them"
    )
    made.add_argument(
        "--contract", default="auto", metavar="ID|FILE|auto", help="what the source keeps (default: auto)"
    )
    made.add_argument("--force", action="store_true", help="replace an existing output")


def _shape(text: str) -> tuple[int, int]:
    rows, _, columns = text.partition("x")
    if not (rows.isdecimal() and columns.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not ROWSxCOLUMNS")
    return int(rows), int(columns)
