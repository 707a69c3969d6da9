"""The reader of PtychoPINN's pickled metadata: one str, and nothing else is ever built."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import pickletools

import numpy as np
import pytest

from npzschema.validator.pickled_text import MAX_STEPS, MAX_TEXT, read_text

from .hostile_case import MARKER, Command

TEXTS = [
    "",
    "{}",
    '{"nphotons": 1e9}',
    "x" * 255,
    "x" * 256,
    "x" * 70_000,
    "Größe 数据 🙂",
    "a\nb\\c'\"",
    "\0",
    "\ud800",
]


def pickled(item, protocol=4):
    array = np.empty((), dtype=object)
    array[()] = item
    return pickle.dumps(array, protocol=protocol)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("protocol", [3, 4])
def test_one_text(text, protocol):
    """Protocols 3 and 4 are those that numpy has ever used under Python 3."""
    assert read_text(pickled(text, protocol)) == text


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:20])
def test_what_savez_writes(text):
    out = io.BytesIO()
    array = np.empty((), dtype=object)
    array[()] = text
    np.lib.format.write_array(out, array, allow_pickle=True)
    assert read_text(out.getvalue()[128:]) == text


def test_the_module_of_numpy_1_is_known():
    assert b"numpy._core.multiarray" in pickled("{}", 3)
    assert read_text(pickled("{}", 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")) == "{}"


@pytest.mark.parametrize(
    "item",
    [None, 5, 1.5, True, b"{}", [], ["{}"], {}, ("{}", "{}"), object, Command(), np.array("{}"), np.float64(1)],
    ids=lambda item: type(item).__name__ + ascii(item)[:9],
)
@pytest.mark.parametrize("protocol", range(6))
def test_anything_else_is_none(item, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_text(pickled(item, protocol)) is None
    assert not os.path.exists(MARKER)


@pytest.mark.parametrize("shape", [(1,), (2,), (1, 1), (0,)])
def test_another_shape_is_none(shape):
    array = np.empty(shape, dtype=object)
    array[...] = "{}"
    assert read_text(pickle.dumps(array, protocol=4)) is None


def test_other_dtypes_are_none():
    assert read_text(pickle.dumps(np.array("{}"), protocol=4)) is None
    assert read_text(pickle.dumps("{}", protocol=4)) is None


def test_every_truncation_and_every_byte():
    """Never an exception, and never anything but a text."""
    good = pickled('{"a": 1}')
    for at in range(len(good)):
        assert read_text(good[:at]) is None
    for at in range(len(good)):
        for bit in range(8):
            changed = good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :]
            assert isinstance(read_text(changed), str | None)


def test_frames_are_what_a_stream_is_read_by():
    """Pickle reads a stream frame by frame: an opcode that reaches over a frame's end means something else there."""
    good = pickled('{"a": 1}', 4)
    assert good[2:3] == pickle.FRAME
    accepted = set()
    for length in range(len(good)):
        changed = good[:3] + length.to_bytes(8, "little") + good[11:]
        text = read_text(changed)
        if text is not None:
            accepted.add(11 + length)
            assert pickle.load(io.BytesIO(changed))[()] == text
    between = {position for _, _, position in pickletools.genops(good) if position >= 11}
    assert accepted == between | {len(good)}


def test_a_frame_within_a_frame_is_refused():
    inner = b"\x95" + (20).to_bytes(8, "little")
    good = pickled("{}", 4)
    length = int.from_bytes(good[3:11], "little") + len(inner)
    assert read_text(good[:3] + length.to_bytes(8, "little") + inner + good[11:]) is None


def test_nothing_is_imported(monkeypatch):
    payload, hostile = pickled("{}"), b"cantigravity\nfly\n."

    def refuse(name, *_, **__):
        raise AssertionError(f"imports {name}")

    monkeypatch.setattr(builtins, "__import__", refuse)
    text, nothing = read_text(payload), read_text(hostile)
    monkeypatch.undo()
    assert (text, nothing) == ("{}", None)


def test_work_is_bounded():
    assert read_text(b"N" * (MAX_STEPS + 1) + b".") is None
    assert read_text(b"\x80\x04" + b"\x30" * MAX_TEXT) is None
    assert read_text(pickled("x" * MAX_TEXT)) is None
    assert read_text(pickled("x" * (MAX_TEXT - 1000))) == "x" * (MAX_TEXT - 1000)


@pytest.mark.parametrize(
    "name",
    [
        "os system",
        "builtins eval",
        "builtins exec",
        "numpy load",
        "numpy.lib format",
        "posix system",
        "numpy._core.multiarray scalar",
        "numpy ndarray.tofile",
    ],
)
def test_no_other_global(name):
    module, attribute = name.split()
    for payload in (
        f"c{module}\n{attribute}\n.".encode(),
        b"\x8c"
        + bytes([len(module)])
        + module.encode()
        + b"\x8c"
        + bytes([len(attribute)])
        + attribute.encode()
        + b"\x93.",
    ):
        assert read_text(payload) is None
        whole = pickled("{}", 3)
        assert read_text(whole.replace(b"cnumpy\ndtype\n", payload[:-1])) is None
