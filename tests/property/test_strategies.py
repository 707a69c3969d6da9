"""The strategies that ship with the package: what they draw keeps its contract, or breaks just the rule it says."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import npzschema
from npzschema.contracts import Contract, expand_dtypes, from_document, load, shipped
from npzschema.generator import strategies

CONTRACTS = {name: load(name) for name in shipped()}
small = st.sampled_from([contract for name, contract in CONTRACTS.items() if "fixture" not in name])


@given(st.data(), small)
def test_datasets_keep_their_contract_in_memory(data: st.DataObject, contract: Contract) -> None:
    report = npzschema.validate(data.draw(strategies.datasets(contract)), contract)
    assert report.ok, report.findings
    assert contract.id in report.recognised


@given(st.data(), st.sampled_from(list(CONTRACTS.values())))
def test_what_is_tolerated_is_no_error(data: st.DataObject, contract: Contract) -> None:
    arrays = data.draw(strategies.datasets(contract, tolerated=True))
    report = npzschema.validate(arrays, contract)
    assert report.ok, report.findings


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_kind_that_is_tolerated_is_reached(contract: Contract) -> None:
    fixed = contract.id.endswith("fixture-v1")
    text = "{}" if contract.metadata and not contract.declared_by else None
    scan = contract.scan
    assert scan is not None

    def surplus(arrays: dict[str, np.ndarray]) -> bool:
        return len(arrays[scan.x]) > arrays[scan.frames].shape[contract.arrays[scan.frames].dims[0].index("N")]

    kinds = {
        "both names": lambda arrays: {"diffraction", "diff3d"} <= set(arrays),
        "each in its order": lambda arrays: (
            {"diffraction", "diff3d"} <= set(arrays) and arrays["diffraction"].shape != arrays["diff3d"].shape
        ),
        "surplus": surplus,
        "pickle": lambda arrays: "_metadata" in arrays and arrays["_metadata"].dtype == object,
        "text": lambda arrays: "_metadata" in arrays and arrays["_metadata"].dtype.kind == "U",
    }
    seen = set()

    @settings(max_examples=60 if fixed else 300, database=None, derandomize=True, deadline=None)
    @given(strategies.datasets(contract, tolerated=True, metadata=text))
    def draw(arrays: dict[str, np.ndarray]) -> None:
        seen.update(kind for kind, held in kinds.items() if held(arrays))

    draw()
    cannot = {"surplus", "each in its order"} if fixed else set()
    cannot |= set() if contract.metadata else {"pickle", "text"}
    assert seen == set(kinds) - cannot


def test_nothing_tolerated_is_drawn_unasked() -> None:
    contract = CONTRACTS["ptychopinn/canonical"]

    @settings(max_examples=200, database=None, derandomize=True, deadline=None)
    @given(strategies.datasets(contract))
    def draw(arrays: dict[str, np.ndarray]) -> None:
        assert len(arrays["xcoords"]) == len(arrays["diffraction"])
        assert not any(array.dtype.hasobject for array in arrays.values())

    draw()


@given(st.data(), small)
def test_files_keep_their_contract_and_numpy_reads_them(data: st.DataObject, contract: Contract) -> None:
    content = data.draw(strategies.files(contract))
    assert npzschema.validate(content, contract).ok
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        for name, spec in contract.arrays.items():
            assert name in arrays.files or not spec.required
            if name in arrays.files:
                assert arrays[name].ndim in {len(dims) for dims in spec.dims}


@given(st.data())
def test_a_fixture_is_drawn_too(data: st.DataObject) -> None:
    contract = CONTRACTS["ptychopinn/fixture-v1"]
    arrays = data.draw(strategies.datasets(contract))
    assert arrays["diffraction"].shape == (64, 64, 64)
    assert np.array_equal(arrays["diffraction"], arrays["diff3d"])


@given(st.data(), small)
def test_broken_files_break_their_rule_and_no_other_at_error_level(data: st.DataObject, contract: Contract) -> None:
    content, code = data.draw(strategies.broken(contract))
    report = npzschema.validate(content, contract)
    assert code in {finding.code for finding in report.findings}
    assert report.codes <= {code}, [finding.message for finding in report.findings]


@given(strategies.contracts().flatmap(lambda one: st.tuples(st.just(one), strategies.datasets(one))))
def test_datasets_of_random_contracts_keep_them(drawn: tuple[Contract, dict[str, np.ndarray]]) -> None:
    contract, arrays = drawn
    report = npzschema.validate(arrays, contract)
    assert report.ok, (contract.document, report.findings)


@given(strategies.contracts().flatmap(lambda one: st.tuples(st.just(one), strategies.files(one))))
def test_files_and_arrays_of_random_contracts_read_alike(drawn: tuple[Contract, bytes]) -> None:
    contract, content = drawn
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        in_memory = npzschema.validate(dict(arrays), contract)
    from_file = npzschema.validate(content, contract)
    assert from_file.binding == in_memory.binding
    assert [(one.code, one.array, one.message) for one in from_file.findings] == [
        (one.code, one.array, one.message) for one in in_memory.findings
    ]


def _seen(contract: Contract) -> set[Any]:
    """What 400 draws of a contract hold, in words."""
    seen: set[Any] = set()

    @settings(max_examples=400, database=None, derandomize=True, deadline=None)
    @given(strategies.datasets(contract))
    def draw(arrays: dict[str, np.ndarray]) -> None:
        scan = contract.scan
        assert scan is not None
        frames = arrays[scan.frames]
        n = len(arrays[scan.x])
        seen.update(
            {("positions", n == 1), ("cube", set(frames.shape) == {n}), ("as rows", n in arrays[scan.probe].shape)}
        )
        for name, array in arrays.items():
            flags = array.flags
            seen.update({(name,), (name, array.ndim), (name, array.dtype.newbyteorder("=").name)})
            seen.add((name, "swapped", array.dtype.byteorder == ">"))
            if array.ndim > 1 and min(array.shape) > 1:
                seen.add((name, "fortran", flags.f_contiguous))
        seen.update((name, "left out") for name in contract.arrays if name not in arrays)

    draw()
    return seen


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_alternative_and_every_edge_is_reached(contract: Contract) -> None:
    seen = _seen(contract)
    fixed = contract.id.endswith("fixture-v1")
    assert {("cube", True), ("as rows", True)} <= seen
    assert fixed or {("cube", False), ("as rows", False), ("positions", True), ("positions", False)} <= seen
    for name, spec in contract.arrays.items():
        missing = {(name, len(dims)) for dims in spec.dims} - seen
        missing |= {(name, dtype) for dtype in expand_dtypes(spec.dtype) if dtype != "str"} - seen
        assert not missing
        assert ((name, "left out") in seen) == (not spec.required)
        wide = [dtype for dtype in expand_dtypes(spec.dtype) if dtype == "str" or np.dtype(dtype).itemsize > 1]
        assert not wide or {(name, "swapped", True), (name, "swapped", False)} <= seen
        if any(len(dims) > 1 and 1 not in dims for dims in spec.dims):
            assert {(name, "fortran", True), (name, "fortran", False)} <= seen


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_what_fails_shrinks_to_the_smallest(contract: Contract) -> None:
    """The smallest sizes that the contract permits, nothing optional, C order and native byte order."""
    quick = settings(max_examples=100, database=None, derandomize=True)
    smallest = find(strategies.datasets(contract), lambda _: True, settings=quick)
    assert set(smallest) - {"_metadata"} == {name for name, spec in contract.arrays.items() if spec.required}
    assert all(array.flags.c_contiguous and array.dtype.isnative for array in smallest.values())
    if not contract.id.endswith("fixture-v1"):
        assert all(set(array.shape) <= {1} for array in smallest.values())


def test_what_fails_for_a_reason_shrinks_to_that_reason() -> None:
    contract = CONTRACTS["ptychopinn/canonical"]
    quick = settings(max_examples=300, database=None, derandomize=True)
    found = find(strategies.datasets(contract), lambda arrays: len(arrays["xcoords"]) >= 3, settings=quick)
    assert {name: array.shape for name, array in found.items() if name != "_metadata"} == {
        "diffraction": (3, 1, 1),
        "probeGuess": (1, 1),
        "objectGuess": (1, 1),
        "xcoords": (3,),
        "ycoords": (3,),
    }
    content, code = find(strategies.broken(contract, codes=["SCAN-002"]), lambda _: True, settings=quick)
    with np.load(io.BytesIO(content)) as arrays:
        assert (code, arrays["diffraction"].shape) == ("SCAN-002", (2, 1, 1))


OWN = {
    "a detector of fixed size": {
        "arrays": {
            "diffraction": {"dims": ["N", 8, 8], "legacy": None},
            "probeGuess": {"dims": [8, 8], "legacy": None},
            "Y": None,
        },
        "dimensions": {"H": None, "W": None, "HO": {"minimum": 8}, "WO": {"minimum": 8}},
        "relations": [],
    },
    "positions far out": {"arrays": {"xcoords": {"values": {"finite": True, "minimum": 100}}}},
    "positions near the corner": {"arrays": {"xcoords": {"values": {"finite": True, "minimum": 0, "maximum": 3}}}},
    "positions in 8 bits": {
        "dimensions": {"HO": {"minimum": 200}, "WO": {"minimum": 200}},
        "arrays": {"ycoords": {"dtype": "int8", "legacy": None}},
    },
    "an object smaller than a frame": {
        "dimensions": {
            "H": {"minimum": 8},
            "HO": {"minimum": None, "maximum": 4},
            "WO": {"minimum": None, "maximum": 4},
        }
    },
}


def own(change: dict[str, object]) -> Contract:
    return from_document(
        {"id": "mine/one", "version": "1.0.0", "title": "Mine", "extends": "ptychopinn/canonical", **change}
    )


@pytest.mark.parametrize("change", OWN.values(), ids=OWN)
def test_datasets_keep_a_contract_of_ones_own(change: dict[str, object]) -> None:
    contract = own(change)

    @settings(max_examples=30, database=None, derandomize=True, deadline=None)
    @given(strategies.datasets(contract))
    def keeps(arrays: dict[str, np.ndarray]) -> None:
        report = npzschema.validate(arrays, contract)
        assert report.ok, report.findings

    keeps()


def test_metadata_that_is_guessed_keeps_its_schema() -> None:
    contract = own({"metadata": {"required": True, "schema": {"required": ["z"]}}, "declaredBy": [{"k": "v"}]})
    with pytest.raises(InvalidArgument, match="requires metadata"):
        strategies.datasets(contract)


def test_required_metadata_that_cannot_be_guessed_is_asked_for() -> None:
    contract = from_document(
        {
            "id": "mine/one",
            "version": "1.0.0",
            "title": "Mine",
            "arrays": {"a": {"dims": [], "dtype": "float32"}},
            "metadata": {"member": "notes", "required": True},
        }
    )
    with pytest.raises(InvalidArgument, match="pass metadata="):
        strategies.datasets(contract)
    with pytest.raises(InvalidArgument, match="no file alone breaks META-003"):
        strategies.broken(contract, codes=["META-003"], metadata="{}")
