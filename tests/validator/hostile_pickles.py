"""Hostile pickles, and metadata."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np

from .handmade import archive, npy, npy_of, parts
from .hostile_case import MARKER, Case, Command, of


def pickled(payload: bytes, shape: str = "()") -> bytes:
    return npy_of(f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}\n", payload)


def pickles() -> Iterator[tuple[str, Case]]:
    command = np.empty((), dtype=object)
    command[()] = Command()
    many = np.empty(2, dtype=object)
    many[:] = [Command(), "x"]
    for protocol in range(6):
        body = pickled(pickle.dumps(command, protocol=protocol))
        yield f"a command, protocol {protocol}", of(1, "006", lambda body=body: archive(parts(diffraction=body)))
        yield (
            f"a command as metadata, protocol {protocol}",
            of(1, "META-001", lambda body=body: archive(parts(_metadata=body))),
        )
        yield (
            f"a command outside the contract, protocol {protocol}",
            of(1, "006", lambda body=body: archive(parts(extra=body))),
        )
    structured = npy_of(
        "{'descr': [('a', '|O'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", pickle.dumps(many)
    )
    yield "a structured object array", of(1, "006", lambda: archive(parts(extra=structured)))
    yield (
        "an object array of a huge shape",
        of(1, "006", lambda: archive(parts(extra=pickled(pickle.dumps(many), f"({1 << 59},)")))),
    )
    yield (
        "an object array of several items",
        of(1, "META-001", lambda: archive(parts(_metadata=pickled(pickle.dumps(many), "(2,)")))),
    )
    touch = f"touch {MARKER}".encode()
    good = pickle.dumps(np.array("{}", dtype=object), protocol=4)
    for what, payload in {
        "os.system by name": b"cos\nsystem\n(S'" + touch + b"'\ntR.",
        "os.system by INST": b"(S'" + touch + b"'\nios\nsystem\n.",
        "os.system by OBJ": b"(cos\nsystem\nS'" + touch + b"'\no.",
        "os.system by STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93\x8c" + bytes([len(touch)]) + touch + b"\x85R.",
        "builtins.eval": b"cbuiltins\neval\n(S'1'\ntR.",
        "numpy's own loader": b"cnumpy\nload\n(S'x'\ntR.",
        "a persistent id": b"Px\n.",
        "an extension": b"\x82\x01.",
        "NEWOBJ": b"cnumpy\nndarray\n)\x81.",
        "nothing": b"",
        "a stop": b".",
        "an empty stack": b"0.",
        "no stop": good[:-1],
        "bytes behind it": good + b"?",
        "two pickles": good + good,
        "noise": np.random.default_rng(2).bytes(3000),
        "a hundred thousand marks": b"(" * 100_000 + b".",
        "a million Nones": b"N" * 1_000_000 + b".",
        "a list that holds itself": b"](h\0e.",
        "a memo that is not there": b"h\x05.",
        "a length beyond the end": b"X\xff\xff\xff\x7fab.",
        "a length of 64 bits": b"\x8d" + b"\xff" * 8 + b"ab.",
        "a frame of 64 bits": b"\x80\x04\x95" + b"\xff" * 8 + good,
        "a bare text": pickle.dumps("{}"),
        "a list of text": pickle.dumps(["{}"]),
        "two texts": pickle.dumps(np.array(["{}", "{}"], dtype=object)),
        "a number": pickle.dumps(np.array(5, dtype=object)),
        "None": pickle.dumps(np.array(None, dtype=object)),
        "bytes": pickle.dumps(np.array(b"{}", dtype=object)),
        "a dict": pickle.dumps(np.array({}, dtype=object)),
        "a long integer in text": b"I" + b"9" * 5000 + b"\n.",
        "a deep tuple": b")" + b"\x85" * 100_000 + b".",
        # What fuzzing found: each was taken for the one text that may be, and pickle refuses it.
        "a dtype that there is not": good.replace(b"\x8c\x02O8", b"\x8c\x02O7"),
        "flags that no object has": good.replace(b"K?t", b"K@t"),
        "a mark before the last step": good[:-2] + b"(b.",
        "a tuple of more than there is": good.replace(b"K\0\x85", b"\x85K\0"),
        "a frame that ends too late": good[:3] + bytes([good[3] + 4]) + good[4:],
        "a protocol that there is not": good[:1] + b"@" + good[2:],
        "a state that is set twice": good[:-1] + b"h\x13b.",
        "a list for the shape": good.replace(b"(K\x01)", b"(K\x01]"),
    }.items():
        yield (
            f"metadata pickle: {what}",
            of(1, "META-001", lambda payload=payload: archive(parts(_metadata=pickled(payload)))),
        )


def metadata() -> Iterator[tuple[str, Case]]:
    def text(raw: bytes, descr: str) -> bytes:
        return npy_of(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (), }}\n", raw)

    for what, body in {
        "code points that there are not": text(b"\xff" * 8, "<U2"),
        "surrogates": npy(np.array('{"a": "\ud800"')),
        "bytes that are no UTF-8": text(b"\xff\xfe", "|S2"),
        "numbers": npy(np.array(5)),
        "a list of texts": npy(np.array(["{}"])),
        "no JSON": npy(np.array("hello")),
        "an escape sequence": npy(np.array("\x1b[2J\n\x9b31m")),
        "nested 10,000 deep": npy(np.array("[" * 10_000)),
        "empty": npy(np.array(b"\0")),
        "a time": npy(np.array("2020-01-01", dtype="datetime64[s]")),
        "a record": npy(np.array((1, 2.0), dtype="i4,f4")),
    }.items():
        yield f"metadata: {what}", of(1, "META-001 META-002", lambda body=body: archive(parts(_metadata=body)))
    for what, document in {
        "a list": "[]",
        "control characters": '{"physics_parameters": "\\u001b[2J\\n\\u202e"}',
        "a number": "5",
    }.items():
        yield (
            f"metadata: {what} in JSON",
            of(1, "META-002", lambda document=document: archive(parts(_metadata=npy(np.array(document))))),
        )
    lists = b"[" + b"[]," * 349_000 + b"[]]"
    yield (
        "metadata: a megabyte of empty lists",
        of(1, "META-002", lambda: archive(parts(_metadata=text(lists, f"|S{len(lists)}")))),
    )
    longer = b"[" + b"[]," * 5_000_000 + b"[]]"
    yield (
        "metadata: fifteen megabytes of empty lists",
        of(1, "META-001", lambda: archive(parts(_metadata=text(longer, f"|S{len(longer)}")))),
    )
    records = np.zeros(3, dtype=[("a\x1b[2J\n", "<f4"), ("b\u202e", "<f4")])
    yield "field names with escape sequences", of(1, "DTYPE-001", lambda: archive(parts(diffraction=npy_utf8(records))))
    short = npy_utf8(records)[:-1]
    yield "field names with escape sequences, short", of(2, "007", lambda: archive(parts(diffraction=short)))


def npy_utf8(array: np.ndarray) -> bytes:
    return npy_of(
        repr({"descr": array.dtype.descr, "fortran_order": False, "shape": array.shape}), array.tobytes(), (3, 0)
    )
