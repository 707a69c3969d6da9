"""Deflate streams inflated in pieces: what is given is what the stream, read in order, has there, or nothing is."""

from __future__ import annotations

import threading
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.validator import member as member_module
from npzschema.validator import pieces as pieces_module
from npzschema.validator import prefetch
from npzschema.validator.archive import open_archive
from npzschema.validator.faults import Fault
from npzschema.validator.pieces import MARK, Undivided, pieces
from npzschema.validator.source import BytesSource

from .handmade import Part, archive, deflated
from .hostile_pieces import HALF_A_HEADER, LAST

BODY = b"".join(bytes([one % 251]) * (one % 7) for one in range(3000))


def streamed(parts, level=6, flush=zlib.Z_FULL_FLUSH):
    """One deflate stream, flushed after each part."""
    one = zlib.compressobj(level, zlib.DEFLATED, -15)
    return b"".join(one.compress(part) + one.flush(flush) for part in parts[:-1]) + (
        one.compress(parts[-1]) + one.flush()
    )


def given_of(stream, least=1):
    """What is given, piece by piece, and whether that is all."""
    found = []
    try:
        found.extend(pieces(BytesSource(stream), 0, len(stream), least=least))
    except Undivided:
        return found, False
    return found, True


def cut(body, count=4):
    size = -(-len(body) // count)
    return [body[at : at + size] for at in range(0, len(body), size)]


@given(
    st.lists(st.one_of(st.binary(max_size=400), st.sampled_from([b"", MARK * 30, bytes(500), LAST])), min_size=1),
    st.sampled_from([0, 1, 6, 9]),
)
def test_independent_parts_are_given_in_order(parts, level):
    found, whole = given_of(streamed(parts, level))
    body = b"".join(parts)
    assert b"".join(found) == body[: len(b"".join(found))]
    # A mark among the data may end a piece where there is none: then nothing is given that is not proved.
    if MARK not in streamed(parts, level).replace(b"\0" + MARK, b""):
        assert whole
    assert not whole or b"".join(found) == body


@pytest.mark.parametrize("level", [1, 6, 9])
def test_each_part_is_a_piece(level):
    parts = cut(BODY)
    assert given_of(streamed(parts, level)) == (parts, True)


def test_small_parts_are_inflated_together():
    found, whole = given_of(streamed(cut(BODY, 40)), least=200)
    assert whole
    assert b"".join(found) == BODY
    assert 1 < len(found) < 40


def test_what_refers_to_the_part_before_is_no_piece():
    parts = [BODY, BODY]
    assert given_of(streamed(parts)) == (parts, True)
    # Flushed without a fresh start, the second part is a reference to the first.
    assert given_of(streamed(parts, flush=zlib.Z_SYNC_FLUSH)) == ([BODY], False)


@pytest.mark.parametrize("inside", [MARK, LAST, b"\0" + MARK])
def test_a_mark_among_the_data_is_no_end(inside):
    """A stored block holds data as it is: cut within, it is no whole piece, whatever follows looks like.

    Among compressed data, four bytes are a mark now and then: two parts are one piece then.
    """
    body = bytes(100) + inside + bytes(100)
    assert given_of(streamed([body, BODY], level=0)) == ([body, BODY], True)
    found, whole = given_of(streamed([BODY, body, BODY], level=0))
    assert b"".join(found) == BODY + body + BODY
    assert whole


def test_more_marks_than_one_in_a_piece_are_left_to_reading_in_order():
    body = (bytes(200) + MARK) * 6
    assert given_of(streamed([body, BODY], level=0)) == ([], False)
    assert given_of(streamed([bytes(100), body, BODY], level=0)) == ([bytes(100)], False)


def test_an_end_before_the_end_is_none():
    stream = streamed(cut(BODY))
    assert given_of(deflated(b"abc") + stream) == ([], False)
    assert given_of(stream + b"x")[1] is False
    assert given_of(stream + LAST)[1] is False
    assert given_of(stream[:-1])[1] is False


def test_half_a_header_is_no_piece_though_an_empty_block_would_end_it():
    one = zlib.decompressobj(-15)
    assert (one.decompress(HALF_A_HEADER + LAST), one.eof, one.unused_data) == (b"", True, b"")
    stream = HALF_A_HEADER + deflated(BODY)
    with pytest.raises(zlib.error):
        zlib.decompress(stream, -15)
    assert given_of(stream) == ([], False)
    assert given_of(streamed([BODY, b""]) + stream) == ([BODY], False)


@pytest.mark.parametrize("size", [999, 1000, 1001])
def test_an_end_is_none_however_much_comes_before(size, monkeypatch):
    monkeypatch.setattr(pieces_module, "LARGEST", 1000)
    one = zlib.compressobj(9, zlib.DEFLATED, -15)
    before = one.compress(bytes(size)) + one.flush(zlib.Z_FULL_FLUSH)
    assert given_of(before + LAST + deflated(BODY[:99]), least=len(before)) == ([], False)


def test_a_stream_that_ends_with_a_mark():
    stream = streamed([*cut(BODY), b""]).removesuffix(b"\3\0") + LAST
    assert zlib.decompress(stream, -15) == BODY
    assert given_of(stream) == (cut(BODY), True) or given_of(stream) == ([*cut(BODY), b""], True)


def test_without_marks_nothing_is_given_after_a_bounded_search(monkeypatch):
    monkeypatch.setattr(pieces_module, "MOST", 1 << 12)
    body = np.random.default_rng(0).bytes(1 << 16)
    read = []

    class Counting(BytesSource):
        def read(self, offset, length):
            read.append(length)
            return super().read(offset, length)

    stream = deflated(body)
    with pytest.raises(Undivided):
        next(pieces(Counting(stream), 0, len(stream)))
    assert sum(read) == 1 << 12


def test_a_piece_that_grows_large_is_left_to_reading_in_order(monkeypatch):
    monkeypatch.setattr(pieces_module, "LARGEST", 1000)
    assert given_of(streamed([b"a" * 900, bytes(10**6), b"b"])) == ([b"a" * 900], False)


def test_pieces_as_large_as_they_may_be_take_bounded_memory_while_none_is_used(monkeypatch):
    threads, waits = 3, threading.Condition()
    monkeypatch.setattr(pieces_module, "AHEAD", pieces_module.AHEAD - pieces_module.THREADS + threads)
    monkeypatch.setattr(pieces_module, "THREADS", threads)
    done = []
    inflated = pieces_module._inflated

    def counted(data, *, last):
        try:
            return inflated(data, last=last)
        finally:
            with waits:
                done.append(len(data))
                waits.notify_all()

    monkeypatch.setattr(pieces_module, "_inflated", counted)
    part = bytes(pieces_module.LARGEST - 1)
    count = 2 * pieces_module.AHEAD
    stream = streamed([part] * count)
    tracemalloc.start()
    try:
        for index, piece in enumerate(pieces(BytesSource(stream), 0, len(stream), least=1)):
            assert piece == part
            wanted = min(count, index + 1 + pieces_module.AHEAD)
            with waits:
                assert waits.wait_for(lambda wanted=wanted: len(done) == wanted, timeout=60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert index == count - 1
    assert peak < 28 << 20


@given(st.data())
def test_damage_is_never_given(data):
    stream = bytearray(streamed(cut(BODY)))
    for _ in range(data.draw(st.integers(1, 3))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    found, whole = given_of(bytes(stream))
    one, wanted = zlib.decompressobj(-15), b""
    try:
        for at in range(len(stream)):
            wanted += one.decompress(bytes(stream[at : at + 1]))
    except zlib.error as error:
        if str(error).endswith(" set"):
            # ISA-L decodes with incomplete sets of codes: see the threat model.
            return
    assert wanted.startswith(b"".join(found))
    if whole:
        assert (one.eof, one.unused_data, wanted) == (True, b"", b"".join(found))


# Members


@pytest.fixture
def small(monkeypatch):
    """Threads from the first byte on."""
    for module, name, value in (
        (member_module, "WORTH", 0),
        (member_module, "LARGE", 700),
        (member_module, "CORES", 2),
        (pieces_module, "THREADS", 2),
        (prefetch, "WORTH", 0),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(member_module, "pieces", lambda *where: pieces(*where, least=1))


def told(stream, body, *, ahead, step=777, exact=False, **directory):
    """What a member gives, and the fault that ends it."""
    part = Part(name=b"a", body=body, deflate=True, held=stream, both=directory)
    held = open_archive(BytesSource(archive([part])), exact=exact)
    reader, out = held.reader(held.members[0], ahead=ahead), b""
    try:
        while reader.left:
            out += reader.read(min(step, reader.left))
        reader.finish()
    except Fault as fault:
        return out, (fault.code, fault.what, fault.expected, fault.found)
    finally:
        reader.close()
    return out, None


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("step", [1, 777, 10**6])
def test_a_member_is_the_same_in_pieces(step):
    assert told(streamed(cut(BODY)), BODY, ahead=True, step=step) == (BODY, None)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("step", [699, 700, 5000, 10**6])
def test_a_member_without_pieces_is_the_same_when_read_ahead(step, exact, monkeypatch):
    monkeypatch.setattr(member_module, "WINDOW", 100)
    before = threading.active_count()
    assert told(deflated(BODY), BODY, ahead=True, step=step, exact=exact) == (BODY, None)
    assert told(deflated(BODY)[:-9], BODY, ahead=True, step=step, exact=exact)[1][0] in ("FILE-003", "FILE-007")
    assert threading.active_count() == before


@pytest.mark.usefixtures("small")
@given(st.data())
def test_faults_are_told_as_when_read_in_order(data):
    stream = bytearray(streamed(cut(BODY, data.draw(st.sampled_from([1, 4])))))
    at = data.draw(st.integers(0, len(stream) - 1))
    match data.draw(st.sampled_from(["byte", "cut", "more", "size", "crc"])):
        case "byte":
            stream[at] ^= data.draw(st.integers(1, 255))
            directory = {}
        case "cut":
            del stream[at:]
            directory = {}
        case "more":
            stream += b"x"
            directory = {}
        case "size":
            directory = {"size": len(BODY) + data.draw(st.sampled_from([-1, 1, -2000]))}
        case _:
            directory = {"crc": 1}
    one, other = (told(bytes(stream), BODY, ahead=ahead, **directory) for ahead in (True, False))
    assert one == other
    assert one[1] is not None or one[0] == BODY


@pytest.mark.usefixtures("small")
def test_who_stops_reading_leaves_no_threads():
    before = threading.active_count()
    held = open_archive(BytesSource(archive([Part(name=b"a", body=BODY, deflate=True, held=streamed(cut(BODY, 40)))])))
    reader = held.reader(held.members[0], ahead=True)
    reader.read(10)
    assert threading.active_count() > before
    reader.close()
    assert threading.active_count() == before
