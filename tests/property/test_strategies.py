"""The strategies that ship with the package: what they draw keeps its contract, or breaks just the rule it says."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import npzschema
from npzschema.contracts import Contract, from_document, load, shipped
from npzschema.generator import strategies

CONTRACTS = {name: load(name) for name in shipped()}
small = st.sampled_from([contract for name, contract in CONTRACTS.items() if "fixture" not in name])


@given(st.data(), small)
def test_datasets_keep_their_contract_in_memory(data: st.DataObject, contract: Contract) -> None:
    report = npzschema.validate(data.draw(strategies.datasets(contract)), contract)
    assert report.ok, report.findings
    assert contract.id in report.recognised


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


def test_the_edges_are_reached() -> None:
    """One position, as many as detector rows, both memory orders and byte orders: each within 300 draws."""
    from hypothesis import find, settings

    contract = CONTRACTS["ptychopinn/canonical"]
    quick = settings(max_examples=300, database=None, derandomize=True)
    edges = [
        lambda arrays: len(arrays["diffraction"]) == 1,
        lambda arrays: len(set(arrays["diffraction"].shape)) == 1 and len(arrays["diffraction"]) > 1,
        lambda arrays: arrays["probeGuess"].flags.f_contiguous and min(arrays["probeGuess"].shape) > 1,
        lambda arrays: arrays["diffraction"].dtype.byteorder == ">",
        lambda arrays: arrays["xcoords"].dtype == np.float32,
        lambda arrays: "Y" in arrays and "scan_index" not in arrays,
    ]
    for reached in edges:
        assert reached(find(strategies.datasets(contract), reached, settings=quick))


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
