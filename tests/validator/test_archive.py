"""The zip container: what is legal, what is said of the rest, and that a member is read to its last byte."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from npzschema.validator.archive import Limits, array_name, open_archive, unsafe_name
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.source import BytesSource

from .handmade import ARRAYS, Part, archive, deflated, npy, parts, saved, with_first
from .hostile_records import NAMES

BODY = npy(ARRAYS["diffraction"])
CRC = zlib.crc32(BODY)
FULL = 0xFFFFFFFF


def opened(data, **limits):
    return open_archive(BytesSource(data), Limits(**limits))


def fault_of(data, **limits):
    with pytest.raises(Fault) as fault:
        opened(data, **limits)
    return fault.value


def assert_read_as_by_numpy(data):
    assert validate(data, strict_archive=True).verdict == "valid"
    held = ArchiveDataset(opened(data))
    with np.load(io.BytesIO(data), allow_pickle=False) as numpy_held:
        assert sorted(numpy_held.files) == sorted(held.headers)
        for name in numpy_held.files:
            assert np.array_equal(
                np.concatenate(list(held.chunks(name))).reshape(held.headers[name].shape), numpy_held[name]
            )


def streamed(method=zipfile.ZIP_STORED, force=False):
    """Written by zipfile to something that cannot seek: with data descriptors."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

        def seek(self, *_):
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", method) as held:
        for name, array in ARRAYS.items():
            with held.open(f"{name}.npy", "w", force_zip64=force) as member:
                member.write(npy(array))
    return out.getvalue()


def described(form, mark, deflate, **local):
    """A member whose sizes follow it, in one of the four forms; zeros or all ones in their place."""
    members = []
    for part in parts(deflate=deflate):
        sizes = (zlib.crc32(part.body), len(part.data), len(part.body))
        members.append(
            replace(
                part,
                both={"flags": 8},
                local={"crc": 0, "compressed": 0, "size": 0, **local},
                descriptor=mark + struct.pack(form, *sizes),
            )
        )
    return archive(members)


def zip64_everywhere(deflate):
    members = []
    offset = 0
    for part in parts(deflate=deflate):
        local_extra = struct.pack("<2H2Q", 1, 16, len(part.body), len(part.data))
        members.append(
            replace(
                part,
                both={"size": FULL, "compressed": FULL},
                local_extra=local_extra,
                central={"offset": FULL, "disk": 0xFFFF},
                central_extra=struct.pack("<2H3QL", 1, 28, len(part.body), len(part.data), offset, 0),
            )
        )
        offset += 30 + len(part.name) + len(local_extra) + len(part.data)
    limits = {"disk": 0xFFFF, "first": 0xFFFF, "here": 0xFFFF, "count": 0xFFFF, "length": FULL, "start": FULL}
    return archive(members, zip64=True, end=limits)


LEGAL = {
    "savez": lambda: saved(compressed=False),
    "savez_compressed": lambda: saved(compressed=True),
    "no zip64": lambda: archive(parts()),
    "deflated without zip64": lambda: archive(parts(deflate=True)),
    "a comment": lambda: archive(parts(), comment=b"made by hand"),
    "the longest comment": lambda: archive(parts(), comment=b"x" * 65_535),
    "zip64 end record": lambda: archive(parts(), zip64=True),
    "zip64 end record and a comment": lambda: archive(parts(), zip64=True, comment=b"made by hand"),
    "zip64 everywhere": lambda: zip64_everywhere(deflate=False),
    "zip64 everywhere, deflated": lambda: zip64_everywhere(deflate=True),
    "comments of members": lambda: archive([replace(part, comment=b"hello") for part in parts()]),
    "other extra fields": lambda: archive(
        [
            replace(part, local_extra=struct.pack("<2HB", 0x5455, 1, 0), central_extra=struct.pack("<2H", 0x7875, 0))
            for part in parts()
        ]
    ),
    "the same name by Unicode extra": lambda: archive(
        [
            replace(
                part, local_extra=struct.pack("<2HBL", 0x7075, 5 + len(part.name), 1, zlib.crc32(part.name)) + part.name
            )
            for part in parts()
        ]
    ),
    "attributes": lambda: archive(
        [replace(part, central={"made": 0x0314, "internal": 1, "external": 0o100644 << 16}) for part in parts()]
    ),
    "names in UTF-8": lambda: archive([replace(part, both={"flags": 0x800}) for part in parts()]),
    "level flags of deflate": lambda: archive([replace(part, both={"flags": 6}) for part in parts(deflate=True)]),
    "stored blocks": lambda: archive([replace(part, held=deflated(part.body, 0)) for part in parts(deflate=True)]),
    "empty blocks": lambda: archive(
        [replace(part, held=b"\x00\x00\x00\xff\xff" * 300 + deflated(part.body)) for part in parts(deflate=True)]
    ),
    "streamed by zipfile": streamed,
    "streamed by zipfile, deflated": lambda: streamed(method=zipfile.ZIP_DEFLATED),
    "streamed by zipfile, zip64": lambda: streamed(force=True),
    "streamed by zipfile, zip64, deflated": lambda: streamed(method=zipfile.ZIP_DEFLATED, force=True),
    "sizes of all ones until the descriptor": lambda: described(
        "<3L", b"PK\x07\x08", deflate=True, compressed=FULL, size=FULL
    ),
    "sizes known before the descriptor": lambda: archive(
        [
            replace(
                part,
                both={"flags": 8},
                descriptor=struct.pack("<3L", zlib.crc32(part.body), len(part.data), len(part.body)),
            )
            for part in parts()
        ]
    ),
} | {
    f"descriptor {form}, mark {mark!r}, deflated {deflate}": partial(described, form, mark, deflate)
    for form in ("<3L", "<L2Q")
    for mark in (b"PK\x07\x08", b"")
    for deflate in (False, True)
}


