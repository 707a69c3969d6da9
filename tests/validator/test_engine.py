"""The flow as a whole: what may be checked, which contract is chosen, what a crash comes to."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest

import npzschema
from npzschema import ContractError, ValidationError, validate
from npzschema.contracts import from_document, load, rules, shipped
from npzschema.generator import Output, fixture
from npzschema.validator import BytesSource, FileSource, check, engine
from npzschema.validator.archive import open_archive
from npzschema.validator.cli import run
from npzschema.validator.dataset import ArchiveDataset
from npzschema.validator.rules import ARRAY_RULES, CASE_RULES


@pytest.fixture
def canonical(datasets):
    return datasets.canonical()


@pytest.fixture
def path(datasets, canonical, tmp_path):
    file = tmp_path / "scan.npz"
    file.write_bytes(datasets.saved(canonical))
    return file


def facts_of(report):
    return dataclasses.replace(report, path="")


def test_every_kind_of_target_gives_one_report(canonical, path):
    reference = facts_of(validate(path))
    assert reference.ok
    assert reference.recognised == ("ptychopinn/canonical",)
    for target in (str(path), path.read_bytes(), BytesSource(path.read_bytes()), canonical):
        assert facts_of(validate(target)) == reference
    with FileSource(path) as source:
        assert facts_of(validate(source)) == reference


@pytest.mark.parametrize("target", [3, None, [1, 2], np.zeros(3)])
def test_anything_else_is_the_callers_mistake(target):
    with pytest.raises(TypeError, match="validate"):
        validate(target)


def test_a_contract_is_refused_before_the_data_is_opened(tmp_path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text(
        '{"id": "a/b", "version": "1.0.0", "title": "t", "arrays": {"d": {"dims": ["Q"], "dtype": "float32"}}}'
    )
    with pytest.raises(ContractError) as caught:
        validate(tmp_path / "no such file.npz", wrong)
    assert caught.value.pointer == "/arrays/d/dims/0"
    assert validate(tmp_path / "no such file.npz").verdict == "unreadable"


def test_a_file_that_cannot_be_opened_is_a_report(tmp_path):
    report = validate(tmp_path / "none.npz")
    assert report.verdict == "unreadable"
    assert not report.ok
    assert report.codes == {"FILE-001"}
    assert report.contract is None
    assert validate(tmp_path / "none.npz", "ptychopinn/raw-npz").contract == "ptychopinn/raw-npz"


def crash(*_):
    raise ZeroDivisionError("by hand")
    yield


@pytest.mark.parametrize("keyword", sorted(ARRAY_RULES))
def test_a_crashing_array_rule_is_no_pass(canonical, monkeypatch, keyword):
    monkeypatch.setattr(check, "ARRAY_RULES", {**ARRAY_RULES, keyword: crash})
    report = validate(canonical, "ptychopinn/canonical")
    assert report.verdict == "unreadable"
    assert report.codes == {"INTERNAL-001"}
    assert report.recognised == ()
    assert len(report.findings) == len(load("ptychopinn/canonical").arrays)
    assert "ZeroDivisionError: by hand" in report.findings[0].message


@pytest.mark.parametrize("keyword", sorted(CASE_RULES))
def test_a_crashing_case_rule_is_no_pass(canonical, monkeypatch, keyword):
    monkeypatch.setattr(check, "CASE_RULES", {**CASE_RULES, keyword: crash})
    report = validate(canonical)
    assert [finding.code for finding in report.findings] == ["INTERNAL-001"]
    assert report.verdict == "unreadable"
    assert keyword in report.findings[0].message


def test_a_crash_hides_nothing_else(canonical, monkeypatch):
    monkeypatch.setattr(check, "CASE_RULES", {**CASE_RULES, "scan": crash})
    canonical["diffraction"][2, 0, 0] = np.nan
    report = validate(canonical)
    assert report.codes == {"INTERNAL-001", "VALUE-001"}


@pytest.mark.parametrize("step", ["bind", "keeps", "array_facts"])
def test_what_crashes_between_the_rules_is_no_pass_either(path, canonical, monkeypatch, step):
    """Nor does it hide what is told of other files."""

    def crash(*_, **__):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(engine, step, crash)
    for target in (canonical, path):
        report = validate(target)
        assert report.verdict == "unreadable"
        assert [finding.code for finding in report.findings] == ["INTERNAL-001"]
        assert report.findings[0].message == "the check failed: ZeroDivisionError: by hand"
    out = io.StringIO()
    assert run([str(path), "absent.npz"], out, io.StringIO()) == 2
    told = [line.split()[0] for line in out.getvalue().splitlines() if line[:1] not in ("", " ")]
    assert set(told) == {str(path), "absent.npz"}


WARNINGS = {
    "FORMAT-002",
    "NORM-002",
    "VALUE-004",
    "SCAN-002",
    "SCAN-004",
    "SCAN-005",
    "SCAN-006",
    "SCAN-007",
    "SCAN-008",
    "FILE-005",
    "META-004",
}
INFOS = {"KEY-003", "FORMAT-003"}


def test_levels():
    for code, rule in rules().items():
        wanted = "info" if code in INFOS else "warning" if code in WARNINGS else "error"
        assert rule.level == wanted, code


def test_the_gravest_first(canonical):
    canonical["note"] = np.zeros(3)
    canonical["diffraction"][4] = 0
    canonical["xcoords"][2] = np.nan
    levels = [finding.level for finding in validate(canonical).findings]
    assert levels == sorted(levels, key=["error", "warning", "info"].index)
    assert set(levels) == {"error", "warning", "info"}


@pytest.mark.parametrize("level", ["warning", "info"])
def test_only_errors_break_the_verdict(canonical, level):
    canonical["objectGuess" if level == "warning" else "note"] = np.ones((96, 90), dtype=np.complex64)
    report = validate(canonical)
    assert [finding.level for finding in report.findings] == [level]
    assert report.ok
    report.raise_for_errors()


def test_raise_for_errors(canonical):
    del canonical["probeGuess"], canonical["objectGuess"]
    report = validate(canonical)
    with pytest.raises(ValidationError, match="2 errors") as caught:
        report.raise_for_errors()
    assert caught.value.report is report
    assert "KEY-001 probeGuess" in str(caught.value)


def test_an_error_that_nobody_catches_prints_nothing_that_a_terminal_obeys(canonical):
    canonical["xcoords"] = canonical["xcoords"].astype("M8[s]")
    canonical["\x1b[2J\u202e"] = np.array([object()])
    with pytest.raises(ValidationError) as caught:
        validate(canonical).raise_for_errors()
    assert "\\x1b[2J" in str(caught.value)
    assert all(line.isprintable() for line in str(caught.value).split("\n"))


def test_what_cannot_be_read_keeps_nothing_in_memory(datasets):
    """A traceback would hold on to all that was in hand where it was raised."""
    data = io.BytesIO(datasets.saved(datasets.canonical()))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("bad.npy", b"\x93NUMPY\1\0\x02\0{ ")
    dataset = ArchiveDataset(open_archive(BytesSource(data.getvalue())))
    fault = dataset.malformed["bad"]
    assert (fault.__traceback__, fault.__context__, fault.__cause__) == (None, None, None)
    assert fault.member == "bad.npy"


def test_reports_and_findings_are_frozen(canonical):
    del canonical["probeGuess"]
    report = validate(canonical)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.verdict = "valid"
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.findings[0].level = "info"


PAIR = {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "count_intensity"}


@pytest.mark.parametrize(
    ("metadata", "chosen"),
    [
        (None, "ptychopinn/canonical"),
        ({}, "ptychopinn/canonical"),
        (PAIR, "ptychopinn/ci-intensity-v2"),
        ({"additional_parameters": PAIR}, "ptychopinn/ci-intensity-v2"),
        ({"additional_parameters": "text"}, "ptychopinn/canonical"),
        ({"scale_contract_version": "ci_intensity_v2"}, "ptychopinn/canonical"),
        ({**PAIR, "measurement_domain": "normalized_amplitude"}, "ptychopinn/canonical"),
        ({"scale_contract_version": "legacy_v1", "measurement_domain": "normalized_amplitude"}, "ptychopinn/canonical"),
        ({"contract": "ptychopinn/raw-counts"}, "ptychopinn/raw-counts"),
        ({"contract": "nobody/nothing"}, "ptychopinn/canonical"),
        ({"contract": ["ptychopinn/raw-counts"]}, "ptychopinn/canonical"),
        ([1], "ptychopinn/canonical"),
        ("text", "ptychopinn/canonical"),
    ],
)
def test_the_file_chooses_its_contract(datasets, metadata, chosen):
    arrays = datasets.counts()
    if metadata is not None:
        arrays["_metadata"] = np.array(json.dumps(metadata))
    for target in (arrays, datasets.saved(arrays)):
        report = validate(target)
        assert report.contract == chosen
        assert report.contract_version == load(chosen).version
        assert ("default" in report.contract_reason) == (
            chosen == "ptychopinn/canonical"
            and not (isinstance(metadata, dict) and metadata.get("scale_contract_version") == "legacy_v1")
        )


def test_an_asked_for_contract_goes_before_the_files_own(datasets):
    report = validate(datasets.ci_intensity_v2(), "ptychopinn/canonical")
    assert report.contract == "ptychopinn/canonical"
    assert report.contract_reason == "it was asked for"
    assert "NORM-001" in report.codes
    assert "ptychopinn/ci-intensity-v2" in report.recognised


@pytest.mark.parametrize(
    ("make", "contract"),
    [
        ("canonical", "ptychopinn/canonical"),
        ("legacy_hwn", "ptychopinn/legacy-hwn"),
        ("counts", "ptychopinn/raw-counts"),
        ("ci_intensity_v2", "ptychopinn/ci-intensity-v2"),
        ("fixture_v1", "ptychopinn/fixture-v1"),
    ],
)
def test_conforming_datasets_conform(datasets, make, contract):
    report = validate(getattr(datasets, make)(), contract)
    assert report.verdict == "valid", report.findings
    assert contract in report.recognised
    assert {finding.code for finding in report.findings} <= {"FORMAT-002"}


def test_headers_only_reads_no_values(canonical, monkeypatch, path):
    from npzschema.validator.dataset import ArchiveDataset, MappingDataset

    def never(_, name):
        raise AssertionError(name)

    monkeypatch.setattr(ArchiveDataset, "chunks", never)
    monkeypatch.setattr(MappingDataset, "chunks", never)
    for target in (path, canonical):
        report = validate(target, headers_only=True)
        assert report.ok
        assert report.headers_only
        assert report.binding == {"N": 20, "H": 32, "W": 32, "HO": 96, "WO": 90}
        assert all(not one.statistics for one in report.arrays.values())


def test_headers_only_tells_what_headers_tell(datasets):
    report = validate(datasets.legacy_hwn(), headers_only=True)
    assert report.codes == {"FORMAT-001", "DTYPE-001"}
    assert validate(datasets.counts(), headers_only=True).codes == {"KEY-002", "NORM-001"}


@pytest.mark.parametrize("raw", ["{}", json.dumps(PAIR), "[", "x" * 100_000, ""])
def test_metadata_in_a_pickle_is_read_without_unpickling(datasets, canonical, raw):
    held = np.empty((), dtype=object)
    held[()] = raw
    canonical["_metadata"] = held
    for target in (canonical, datasets.saved(canonical)):
        report = validate(target, "ptychopinn/canonical")
        expected = set() if raw.startswith("{") else {"META-001"}
        assert report.codes == expected
        assert "META-004" in {finding.code for finding in report.findings}


class Bomb:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize("value", [{"a": 1}, ["{}"], None, 3, Bomb()], ids=lambda value: type(value).__name__)
def test_metadata_in_another_pickle_is_an_error(datasets, canonical, value, capfd):
    held = np.empty((), dtype=object)
    held[()] = value
    canonical["_metadata"] = held
    report = validate(datasets.saved(canonical))
    assert report.codes == {"META-001"}
    assert capfd.readouterr().out == ""


def noise(side=12):
    """A cube that neither sizes nor content decide."""
    rng = np.random.default_rng(8)
    return {
        "diffraction": rng.uniform(0.1, 1, (side, side, side)).astype(np.float32),
        "probeGuess": (rng.random((side, side)) + 1j).astype(np.complex64),
        "objectGuess": np.ones((40, 40), dtype=np.complex64),
        "xcoords": 20 + rng.random(side),
        "ycoords": 20 + rng.random(side),
    }


def test_axes_that_the_caller_knows():
    arrays = noise()
    arrays["diffraction"][3, 4, 5] = np.nan
    told = {finding.code: finding for finding in validate(arrays).findings}
    assert set(told) == {"FORMAT-002", "VALUE-001", "VALUE-004"}
    assert told["VALUE-001"].frames == ()
    for axes, frame, codes in (("NHW", 3, {"VALUE-001"}), ("HWN", 5, {"VALUE-001", "FORMAT-001"})):
        known = validate(arrays, axes={"diffraction": tuple(axes)})
        assert known.codes == codes
        assert [finding.frames for finding in known.findings if finding.code == "VALUE-001"] == [(frame,)]


def test_a_contract_of_the_users_own(tmp_path, canonical):
    mine = tmp_path / "mine.json"
    mine.write_text(
        json.dumps(
            {
                "id": "me/strict",
                "version": "2.1.0",
                "title": "strict",
                "extends": "ptychopinn/canonical",
                "dimensions": {"N": {"minimum": 30}},
                "arrays": {
                    "diffraction": {"values": {"exclusiveMaximum": 0.5}},
                    "note": {"dims": [], "dtype": "text", "required": True},
                },
            }
        )
    )
    report = validate(canonical, mine)
    assert report.codes == {"SHAPE-003", "VALUE-003", "KEY-001"}
    assert (report.contract, report.contract_version) == ("me/strict", "2.1.0")
    by_code = {finding.code: finding for finding in report.findings}
    assert by_code["SHAPE-003"].pointer == "/dimensions/N/minimum"
    assert by_code["VALUE-003"].pointer == "/arrays/diffraction/values/exclusiveMaximum"
    # the largest value of the made amplitudes is 1, so some frames reach half of it
    assert by_code["VALUE-003"].frames == tuple(np.flatnonzero(canonical["diffraction"].max(axis=(1, 2)) >= 0.5))
    assert "ptychopinn/canonical" in report.recognised


def test_public_names():
    assert set(npzschema.__all__) == {
        "ContractError",
        "Finding",
        "GeneratorError",
        "ThreadsError",
        "Loaded",
        "Report",
        "ValidationError",
        "__version__",
        "assert_npz_valid",
        "load",
        "validate",
    }
    for name in npzschema.__all__:
        assert getattr(npzschema, name) is not None
    with pytest.raises(AttributeError):
        npzschema.nothing  # noqa: B018


def test_an_empty_mapping():
    report = validate({})
    assert report.codes == {"KEY-001"}
    assert {finding.array for finding in report.findings} == {
        name for name, spec in load("ptychopinn/canonical").arrays.items() if spec.required
    }
    assert all(load(name) for name in shipped())


@pytest.mark.parametrize(
    ("document", "contract", "level", "told"),
    [
        ({"contract": "ptychopinn/raw-npz"}, "ptychopinn/raw-npz", None, "ptychopinn/raw-npz"),
        ({"contract": {"id": "ptychopinn/legacy-hwn", "version": "1.0.0"}}, "ptychopinn/legacy-hwn", None, "1.0.0"),
        ({"contract": "ptychopinn/canonical@1.7.2"}, "ptychopinn/canonical", None, "1.7.2"),
        ({"contract": "ptychopinn/canonical@9.0.0"}, "ptychopinn/canonical", "error", "the version known here is"),
        ({"contract": "acme/own"}, "ptychopinn/canonical", "warning", "acme/own: that is no contract known here"),
        ({"contract": "ptychopinn/canonica"}, "ptychopinn/canonical", "error", "that is no contract known here"),
        ({"contract": 7}, "ptychopinn/canonical", "error", "neither an id"),
        ({"scale_contract_version": "ci_intensity_v2"}, "ptychopinn/canonical", "error", "inseparable"),
        (
            {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "normalized_amplitude"},
            "ptychopinn/canonical",
            "error",
            "no pair known here",
        ),
        (
            {"scale_contract_version": "ci_intensity_v3", "measurement_domain": "count_intensity"},
            "ptychopinn/canonical",
            "error",
            "no pair known here",
        ),
        ({"creation_info": {}}, "ptychopinn/canonical", None, "the file declares none"),
    ],
)
def test_what_a_file_declares_is_followed_or_told(canonical, document, contract, level, told):
    report = validate({**canonical, "_metadata": np.array(json.dumps(document))})
    assert report.contract == contract
    assert told in report.contract_reason
    assert [one.level for one in report.findings if one.code == "META-002"] == ([level] if level else [])


@pytest.mark.parametrize(
    ("said", "codes"), [("lab/raw", set()), ("lab/raw@2.0.0", {"META-002"}), ("lab/o", {"META-002"})]
)
def test_a_contract_that_the_file_declares_and_that_is_asked_for_is_known(canonical, tmp_path, said, codes):
    own = tmp_path / "own.json"
    own.write_text('{"id": "lab/raw", "version": "1.0.0", "title": "Ours", "extends": "ptychopinn/canonical"}')
    report = validate({**canonical, "_metadata": np.array(json.dumps({"contract": said}))}, own)
    assert {finding.code for finding in report.findings} == codes


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (np.array(["{}"]), "has the shape (1,)"),
        (np.array('{"a": NaN}'), "NaN is not JSON"),
        (np.array('{"a": 1, "a": 2}'), "'a' stands twice"),
        (np.array('{"a": ' + "9" * 6000 + "}"), "too large"),
        (np.array("null"), "null is not of type"),
        (np.array(3), "int64"),
    ],
)
def test_metadata_that_cannot_be_read_is_told_in_its_own_terms(canonical, held, told):
    report = validate({**canonical, "_metadata": held})
    (finding,) = [one for one in report.findings if one.level == "error"]
    assert finding.code in {"META-001", "META-002"}
    assert told in finding.message
    assert "set_int_max_str_digits" not in finding.message


def test_a_value_that_is_no_array_is_named():
    with pytest.raises(ValueError, match="diffraction: cannot be made an array"):
        validate({"diffraction": [[1, 2], [3]]})


class Awkward:
    """As tensors that are on another device, or need their gradient, are."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize(
    "error", [RuntimeError("requires grad"), UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"), TypeError("on a device")]
)
def test_whatever_forbids_an_array_is_told_with_its_name(error):
    with pytest.raises(ValueError, match="diffraction: cannot be made an array") as raised:
        validate({"diffraction": Awkward(error)})
    assert raised.value.__cause__ is error


