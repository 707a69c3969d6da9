"""The reader against numpy: what numpy writes is read alike, and what is accepted numpy reads alike."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npzschema.validator import inflate
from npzschema.validator import member as member_module
from npzschema.validator.dataset import CHUNK, MappingDataset
from npzschema.validator.engine import validate
from npzschema.validator.escape import escape
from npzschema.validator.faults import Fault
from npzschema.validator.literal import LiteralError, parse

from ..differential import assert_honest, gathered, opened, same
from ..validator.handmade import Part, archive, boundaries, dataset, npy, npy_of, parts, saved
from ..validator.hostile import CASES


def fallback():
    """The module as it is where isal is not installed."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "isal"}
    sys.modules["isal"] = None
    try:
        spec = importlib.util.spec_from_file_location("npzschema.validator._inflate_by_zlib", inflate.__file__)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        del sys.modules["isal"]
        sys.modules.update(hidden)
    return module


BACKENDS = {"isal": inflate, "zlib": fallback()}


@contextlib.contextmanager
def backend(name):
    module = BACKENDS[name]
    kept = {field: getattr(member_module, field) for field in ("inflater", "crc32", "InflateError")}
    for field in kept:
        setattr(member_module, field, getattr(module, field))
    try:
        yield module
    finally:
        for field, value in kept.items():
            setattr(member_module, field, value)


def test_the_two_backends_are_two():
    assert {name: type(module.inflater()).__name__ for name, module in BACKENDS.items()} == {
        "isal": "_IsalInflater",
        "zlib": "_ZlibInflater",
    }


# Arrays as numpy writes them


def scalar_dtypes():
    return st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(),
        hnp.unsigned_integer_dtypes(),
        hnp.floating_dtypes(sizes=(16, 32, 64)),
        hnp.complex_number_dtypes(sizes=(64, 128)),
        hnp.byte_string_dtypes(min_len=1, max_len=9),
        hnp.unicode_string_dtypes(min_len=1, max_len=9),
        hnp.datetime64_dtypes(),
        hnp.timedelta64_dtypes(),
        st.sampled_from(["<f16", ">f16", "<c32", "V5", "M8", "m8", "<M8[25s]", ">m8[7D]"]).map(np.dtype),
    )


def dtypes():
    names = st.lists(
        st.text(min_size=1, max_size=5).filter(lambda text: "\0" not in text), min_size=1, max_size=4, unique=True
    )

    def structured(fields):
        kinds = st.tuples(scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
        return st.tuples(st.lists(kinds, min_size=len(fields), max_size=len(fields)), st.booleans()).map(
            lambda drawn: np.dtype([(name, *kind) for name, kind in zip(fields, drawn[0], strict=True)], align=drawn[1])
        )

    return st.one_of(scalar_dtypes(), names.flatmap(structured))


@st.composite
def arrays(draw):
    """Any layout: 0-d, empty, Fortran, big-endian, with gaps, reversed."""
    dtype = draw(dtypes())
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    count = int(np.prod(shape))
    if dtype.kind in "UMm" or dtype.names:
        values = np.zeros(count, dtype)
        if dtype.kind == "U":
            values[:] = (
                [draw(st.text(max_size=4).filter(lambda text: "\0" not in text)) for _ in range(count)]
                if count < 20
                else "x\u20ac"
            )
        elif dtype.kind in "Mm":
            values.view("<i8" if dtype.byteorder in "<=|" else ">i8")[:] = rng.integers(-(1 << 40), 1 << 40, count)
        else:
            for name in dtype.names:
                if dtype[name].kind in "iuf":
                    values[name] = rng.integers(0, 100, values[name].shape)
    elif dtype.kind in "fc" and dtype.itemsize >= np.dtype("g").itemsize:
        # Random bytes are no long double.
        values = rng.normal(size=count).astype(dtype)
    elif dtype.kind == "b":
        values = rng.random(count) < 0.5
    else:
        values = np.frombuffer(rng.bytes(count * dtype.itemsize), dtype=dtype).copy()
    array = values.reshape(shape)
    layout = draw(st.sampled_from(["as it is", "Fortran", "transposed", "reversed", "with gaps"]))
    if layout == "Fortran":
        return np.asfortranarray(array) if array.ndim else array
    if layout == "transposed":
        return array.T
    if layout == "reversed" and array.ndim:
        return array[::-1]
    return array[..., ::2] if layout == "with gaps" and array.ndim else array


@given(
    st.lists(arrays(), max_size=3), st.sampled_from([np.savez, np.savez_compressed]), st.sampled_from(sorted(BACKENDS))
)
@example([np.zeros((0, 3), "<f4", order="F")], np.savez_compressed, "isal")
@example([np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2)], np.savez, "isal")
@example([np.zeros(70_000, ">f8")], np.savez_compressed, "zlib")
def test_what_numpy_writes_is_read_as_numpy_reads_it(drawn, save, name):
    out = io.BytesIO()
    with warnings.catch_warnings():
        # Names beyond latin-1 make numpy write version 3.0 and say so.
        warnings.simplefilter("ignore")
        save(out, *drawn)
    with backend(name), np.load(io.BytesIO(out.getvalue()), allow_pickle=False) as numpy_held:
        held = opened(out.getvalue())
        assert (held.faults, held.malformed) == ((), {})
        assert sorted(held.headers) == sorted(numpy_held.files)
        for key, header in held.headers.items():
            array = numpy_held[key]
            assert (header.shape, header.dtype) == (array.shape, array.dtype)
            assert (
                header.fortran == (array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous)
                or array.size <= 1
                or 1 in array.shape
            )
            same(gathered(held, key), array)


