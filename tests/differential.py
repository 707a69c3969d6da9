"""The reader beside numpy: whatever it accepts, numpy must read the same values from."""

from __future__ import annotations

import io
import warnings

import numpy as np

from npzschema.contracts import load, rules
from npzschema.validator.archive import open_archive
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.engine import validate
from npzschema.validator.faults import Fault
from npzschema.validator.reporters import REPORTERS, Style
from npzschema.validator.source import BytesSource


def opened(data):
    return ArchiveDataset(open_archive(BytesSource(data)))


def gathered(held, name):
    header = held.headers[name]
    chunks = list(held.chunks(name))
    assert all(chunk.ndim == 1 and chunk.dtype.isnative for chunk in chunks)
    native = header.dtype.newbyteorder("=")
    flat = np.concatenate(chunks) if chunks else np.empty(0, dtype=native)
    stored = flat.reshape(header.storage)
    return stored.T if header.fortran else stored


def same(one, other):
    """Equal to the bit; the padding of records and of long doubles apart."""
    native = other.dtype.newbyteorder("=")
    assert one.shape == other.shape
    if native.names:
        # Joining the chunks drops the padding.
        assert one.dtype.names == native.names
        for name in native.names:
            same(one[name], other[name])
        return
    assert one.dtype.newbyteorder("=") == native
    if native.kind in "fc" and native.itemsize >= np.dtype("g").itemsize:
        assert np.array_equal(one, other, equal_nan=True)
    else:
        assert one.astype(native).tobytes() == other.astype(native).tobytes()


def printable(text):
    return all(line.isprintable() for line in text.split("\n"))


def assert_honest(data):
    """It never raises, never prints what a terminal obeys, and passes only what numpy reads with the same values."""
    report = validate(data)
    assert "INTERNAL-001" not in report.codes, report.findings
    text = REPORTERS["text"].render([report], Style(verbosity=1))
    assert printable(text)
    assert printable(REPORTERS["json"].render([report], Style()))
    if report.verdict != "valid":
        return report
    held = opened(data)
    with warnings.catch_warnings(), np.load(io.BytesIO(data), allow_pickle=False) as numpy_held:
        warnings.simplefilter("ignore")
        known = load(report.contract).known_names() & set(numpy_held.files) - {"_metadata"}
        assert known == set(held.headers) & load(report.contract).known_names() - {"_metadata"}
        for name in known:
            same(gathered(held, name), numpy_held[name])
    return report


def assert_agrees(data):
    """Array by array, whatever a contract says of them. Returns the names of those that were compared."""
    try:
        held = opened(data)
    except Fault as fault:
        assert fault.code in rules()  # noqa: PT017 - that it is a fault is as good as that it is none
        return ()
    if any(fault.code in ("FILE-004", "FILE-008") for fault in held.faults):
        # Which of two counts, and what an unsafe name means, is what readers differ in: never valid.
        return ()
    compared = []
    with warnings.catch_warnings(), np.load(io.BytesIO(data), allow_pickle=False) as numpy_held:
        warnings.simplefilter("ignore")
        for name, header in held.headers.items():
            if header.pickled:
                continue
            try:
                array = gathered(held, name)
            except Fault as fault:
                assert fault.code in rules()  # noqa: PT017 - the same
                continue
            assert name in numpy_held.files
            same(array, numpy_held[name])
            compared.append(name)
    return tuple(compared)
