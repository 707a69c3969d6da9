"""Parts of arrays read once more: numpy's own indexing is the oracle."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from npzschema.validator.archive import open_archive
from npzschema.validator.dataset import CHUNK, ArchiveDataset, ArrayHeader, MappingDataset
from npzschema.validator.pictures.second_read import cuts, frames
from npzschema.validator.source import BytesSource

SHAPES = [(7,), (5, 4), (6, 5, 4), (3, 70, 300), (4, 3, 2, 1)]


def arrays_of(shape, dtype, order):
    values = np.random.default_rng(len(shape)).integers(0, 1000, size=shape).astype(dtype)
    return np.asarray(values, order=order)


def stored(datasets, array):
    return ArchiveDataset(open_archive(BytesSource(datasets.saved({"a": array}))))


def indices_of(shape):
    choices = [(length // 2, slice(None), slice(1, None, 2), slice(0, 3)) for length in shape]
    return [one for one in itertools.product(*choices) if any(isinstance(part, slice) for part in one)]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<u2", "<c8"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cuts_are_what_numpy_cuts(datasets, shape, dtype, order):
    array = arrays_of(shape, dtype, order)
    wanted = indices_of(shape)
    for dataset in (stored(datasets, array), MappingDataset({"a": array})):
        for at, got in zip(wanted, cuts(dataset, dataset.headers["a"], wanted), strict=True):
            np.testing.assert_array_equal(got, array[at])


@pytest.mark.parametrize("shape", [(9, 4, 5), (9, 200, 300), (9, 6), (9, 4, 5, 1)], ids=str)
def test_frames_are_whole_ascending_and_in_the_order_of_storage(datasets, shape):
    array = arrays_of(shape, "<f4", "C")
    assert array[0].nbytes * 9 > CHUNK or shape != (9, 200, 300), "frames must cross chunks"
    dataset = stored(datasets, array)
    got = list(frames(dataset, dataset.headers["a"], [8, 0, 3, 3]))
    assert [frame for frame, _ in got] == [0, 3, 8]
    for frame, values in got:
        np.testing.assert_array_equal(values, array[frame])


def test_frames_in_fortran_order_run_along_the_last_axis(datasets):
    array = arrays_of((4, 5, 9), "<f4", "F")
    dataset = stored(datasets, array)
    for frame, values in frames(dataset, dataset.headers["a"], [2, 7]):
        np.testing.assert_array_equal(values, array[:, :, frame].T)


class Endless:
    """64 GiB of float32 that nobody holds; counts the chunks that are asked for."""

    def __init__(self):
        self.headers = {"a": ArrayHeader(name="a", shape=(1 << 20, 128, 128), dtype=np.dtype("<f4"))}
        self.served = 0

    def chunks(self, _):
        chunk = np.arange(CHUNK // 4, dtype=np.float32)
        while True:
            self.served += 1
            yield chunk


def test_memory_is_that_of_what_is_asked_for_and_reading_stops_there():
    dataset = Endless()
    per_chunk = CHUNK // 4
    tracemalloc.start()
    try:
        (plane,) = cuts(dataset, dataset.headers["a"], [(slice(0, 4000), 64, slice(None))])
        told = dict(frames(dataset, dataset.headers["a"], [4001]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What was read is 2 x 4,000 frames, and what a thread reads ahead.
    assert dataset.served < 2 * (4000 * 128 * 128 / per_chunk + 8)
    np.testing.assert_array_equal(plane[0], np.arange(64 * 128, 65 * 128))
    np.testing.assert_array_equal(told[4001], (np.arange(4001 % 4 * 16384, (4001 % 4 + 1) * 16384)).reshape(128, 128))
    assert peak < 40 * plane.size + 8 * CHUNK + (1 << 20)