@given(arrays())
@example(np.arange(200_000.0)[::2])
@example(np.zeros((70_000, 4), ">i2")[:, ::2])
@example(np.arange(300_000).reshape(2, 3, 50_000).transpose(1, 0, 2)[:, :, ::-1])
def test_arrays_in_memory_are_read_alike(array):
    held = MappingDataset({"a": array})
    assert (held.headers["a"].shape, held.headers["a"].dtype) == (array.shape, array.dtype)
    same(gathered(held, "a"), array)


@given(st.sampled_from([(200_000,), (70_000, 4), (3, 90_000), (2, 3, 40_000)]), st.sampled_from([2, 3, -1, -2]))
def test_views_with_gaps_are_read_in_few_chunks(shape, step):
    array = np.arange(float(np.prod(shape))).reshape(shape)[..., ::step]
    chunks = [chunk.size for chunk in MappingDataset({"a": array}).chunks("a")]
    assert sum(chunks) == array.size
    assert max(chunks) * array.itemsize <= CHUNK
    assert len(chunks) <= 2 * array.nbytes / CHUNK + 6


# Bytes that nobody wrote on purpose


BASES = [saved(compressed=False), saved(compressed=True), archive(parts(), zip64=True, comment=b"a comment")]
SAMPLES = [*BASES, *(case.make() for case in list(CASES.values())[::40] if case.status)]


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY"]))
def test_noise_never_passes(data, start):
    assert assert_honest(start + data).verdict != "valid"


def edits():
    places = st.one_of(st.floats(0, 1), st.sampled_from(range(-400, 0)))
    return st.lists(
        st.tuples(
            st.sampled_from(["flip", "set", "delete", "insert", "cut", "copy"]),
            places,
            st.integers(0, 255),
            st.integers(1, 40),
        ),
        min_size=1,
        max_size=3,
    )


def edited(data, steps):
    for step, place, byte, length in steps:
        at = int(place * len(data)) if isinstance(place, float) else max(0, len(data) + place)
        at = min(at, max(0, len(data) - 1))
        if step in ("flip", "set"):
            changed = data[at] ^ (1 << byte % 8) if step == "flip" and at < len(data) else byte
            data = data[:at] + bytes([changed]) + data[at + 1 :]
        elif step == "delete":
            data = data[:at] + data[at + length :]
        elif step == "insert":
            data = data[:at] + bytes([byte]) * length + data[at:]
        elif step == "cut":
            data = data[:at]
        else:
            data = data[:at] + data[at : at + length] + data[at:]
    return data


@given(st.sampled_from(SAMPLES), edits(), st.sampled_from(sorted(BACKENDS)))
def test_mutated_archives_never_pass_with_other_values(data, steps, name):
    with backend(name):
        assert_honest(edited(data, steps))


