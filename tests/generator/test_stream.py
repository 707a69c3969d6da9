"""Streams: transposed, squeezed, mapped and cut without the whole array, as numpy does with it."""

from __future__ import annotations

import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.generator import GeneratorError, stream
from npzschema.generator.stream import Stream, c_order, mapped, of_array, squeeze, stream_of, taken
from npzschema.validator.dataset import MappingDataset, chunk_lengths


def stored(array, axes, sizes=(7, 3, 11)):
    """A stream of an array whose axes lie in storage in the order given, in odd chunks."""
    flat = array.transpose(axes).reshape(-1)

    def chunks():
        at, turn = 0, 0
        while at < flat.size:
            yield flat[at : at + sizes[turn % len(sizes)]]
            at, turn = at + sizes[turn % len(sizes)], turn + 1

    return Stream(shape=array.shape, dtype=array.dtype, storage_axes=tuple(axes), chunks=chunks)


def whole(one, **options):
    chunks = [chunk.reshape(-1) for chunk in c_order(one, **options)]
    return np.concatenate(chunks or [np.empty(0, one.dtype)]).reshape(one.shape)


@pytest.mark.parametrize("axes", [axes for rank in range(5) for axes in permutations(range(rank))])
@pytest.mark.parametrize("block", [1 << 26, 200])
def test_c_order_from_any_storage_order(axes, block):
    array = np.arange(2 * 3 * 4 * 5)[: int(np.prod((2, 3, 4, 5)[: len(axes)]))].reshape((2, 3, 4, 5)[: len(axes)])
    assert (whole(stored(array, axes), block=block) == array).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.randoms(use_true_random=False), st.data())
def test_taken_transposed_and_squeezed_equal_numpy(shape, random, data):
    array = np.arange(int(np.prod(shape))).reshape(shape)
    axes = list(range(len(shape)))
    random.shuffle(axes)
    one = stored(array, axes)
    axis = data.draw(st.integers(0, len(shape) - 1))
    if shape[axis]:
        indices = np.array(
            data.draw(st.lists(st.integers(0, shape[axis] - 1), max_size=6, unique=True)), dtype=np.int64
        )
        assert (whole(taken(one, axis, indices)) == np.take(array, indices, axis=axis)).all()
    random.shuffle(axes)
    assert (whole(stream.transpose(one, axes)) == array.transpose(axes)).all()
    keep = [at for at, length in enumerate(shape) if length != 1]
    assert (whole(squeeze(one, keep)) == array.squeeze()).all()


@pytest.mark.parametrize("indices", [[0, 3], [-1, 2]])
def test_items_beyond_an_axis_are_refused(indices):
    with pytest.raises(GeneratorError, match="along an axis of length 3"):
        taken(of_array(np.arange(6).reshape(3, 2)), 0, np.array(indices))


def test_axes_of_length_one_lie_anywhere():
    array = np.arange(6).reshape(2, 1, 3)
    for axes in permutations(range(3)):
        if [axis for axis in axes if axis != 1] == [0, 2]:
            assert stored(array, axes).in_c_order


def test_mapped_gives_the_dtype_and_reads_again_each_time():
    one = mapped(of_array(np.arange(4)), np.dtype("f4"), np.sqrt)
    for _ in range(2):
        assert whole(one).dtype == np.float32
        assert (whole(one) == np.sqrt(np.arange(4)).astype("f4")).all()


def test_stream_of_a_dataset_is_native_and_knows_its_order():
    array = np.asfortranarray(np.arange(24).reshape(2, 3, 4).astype(">i4"))
    dataset = MappingDataset({"a": array})
    one = stream_of(dataset, dataset.headers["a"])
    assert one.dtype == np.dtype("i4")
    assert one.storage_axes == (2, 1, 0)
    assert (whole(one) == array).all()


def test_what_needs_all_of_a_large_array_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(stream, "BLOCK", 10)
    with pytest.raises(GeneratorError, match="too large to reorder"):
        whole(stored(np.arange(24).reshape(2, 3, 4), (1, 0, 2)))


@pytest.mark.parametrize("frames", [100, 97, 65, 5])
def test_frames_come_in_bands_of_two_pieces(frames):
    """So that the writer copies none of them to put a piece together."""
    one = stored(np.zeros((frames, 128, 128), dtype="f4"), (1, 2, 0), [1 << 20])
    pieces = [*chunk_lengths(one.shape, 4)]
    assert [band.size for band in c_order(one)] == [sum(pieces[at : at + 2]) for at in range(0, len(pieces), 2)]


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_reordering_holds_a_few_blocks_only(axes):
    shape, block = (400, 60, 50), 1 << 18
    lengths = [shape[axis] for axis in axes]
    row = int(np.prod(lengths[1:]))

    def chunks():
        for start in range(lengths[0]):
            yield np.arange(start * row, (start + 1) * row, dtype=np.float64)

    one = Stream(shape=shape, dtype=np.dtype("f8"), storage_axes=axes, chunks=chunks)
    total = 0.0
    tracemalloc.start()
    try:
        for band in c_order(one, block=block):
            total += float(band.sum())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    count = int(np.prod(shape))
    assert total == count * (count - 1) / 2
    assert peak < 8 * block < count * 8 / 4