@pytest.mark.parametrize("what", LEGAL)
def test_legal(what):
    assert_read_as_by_numpy(LEGAL[what]())


def test_savez_writes_zip64_in_local_headers():
    """The premise of the equality that is asked for: all ones, and the sizes in the extra field."""
    data = saved(compressed=False)
    assert struct.unpack_from("<2L", data, 18) == (FULL, FULL)
    assert struct.unpack_from("<2H", data, 30 + len("diffraction.npy")) == (1, 16)


@pytest.mark.parametrize("form", ["<3L", "<L2Q"])
@pytest.mark.parametrize("mark", [b"PK\x07\x08", b""])
@pytest.mark.parametrize("field", [0, 1, 2])
def test_a_descriptor_that_disagrees(form, mark, field):
    sizes = [CRC, len(BODY), len(BODY)]
    sizes[field] += 1
    members = with_first(
        both={"flags": 8}, local={"crc": 0, "compressed": 0, "size": 0}, descriptor=mark + struct.pack(form, *sizes)
    )
    fault = fault_of(archive(members))
    assert (fault.code, fault.member) == ("FILE-002", "diffraction.npy")
    assert "descriptor" in fault.what


@pytest.mark.parametrize(
    "descriptor",
    [
        b"",
        b"PK\x07\x08",
        struct.pack("<2L", CRC, len(BODY)),
        struct.pack("<3L", CRC, len(BODY), len(BODY)) + b"?",
        b"?" + struct.pack("<3L", CRC, len(BODY), len(BODY)),
    ],
)
def test_a_descriptor_that_is_none(descriptor):
    assert fault_of(archive(with_first(both={"flags": 8}, local={"crc": 0}, descriptor=descriptor))).code == "FILE-002"


@pytest.mark.parametrize("local", [{"crc": FULL}, {"crc": 5}, {"size": 5}, {"compressed": 5}])
def test_before_a_descriptor_a_field_is_right_or_unknown(local):
    members = with_first(both={"flags": 8}, local=local, descriptor=struct.pack("<3L", CRC, len(BODY), len(BODY)))
    assert "disagree" in fault_of(archive(members)).what


@pytest.mark.parametrize(
    ("method", "word"),
    [
        (1, "shrink"),
        (6, "implode"),
        (9, "deflate64"),
        (12, "bzip2"),
        (14, "lzma"),
        (93, "zstd"),
        (95, "xz"),
        (98, "ppmd"),
        (99, "AES"),
        (77, "method 77"),
    ],
)
def test_compression_is_refused_by_name(method, word):
    fault = fault_of(archive(with_first(both={"method": method})))
    assert (fault.code, fault.what, fault.found) == ("FILE-011", f"is compressed with {word}", word)


def test_encryption_and_versions_are_refused_by_name():
    assert fault_of(archive(with_first(both={"flags": 1}))).what == "is encrypted"
    assert fault_of(archive(with_first(both={"flags": 32}))).what == "is patched data"
    assert fault_of(archive(with_first(both={"version": 64}))).what == "needs version 6.4 of the zip format"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\x93NUMPY\x01\x00", "a single .npy array"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"MATLAB 5", "a MATLAB file"),
        (b"version https://git-lfs", "a Git LFS pointer"),
        (b"\x80\x04", "a pickle"),
        (b"ab", "its first bytes are 61 62"),
    ],
)
def test_says_what_it_is_instead(data, why):
    fault = fault_of(data)
    assert fault.code == "FILE-001"
    assert why in fault.what


