"""Files of hundreds of megabytes, most of them holes: what they claim takes neither memory nor time."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from .handmade import ARRAYS, CENTRAL, END, END64, FRAMES, LOCAL, LOCATOR, Part, archive, npy, npy_of, pack, parts

MIB = 1 << 20
PROCESS = 300
"""MiB, as for the corpus."""


class Sparse:
    """An archive that is written member by member, with holes for zeros."""

    def __init__(self, path):
        self._file, self._directory = path.open("wb"), []

    def add(self, name, head, zeros=0, extra=b""):
        crc = zlib.crc32(head)
        for at in range(0, zeros, MIB):
            crc = zlib.crc32(bytes(min(MIB, zeros - at)), crc)
        part = Part(name=name, body=b"", both={"crc": crc, "compressed": len(head) + zeros, "size": len(head) + zeros})
        at = self._file.tell()
        self._file.write(pack("<5H3L2H", part.local_mark, LOCAL, part.fields({}, extra, name)) + name + extra + head)
        self._file.seek(zeros, 1)
        self._directory.append(
            pack("<6H3L5H2L", part.central_mark, CENTRAL, part.fields({"offset": at}, b"", name)) + name
        )

    def close(self):
        start, data = self._file.tell(), b"".join(self._directory)
        self._file.write(data)
        self._file.write(end(len(self._directory), start, len(data)))
        self._file.close()


def end(count, start, length):
    values = {"disk": 0, "first": 0, "here": count, "count": count, "start": start, "length": length, "n_comment": 0}
    return pack("<4H2LH", b"PK\x05\x06", END, values)


def others(made, *without):
    for name, array in ARRAYS.items():
        if name not in without:
            made.add(f"{name}.npy".encode(), npy(array))


def patterns(path):
    made = Sparse(path)
    others(made, "diffraction")
    header = npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 64, 64), }\n")
    made.add(b"diffraction.npy", header, 1 << 30)
    made.close()


def beside(path):
    made = Sparse(path)
    others(made)
    made.add(b"extra.npy", npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,), }\n"), 1 << 30)
    made.close()


def array_header(path):
    made = Sparse(path)
    others(made, "diffraction")
    made.add(b"diffraction.npy", b"\x93NUMPY\x02\x00" + struct.pack("<L", 300 * MIB), 300 * MIB)
    made.close()


def metadata(path):
    made = Sparse(path)
    others(made)
    made.add(b"_metadata.npy", npy_of("{'descr': '<U78643200', 'fortran_order': False, 'shape': (), }\n"), 300 * MIB)
    made.close()


def headers(path):
    made = Sparse(path)
    others(made)
    extra = struct.pack("<2H", 0x9999, 0xFFFF - 4) + bytes(0xFFFF - 4)
    for number in range(990):
        made.add(b"%d.npy" % number, npy(np.zeros(3)), extra=extra)
    made.close()


def empty_fields(path):
    made = Sparse(path)
    for number in range(990):
        made.add(b"%d.npy" % number, b"", extra=struct.pack("<2H", 0x9999, 0) * 16_383)
    made.close()


def tail(path):
    path.write_bytes(archive(parts()))
    with path.open("rb+") as file:
        file.truncate(300 * MIB)


def marks_in_tail(path):
    path.write_bytes(archive(parts()))
    with path.open("rb+") as file:
        file.seek(300 * MIB)
        file.write(b"PK\x05\x06" * 20_000)


def directory(path, count=900, length=300 * MIB):
    with path.open("wb") as file:
        file.write(b"PK\x03\x04" + FRAMES)
        file.seek(length, 1)
        file.write(end(count, file.tell() - length, length))


def ten_million(path):
    count = 10_000_000
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.seek(46 * count, 1)
        at = file.tell()
        values = {"record": 44, "made": 45, "version": 45, "disk": 0, "first": 0, "here": count, "count": count}
        values |= {"length": at - 4, "start": 4}
        file.write(pack("<Q2H2L4Q", b"PK\x06\x06", END64, values))
        file.write(pack("<LQL", b"PK\x06\x07", LOCATOR, {"disk": 0, "at": at, "disks": 1}))
        file.write(end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF))


HUGE = {
    "a directory of 10 MiB": (lambda path: directory(path, length=10 * MIB), 2, "FILE-009"),
    "a directory of 300 MiB": (directory, 2, "FILE-009"),
    "ten million members": (ten_million, 2, "FILE-009"),
    "300 MiB behind the archive": (tail, 2, "FILE-002"),
    "300 MiB behind the archive, and false ends": (marks_in_tail, 2, "FILE-002"),
    "headers of 62 MiB": (headers, 0, "valid"),
    "headers of 62 MiB, of empty fields": (empty_fields, 2, "FILE-002"),
    "the header of an array of 300 MiB": (array_header, 2, "FILE-010"),
    "metadata of 300 MiB": (metadata, 1, "META-001"),
    "1 GiB of zeros outside the contract": (beside, 0, "valid"),
    "1 GiB of zeros for patterns": (patterns, 1, "SHAPE-002"),
}

CHILD = """
import json, resource, sys
from tests.validator.hostile_child import command, generate, peak_mib, validate
# A reader that hangs, or takes far too long, is killed.
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
name = sys.argv[1]
told = {"validate": command(validate, name), "convert": command(generate, "convert", name, name + ".out.npz")}
sys.stdout.write(json.dumps([told, peak_mib()]))
"""


@pytest.mark.parametrize("what", HUGE)
def test_what_is_huge(what, tmp_path):
    make, status, code = HUGE[what]
    path = tmp_path / "scan.npz"
    make(path)
    before = path.stat().st_size, path.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        capture_output=True, text=True, check=False, timeout=300, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    told, peak = json.loads(done.stdout)
    assert peak < PROCESS
    assert told["validate"]["status"] == status
    assert f"  {code} " in told["validate"]["out"]
    assert (path.stat().st_size, path.stat().st_mtime_ns) == before
    convert = told["convert"]
    made = [path.with_name("scan.npz.out.npz")] if convert["status"] == 0 else []
    assert sorted(tmp_path.iterdir()) == sorted([path, *made])
    assert convert["status"] == 0 or convert["err"].count("\n") == 1
    assert convert["status"] in ((2,) if status else (0, 2))