def test_masked_values_are_refused(canonical):
    masked = np.ma.masked_array(canonical["diffraction"], mask=False)
    assert validate(canonical | {"diffraction": masked}).ok
    masked = np.ma.masked_equal(canonical["diffraction"], canonical["diffraction"][3, 4, 5])
    with pytest.raises(ValueError, match="diffraction: values are masked"):
        validate(canonical | {"diffraction": masked})


def test_names_of_arrays_are_text(canonical):
    with pytest.raises(TypeError, match="names of arrays are text, not 1"):
        validate(canonical | {1: np.zeros(3)})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"contract": None}, "contract takes an id, a path or a contract, not NoneType"),
        ({"axes": ["N", "H", "W"]}, "axes takes a mapping"),
        ({"limits": 3}, "limits takes Limits, not int"),
        ({"own_contracts": ["x"]}, "own_contracts takes contracts, not str"),
    ],
)
def test_arguments_of_another_kind_are_the_callers_mistake(canonical, options, told):
    with pytest.raises(TypeError, match=told):
        validate(canonical, **options)


def test_two_contracts_of_one_id_are_refused(canonical):
    one = load("ptychopinn/canonical")
    with pytest.raises(ValueError, match="another contract has the id 'ptychopinn/canonical'"):
        validate(canonical, own_contracts=[one])
    two = from_document(dict(one.document) | {"id": "own/one", "declaredBy": []})
    assert validate(canonical, own_contracts=[two]).recognised
    with pytest.raises(ValueError, match="another contract has the id 'own/one'"):
        validate(canonical, own_contracts=[two, two])