def test_says_where_a_gap_or_an_overlap_is():
    fault = fault_of(archive(parts(), gaps={1: b"hello"}))
    assert (fault.member, fault.expected, fault.found) == ("probeGuess.npy", "byte 5,293", "byte 5,298")
    assert "5 bytes before the directory" in fault_of(archive(parts(), gaps={"directory": b"hello"})).what
    assert "disagree on checksum" in fault_of(archive(with_first(central={"crc": 1}))).what
    assert "disagree on name" in fault_of(archive(with_first(local_name=b"diffractiom.npy"))).what


def test_limits():
    members = [Part(name=b"%d.npy" % n, body=b"") for n in range(20)]
    assert len(opened(archive(members), members=20).members) == 20
    assert fault_of(archive(members), members=19).what == "has 20 members; at most 19 are read"
    directory = 20 * 46 + sum(len(part.name) for part in members)
    assert len(opened(archive(members), directory=directory).members) == 20
    assert fault_of(archive(members), directory=directory - 1).code == "FILE-009"
    big = archive([Part(name=b"a.npy", body=npy(np.zeros(100_000)), deflate=True)])
    ratio = len(npy(np.zeros(100_000))) / len(big)
    assert opened(big, free=0, expansion=ratio * 1.01)
    assert fault_of(big, free=0, expansion=ratio * 0.99).code == "FILE-009"
    assert opened(big, free=1 << 20, expansion=1)


def test_more_than_deflate_can_hold_is_refused_before_anything_is_read():
    fault = fault_of(archive(with_first(parts(deflate=True), both={"size": 10_000_000})))
    assert fault.code == "FILE-007"
    assert "more than deflate can hold" in fault.what


@pytest.mark.parametrize("what", NAMES)
def test_unsafe_names(what):
    assert unsafe_name(NAMES[what]) is not None


@pytest.mark.parametrize(
    "name",
    [
        "diffraction.npy",
        "a/b.npy",
        "a..b.npy",
        "...npy",
        "_metadata.npy",
        "μ.npy",
        "数据.npy",
        "a b.npy",
        "arr_0.npy",
        "ab:c.npy",
        "-rf.npy",
        "folder/",
    ],
)
def test_safe_names(name):
    assert unsafe_name(name) is None


def test_array_names_are_numpys():
    for name in ("a.npy", "a", "a.npy.npy", ".npy", "a.txt", "b/a.npy"):
        data = archive([Part(name=name.encode(), body=npy(np.zeros(2)))])
        with np.load(io.BytesIO(data)) as held:
            assert held.files == [array_name(name)]


def test_names_are_decoded_as_zipfile_does():
    members = [Part(name=b"\x81\xe1.npy", body=b""), Part(name="ü€.npy".encode(), body=b"", both={"flags": 0x800})]
    data = archive(members)
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        assert [member.name for member in opened(data).members] == held.namelist() == ["üß.npy", "ü€.npy"]


# Members


def reader_of(part):
    held = opened(archive([part]))
    return held.reader(held.members[0])


BODIES = {
    "empty": b"",
    "one byte": b"x",
    "text": b"hello" * 1000,
    "zeros": bytes(3_000_000),
    "noise": np.random.default_rng(1).bytes(700_000),
}


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("step", [999, 1 << 18, 1 << 22])
def test_a_member_is_read_in_any_steps(what, deflate, step):
    body = BODIES[what]
    reader = reader_of(Part(name=b"a", body=body, deflate=deflate))
    found = b""
    while reader.left:
        found += reader.read(min(step, reader.left))
    reader.finish()
    assert found == body
    assert reader.position == len(body)
    assert reader.read(0) == b""


def fault_of_reading(part):
    reader = reader_of(part)
    try:
        reader.read(reader.left)
        reader.finish()
    except Fault as fault:
        return fault.code
    return "nothing"


@pytest.mark.parametrize("deflate", [False, True])
def test_finish_checks_the_sum(deflate):
    assert fault_of_reading(Part(name=b"a", body=b"hello", deflate=deflate, both={"crc": 1})) == "FILE-003"
    assert fault_of_reading(Part(name=b"a", body=b"", deflate=deflate, both={"crc": 1})) == "FILE-003"


