"""What a command sets for its process."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from npzschema import process


@pytest.fixture
def restored() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(("asked", "found"), [(None, "1"), ("7", "7")])
def test_blas_threads_are_as_asked_and_one_otherwise(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, found: str
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", asked or "")
    if asked is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    process.prepare()
    assert os.environ["OPENBLAS_NUM_THREADS"] == found


@pytest.mark.usefixtures("restored")
def test_at_the_end_nothing_is_left_to_look_at() -> None:
    process.finish()
    assert gc.get_freeze_count() > 0
    assert len(gc.get_objects()) < 100