@pytest.mark.parametrize(
    ("axes", "told"),
    [({"foo": ("H", "W", "N")}, "no array of the contract"), ({"diffraction": ("N", "W", "W")}, "known are")],
)
def test_axes_that_no_contract_knows_are_the_callers_mistake(canonical, axes, told):
    with pytest.raises(ValueError, match=told):
        validate(canonical, axes=axes)


def test_axes_may_be_named_by_the_name_in_the_file_and_with_an_axis_too_many(datasets):
    arrays = datasets.counts(32, 32)
    arrays["diff3d"] = arrays["diff3d"].transpose(1, 2, 0)[..., None].copy()
    for dims in (("H", "W", "N"), ("H", "W", "N", 1)):
        report = validate(arrays, headers_only=True, axes={"diff3d": dims})
        assert report.arrays["diff3d"].axes == ("H", "W", "N", "1")
        assert {"FORMAT-001", "SHAPE-001"} <= report.codes


@pytest.mark.parametrize("dims", [("N", 1, "H", "W"), ("H", "W", "N", 1)])
def test_named_axes_that_do_not_fit_are_the_fault(canonical, dims):
    (finding,) = validate(canonical, axes={"diffraction": dims}).findings
    told = f"({', '.join(map(str, dims))})"
    assert finding.code == "SHAPE-001"
    assert f"which the axes named for it (--axes), {told}, do not fit" in finding.message
    assert "leave --axes out" in finding.remedy