@given(st.sampled_from([0, 1]), st.data())
def test_no_single_flip_in_an_archive_passes_unseen(which, data):
    """Unless it is in a field that says nothing about the content."""
    base = BASES[which]
    at = data.draw(st.integers(0, len(base) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = base[:at] + bytes([base[at] ^ (1 << bit)]) + base[at + 1 :]
    report = assert_honest(changed)
    if report.verdict == "valid":
        held = opened(changed)
        for name, array in dataset().items():
            same(gathered(held, name), array)


@given(st.sampled_from([0, 1]), st.data())
def test_every_flip_in_a_structure_is_honest(which, data):
    base = BASES[which]
    places = sorted(boundaries(base).values())
    at = min(data.draw(st.sampled_from(places)) + data.draw(st.integers(0, 45)), len(base) - 1)
    assert_honest(base[:at] + bytes([data.draw(st.integers(0, 255))]) + base[at + 1 :])


@given(st.sampled_from([0, 1]), st.data())
def test_no_truncation_is_readable(which, data):
    base = BASES[which]
    assert assert_honest(base[: data.draw(st.integers(0, len(base) - 1))]).verdict == "unreadable"


# Headers that nobody wrote on purpose


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "'",
        '"',
        "'descr'",
        "'fortran_order'",
        "'shape'",
        "'<f4'",
        "'>i2'",
        "'|S3'",
        "'|b1'",
        "True",
        "False",
        "None",
        "0",
        "1",
        "5",
        "007",
        "12L",
        "12l",
        "-1",
        "1e3",
        "0x1",
        "#",
        "\\",
        "u'a'",
        "b'a'",
        "'\\x41'",
        "'\\101'",
        "'\u00e9'",
        "\t",
        "\r",
        "\0",
        "...",
        "+",
    ]
)
PLAUSIBLE = st.tuples(
    st.sampled_from(
        [
            "'<f4'",
            "'>f8'",
            "'|u1'",
            "u'<f4'",
            '"<f4"',
            "'f4'",
            "'|V4'",
            "[('a', '<f4')]",
            "[('a', '<i2', (2,))]",
            "('<f4', (1,))",
            "[(('t', 'n'), '<f4')]",
            "'<U1'",
            "'\\x3cf4'",
            "'<M8[s]'",
        ]
    ),
    st.sampled_from(["True", "False", "0", "None"]),
    st.sampled_from(
        [
            "()",
            "(1,)",
            "(2, 1)",
            "(1L,)",
            "(2L, 1L)",
            "(1)",
            "(01,)",
            "(1l,)",
            "[1]",
            "(1,\n)",
            "( 1 , )",
            "(True,)",
            "(-1,)",
            "(0,)",
            "(0, 5)",
            "(1\r,)",
            "(1,\f)",
        ]
    ),
    st.sampled_from(["}", ", }", ",}\n", "} \n\n", "}\0", "}#", "}x", "\r}", "};", "}\f"]),
).map(lambda drawn: "{{'descr': {}, 'fortran_order': {}, 'shape': {}{}".format(*drawn))


@given(
    st.one_of(PLAUSIBLE, st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60)),
    st.sampled_from([(1, 0), (2, 0), (3, 0)]),
    st.integers(0, 20),
)
def test_a_header_that_is_accepted_numpy_reads_alike(text, version, size):
    raw = text.encode("utf-8" if version == (3, 0) else "latin-1", "replace")
    data = archive([Part(name=b"a.npy", body=npy_of(raw, bytes(range(size)), version))])
    held = opened(data)
    if "a" not in held.headers:
        assert list(held.malformed) == ["a"]
        return
    with warnings.catch_warnings(), np.load(io.BytesIO(data), allow_pickle=False) as numpy_held:
        warnings.simplefilter("ignore")
        array = numpy_held["a"]
    assert (held.headers["a"].shape, held.headers["a"].dtype) == (array.shape, array.dtype)
    same(gathered(held, "a"), array)


NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=12,
)
# A header is a dictionary, and holds none.
VALUES = st.one_of(NESTED, st.dictionaries(st.text(max_size=5), NESTED, max_size=3))


@given(VALUES)
def test_the_grammar_reads_what_repr_writes(value):
    assert parse(repr(value)) == value


@given(st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30)))
def test_the_grammar_is_a_part_of_python(text):
    import ast

    try:
        value = parse(text)
    except LiteralError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert repr(ast.literal_eval(text)) == repr(value)


