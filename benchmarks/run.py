"""Speed and memory as ratios, side by side in one run: `make bench`.

    python benchmarks/run.py [--rounds 5] [--sizes 16,256,1024] [--folder DIR] [--page docs/benchmarks.md]

Ours and the peer's work run in turn; a figure is the median of the ratios. In-process rows have all imports done.
Memory is the peak of a fresh process. Besides the table a suite for `pyperf compare_to` is written.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import datasets
import limits
import peers
import pyperf
from datasets import Kind
from measure import Pair, paired, peak, process, run, timed

import npzschema
from npzschema.contracts import Contract, from_document, load

HERE: Final = Path(__file__).resolve().parent
PYTHON: Final = sys.executable
VALIDATE: Final = [str(Path(PYTHON).with_name("validate-npz"))]
CONVERT: Final = [str(Path(PYTHON).with_name("generate-npz")), "convert", "--force"]
PEER: Final = [PYTHON, str(HERE / "peers.py")]
MANY: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table. ``kept`` is None where there is no aim."""

    work: str
    figure: str
    aim: str = ""
    kept: bool | None = None
    suite: list[pyperf.Benchmark] = field(default_factory=list)


def faster(work: str, pair: Pair, least: float | None, note: str = "") -> Row:
    """A row whose figure is how often as fast ours is as the peer's."""
    low, high = pair.spread
    return Row(
        work=work,
        figure=f"{pair.ratio:.2f} times as fast ({low:.2f} to {high:.2f}){note}",
        aim=f"at least {least:g}" if least else "",
        kept=pair.ratio >= least if least else None,
        suite=pair.benchmarks(work),
    )


def longer(work: str, pair: Pair, most: float) -> Row:
    """A row whose figure is how long ours takes, measured in the peer's time."""
    return Row(
        work=work,
        figure=f"{1 / pair.ratio:.2f} times as long",
        aim=f"at most {most:g}",
        kept=1 / pair.ratio <= most,
        suite=pair.benchmarks(work),
    )


def start_up(folder: Path, rounds: int) -> Iterator[Row]:
    small = datasets.make(folder / "small.npz", Kind(mebibytes=1))
    for work, ours, imports, most in (
        ("start-up: small file, headers only", ["--headers-only"], "numpy, jsonschema", 1.6),
        ("small file, everything", [], "numpy, jsonschema, pandera.polars", 1.5),
    ):
        peer = [PYTHON, "-c", f"import {imports}"]
        pair = paired(process([*VALIDATE, *ours, str(small)]), process(peer), 2 * rounds)
        yield longer(f"{work}, against `import {imports}`", pair, most)


def without_forward_model() -> Contract:
    document = {
        "id": "bench/plain",
        "version": "1.0.0",
        "title": "canonical, without its forward model",
        "extends": "ptychopinn/canonical",
        "scan": {"forwardModel": None},
    }
    return from_document(document, "bench")


def validation(folder: Path, sizes: list[int], rounds: int) -> Iterator[Row]:
    kinds = [Kind(mebibytes=size, deflated=deflated) for size in sizes for deflated in (True, False)]
    middle = min(256, max(sizes))
    kinds += [Kind(mebibytes=middle, form="legacy"), Kind(mebibytes=middle, content="noise")]
    kinds += [Kind(mebibytes=middle, writer="numpy"), Kind(mebibytes=middle, form="legacy", writer="numpy")]
    base = peak([*VALIDATE, str(datasets.make(folder / "base.npz", Kind(mebibytes=16)))])
    for kind in kinds:
        path = datasets.make(folder / "one.npz", kind)
        validate = partial(npzschema.validate, str(path))
        pair = paired(timed(validate), timed(partial(peers.check, str(path))), rounds)
        least = (2.2 if kind.deflated else 2.0) if kind.mebibytes >= middle else None
        yield faster(f"full validation, {kind.words}, against load and check", pair, least)
        yield from share_of_limit(path, kind, rounds)
        if kind == Kind(mebibytes=kind.mebibytes, deflated=kind.deflated):
            whole = paired(process([*VALIDATE, str(path)]), process([*PEER, "check", str(path)]), rounds)
            yield faster(f"the same as whole processes, {kind.words}", whole, None)
            headers = timed(partial(npzschema.validate, str(path), headers_only=True))
            pair = paired(headers, timed(partial(peers.load, str(path))), rounds)
            least = 100 if kind.mebibytes == middle else None
            yield faster(
                f"`--headers-only`, {kind.words}, against load", pair, least, f"; reads {bytes_read(path):,} bytes"
            )
            yield memory(f"peak memory, {kind.words}, against 16 MiB", peak([*VALIDATE, str(path)]) - base, 64)
        if kind == Kind(mebibytes=middle):
            plain = partial(npzschema.validate, str(path), without_forward_model())
            pair = paired(timed(validate), timed(plain), 2 * rounds)
            yield longer(f"with the forward model, {kind.words}, against without", pair, 1.15)
        path.unlink()


