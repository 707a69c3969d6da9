"""Breakers: each gives its own code, at the catalogue's level, and no other error."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from npzschema.contracts import load, rules, shipped
from npzschema.generator import GeneratorError
from npzschema.generator.breakers import CONTAINER, DATA, NotApplicable, break_file, broken
from npzschema.generator.scan_dataset import ScanDataset
from npzschema.validator.engine import validate

from .making import CANONICAL, CI, FIXTURE, LEGACY, arrays_of, command, digest, held, refused, simulated

BESIDE = {"META-003"}
"""Broken by a file beside the dataset, not by its bytes."""

NO_FILE = {code for code, rule in rules().items() if not rule.breakable}
"""About the tool itself."""

ALL = sorted(set(rules()) - NO_FILE - BESIDE)

CONTRACTS = [pytest.param(name, marks=pytest.mark.slow) if name == FIXTURE else name for name in shipped()]


@pytest.fixture(scope="module")
def rich_of(tmp_path_factory):
    """A dataset of each contract with everything that is optional."""
    made = {}

    def give(name):
        if name not in made:
            contract = load(name)
            size = {"n": 64, "size": 64} if name == FIXTURE else {"n": 25, "size": 16}
            path = simulated(tmp_path_factory.mktemp("rich") / "a.npz", name, **size)
            arrays = arrays_of(path)
            n, (rows, columns) = len(arrays["xcoords"]), arrays["probeGuess"].shape
            for start in ("xcoords_start", "ycoords_start"):
                arrays.setdefault(start, arrays[start.removesuffix("_start")] + 0.25)
            if "Y" in contract.arrays:
                arrays["Y"] = np.exp(1j * np.arange(n * rows * columns)).astype(np.complex64).reshape(n, rows, columns)
            if contract.metadata:
                arrays.setdefault(contract.metadata.member, np.array("{}"))
            report = validate(arrays, contract)
            assert report.ok
            assert not [one.code for one in report.findings if one.level != "info"]
            made[name] = arrays
        return made[name]

    return give


def test_every_rule_has_a_breaker_and_every_breaker_a_rule():
    assert set(DATA) | set(CONTAINER) | BESIDE == set(rules()) - NO_FILE
    assert not set(DATA) & set(CONTAINER)


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_breaker_gives_its_code_and_no_other_error(rich_of, name):
    contract, arrays = load(name), rich_of(name)
    before = {key: one.tobytes() for key, one in arrays.items()}
    not_applicable = set()
    # With everything that is optional, and as measured: only what no dataset of the contract can break is left.
    for rule in ALL:
        try:
            data = broken(arrays, contract, rule)
        except NotApplicable:
            not_applicable.add(rule)
            continue
        report = validate(data, contract, strict_archive=True)
        level = rules()[rule].level
        assert level in {one.level for one in report.findings if one.code == rule}, (rule, report.findings)
        assert report.codes == ({rule} if level == "error" else set()), (rule, report.findings)
        assert report.verdict == (
            "unreadable" if rules()[rule].unreadable else "violations" if level == "error" else "valid"
        )
    assert not_applicable == {rule for rule in ALL if rules()[rule].exempt(name)}
    assert {key: one.tobytes() for key, one in arrays.items()} == before


EXCEPTED = [(name, rule) for name in shipped() for rule in ALL if rules()[rule].exempt(name)]


@pytest.mark.parametrize(("name", "rule"), EXCEPTED)
def test_what_the_catalogue_excepts_no_breaker_could_break(rich_of, name, rule):
    """An exception that is no longer one would hide a rule."""
    contract = load(name)
    with pytest.raises(NotApplicable):
        DATA[rule](ScanDataset(dict(rich_of(name)), contract, contract.scan))
    with pytest.raises(NotApplicable, match=rules()[rule].exempt(name)):
        broken(rich_of(name), contract, rule)


def pickled(text):
    """A .npy as numpy 1 wrote it, whose modules had other names: pickled anew, it would name those of today."""
    out, array = io.BytesIO(), np.array(text, dtype=object)
    np.lib.format.write_array_header_1_0(out, np.lib.format.header_data_from_array_1_0(array))
    return out.getvalue() + pickle.dumps(array, protocol=3).replace(b"numpy._core.", b"numpy.core.")


def both_names(arrays):
    return arrays | {"diff3d": arrays["diffraction"].copy()}


def surplus_positions(arrays):
    return {key: np.append(one, one[-1:] + 1) if one.shape == (25,) else one for key, one in arrays.items()}


def pickled_metadata(arrays):
    return arrays | {"_metadata": np.array(str(arrays["_metadata"]), dtype=object)}


@pytest.mark.parametrize("kind", [both_names, surplus_positions, pickled_metadata])
def test_files_of_every_kind_that_conforms_are_broken_in_one_place(rich_of, kind):
    contract, arrays = load(CANONICAL), kind(rich_of(CANONICAL))
    assert validate(arrays, contract).ok
    for rule in ALL:
        report = validate(broken(arrays, contract, rule), contract, strict_archive=True)
        level = rules()[rule].level
        assert level in {one.level for one in report.findings if one.code == rule}, (rule, report.findings)
        assert report.codes == ({rule} if level == "error" else set()), (rule, report.findings)


def test_both_names_are_broken_alike(rich_of):
    arrays = both_names(rich_of(CANONICAL))
    with np.load(io.BytesIO(broken(arrays, load(CANONICAL), "VALUE-002"))) as held:
        assert held["diffraction"].min() == -1
        assert np.array_equal(held["diffraction"], held["diff3d"])
    with np.load(io.BytesIO(broken(arrays, load(CANONICAL), "KEY-002"))) as held:
        assert "diffraction" not in held.files
        assert np.array_equal(held["diff3d"], arrays["diffraction"])


def test_what_would_break_two_rules_is_refused_from_python(rich_of):
    """Not a conforming dataset: a second rule is broken already."""
    arrays = rich_of(CANONICAL) | {"scan_index": np.zeros(3, np.int64)}
    with pytest.raises(NotApplicable, match=r"cannot break VALUE-002 alone: SHAPE-002, VALUE-002 would be found"):
        broken(arrays, load(CANONICAL), "VALUE-002")


@pytest.mark.parametrize("rule", ["SCAN-002", "SCAN-003", "SCAN-008"])
def test_rules_about_positions_do_not_ask_which_axis_counts_frames(rich_of, rule):
    arrays = dict(rich_of(CANONICAL))
    # An undecided cube of noise with a placeholder for its object.
    cube = {key: one[:16] if one.shape[:1] == (25,) else one for key, one in arrays.items()}
    noise = np.random.default_rng(0).permuted(cube["diffraction"].reshape(-1)).reshape(16, 16, 16)
    cube |= {"diffraction": noise, "objectGuess": np.ones_like(cube["objectGuess"])}
    contract = load(CANONICAL)
    assert "FORMAT-002" in {one.code for one in validate(cube, contract).findings}
    report = validate(broken(cube, contract, rule), contract)
    assert rule in {one.code for one in report.findings}
    assert report.codes <= {rule}
    with pytest.raises(NotApplicable, match="which axis counts frames"):
        broken(cube, contract, "SCAN-005")


def test_what_numpy_writes_and_the_breaker_too_is_the_same_each_time(rich_of):
    for rule in ("KEY-003", "FILE-003", "SCAN-006", "FORMAT-002"):
        assert broken(rich_of(CANONICAL), load(CANONICAL), rule) == broken(rich_of(CANONICAL), load(CANONICAL), rule)


def test_codes_that_cannot_be_broken(rich_of):
    with pytest.raises(GeneratorError, match="is about the tool itself"):
        broken(rich_of(CANONICAL), load(CANONICAL), "INTERNAL-001")
    with pytest.raises(GeneratorError, match="no rule 'NONE-001'"):
        broken(rich_of(CANONICAL), load(CANONICAL), "NONE-001")


def test_bare_datasets_say_why_not(rich_of):
    arrays = {key: one for key, one in rich_of(LEGACY).items() if key != "_metadata"}
    with pytest.raises(NotApplicable, match="has no metadata"):
        broken(arrays, load(LEGACY), "META-001")
    one = {key: array[:1] if array.shape[:1] == (25,) else array for key, array in rich_of(CANONICAL).items()}
    for rule in ("SCAN-002", "SCAN-005", "SCAN-007", "PHYS-001"):
        with pytest.raises(NotApplicable, match=r"there are fewer than 2 (positions|frames)"):
            broken(one, load(CANONICAL), rule)


class TestFiles:
    @pytest.fixture
    def source(self, tmp_path):
        return simulated(tmp_path / "in.npz", n=25)

    @pytest.mark.parametrize("rule", ["FORMAT-001", "scan-001", "FILE-004", "META-003"])
    def test_a_file_that_breaks_one_rule(self, tmp_path, source, rule):
        before = digest(source)
        status, out, err = command("break", "--rule", rule, source, tmp_path / "out.npz")
        assert (status, err) == (0, "")
        assert out == f"{tmp_path / 'out.npz'}: written; breaks {rule.upper()}\n"
        assert validate(tmp_path / "out.npz", CANONICAL).codes == {rule.upper()}
        assert digest(source) == before
        assert set(os.listdir(tmp_path)) == {"in.npz", "out.npz"} | ({"out.json"} if rule == "META-003" else set())

    def test_the_input_is_safe(self, tmp_path, source):
        (tmp_path / "link.npz").symlink_to(source)
        for target in (source, tmp_path / "link.npz"):
            assert "is the input itself" in refused(tmp_path, "break", "--rule", "KEY-001", source, target, "--force")
        # The sidecar of what is broken may be the input, too.
        other = tmp_path / "other.json"
        other.write_bytes(source.read_bytes())
        assert "is the input itself" in refused(
            tmp_path, "break", "--rule", "META-003", other, tmp_path / "other.npz", "--force"
        )

    def test_existing_outputs(self, tmp_path, source):
        (tmp_path / "out.json").write_text("my notes")
        assert "out.json: exists already" in refused(
            tmp_path, "break", "--rule", "META-003", source, tmp_path / "out.npz"
        )
        (tmp_path / "out.npz").write_text("old")
        assert "out.npz: exists already" in refused(
            tmp_path, "break", "--rule", "KEY-001", source, tmp_path / "out.npz"
        )
        assert command("break", "--rule", "KEY-001", source, tmp_path / "out.npz", "--force")[0] == 0

    def test_another_files_sidecar_would_add_a_second_error(self, tmp_path, source):
        (tmp_path / "out.json").write_text(json.dumps({"sha256_checksum": "0" * 64}))
        assert "another file's sidecar" in refused(tmp_path, "break", "--rule", "KEY-001", source, tmp_path / "out.npz")

    def test_what_is_broken_already(self, tmp_path, source):
        arrays = arrays_of(source)
        np.savez(source, **{key: one for key, one in arrays.items() if key != "probeGuess"})
        assert "is not valid as it is (KEY-001)" in refused(
            tmp_path, "break", "--rule", "KEY-002", source, tmp_path / "out.npz"
        )

    def test_what_cannot_be_broken_here(self, tmp_path):
        source = simulated(tmp_path / "in.npz", LEGACY, n=25)
        argv = ("break", "--contract", LEGACY, source, tmp_path / "out.npz", "--rule")
        assert "has no metadata" in refused(tmp_path, *argv, "META-001")
        assert "no rule 'NO-1'" in refused(tmp_path, *argv, "NO-1")
        assert command(*argv, "SCAN-001")[0] == 0

    @pytest.mark.parametrize("rule", ["KEY-001", "FORMAT-001", "FILE-003", "FILE-001", "META-003", "META-004"])
    def test_pickled_metadata_is_passed_on_as_it_is_stored(self, tmp_path, source, rule):
        npy = pickled('{"physics_parameters": {"nphotons": 1e9}}')
        np.savez(source, **{key: one for key, one in arrays_of(source).items() if key != "_metadata"})
        with zipfile.ZipFile(source, "a") as archive:
            archive.writestr("_metadata.npy", npy)
        assert {one.code for one in validate(source, CANONICAL).findings} == {"META-004"}
        status, _, err = command("break", "--rule", rule, source, tmp_path / "out.npz")
        assert (status, err) == (0, "")
        report = validate(tmp_path / "out.npz", CANONICAL)
        assert report.codes == ({rule} if rule != "META-004" else set())
        content = (tmp_path / "out.npz").read_bytes()
        with zipfile.ZipFile(io.BytesIO(b"PK" + content[2:])) as archive:
            held = archive.read("_metadata.npy")
        assert held == npy or rule == "META-004"

    def test_metadata_is_broken_whether_it_is_a_pickle_or_not(self, tmp_path, source):
        np.savez(source, **arrays_of(source) | {"_metadata": np.array('{"schema_version": "7"}', dtype=object)})
        for rule in ("META-001", "META-002"):
            status, _, err = command("break", "--rule", rule, source, tmp_path / f"{rule}.npz")
            assert (status, err) == (0, "")
            assert validate(tmp_path / f"{rule}.npz", CANONICAL).codes == {rule}
        # What it said is kept besides.
        assert json.loads(str(arrays_of(tmp_path / "META-002.npz")["_metadata"]))["schema_version"] == "7"

    def test_a_pickle_that_runs_something_is_never_run(self, tmp_path, source):
        class Runs:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "was_run"),)

        np.savez(source, **arrays_of(source) | {"_metadata": np.array(Runs(), dtype=object)})
        line = refused(tmp_path, "break", "--rule", "KEY-001", source, tmp_path / "out.npz")
        assert "is not valid as it is (META-001)" in line

    def test_what_would_no_longer_declare_its_contract(self, tmp_path):
        """Under auto, metadata that is no JSON names no contract: the file would be read as another one."""
        source = simulated(tmp_path / "in.npz", CI, n=25)
        argv = ("break", source, tmp_path / "out.npz", "--rule", "META-001")
        line = refused(tmp_path, *argv)
        assert f"no longer declares {CI}" in line
        assert f"--contract {CI}" in line
        assert command(*argv, "--contract", CI)[0] == 0
        assert validate(tmp_path / "out.npz", CI).codes == {"META-001"}

    def test_from_python(self, tmp_path, source):
        before = held(tmp_path)
        with pytest.raises(GeneratorError):
            break_file(source, tmp_path / "out.npz", "NO-1")
        assert held(tmp_path) == before
        assert break_file(source, tmp_path / "out.npz", "KEY-001", contract=load(CANONICAL)) == tmp_path / "out.npz"
