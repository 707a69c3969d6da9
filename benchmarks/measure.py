"""Timing in pairs. These machines are noisy and drift: only ratios of runs side by side mean something."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pyperf


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Seconds of two kinds of work, run in turn, one ratio a pair: how often as fast the first is as the second."""

    ours: tuple[float, ...]
    peers: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return statistics.median(peer / mine for mine, peer in zip(self.ours, self.peers, strict=True))

    @property
    def spread(self) -> tuple[float, float]:
        ratios = [peer / mine for mine, peer in zip(self.ours, self.peers, strict=True)]
        return min(ratios), max(ratios)

    def benchmarks(self, name: str) -> list[pyperf.Benchmark]:
        """The same for pyperf, which compares one suite with another."""
        return [
            pyperf.Benchmark([pyperf.Run(values, metadata={"name": f"{name}: {who}"}, collect_metadata=False)])
            for who, values in (("ours", self.ours), ("peer", self.peers))
        ]


def paired(ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> Pair:
    """Both in turn; the first round warms up and is not counted."""
    pairs = [(ours(), peer()) for _ in range(rounds + 1)][1:]
    return Pair(ours=tuple(mine for mine, _ in pairs), peers=tuple(theirs for _, theirs in pairs))


SHORTEST: Final = 0.02
"""Seconds below which work is done again and again: what a clock tells of a millisecond is mostly what ran before."""


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Work in this process."""

    def once() -> float:
        began, count = time.perf_counter(), 0
        while True:
            work()
            count += 1
            passed = time.perf_counter() - began
            if passed >= SHORTEST:
                return passed / count

    return once


def run(command: Sequence[str]) -> float:
    """Wall seconds of one fresh process from start to end. Exit status 1 is a finding, not a failure."""
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return seconds


_LAUNCH: Final = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(command: Sequence[str]) -> float:
    """Peak memory of one fresh process, MiB.

    Linux counts what the process that starts another holds as the other's too: a small one starts it.
    """
    done = subprocess.run([sys.executable, "-S", "-c", _LAUNCH, *command], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def process(command: Sequence[str]) -> Callable[[], float]:
    """Work in a process of its own."""
    return lambda: run(command)
