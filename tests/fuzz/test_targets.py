"""What is fuzzed, without a fuzzer: every seed, and archives changed at places that mean something."""

from __future__ import annotations

import importlib.util
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import figures, run
from .targets import LARGEST, TARGETS, small_archives, zip_field

SMALL = list(small_archives())


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed(name):
    target = TARGETS[name]
    count = 0
    for data in target.seeds():
        if len(data) <= LARGEST:
            target.run(data)
            count += 1
    assert count > 3


@given(st.sampled_from(SMALL), st.integers(0, 1 << 32), st.integers(1, 4))
def test_changed_fields_of_an_archive(data, seed, times):
    rng = random.Random(seed)
    for _ in range(times):
        data = zip_field(data, rng)
    TARGETS["archive"].run(data)


def test_the_small_archives_are_sound():
    """Else the fuzzer would start from files that are refused at once."""
    from ..differential import assert_agrees

    assert sum(bool(assert_agrees(data)) for data in SMALL) == len(SMALL) - 1


def test_without_atheris_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert run.main(["30"]) == 0
    assert capsys.readouterr().out.startswith("fuzzing left out: atheris is not installed")


def test_the_threat_model_counts_the_corpus_that_there_is():
    assert figures.counts() in figures.PAGE.read_text(encoding="utf-8")
