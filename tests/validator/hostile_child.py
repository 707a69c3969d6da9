"""Every file of a folder through the commands, in this process: ``python hostile_child.py FOLDER`` prints JSON.

Memory is that of the process, looked at after each file. No limit on address space is set: the allocator of polars
reserves gigabytes that it never touches, and aborts where it may not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import sys
from pathlib import Path

from npzschema.generator.cli import run as generate
from npzschema.terminal import UsageError
from npzschema.validator.cli import run as validate


def command(run, *argv):
    out, err = io.StringIO(), io.StringIO()
    try:
        status = run(list(argv), out, err)
    except UsageError as error:
        return {"status": 2, "out": out.getvalue(), "err": f"{error}\n"}
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


def forget_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_mib():
    """Since the last call of :func:`forget_peak`, where there is /proc; else since the start."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) >> 10
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main(folder):
    os.chdir(folder)
    results = {}
    for name in sorted(name for name in os.listdir(".") if name.endswith(".npz")):
        before = hashlib.sha256(Path(name).read_bytes()).digest()
        files = set(os.listdir("."))
        forget_peak()
        results[name] = {
            "validate": command(validate, "-v", name),
            "strict": command(validate, "--strict-archive", name),
            "headers": command(validate, "--headers-only", name),
            "convert": command(generate, "convert", name, "out.npz"),
            "fixture": command(generate, "fixture", "--source", name, "--output", "cut.npz"),
            "peak": peak_mib(),
        }
        for made, by in (("out.npz", "convert"), ("cut.npz", "fixture"), ("cut.json", "fixture")):
            if results[name][by]["status"] == 0:
                Path(made).unlink()
        results[name]["stray"] = sorted(set(os.listdir(".")) - files)
        results[name]["changed"] = hashlib.sha256(Path(name).read_bytes()).digest() != before
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1])