@pytest.mark.parametrize("body", [b"", b"x", b"hello" * 100, bytes(1 << 19)], ids=len)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9, 300_000])
def test_finish_finds_what_follows_the_stream(body, count):
    for byte in (b"\0", b"\x03", b"\xff"):
        assert (
            fault_of_reading(Part(name=b"a", body=body, held=deflated(body) + byte * count, deflate=True)) == "FILE-007"
        )


def test_finish_finds_more_and_fewer_bytes():
    body = b"hello" * 100
    for size in (499, 501, 1):
        assert fault_of_reading(Part(name=b"a", body=body, deflate=True, both={"size": size})) == "FILE-007"
    assert fault_of_reading(Part(name=b"a", body=b"", held=deflated(b"x"), deflate=True)) == "FILE-007"


def test_finish_asks_for_the_end_of_the_stream():
    open_end = zlib.compressobj(6, zlib.DEFLATED, -15)
    held = open_end.compress(b"hello") + open_end.flush(zlib.Z_SYNC_FLUSH)
    assert fault_of_reading(Part(name=b"a", body=b"hello", held=held, deflate=True)) == "FILE-003"
    assert fault_of_reading(Part(name=b"a", body=b"", held=b"", deflate=True)) == "FILE-003"


def test_finish_before_the_end_is_an_error():
    reader = reader_of(Part(name=b"a", body=b"hello"))
    reader.read(2)
    with pytest.raises(Fault, match="more bytes"):
        reader.finish()


@pytest.mark.parametrize("deflate", [False, True])
def test_a_damaged_header_is_told_as_damage(deflate):
    """Its shape, size or grammar is wrong because its bytes are: to write the array again is no help."""
    body = bytearray(npy(ARRAYS["diffraction"]))
    whole = zlib.crc32(body)
    for at in (12, 80, body.index(b"(5") + 1):
        body[at] ^= 1
        members = with_first(parts(diffraction=bytes(body), deflate=deflate), both={"crc": whole})
        data = archive(members)
        found = [one.code for one in validate(data).findings if one.level == "error"]
        assert found == ["FILE-003"]
        assert "FILE-003" not in validate(data, headers_only=True).codes
        body[at] ^= 1


# Members that are no arrays, and arrays that are no members of the contract


@pytest.mark.parametrize(
    ("name", "body", "codes"),
    [
        (b"README.txt", b"hello", {"FILE-005"}),
        (b"folder/", b"", {"FILE-005"}),
        (b"empty.npy", b"", {"FILE-005"}),
        (b"empty", b"", {"FILE-005"}),
        (b"short", b"\x93", {"FILE-005"}),
        (b"magic.txt", b"\x93NUMPY", {"FILE-005"}),
        (b"broken.npy", b"\x93NUMPY\x01\x00\xff\xff", {"FILE-005"}),
        (b"text.npy", b"hello", {"FILE-005"}),
        (b"extra.npy", npy(np.zeros(3)), {"KEY-003"}),
        (b"extra", npy(np.zeros(3)), {"KEY-003"}),
        (b"extra.txt", npy(np.zeros(3)), {"KEY-003"}),
        (b"longer.npy", npy(np.zeros(3)) + b"?", {"FILE-005"}),
    ],
)
def test_a_member_outside_the_contract_is_never_fatal(name, body, codes):
    for deflate in (False, True):
        report = validate(archive([*parts(), Part(name=name, body=body, deflate=deflate)]), strict_archive=True)
        assert report.verdict == "valid"
        assert {finding.code for finding in report.findings} == codes


@pytest.mark.parametrize("name", [b"Y", b"scan_index"])
def test_an_array_without_its_extension_is_read_as_numpy_reads_it(name):
    body = npy(np.zeros((2, 3)))
    data = archive([*parts(), Part(name=name, body=body)])
    with np.load(io.BytesIO(data)) as held:
        assert held[name.decode()].shape == (2, 3)
    report = validate(data)
    assert report.verdict == "violations"
    assert report.arrays[name.decode()].shape == (2, 3)


def test_members_outside_the_contract_are_not_inflated_unless_asked():
    extra = Part(name=b"extra.npy", body=npy(np.zeros(1000)), both={"crc": 1})
    note = Part(name=b"README.txt", body=b"hello", both={"crc": 1})
    for part in (extra, note):
        data = archive([*parts(), part])
        assert validate(data).verdict == "valid"
        report = validate(data, strict_archive=True)
        assert (report.verdict, report.codes) == ("unreadable", {"FILE-003"})
