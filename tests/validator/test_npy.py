"""The .npy header: read as numpy reads it, or refused with a reason."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from npzschema.validator.archive import open_archive
from npzschema.validator.dataset import CHUNK, ArchiveDataset, MappingDataset
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.npy import MAX_HEADER, read_header
from npzschema.validator.source import BytesSource

from .handmade import ARRAYS, HEADER, Part, archive, npy, npy_of, parts

DTYPES = [
    "?",
    "i1",
    "u1",
    "<i2",
    ">i2",
    "<u4",
    ">u8",
    "<f2",
    ">f2",
    "<f4",
    ">f4",
    "<f8",
    ">f8",
    "<f16",
    "<c8",
    ">c8",
    "<c16",
    ">c16",
    "S1",
    "S9",
    "<U1",
    ">U5",
    "V1",
    "V16",
    "<M8",
    "<M8[s]",
    ">M8[ns]",
    "<M8[25us]",
    "<M8[D]",
    "<m8[Y]",
    "<M8[as]",
    [("a", "<f4")],
    [("a", "<f4"), ("b", ">i2", (2, 3))],
    [("a", [("b", "<f4"), ("c", "S3")])],
    [("a", "<f4", (1,))],
    [(("title", "name"), "<f4")],
    [("a", "?"), ("", "V3"), ("b", "<i4")],
    np.dtype([("a", "i1"), ("b", "f8")], align=True),
    np.dtype({"names": ["a", "b"], "formats": ["<i2", "<f8"], "offsets": [4, 8], "itemsize": 24}),
]


def dataset_of(body, *, deflate=False):
    return ArchiveDataset(open_archive(BytesSource(archive([Part(name=b"a.npy", body=body, deflate=deflate)]))))


def header_of(body):
    held = open_archive(BytesSource(archive([Part(name=b"a.npy", body=body)])))
    return read_header(held.reader(held.members[0]))


def fault_of(body):
    with pytest.raises(Fault) as fault:
        header_of(body)
    assert fault.value.member == "a.npy"
    return fault.value


def numpy_reads(body):
    with (
        warnings.catch_warnings(),
        np.load(io.BytesIO(archive([Part(name=b"a.npy", body=body)])), allow_pickle=False) as held,
    ):
        warnings.simplefilter("ignore")
        return held["a"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3,), (2, 3), (0, 4), (2, 1, 3)], ids=str)
@pytest.mark.parametrize("order", "CF")
def test_what_numpy_writes(dtype, shape, order):
    array = np.zeros(shape, dtype=dtype, order=order)
    body = npy(array)
    header = header_of(body)
    read = numpy_reads(body)
    assert (header.shape, header.dtype) == (read.shape, read.dtype)
    assert header.nbytes == array.nbytes
    assert header.data == len(body) - array.nbytes
    # Item by item: the padding of records holds whatever lay there before.
    native = read.astype(read.dtype.newbyteorder("="))
    items = [item for chunk in dataset_of(body).chunks("a") for item in chunk.tolist()]
    assert repr(items) == repr(native.ravel(order).tolist())


@pytest.mark.parametrize("shape", [(1,) * 64, (2,) + (1,) * 63])
def test_64_axes(shape):
    assert header_of(npy(np.zeros(shape))).shape == shape


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_versions(version):
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(out, ARRAYS["diffraction"], version=version)
    header = header_of(out.getvalue())
    assert (header.shape, header.dtype, header.version) == ((5, 16, 16), np.dtype("<f4"), version)
    data = archive(parts(diffraction=out.getvalue()))
    assert validate(data).verdict == "valid"


def test_names_beyond_latin_1():
    array = np.zeros(2, dtype=[("数据", "<f4")])
    out = io.BytesIO()
    with pytest.warns(UserWarning, match="format 3.0"):
        np.lib.format.write_array(out, array)
    header = header_of(out.getvalue())
    assert (header.version, header.dtype) == ((3, 0), array.dtype)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_lengths_of_python_2(version):
    body = npy_of(HEADER.replace("5, 16, 16", "5L, 16L, 16L"), ARRAYS["diffraction"].tobytes(), version)
    assert header_of(body).shape == numpy_reads(body).shape == (5, 16, 16)
    assert validate(archive(parts(diffraction=body))).verdict == "valid"


def test_lengths_of_python_2_are_not_of_version_3():
    body = npy_of(HEADER.replace("5,", "5L,"), ARRAYS["diffraction"].tobytes(), (3, 0))
    assert "Python 2" in fault_of(body).what
    with pytest.raises(ValueError, match="Cannot parse header"):
        numpy_reads(body)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_the_length_of_the_header_is_bounded(version):
    data = ARRAYS["diffraction"].tobytes()
    text = HEADER.rstrip()
    longest = npy_of(text + " " * (MAX_HEADER - len(text)), data, version)
    assert header_of(longest).shape == numpy_reads(longest).shape == (5, 16, 16)
    fault = fault_of(npy_of(text + " " * (MAX_HEADER - len(text) + 1), data, version))
    assert (fault.code, fault.what, fault.expected) == ("FILE-010", "a header of 10,001 bytes", "at most 10,000")


def test_sizes_are_python_integers():
    """Products that wrap to the right size in 32 or 64 bits."""
    for shape in (
        "(4294967296, 4294967296)",
        "(65536, 65536, 65536, 65536)",
        "(4611686018427387904, 4)",
        "(0, 4611686018427387904, 4)",
    ):
        body = npy_of(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}")
        assert fault_of(body).what.endswith("is larger than any memory")
    wide = npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296,)}")
    assert (fault_of(wide).code, fault_of(wide).expected, fault_of(wide).found) == (
        "FILE-007",
        "4,294,967,296 bytes",
        "0 bytes",
    )


@pytest.mark.parametrize(
    ("header", "what"),
    [
        (HEADER.replace("(5,", "(True,"), "'True' is no length of an axis"),
        (HEADER.replace("(5,", "(-5,"), "'-5' is no length of an axis"),
        (HEADER.replace("(5, 16, 16)", "[5, 16, 16]"), "the shape is no tuple of lengths"),
        (HEADER.replace("'<f4'", "'<f3'"), "the dtype '<f3' is unknown"),
        (HEADER.replace("'<f4'", "'|V0'"), "the dtype |V0 has no size"),
        (HEADER.replace("'<f4'", "('<f4', (2,))"), "is an array itself"),
        (HEADER.replace("False", "0"), "fortran_order is '0'"),
        (HEADER.replace("'shape'", "'form'"), "the header is not a dictionary of descr, fortran_order and shape"),
        (HEADER + "x", "'x' follows the dictionary"),
        ("(" * 9999, "nested too deeply"),
        ("", "it ends too early"),
    ],
)
def test_says_what_is_wrong(header, what):
    fault = fault_of(npy_of(header, ARRAYS["diffraction"].tobytes()))
    assert fault.code == "FILE-010"
    assert what in fault.what
    assert "\n" not in fault.what
    assert len(fault.what) < 200


@pytest.mark.parametrize(
    "descr", ["'<M8[s/0]'", "'<M8[0s/0]'", "'<M8[0s]'", "'<m8[7s/7]'", "'<M8[1000000000000s]'", "[('a', '<M8[s/0]')]"]
)
def test_units_of_time_that_numpy_divides_by(descr):
    """Numpy dies of the first two: they must never reach it."""
    assert fault_of(npy_of(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}", bytes(8))).code == "FILE-010"


def test_a_wide_record_makes_no_wide_message():
    fields = [(f"field{index}", "<f4") for index in range(400)]
    body = npy_of(repr({"descr": fields, "fortran_order": False, "shape": (2,)}))
    assert len(fault_of(body).what) < 200


def test_what_is_no_array():
    for body in (b"", b"x", b"hello, world", b"\x93NUMP", b"PK\x03\x04" * 20):
        assert header_of(body) is None
    for length in range(6, 10):
        assert fault_of(npy(np.zeros(1))[:length]).code == "FILE-010"


def test_object_arrays_are_described_and_never_read():
    for array in (np.array([None, 1]), np.array((1, None), dtype=[("a", "i4"), ("b", "O")])):
        held = dataset_of(npy(array))
        assert held.headers["a"].pickled
        assert held.headers["a"].shape == array.shape
        assert held.text("a") is None


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", ">c16", "S7", "V300000"])
@pytest.mark.parametrize("count", [0, 1, CHUNK // 8, CHUNK // 8 + 1, 100_003])
def test_chunks(dtype, count, deflate):
    if dtype == "V300000":
        count = min(count, 7)
    array = np.frombuffer(np.random.default_rng(3).bytes(count * np.dtype(dtype).itemsize), dtype=dtype)
    held = dataset_of(npy(array), deflate=deflate)
    chunks = [chunk.copy() for chunk in held.chunks("a")]
    assert all(chunk.dtype.isnative and chunk.nbytes <= max(CHUNK, chunk.dtype.itemsize) for chunk in chunks)
    assert b"".join(chunk.tobytes() for chunk in chunks) == array.astype(array.dtype.newbyteorder("=")).tobytes()


def test_fortran_order_is_handed_out_as_it_lies():
    array = np.asfortranarray(np.arange(24).reshape(2, 3, 4))
    held = dataset_of(npy(array))
    header = held.headers["a"]
    assert (header.shape, header.fortran, header.storage, header.storage_axes) == (
        (2, 3, 4),
        True,
        (4, 3, 2),
        (2, 1, 0),
    )
    (chunk,) = held.chunks("a")
    assert np.array_equal(chunk.reshape(header.storage).T, array)


def test_an_empty_array_is_read_and_out_of_range():
    report = validate(
        archive(
            parts(diffraction=npy(np.zeros((0, 16, 16), "<f4")), xcoords=npy(np.zeros(0)), ycoords=npy(np.zeros(0)))
        )
    )
    assert report.verdict == "violations"
    assert "SHAPE-003" in report.codes
    assert not any(code.startswith("FILE") for code in report.codes)


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda array: array.astype(array.dtype.newbyteorder(">")),
        lambda array: np.asfortranarray(array).astype(array.dtype.newbyteorder(">")),
    ],
)
@pytest.mark.parametrize("name", ARRAYS)
def test_storage_changes_no_value(name, change):
    report = validate(archive(parts(**{name: npy(change(ARRAYS[name]))})))
    plain = validate(archive(parts()))
    assert report.verdict == "valid"
    told, before = dict(report.arrays[name].statistics), dict(plain.arrays[name].statistics)
    assert told.pop("mean", 0) == pytest.approx(before.pop("mean", 0))
    assert told == before
    assert {finding.code for finding in report.findings} <= {"FORMAT-003"}


# Text


@pytest.mark.parametrize("text", ["", "{}", "Größe 🙂", "x" * 100_000])
def test_text(text):
    arrays = {
        "text": np.array(text),
        "big": np.array(text).astype(np.array(text).dtype.newbyteorder(">")),
        "bytes": np.array(text.encode()),
        "object": np.array(text, dtype=object),
    }
    for array in arrays.values():
        for deflate in (False, True):
            assert dataset_of(npy(array), deflate=deflate).text("a") == text
    assert MappingDataset({"a": arrays["text"]}).text("a") == text


@pytest.mark.parametrize(
    "body",
    [
        npy(np.array(["{}"])),
        npy(np.array(5)),
        npy(np.array(b"\xff")),
        npy_of("{'descr': '<U1', 'fortran_order': False, 'shape': ()}", b"\xff" * 4),
        npy_of("{'descr': '<U1', 'fortran_order': False, 'shape': ()}", b"\x00\x00\x11\x00"),
        npy(np.array(np.datetime64("2020-01-01"))),
        npy(np.zeros((), "V5")),
    ],
)
def test_what_is_no_text(body):
    assert dataset_of(body).text("a") is None


def test_code_points_that_there_are_not_in_memory():
    array = np.frombuffer(b"\xff" * 4, dtype="<U1").reshape(())
    assert MappingDataset({"a": array}).text("a") is None


def test_text_is_checked_to_its_last_byte():
    held = ArchiveDataset(
        open_archive(BytesSource(archive([Part(name=b"a.npy", body=npy(np.array("{}")), both={"crc": 1})])))
    )
    with pytest.raises(Fault) as fault:
        held.text("a")
    assert fault.value.code == "FILE-003"