def share_of_limit(path: Path, kind: Kind, rounds: int) -> Iterator[Row]:
    """Full validation as a share of what the slower of inflating and one pass over memory would take."""
    data, size, deflated = limits.largest_member(path)
    alone = limits.inflating(data) if deflated else limits.passing(data)
    pair = paired(timed(partial(npzschema.validate, str(path))), timed(alone), rounds)
    rate = size / (1 << 30) / sorted(pair.peers)[len(pair.peers) // 2]
    what = "`isal` alone inflates" if deflated else "a plain `max` passes over"
    yield Row(
        work=f"share of the limit, {kind.words}",
        figure=f"{pair.ratio:.0%}; {what} {rate:.2f} GiB/s",
        aim="85%" if deflated and kind.mebibytes >= 256 else "",
        kept=pair.ratio >= 0.85 if deflated and kind.mebibytes >= 256 else None,
        suite=pair.benchmarks(f"limit, {kind.words}"),
    )


def bytes_read(path: Path) -> int:
    """Bytes that `--headers-only` asks its source for."""
    from npzschema.validator.source import FileSource

    total = 0

    class Counting:
        def __init__(self, source: FileSource) -> None:
            self._source, self.size = source, source.size

        def read(self, offset: int, length: int) -> bytes:
            nonlocal total
            total += length
            return self._source.read(offset, length)

    with FileSource(path) as source:
        npzschema.validate(Counting(source), headers_only=True)
    return total


def memory(work: str, mebibytes: float, most: float) -> Row:
    return Row(work=work, figure=f"{mebibytes:+.0f} MiB", aim=f"within {most:g} MiB", kept=mebibytes <= most)


def converting(folder: Path, sizes: list[int], rounds: int) -> Iterator[Row]:
    middle = min(256, max(sizes))
    for writer in ("numpy", "generate-npz"):
        kind = Kind(mebibytes=middle, form="legacy", writer=writer)
        source = datasets.make(folder / "legacy.npz", kind)
        ours = process([*CONVERT, str(source), str(folder / "ours.npz")])
        for peer, words in (("convert", "load, transpose, cast, save"), ("transpose", "load, transpose, save")):
            pair = paired(ours, process([*PEER, peer, str(source), str(folder / "peer.npz")]), 2 * rounds)
            yield faster(f"convert {kind.words}, against {words}", pair, 5)
    for size in sorted({middle, max(sizes)}):
        source = datasets.make(folder / "legacy.npz", Kind(mebibytes=size, form="legacy"))
        most = peak([*CONVERT, str(source), str(folder / "ours.npz")])
        yield Row(
            work=f"peak memory of convert, {size:,} MiB",
            figure=f"{most:.0f} MiB",
            aim="within 300 MiB",
            kept=most <= 300,
        )
        source.unlink()


def many_files(folder: Path, rounds: int) -> Iterator[Row]:
    first = datasets.make(folder / "0.npz", Kind(mebibytes=2))
    paths = [str(first), *(str(shutil.copy(first, folder / f"{at}.npz")) for at in range(1, MANY))]
    one_by_one = timed(lambda: [run([*VALIDATE, path]) for path in paths])
    pair = paired(process([*VALIDATE, *paths]), one_by_one, 1)
    yield faster(f"{MANY} files of 2 MiB in one call, against a process each", pair, 8)
    pair = paired(process([*VALIDATE, "--jobs", "2", *paths]), process([*VALIDATE, *paths]), 2 * rounds)
    yield faster(f"{MANY} files of 2 MiB, `--jobs 2` against 1", pair, 1.7)


def page(rows: list[Row], rounds: int, load_average: float) -> str:
    """The table, with everything it depends on."""
    facts = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{_cpu()}, {os.cpu_count()} cores, load {load_average:.1f} at the start",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("npzschema", "numpy", "isal", "polars", "pandera", "jsonschema")},
        "contract": f"ptychopinn/canonical {load('ptychopinn/canonical').version}",
    }
    lines = [
        "# Measured speed and memory",
        "",
        f"Written by `make bench`: ours and the peer in turn, medians of the ratios of {rounds} rounds,",
        "or twice as many for start-up, conversions and `--jobs`.",
        "What takes less than 20 ms in one process is repeated until that has passed, as timeit does.",
        "Files are written as generate-npz writes them, deflated in pieces, but for those by numpy, in one stream. The limit",
        "is that of one core.",
        "What the figures mean and what was tried: [performance](performance.md).",
        "",
        "; ".join(f"{name} {value}" for name, value in facts.items()) + ".",
        "",
        "| Work | Measured | Aim | |",
        "| --- | --- | --- | --- |",
    ]
    mark = {True: "kept", False: "**missed**", None: ""}
    lines += [f"| {row.work} | {row.figure} | {row.aim} | {mark[row.kept]} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="16,256,1024", help="MiB of patterns, comma-separated")
    parser.add_argument("--folder", help="where datasets are made (default: a temporary folder)")
    parser.add_argument("--page", type=Path, help="a page to write the table to")
    parser.add_argument("--suite", type=Path, help="a file for `pyperf compare_to`")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    load_average = os.getloadavg()[0]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        parts: list[Callable[[], Iterator[Row]]] = [
            partial(start_up, folder, options.rounds),
            partial(validation, folder, sizes, options.rounds),
            partial(converting, folder, sizes, options.rounds),
            partial(many_files, folder, options.rounds),
        ]
        for part in parts:
            for row in part():
                rows.append(row)
                print(f"{row.work:72} {row.figure:44} {row.aim:16} {'MISSED' if row.kept is False else ''}", flush=True)
    if options.page:
        options.page.write_text(page(rows, options.rounds, load_average), encoding="utf-8")
    if options.suite:
        suite: Any = pyperf.BenchmarkSuite([one for row in rows for one in row.suite])
        suite.dump(str(options.suite), replace=True)


if __name__ == "__main__":
    main()
