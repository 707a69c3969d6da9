"""Dimension symbols are solved over all arrays at once: what the headers alone decide, and what they do not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from npzschema import validate
from npzschema.contracts import from_document, load
from npzschema.validator.binding import bind
from npzschema.validator.dataset import ArrayHeader

DTYPES = {"diffraction": "f4", "diff3d": "u2", "probeGuess": "c8", "objectGuess": "c8", "Y": "c8"}


def arrays(**shapes):
    return {name: np.zeros(shape, dtype=DTYPES.get(name, "f8")) for name, shape in shapes.items()}


def bound(contract="ptychopinn/canonical", axes=None, **shapes):
    headers = {name: ArrayHeader(name=name, shape=one.shape, dtype=one.dtype) for name, one in arrays(**shapes).items()}
    return bind(load(contract), headers, axes)


def findings(contract="ptychopinn/canonical", **shapes):
    report = validate(arrays(**shapes), contract, headers_only=True)
    return {finding.code: finding for finding in report.findings}


def whole(diffraction, positions, probe=(64, 64), **more):
    return {
        "diffraction": diffraction,
        "probeGuess": probe,
        "objectGuess": (200, 190),
        "xcoords": (positions,),
        "ycoords": (positions,),
        **more,
    }


@pytest.mark.parametrize(
    ("shapes", "dims", "sizes", "codes"),
    [
        pytest.param(whole((48, 64, 64), 48), ("N", "H", "W"), (48, 64, 64), set(), id="canonical"),
        pytest.param(whole((64, 64, 48), 48), ("H", "W", "N"), (48, 64, 64), {"FORMAT-001"}, id="legacy"),
        pytest.param(
            whole((64, 64, 48), 64, (64, 48)),
            ("N", "H", "W"),
            (64, 64, 48),
            {"SHAPE-003"},
            id="64 frames that are not square",
        ),
        pytest.param(
            whole((64, 48, 48), 64, (48, 48)), ("N", "H", "W"), (64, 48, 48), set(), id="more frames than pixels"
        ),
        pytest.param(
            whole((48, 48, 64), 64, (48, 48)), ("H", "W", "N"), (64, 48, 48), {"FORMAT-001"}, id="legacy, more frames"
        ),
        pytest.param(whole((48, 64, 64), 50), ("N", "H", "W"), (48, 64, 64), {"SCAN-004"}, id="surplus"),
        pytest.param(
            whole((48, 64, 64), 64), ("N", "H", "W"), (48, 64, 64), {"SCAN-004"}, id="as many positions as rows"
        ),
        pytest.param(
            whole((64, 64, 48), 64),
            ("H", "W", "N"),
            (48, 64, 64),
            {"FORMAT-001", "SCAN-004"},
            id="legacy, as many positions as rows",
        ),
        pytest.param(whole((48, 64, 64), 40), ("N", "H", "W"), (48, 64, 64), {"SHAPE-002"}, id="too few"),
        pytest.param(
            whole((64, 64, 48), 50), ("H", "W", "N"), (48, 64, 64), {"FORMAT-001", "SCAN-004"}, id="legacy, surplus"
        ),
        pytest.param(
            whole((64, 64, 48), 40), ("H", "W", "N"), (48, 64, 64), {"FORMAT-001", "SHAPE-002"}, id="legacy, too few"
        ),
        pytest.param(whole((1, 64, 64), 1), ("N", "H", "W"), (1, 64, 64), set(), id="one frame"),
        pytest.param(whole((64, 64, 1), 1), ("H", "W", "N"), (1, 64, 64), {"FORMAT-001"}, id="one frame, legacy"),
        pytest.param(whole((48, 64, 64, 1), 48), ("N", "H", "W"), (48, 64, 64), {"SHAPE-001"}, id="a channel"),
        pytest.param(whole((1, 1, 1), 1, (1, 1)), None, None, {"FORMAT-002"}, id="a cube of one"),
        pytest.param(whole((64, 64, 64), 64), None, None, {"FORMAT-002"}, id="a cube"),
        pytest.param(
            whole((64, 64, 64), 70), None, None, {"FORMAT-002", "SCAN-004"}, id="a cube with surplus positions"
        ),
    ],
)
def test_axes(shapes, dims, sizes, codes):
    binding = bound(**shapes)
    reading = binding.readings["diffraction"]
    assert reading.decided == (dims is not None)
    if dims is not None:
        assert reading.layout.dims == dims
        assert tuple(binding.sizes[symbol] for symbol in "NHW") == sizes
        assert reading.axis("N") == dims.index("N")
    else:
        assert reading.axis("N") is None
        assert set(reading.possible_axes("N")) == {0, 2}
    assert set(findings(**shapes)) == codes


LINES = from_document(
    {
        "id": "me/lines",
        "version": "1.0.0",
        "title": "Line detectors",
        "dimensions": {symbol: {"description": "a length"} for symbol in "NCHW"},
        "arrays": {
            "frames": {"required": True, "dims": ["N", "C", "H", "W"], "dtype": "float32"},
            "x": {"dims": ["N"], "dtype": "float64"},
        },
    }
)


@pytest.mark.parametrize(
    ("shape", "more", "axes", "read"),
    [
        pytest.param((1, 7, 3, 1, 2), {"x": np.zeros(7)}, {}, (7, 3, 1, 2), id="first, told by another array"),
        pytest.param((7, 1, 3, 1, 2), {"x": np.zeros(7)}, {}, None, id="told by none, though there is another array"),
        pytest.param((1, 7, 3, 1, 2), {}, {}, None, id="told by none"),
        pytest.param((1, 7, 3, 1, 2), {}, {"frames": (1, "N", "C", "H", "W")}, (7, 3, 1, 2), id="named, first"),
        pytest.param((1, 7, 3, 1, 2), {}, {"frames": ("N", "C", "H", 1, "W")}, (1, 7, 3, 2), id="named, later"),
        pytest.param((7, 3, 4, 2, 1), {}, {}, (7, 3, 4, 2), id="the only one"),
        pytest.param((1, 1, 3, 4, 2), {}, {}, (1, 3, 4, 2), id="either, which is the same"),
    ],
)
def test_an_axis_of_length_one_is_left_out_only_where_it_is_told_which(shape, more, axes, read):
    report = validate({"frames": np.zeros(shape, np.float32), **more}, LINES, headers_only=True, axes=axes)
    (finding,) = (one for one in report.findings if one.array == "frames")
    assert finding.code == "SHAPE-001"
    assert ("cannot be told; name all of them" in finding.message) == (read is None)
    assert (finding.fix is None) == (read is None)
    if read is not None:
        assert tuple(report.binding[symbol] for symbol in "NCHW") == read


def test_evidence_names_who_bears_the_order_out():
    finding = findings(**whole((64, 64, 48), 48))["FORMAT-001"]
    assert finding.evidence == "48 positions; 64x64 probe"
    assert finding.found == "(H, W, N)"
    assert finding.expected == "(N, H, W)"
    assert finding.fix == {"step": "transpose", "array": "diffraction", "axes": [2, 0, 1]}
    assert np.zeros((64, 64, 48)).transpose(finding.fix["axes"]).shape == (48, 64, 64)
    assert finding.pointer.startswith("/arrays/diffraction/legacy/")


def test_evidence_without_positions_and_probe():
    finding = findings(diffraction=(64, 64, 48))["FORMAT-001"]
    assert finding.evidence == "no other order of the axes keeps the bounds of the contract"


def test_undecided_names_both_orders():
    finding = findings(**whole((64, 64, 64), 64))["FORMAT-002"]
    assert finding.level == "warning"
    assert "(N, H, W)" in finding.message
    assert "(H, W, N)" in finding.message


def test_patterns_alone_that_are_a_cube_are_undecided():
    assert "FORMAT-002" in findings(diffraction=(32, 32, 32))


@pytest.mark.parametrize("dims", [("N", "H", "W"), ("H", "W", "N")])
def test_the_user_decides_a_cube(dims):
    binding = bound(axes={"diffraction": dims}, **whole((64, 64, 64), 64))
    assert binding.readings["diffraction"].layout.dims == dims
    assert binding.readings["diffraction"].decided


def test_a_second_array_decides_nothing_in_a_cube_but_its_own():
    binding = bound(**whole((64, 64, 64), 64, Y=(64, 64, 64)))
    assert not binding.readings["diffraction"].decided
    assert binding.readings["Y"].decided


def test_contradicting_arrays_are_named():
    finding = findings(**whole((48, 64, 64), 48, probe=(32, 32)))["SHAPE-002"]
    assert finding.array == "probeGuess"
    assert "probeGuess: says H = 32 and W = 32" in finding.message
    assert "diffraction says H = 64 and W = 64" in finding.message
    assert not finding.evidence


@pytest.mark.parametrize("diffraction", [(48, 64, 64), (64, 64, 48)])
def test_probe_and_object_exchanged_are_told(diffraction):
    shapes = whole(diffraction, 48)
    shapes["probeGuess"], shapes["objectGuess"] = shapes["objectGuess"], shapes["probeGuess"]
    finding = findings(**shapes)["SHAPE-002"]
    assert finding.evidence == "exchanged, probeGuess and objectGuess would agree with all other arrays"


def test_arrays_that_agree_against_the_rest_are_one_finding():
    report = validate(arrays(**whole((48, 64, 64), 40), scan_index=(40,)), headers_only=True)
    shape = [finding for finding in report.findings if finding.code == "SHAPE-002"]
    assert len(shape) == 1
    for name in ("xcoords", "ycoords", "scan_index"):
        assert name in shape[0].message


def test_only_positions_may_be_surplus():
    assert set(findings(**whole((48, 64, 64), 48), Y=(50, 64, 64))) == {"SHAPE-002"}
    assert "SHAPE-002" in findings(**{**whole((48, 64, 64), 48), "xcoords": (50,)})


def test_surplus_of_every_list_of_positions_is_one_finding():
    shapes = whole((48, 64, 64), 50, xcoords_start=(50,), ycoords_start=(50,), scan_index=(50,))
    shapes_report = validate(arrays(**shapes), headers_only=True)
    assert [finding.code for finding in shapes_report.findings if finding.code.startswith(("SCAN", "SHAPE"))] == [
        "SCAN-004"
    ]


def test_sizes_follow_the_patterns_where_arrays_contradict():
    assert dict(bound(**whole((48, 64, 64), 48, probe=(32, 32))).sizes) == {
        "N": 48,
        "H": 64,
        "W": 64,
        "HO": 200,
        "WO": 190,
    }


def test_alternatives_of_the_contract_are_no_deviation():
    assert bound("ptychopinn/ci-intensity-v2", diff3d=(48, 64, 64), probeGuess=(3, 64, 64)).sizes["P"] == 3


def test_a_name_of_the_contract_goes_before_its_legacy_name():
    binding = bound(**whole((48, 64, 64), 48), diff3d=(64, 64, 48))
    assert binding.readings["diffraction"].header.name == "diffraction"
    assert binding.readings["diffraction"].renamed is None


def brute_force(contract, headers):
    """Oracle: of all assignments of layouts those with the fewest dissenting arrays, then the fewest broken bounds."""
    specs = [spec for spec in contract.arrays.values() if spec.name in headers]
    options = []
    for spec in specs:
        forms = [*spec.dims, *(entry.dims for entry in spec.legacy_dims())]
        options.append([form for form in forms if len(form) == len(headers[spec.name])])
    best = {}
    for choice in itertools.product(*options):
        sizes, dissent = {}, 0
        for spec, form in zip(specs, choice, strict=True):
            own = dict(zip(form, headers[spec.name], strict=True))
            dissent += any(sizes.get(symbol, length) != length for symbol, length in own.items())
            for symbol, length in own.items():
                sizes.setdefault(symbol, length)
        broken = sizes["H"] != sizes["W"] or any(sizes[symbol] < 1 for symbol in sizes)
        best.setdefault((dissent, broken), set()).add(choice[0])
    return best[min(best)], min(best)[0]


def test_the_solver_equals_brute_force():
    document = {
        "id": "test/small",
        "version": "1.0.0",
        "title": "small",
        "dimensions": {
            "N": {"description": "n", "minimum": 1},
            "H": {"description": "h"},
            "W": {"description": "w", "equals": "H"},
        },
        "arrays": {
            "d": {
                "dims": ["N", "H", "W"],
                "dtype": "float32",
                "legacy": [{"dims": ["H", "W", "N"], "rule": "FORMAT-001"}],
            },
            "p": {"dims": ["H", "W"], "dtype": "float32"},
            "x": {"dims": ["N"], "dtype": "float32"},
        },
    }
    contract = from_document(document)
    for a, b, c, p, q, n in itertools.product((1, 2, 3), (2, 3), (1, 2, 3), (2, 3), (2, 3), (1, 2, 3)):
        shapes = {"d": (a, b, c), "p": (p, q), "x": (n,)}
        headers = {name: ArrayHeader(name=name, shape=shape, dtype=np.dtype("f4")) for name, shape in shapes.items()}
        reading = bind(contract, headers).readings["d"]
        found = {layout.dims for layout in (reading.layout, *reading.alternatives)}
        expected, dissent = brute_force(contract, shapes)
        if found == {("H", "N", "W")}:
            # No declared order fits, and with this one nothing contradicts.
            assert dissent, shapes
            assert (a, b, c) == (p, n, q), shapes
            assert p == q, shapes
        else:
            assert found == expected, shapes


def test_a_search_that_is_too_wide_is_undecided_not_endless():
    symbols = ["A", "B", "C", "D", "E"]
    orders = [list(order) for order in itertools.permutations(symbols)]
    contract = from_document(
        {
            "id": "test/wide",
            "version": "1.0.0",
            "title": "wide",
            "dimensions": {symbol: {"description": symbol} for symbol in symbols},
            "arrays": {f"a{index}": {"dims": orders, "dtype": "float32"} for index in range(6)},
        }
    )
    headers = {
        f"a{index}": ArrayHeader(name=f"a{index}", shape=(2, 3, 4, 5, 6), dtype=np.dtype("f4")) for index in range(6)
    }
    binding = bind(contract, headers)
    assert not any(reading.decided for reading in binding.readings.values())
