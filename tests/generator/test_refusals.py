"""Wrong arguments give one line, from the command and from Python."""

from __future__ import annotations

import numpy as np
import pytest

from npzschema.generator import Experiment, GeneratorError, convert, fixture, simulate
from npzschema.validator.engine import validate

from .making import CANONICAL, arrays_of, refused, save, simulated


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_outputs_without_a_name(tmp_path, monkeypatch, name):
    source = simulated(tmp_path / "in.npz", n=20)
    monkeypatch.chdir(tmp_path)
    for argv in (
        ("fixture", "--source", source, "--output", name, "--subset-size", 16, "--contract", CANONICAL),
        ("break", "--rule", "META-003", source, name),
        ("break", "--rule", "KEY-001", source, name, "--force"),
        ("convert", source, name),
        ("convert", source, "out.npz", "--metadata-out", name),
        ("simulate", "--output", name),
    ):
        assert "is a directory; name a file" in refused(tmp_path, *argv)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"positions": 1.5}, "positions is 1.5"),
        ({"positions": True}, "positions is True"),
        ({"size": "8"}, "size is '8'"),
        ({"seed": None}, "seed is None"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"photons": "a"}, "photons is 'a'"),
        ({"overlap": "x"}, "overlap is 'x'"),
        ({"probe": ["disc"]}, r"probe is \['disc'\]"),
        ({"object_shape": (100,)}, "object_shape is"),
        ({"object_shape": (1e2, 1e2)}, "object_shape is"),
        ({"object_shape": (-70, 100)}, "object_shape is"),
        ({"photons": 1e-3}, "0.001 photons per frame"),
        ({"photons": float("nan")}, "nan photons per frame"),
        ({"size": 16, "positions": 100, "object_shape": (18, 18)}, "steps of 0 pixel"),
    ],
)
def test_experiments_that_are_none(tmp_path, change, words):
    with pytest.raises(GeneratorError, match=words) as told:
        simulate(tmp_path / "a.npz", Experiment(**change))
    assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"axes": "x"}, "axes is 'x'"), ({"positions": ["first"]}, "no way"), ({"allow": "drop"}, "list of names")],
)
def test_fixtures_of_wrong_arguments(tmp_path, change, words):
    source = simulated(tmp_path / "in.npz", n=20)
    with pytest.raises(GeneratorError, match=words):
        fixture(source, tmp_path / "o.npz", **{"subset_size": 16, "contract": CANONICAL, **change})
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in.npz"]


class TestIntegersNeverWrap:
    @pytest.fixture
    def source(self, tmp_path):
        def give(index):
            arrays = arrays_of(simulated(tmp_path / "made.npz", n=20))
            return save(tmp_path / "in.npz", arrays | {"scan_index": index})

        return give

    @pytest.mark.parametrize("make", [convert, fixture])
    def test_a_float_index_is_cast_whole(self, tmp_path, source, make):
        path = source(np.arange(20) * 2.0**40)
        more = {"subset_size": 20} if make is fixture else {}
        make(path, tmp_path / "out.npz", contract=CANONICAL, **more)
        found = arrays_of(tmp_path / "out.npz")["scan_index"]
        assert found.dtype.kind == "i"
        assert found.tolist() == [index * 2**40 for index in range(20)]

    @pytest.mark.parametrize("bad", [2.0**63, -(2.0**64), np.nan, np.inf])
    def test_what_no_integer_holds_is_refused_even_when_allowed(self, tmp_path, source, bad):
        index = np.arange(20.0)
        index[7] = bad
        path = source(index)
        for allow in ([], ["cast"]):
            with pytest.raises(GeneratorError, match="DTYPE-001"):
                convert(path, tmp_path / "out.npz", allow=allow)
        assert not (tmp_path / "out.npz").exists()

    def test_fractions_are_dropped_only_by_name(self, tmp_path, source):
        path = source(np.arange(20) + 0.5)
        with pytest.raises(GeneratorError, match="--allow cast"):
            convert(path, tmp_path / "out.npz")
        convert(path, tmp_path / "out.npz", allow=["cast"])
        assert arrays_of(tmp_path / "out.npz")["scan_index"].tolist() == list(range(20))


class TestWhatAFixtureCarries:
    def test_both_names_metadata_and_what_is_left_out(self, tmp_path):
        arrays = arrays_of(simulated(tmp_path / "made.npz", n=20))
        text = '{"physics_parameters": {"nphotons": 5.0}}'
        more = {"_metadata": np.array(text), "exposure": np.arange(20.0), "foo": np.arange(3)}
        made = fixture(
            save(tmp_path / "in.npz", arrays | more), tmp_path / "out.npz", subset_size=16, contract=CANONICAL
        )
        found = arrays_of(made.path)
        assert str(found["_metadata"]) == text
        assert found["diff3d"].tobytes() == found["diffraction"].tobytes() == arrays["diffraction"][:16].tobytes()
        assert not {"exposure", "foo"} & set(found)
        sentences = [step["sentence"] for step in made.steps]
        for name in ("exposure", "foo"):
            assert f"left out: {name}, which {CANONICAL} does not know" in sentences
        assert validate(made.path, CANONICAL).codes == set()

    def test_the_scan_axis_last_has_one_name(self, tmp_path):
        source = simulated(tmp_path / "in.npz", "ptychopinn/legacy-hwn", n=20)
        made = fixture(source, tmp_path / "out.npz", subset_size=16, contract="ptychopinn/legacy-hwn")
        assert "diff3d" not in arrays_of(made.path)
