"""Hostile arrays: their .npy headers and what comes before them, and what fuzzing found of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .handmade import ARRAYS, FRAMES, HEADER, Part, archive, filled, npy, npy_of, parts
from .hostile_case import MARKER, Case, of

NESTED = {"parentheses": "(", "brackets": "[", "braces": "{", "braces with keys": "{'a':", "signs": "-", "not": "not "}


def headers() -> Iterator[tuple[str, Case]]:
    """The .npy header, wrong in one place; the bytes that follow fit the right one."""
    good = {"descr": "'<f4'", "fortran_order": "False", "shape": "(5, 16, 16)"}

    def text(**changed: str) -> str:
        return "{" + "".join(f"'{key}': {value}, " for key, value in (good | changed).items()) + "}\n"

    wrong: dict[str, tuple[str, str | bytes]] = {}
    for shape in (
        "(True, 16, 16)",
        "(-5, 16, 16)",
        "(5, -16, -16)",
        "[5, 16, 16]",
        "5",
        "'5'",
        "None",
        "(5.0, 16, 16)",
        "(5, 16, '16')",
        "(5, 16, None)",
        "(5, (16, 16))",
        "(0x5, 16, 16)",
        "(5, 1_6, 16)",
        "(05, 16, 16)",
        "(5e0, 16, 16)",
        "(5j, 16, 16)",
        "(5l, 16, 16)",
        "(+5, 16, 16)",
        "(5*1, 16, 16)",
        "(5, 16, 16",
        "5, 16, 16)",
        "(5 16 16)",
        "(, 5)",
        "{5, 16, 16}",
        "range(5)",
        "(" + "1, " * 65 + ")",
        "(5, 16, 16, " + "9" * 31 + ")",
        "(0, " + str(1 << 64) + ")",
        "(" + str(1 << 40) + ", " + str(1 << 40) + ")",
        "(" + str(1 << 63) + ",)",
        "(0, " + str(1 << 62) + ", " + str(1 << 62) + ")",
        "(5, 16, 16) if 1 else ()",
        "*(5, 16, 16)",
        "(lambda: (5, 16, 16))()",
    ):
        wrong[f"shape {shape[:40]}"] = ("010", text(shape=shape))
    for shape in (
        "(5, 16, 17)",
        "(4, 16, 16)",
        "()",
        "(5,)",
        "(0, 16, 16)",
        "(65536, 65536)",
        "(65536, 65536, 65536)",
        "(4294967296,)",
        "(" + str(1 << 32) + ", " + str((1 << 29) - 1) + ")",
        "(5, 16, 4294967312)",
        "(" + str((1 << 61) - 1) + ",)",
    ):
        wrong[f"shape {shape}"] = ("007", text(shape=shape))
    for descr in (
        "'<f3'",
        "'g'",
        "'<f0'",
        "'<f5'",
        "'<x4'",
        "'S0'",
        "'|S0'",
        "'<U0'",
        "'|V0'",
        "''",
        "'<'",
        "None",
        "5",
        "True",
        "'<f4,<f4'",
        "'float32'",
        "'<f4 '",
        "' <f4'",
        "'<f4\\x00'",
        "'<f4\\n'",
        "'<f\\q'",
        "'\\074f4'",
        "'<M8[zz]'",
        "'<M8[]'",
        "'<M8[s'",
        "'<M8[0s/0]'",
        "'<U9999999999'",
        "'<U999999999'",
        "'<f99999999999999999999'",
        "'T'",
        "'|T16'",
        "'(2,)<f4'",
        "[]",
        "()",
        "{}",
        "('<f4',)",
        "('<f4', (1,))",
        "('<f4', (-1,))",
        "('<f4', 1)",
        "('<f4', (True,))",
        "[('a', '<f4'), ('a', '<f4')]",
        "[('a',)]",
        "['<f4']",
        "[('a', '<f4', (1,), 0)]",
        "[('a', 5)]",
        "[(5, '<f4')]",
        "[('a', '|V0')]",
        "[('a', 'S0')]",
        "[('a', '<f4', (-1,))]",
        "[('a', '<f4', (0,))]",
        "[('a', '<f4', (4294967296, 4294967296))]",
        "{'names': ['a'], 'formats': ['<f4']}",
        "b'<f4'",
        "'<f4' 'x'",
        "np.float32",
        "__import__('os').system('touch " + MARKER + "')",
        "[('a', " * 9 + "'<f4'" + ")]" * 9,
    ):
        wrong[f"descr {descr[:44]}"] = ("010", text(descr=descr))
    for order in ("0", "1", "None", "'False'", "(False)x", "false", "()", "not True"):
        wrong[f"fortran_order {order}"] = ("010", text(fortran_order=order))
    for key, value in good.items():
        wrong[f"without {key}"] = ("010", text().replace(f"'{key}': {value}, ", ""))
        wrong[f"{key} twice"] = ("010", text()[:-2] + f"'{key}': {value}}}\n")
        wrong[f"{key} misspelt"] = ("010", text().replace(key, key.upper()))
    for what, header in {
        "another key": text()[:-2] + "'more': 1}\n",
        "a key that is no text": text()[:-2] + "5: 1}\n",
        "a key that is a list": text()[:-2] + "[]: 1}\n",
        "trailing text": text() + "{}",
        "trailing call": text() + "; import os",
        "trailing NUL": text() + "\0",
        "leading text": "x" + text(),
        "a line break and an indent before": "\n " + text(),
        "a form feed before": "\f\n  " + text(),
        "a comment": text()[:-1] + "# hello\n",
        "empty": "",
        "spaces": " " * 60,
        "a list": "[]",
        "a number": "5",
        "no braces": text()[1:-2],
        "an unclosed brace": text()[:-2],
        "an unclosed quote": text().replace("'shape'", "'shape"),
        "a triple quote": text().replace("'shape'", "'''shape'''"),
        "a newline in text": text().replace("shape", "sh\nape"),
        "a NUL in text": text().replace("'shape'", "'shape\0'"),
        "raw NULs": "\0" * 60,
        "dict()": "dict(" + text() + ")",
        "a set": "{'descr', 'fortran_order', 'shape'}",
        "a command": "__import__('os').system('touch " + MARKER + "')",
        "an escape sequence": "\x1b[2J\x1b]0;title\x07" + text(),
        "full-width digits": "{'shape': (\u0665,)}".encode(),
        "not UTF-8": b"\xff\xfe" + text().encode(),
    }.items():
        wrong[f"header: {what}"] = ("010", header)
    for what, mark in NESTED.items():
        wrong[f"header nested 10,000 deep in {what}"] = ("010", mark * (10_000 // len(mark)))
        wrong[f"shape nested 3,000 deep in {what}"] = ("010", text(shape=mark * (3000 // len(mark))))
    for what, (code, header) in wrong.items():
        version = (3, 0) if isinstance(header, bytes) else (1, 0)
        body = npy_of(header, FRAMES, version)
        yield what, of(2, code, lambda body=body: archive(parts(diffraction=body)))
    for what, (_, header) in list(wrong.items())[::9]:
        body = npy_of(header, FRAMES, (3, 0) if isinstance(header, bytes) else (2, 0))
        yield (
            f"{what}, deflated, 2.0",
            of(2, "010 007", lambda body=body: archive(parts(diffraction=body, deflate=True))),
        )
        members = [*parts(), Part(name=b"extra.npy", body=body)]
        yield f"{what}, outside the contract", of(0, "005", lambda members=members: archive(members))


def prefixes() -> Iterator[tuple[str, Case]]:
    """Magic, version and length of the header."""
    good = npy_of(HEADER, FRAMES)
    for at in range(6):
        yield (
            f"magic byte {at} wrong",
            of(2, "010", lambda at=at: archive(parts(diffraction=good[:at] + b"x" + good[at + 1 :]))),
        )
    for version in ((0, 0), (0, 1), (1, 1), (2, 1), (3, 1), (4, 0), (255, 255)):
        body = good[:6] + bytes(version) + good[8:]
        yield f"version {version}", of(2, "010", lambda body=body: archive(parts(diffraction=body)))
    for version in ((1, 0), (2, 0), (3, 0)):
        limit = 0xFFFF if version == (1, 0) else 0xFFFFFFFF
        for length in (0, 1, 10_001, limit, len(HEADER) - 2):
            body = npy_of(HEADER, FRAMES, version, length)
            yield (
                f"header length {length} in {version}",
                of(2, "010", lambda body=body: archive(parts(diffraction=body))),
            )
        for length in (len(HEADER) - 1, len(HEADER) + 1):
            body = npy_of(HEADER, FRAMES, version, length)
            yield (
                f"header length {length} in {version}",
                of(2, "010 007", lambda body=body: archive(parts(diffraction=body))),
            )
        body = npy_of(HEADER + " " * 10_001, FRAMES, version)
        yield (
            f"a header of 10,001 spaces in {version}",
            of(2, "010", lambda body=body: archive(parts(diffraction=body))),
        )
    for length in (0, 1, 5, 6, 7, 8, 9, 10, 11, 40):
        yield (
            f"an array of {length} bytes",
            of(2, "010", lambda length=length: archive(parts(diffraction=good[:length]))),
        )
        yield (
            f"an array of {length} bytes, deflated",
            of(2, "010", lambda length=length: archive(parts(diffraction=good[:length], deflate=True))),
        )
    fields = ", ".join(f"('{at}', '<f4')" for at in range(580))
    structured = npy_of(f"{{'descr': [{fields}], 'fortran_order': False, 'shape': (0,), }}")
    unending = npy_of(f"{{'descr': [{fields}, ")
    for what, body in {"large": structured, "large and unreadable": unending}.items():
        many = [*parts(), *(Part(name=b"%d.npy" % at, body=body, deflate=True) for at in range(900))]
        yield f"900 headers, {what}", of(2, "009", lambda many=many: archive(many))
    for what, blanks, version in (("version 1", b"\r ", 1), ("version 2", b"\r ", 2), ("version 3", b"\n   ", 3)):
        # To Python an indented line without an end: no expression, and so no header to numpy.
        text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 16, 16), }" + blanks
        length = len(text).to_bytes(2 if version == 1 else 4, "little")
        body = b"\x93NUMPY" + bytes([version, 0]) + length + text + ARRAYS["diffraction"].tobytes()
        yield f"a last line of blanks, {what}", of(2, "010", lambda body=body: archive(parts(diffraction=body)))
    yield "text under an array's name", of(2, "010", lambda: archive(parts(diffraction=b"hello, world\n")))
    yield "an optional array that is none", of(2, "010", lambda: archive(parts(Y=b"hello, world\n")))


def found() -> Iterator[tuple[str, Case]]:
    """What fuzzing found, and is in no other family."""
    long_double = ARRAYS["diffraction"].transpose(1, 2, 0).astype(np.longdouble)
    yield "frames of long doubles, last axis", of(1, "DTYPE-001", lambda: archive(parts(diffraction=npy(long_double))))
    for name, array in ARRAYS.items():
        alone = npy(np.array(np.nan).astype(array.dtype))
        yield (
            f"{name} of one value of no axes, which is not finite",
            of(1, "SHAPE-001", lambda name=name, alone=alone: archive(parts(**{name: alone}))),
        )
    for what, data in {
        "patterns that overflow, and a correlation that is no number": (
            "47040406050000000000007e3f00ff00000000f07f000000007e0000400000000000000c40"
        ),
        "patterns that overflow, and predictions that vanish": "07040408015f00803f7e00c0470000004000006040",
        "values beyond double precision, which nothing divides": (
            "070605080a0000000000000080007f803f000080bf0000c07f0000807f000080ff80000000c21601"
            "0000e07f47e6b1617f8000807f000080ff0000003f5f7089300000005a"
        ),
    }.items():
        yield what, of(1, "VALUE-003", lambda data=data: filled(bytes.fromhex(data)))
