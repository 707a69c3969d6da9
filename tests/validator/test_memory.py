"""Freed memory is kept for the next array, as the system counts it."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from npzschema.validator.memory import keep_freed

if sys.argv[1] == "kept":
    keep_freed()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    # Several at once: the first of them to be freed would be enough of a sign otherwise.
    arrays = [np.ones(size << 20, dtype=np.uint8) for size in (1, 2, 3)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator is meant")
def test_pages_are_not_cleared_anew_for_each_array():
    kept, given_back = (
        int(
            subprocess.run(
                [sys.executable, "-c", textwrap.dedent(PROGRAM), how], capture_output=True, text=True, check=True
            ).stdout
        )
        for how in ("kept", "given back")
    )
    pages = (6 << 20) // 4096
    assert kept < 3 * pages
    assert kept < given_back
