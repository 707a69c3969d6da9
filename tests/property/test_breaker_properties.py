"""Every breaker on every conforming dataset yields its code and no other at error level; exceptions are data.

Issue 3, "Properties that must hold in CI", the second. Each code is really broken, for each contract, as often as
LEAST says: a breaker that declines everything fails here.
"""

from __future__ import annotations

import functools
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npzschema.contracts import load, reasons, rules, shipped
from npzschema.generator import Experiment, strategies
from npzschema.generator.breakers import CONTAINER, DATA, broken
from npzschema.generator.errors import NotApplicable
from npzschema.generator.plain_breakers import PLAIN
from npzschema.generator.simulate import dataset
from npzschema.generator.stream import whole
from npzschema.validator.engine import validate

FIXTURE = "ptychopinn/fixture-v1"
BREAKABLE = sorted(set(DATA) | set(CONTAINER))
FREE = [name for name in shipped() if name != FIXTURE]
EXAMPLES = max(8, settings.default.max_examples // 5)
LEAST = 2
SOME = settings(max_examples=EXAMPLES)
# A thousand members, or 64 frames of 64x64.
COSTLY = settings(max_examples=max(2, EXAMPLES // 6))


@functools.cache
def measured(name, seed):
    """Arrays as measured: frames are what probe, object and positions predict, with noise, in one of many forms."""
    rng = random.Random(seed)
    fixed = name == FIXTURE
    experiment = Experiment(
        positions=64 if fixed else rng.randint(17, 40),
        size=64 if fixed else rng.choice([15, 16]),
        probe=rng.choice(["gaussian", "disc"]),
        object=rng.choice(["smooth", "siemens"]),
        scan=rng.choice(["raster", "fermat", "concentric"]),
        overlap=rng.choice([0.6, 0.7, 0.8]),
        photons=rng.choice([1e5, 1e6]),
        seed=seed,
    )
    return {key: whole(stream) for key, stream in dataset(experiment, load(name)).items()}


@st.composite
def tolerated(draw, name, seed):
    """A measurement as files have it: patterns under both names, surplus positions, metadata as a pickle; or none."""
    contract, arrays = load(name), dict(measured(name, draw(seed)))
    if draw(st.booleans()):
        first, second = contract.identical[0]
        arrays |= {other: arrays[one] for one, other in ((first, second), (second, first)) if one in arrays}
    if draw(st.booleans()) and name != FIXTURE:
        n = len(arrays["xcoords"])
        more = draw(st.integers(1, 3))
        arrays |= {
            key: np.concatenate([one, one[:more] + 1]).astype(one.dtype)
            for key, one in arrays.items()
            if one.shape == (n,)
        }
    if contract.metadata and draw(st.booleans()):
        text = str(arrays.get(contract.metadata.member, "{}"))
        arrays[contract.metadata.member] = np.array(text, dtype=draw(st.sampled_from([object, "U"])))
    return arrays


def conforming(name):
    """Random numbers in every alternative that the contract declares, or a measurement."""
    # Each is simulated once for all codes.
    many = 2 if name == FIXTURE else EXAMPLES
    text = "{}" if name == FIXTURE else None
    return tolerated(name, st.integers(0, many)) | strategies.datasets(load(name), tolerated=True, metadata=text)


def check(data, contract, code):
    report = validate(data, contract, strict_archive=True)
    level = rules()[code].level
    assert level in {one.level for one in report.findings if one.code == code}, report.findings
    assert report.codes == ({code} if level == "error" else set()), report.findings


def times_broken(name, code):
    """How many of the datasets drawn could be broken; what was made is checked."""
    contract, rule, done = load(name), rules()[code], Counter()

    @settings(parent=COSTLY if name == FIXTURE or code == "FILE-009" else SOME)
    @given(conforming(name))
    def run(arrays):
        try:
            data = broken(arrays, contract, code)
        except NotApplicable as error:
            # A dataset that cannot be broken is an exception that the catalogue tells, in its own words.
            said = str(error)
            assert said in {one.why for one in rule.exceptions if not one.contracts}
            return
        check(data, contract, code)
        done["broken"] += 1

    run()
    return done["broken"]


@pytest.mark.parametrize("code", BREAKABLE)
def test_every_conforming_dataset_is_broken_in_one_place(code):
    for name in FREE:
        if rules()[code].exempt(name) is None:
            assert times_broken(name, code) >= LEAST, name


@pytest.mark.parametrize("code", BREAKABLE)
def test_fixtures_are_broken_in_one_place(code):
    if rules()[code].exempt(FIXTURE) is None:
        assert times_broken(FIXTURE, code) >= 1


@pytest.mark.parametrize("code", sorted({*PLAIN, *CONTAINER} - {"FILE-009"}))
def test_datasets_of_random_contracts_are_broken_in_one_place(code):
    done = Counter()

    # Few random contracts ask for any one thing; a container can be broken in every one of them.
    @settings(parent=SOME, max_examples=4 * EXAMPLES if code in PLAIN else EXAMPLES)
    @given(
        strategies.contracts().flatmap(lambda one: st.tuples(st.just(one), strategies.datasets(one, tolerated=True)))
    )
    def run(drawn):
        contract, arrays = drawn
        try:
            data = broken(arrays, contract, code)
        except NotApplicable as error:
            # What a contract does not ask for cannot be broken; an archive always can, if it holds anything.
            said = str(error)
            assert said == reasons()["not-alone" if code in PLAIN else "no-arrays"]
            assert code in PLAIN or not set(arrays) & set(contract.arrays)
            return
        check(data, contract, code)
        done["broken"] += 1

    run()
    assert done["broken"] >= LEAST
