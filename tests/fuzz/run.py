"""Fuzz every target in turn, and write what was done to build/fuzz/summary.json.

``python -m tests.fuzz.run SECONDS [TARGET ...]``. Without atheris it says so and does nothing.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import re
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from .targets import LARGEST, TARGETS

FOLDER = Path("build/fuzz")
MEMORY = 2048
"""MiB: of libFuzzer's own corpus, numpy, polars and what is read."""


def seeds(name: str) -> Path:
    """A folder with the target's seeds, written anew; what an earlier run found stays beside them."""
    folder = FOLDER / "seeds" / name
    folder.mkdir(parents=True, exist_ok=True)
    for data in TARGETS[name].seeds():
        if len(data) <= LARGEST:
            (folder / sha256(data).hexdigest()[:20]).write_bytes(data)
    return folder


def fuzz(name: str, seconds: int, log: TextIO) -> dict[str, object]:
    """One target for some seconds, in a process of its own; its crashes are left in build/fuzz/crashes."""
    start, found, crashes = seeds(name), FOLDER / "found" / name, FOLDER / "crashes" / name
    for folder in (found, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.one",
        name,
        f"-max_total_time={seconds}",
        f"-artifact_prefix={crashes}/",
        f"-rss_limit_mb={MEMORY}",
        "-timeout=60",
        "-print_final_stats=1",
        str(found),
        str(start),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    log.write(done.stdout + done.stderr)
    log.flush()
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    covered = re.findall(r"cov: (\d+) ft: (\d+)", done.stderr)
    crash = re.findall(r"Test unit written to (\S+)", done.stderr)
    return {
        "seconds": seconds,
        "seeds": len(list(start.iterdir())),
        "executions": int(stats.get("number_of_executed_units", 0)),
        "edges": int(covered[-1][0]) if covered else 0,
        "peak_mib": int(stats.get("peak_rss_mb", 0)),
        "status": done.returncode,
        "crashes": crash,
    }


def main(argv: list[str]) -> int:
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write(
            f"fuzzing left out: atheris is not installed; it has wheels for CPython 3.11 to 3.13 on Linux, "
            f"this is {platform.python_implementation()} {platform.python_version()} on {platform.system()}\n"
        )
        return 0
    seconds, names = int(argv[0]), argv[1:] or list(TARGETS)
    share = max(1, seconds // len(names))
    FOLDER.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, object]] = {}
    with open(FOLDER / "log.txt", "w", encoding="utf-8") as log:
        for name in names:
            results[name] = one = fuzz(name, share, log)
            told = "" if one["status"] == 0 else f"  FAILED, {', '.join(map(str, one['crashes'])) or 'see log.txt'}"
            sys.stdout.write(
                f"{name:9} {one['seconds']:>5} s {one['executions']:>10,} executions {one['edges']:>6,} edges "
                f"{one['peak_mib']:>5} MiB{told}\n"
            )
            sys.stdout.flush()
            summary = {
                "python": platform.python_version(),
                "atheris": version("atheris"),
                "numpy": version("numpy"),
                "targets": results,
            }
            (FOLDER / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return int(any(one["status"] != 0 for one in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