# Streams


def streams():
    levels = st.sampled_from([0, 1, 6, 9])
    bodies = st.one_of(
        st.binary(max_size=300),
        st.tuples(st.binary(min_size=1, max_size=20), st.integers(1, 5000)).map(lambda drawn: drawn[0] * drawn[1]),
    )

    def pack(level, strategy, body, flushes):
        stream = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
        out = b""
        for at in range(flushes):
            out += stream.compress(body[at::flushes]) + stream.flush(zlib.Z_SYNC_FLUSH)
        return out + stream.compress(body) + stream.flush()

    return st.builds(
        pack,
        levels,
        st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED, zlib.Z_RLE]),
        bodies,
        st.integers(0, 3),
    )


def driven(module, data, window, limit):
    """A stream read to its end: what came out, whether it ended, how many bytes followed. None where it is damaged."""
    stream, out, at = module.inflater(), [], 0
    for _ in range(10 * (len(data) + 100_000)):
        if stream.ended:
            break
        given = b""
        if stream.hungry and at < len(data):
            given = data[at : at + window]
            at += len(given)
        try:
            part = stream.inflate(given, limit)
        except module.InflateError:
            return None
        assert len(part) <= limit
        out.append(part)
        if not part and stream.hungry and at >= len(data):
            break
    else:
        raise AssertionError("it never ends")
    return b"".join(out), stream.ended, stream.unused + len(data) - at if stream.ended else None


@given(
    streams(),
    st.binary(max_size=12),
    st.sampled_from([1, 2, 3, 64, 1 << 18]),
    st.sampled_from([7, 8, 1000, 1 << 18]),
    st.sampled_from(sorted(BACKENDS)),
)
@example(b"\x03\x00", b"", 1, 7, "isal")
@example(b"\x03\x00", b"\x03\x00", 1, 7, "zlib")
def test_streams_end_where_they_end(stream, behind, window, limit, name):
    whole = zlib.decompress(stream, -15)
    assert driven(BACKENDS[name], stream + behind, window, limit) == (whole, True, len(behind))


@given(streams(), edits(), st.sampled_from([1, 64, 1 << 18]), st.sampled_from([8, 1000, 1 << 18]))
def test_both_backends_judge_a_damaged_stream_alike(stream, steps, window, limit):
    data = edited(stream, steps)
    isal, other = (driven(BACKENDS[name], data, window, limit) for name in ("isal", "zlib"))
    # Of a stream that also lacks its end, one may say that first, the other that it is damaged.
    if any(result is not None and result[1] for result in (isal, other)):
        assert isal == other


@given(st.sampled_from(SAMPLES), edits())
def test_both_backends_give_one_verdict(data, steps):
    changed = edited(data, steps)
    reports = []
    for name in BACKENDS:
        with backend(name):
            reports.append(validate(changed))
    assert reports[0].verdict == reports[1].verdict
    if reports[0].verdict == "valid":
        assert reports[0] == reports[1]


@pytest.mark.parametrize("name", BACKENDS)
def test_the_corpus_under_each_backend(name):
    with backend(name):
        for what, case in CASES.items():
            if what.startswith(("damaged", "sizes", "bombs")):
                assert ("valid", "violations", "unreadable").index(validate(case.make()).verdict) == case.status, what


# Text


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_escaped_text_is_harmless_and_keeps_what_is_visible(text):
    shown = escape(text)
    assert shown.isprintable()
    shown.encode("utf-8")
    assert escape(shown) == shown
    if text.isprintable():
        assert shown == text


@given(st.binary(min_size=1, max_size=30), st.booleans())
def test_any_member_name_is_told_harmlessly(raw, utf8):
    extra = Part(name=raw, body=npy(np.zeros(2)), both={"flags": 0x800 if utf8 else 0})
    report = assert_honest(archive([*parts(), extra]))
    assert report.verdict != "unreadable"


def test_a_fault_keeps_what_it_was_given():
    fault = Fault("FILE-007", "too long", member="a.npy", expected="1", found="2")
    assert (fault.code, fault.what, fault.member, fault.expected, fault.found) == (
        "FILE-007",
        "too long",
        "a.npy",
        "1",
        "2",
    )
    assert str(fault) == "FILE-007 a.npy: too long"