def test_what_breaks_every_contract_is_recognised_as_none(canonical):
    """An object array is told beside the rules, of which a contract that it would keep knows nothing."""
    report = validate({**canonical, "objectGuess": np.array([{}], dtype=object)}, "ptychopinn/raw-npz")
    assert "FILE-006" in report.codes
    assert report.recognised == ()


def test_metadata_that_is_no_text_is_still_read_to_its_checksum(canonical):
    """By --strict-archive, where no contract asks for it."""
    held = io.BytesIO()
    np.savez(held, **canonical, _metadata=np.arange(5.0))
    raw = bytearray(held.getvalue())
    raw[raw.find(np.float64(3.0).tobytes(), raw.find(b"_metadata.npy"))] ^= 1
    report = validate(bytes(raw), "ptychopinn/legacy-hwn", strict_archive=True)
    assert "FILE-003" in report.codes
    assert report.verdict == "unreadable"


def test_damage_is_told_once(datasets, tmp_path):
    """Neither a sidecar that no longer fits nor an order of axes that nobody could look at is a fault of its own."""
    source, target = tmp_path / "cube.npz", tmp_path / "made.npz"
    np.savez(source, **datasets.canonical(32, 32))
    fixture(source, target, subset_size=32, contract="ptychopinn/canonical", options=Output(compression="none"))
    raw = bytearray(target.read_bytes())
    raw[raw.find(b"diffraction.npy") + 5000] ^= 1
    target.write_bytes(raw)
    assert [finding.code for finding in validate(target).findings if finding.level != "info"] == ["FILE-003"]


@pytest.mark.parametrize("bound", [0.1, 0.7])
def test_what_was_clipped_to_a_bound_keeps_it(canonical, bound):
    """In single precision that is the nearest number, above 0.1 and below 0.7."""
    document = json.loads(json.dumps(load("ptychopinn/canonical").document)) | {"id": "own/bounds"}
    del document["declaredBy"]
    nearest = np.float32(bound)
    frames = np.clip(canonical["diffraction"], nearest, nearest * 2)
    for values, keyword, towards in ((frames, "minimum", 0), (np.minimum(frames, nearest), "maximum", 1)):
        document["arrays"]["diffraction"]["values"] = {keyword: bound}
        contract = from_document(document)
        kept = {**canonical, "diffraction": values}
        assert not validate(kept, contract).codes & {"VALUE-002", "VALUE-003"}
        beyond = values.copy()
        beyond[3, 2, 1] = np.nextafter(nearest, np.float32(towards))
        (finding,) = [
            one for one in validate({**kept, "diffraction": beyond}, contract).findings if one.code[:5] == "VALUE"
        ]
        assert finding.frames == (3,)
