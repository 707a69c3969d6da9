"""A contract that is not one is refused with a pointer, and by nothing but ContractError."""

from __future__ import annotations

import contextlib
import copy
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npzschema.contracts import Contract, ContractError, from_document, load, schema, shipped
from npzschema.contracts.loader import MAX_BYTES, check_shipped, parse_json

HEAD = {"id": "me/mine", "version": "1.0.0", "title": "mine"}
SMALL = {
    **HEAD,
    "dimensions": {
        "N": {"description": "n", "minimum": 1},
        "H": {"description": "h"},
        "W": {"description": "w", "equals": "H"},
    },
    "arrays": {
        "d": {
            "dims": ["N", "H", "W"],
            "dtype": "float32",
            "quantity": "amplitude",
            "values": {"minimum": 0, "maximum": 5},
        },
        "p": {"dims": ["H", "W"], "dtype": "complex64"},
        "x": {"dims": ["N"], "dtype": "float64"},
        "y": {"dims": ["N"], "dtype": "float64"},
    },
    "scan": {"dimension": "N", "frames": "d", "x": "x", "y": "y"},
}


def changed(path, value):
    document = copy.deepcopy(SMALL)
    here = document
    for part in path[:-1]:
        here = here.setdefault(part, {}) if isinstance(here, dict) else here[part]
    here[path[-1]] = value
    return document


def legacy(*entries):
    return changed(("arrays", "d", "legacy"), list(entries))


def meta(schema_):
    return changed(("metadata",), {"member": "_m", "schema": schema_})


def test_a_contract_shows_itself_in_a_line():
    assert repr(load("ptychopinn/canonical")) == "<Contract ptychopinn/canonical 1.0.0>"


def test_the_small_one_is_a_contract():
    contract = from_document(SMALL)
    assert isinstance(contract, Contract)
    assert contract.arrays["d"].dims == (("N", "H", "W"),)


REFUSED = [
    # unknown keywords
    (changed(("nope",), 1), ""),
    (changed(("arrays", "d", "shape"), [1]), "/arrays/d"),
    (changed(("arrays", "d", "values", "min"), 1), "/arrays/d/values"),
    (changed(("dimensions", "N", "min"), 1), "/dimensions/N"),
    (changed(("scan", "z"), "x"), "/scan"),
    (legacy({"names": "a", "rule": "KEY-002"}), "/arrays/d/legacy/0"),
    (changed(("storage",), {"order": "F"}), "/storage/order"),
    ({**HEAD}, ""),
    ({**SMALL, "id": "Mine"}, "/id"),
    ({**SMALL, "version": "1.0"}, "/version"),
    # undeclared dimensions, arrays and rules
    (changed(("arrays", "d", "dims"), ["N", "Q", "W"]), "/arrays/d/dims/1"),
    (changed(("arrays", "d", "dims"), [["N", "H", "W"], ["N", "H", "Q"]]), "/arrays/d/dims/1/2"),
    (legacy({"dims": ["H", "W", "M"], "rule": "FORMAT-001"}), "/arrays/d/legacy/0/dims/2"),
    (changed(("dimensions", "N", "minimum"), "Q"), "/dimensions/N/minimum"),
    (changed(("scan", "dimension"), "M"), "/scan/dimension"),
    (changed(("scan", "frames"), "f"), "/scan/frames"),
    (changed(("scan", "probe"), "f"), "/scan/probe"),
    (legacy({"name": "e", "rule": "KEY-099"}), "/arrays/d/legacy/0/rule"),
    (legacy({"name": "e", "rule": "FILE-001"}), "/arrays/d/legacy/0/rule"),
    (legacy({"name": "e", "rule": "SCAN-002"}), "/arrays/d/legacy/0/rule"),
    (changed(("relations",), [{"identical": ["d", "e"]}]), "/relations/0/identical/1"),
    (changed(("arrays", "d", "dtype"), "float128"), "/arrays/d/dtype"),
    (changed(("arrays", "d", "quantity"), "phase"), "/arrays/d/quantity"),
    # contradictions
    (changed(("dimensions", "N"), {"description": "n", "minimum": 5, "maximum": 4}), "/dimensions/N/minimum"),
    (changed(("dimensions", "N"), {"description": "n", "minimum": 5, "equals": 4}), "/dimensions/N/equals"),
    (changed(("dimensions", "N"), {"description": "n", "maximum": 3, "equals": 4}), "/dimensions/N/equals"),
    (changed(("dimensions", "N", "equals"), "N"), "/dimensions/N/equals"),
    (changed(("dimensions", "H", "equals"), "W"), "/dimensions/H/equals"),
    (changed(("arrays", "d", "dims"), ["N", "H", "H"]), "/arrays/d/dims/2"),
    (changed(("arrays", "d", "dims"), [["N", "H", "W"], ["N", "H", "W"]]), "/arrays/d/dims/1"),
    (changed(("arrays", "d", "values"), {"minimum": 3, "maximum": 2}), "/arrays/d/values/minimum"),
    (changed(("arrays", "d", "values"), {"exclusiveMinimum": 2, "maximum": 2}), "/arrays/d/values/exclusiveMinimum"),
    (changed(("arrays", "p", "values"), {"minimum": 0}), "/arrays/p/values/minimum"),
    (legacy({"dims": ["N", "H", "W"], "rule": "FORMAT-001"}), "/arrays/d/legacy/0/dims"),
    (legacy({"dims": ["H", "N"], "rule": "FORMAT-001", "fix": "transpose"}), "/arrays/d/legacy/0/fix"),
    (legacy({"dims": ["N", "H", 1], "rule": "SHAPE-001", "fix": "squeeze"}), "/arrays/d/legacy/0/fix"),
    (legacy({"dims": ["H", "W", "N"], "rule": "FORMAT-001", "fix": "rename"}), "/arrays/d/legacy/0/fix"),
    (
        changed(
            ("arrays", "t"),
            {"dims": [], "dtype": "text", "legacy": [{"dtype": "integer", "rule": "DTYPE-001", "fix": "cast"}]},
        ),
        "/arrays/t/legacy/0/fix",
    ),
    (legacy({"name": "d", "rule": "KEY-002"}), "/arrays/d/legacy/0/name"),
    (legacy({"name": "x", "rule": "KEY-002"}), "/arrays/d/legacy/0/name"),
    (legacy({"name": "e", "rule": "KEY-002"}, {"name": "e", "rule": "KEY-002"}), "/arrays/d/legacy/1/name"),
    (legacy({"dtype": "float32", "rule": "DTYPE-001"}), "/arrays/d/legacy/0/dtype"),
    (legacy({"dtype": "floating", "rule": "DTYPE-001"}), "/arrays/d/legacy/0/dtype"),
    (
        legacy({"dtype": "float64", "rule": "DTYPE-001"}, {"dtype": ["int8", "float64"], "rule": "DTYPE-001"}),
        "/arrays/d/legacy/1/dtype",
    ),
    (legacy({"quantity": "amplitude", "dtype": "int8", "rule": "NORM-001"}), "/arrays/d/legacy/0/quantity"),
    (legacy({"name": "e", "dims": ["H", "W", "N"], "rule": "KEY-002"}), "/arrays/d/legacy/0"),
    (
        changed(("arrays", "x", "legacy"), [{"quantity": "intensity", "rule": "NORM-001"}]),
        "/arrays/x/legacy/0/quantity",
    ),
    (changed(("metadata",), {"member": "d"}), "/metadata/member"),
    (changed(("scan", "x"), "d"), "/scan/x"),
    (changed(("scan", "frames"), "p"), "/scan/frames"),
    (changed(("scan", "insideTolerance"), 1), "/scan/insideTolerance"),
    (changed(("scan", "minimumOverlap"), 0.5), "/scan/minimumOverlap"),
    # the schema of the metadata
    (meta({"type": "nothing"}), "/metadata/schema/type"),
    (meta({"pattern": "("}), "/metadata/schema/pattern"),
    (meta({"$ref": "https://example.com/x"}), "/metadata/schema/$ref"),
    (meta({"$ref": "other.json#/a"}), "/metadata/schema/$ref"),
    (meta({"$ref": "#/$defs/a"}), "/metadata/schema/$ref"),
    (meta({"$ref": "#a"}), "/metadata/schema/$ref"),
    (meta({"$dynamicRef": "#a"}), "/metadata/schema/$dynamicRef"),
    (meta({"$id": "https://example.com/", "$ref": "#"}), "/metadata/schema/$id"),
    (meta({"properties": {"a": {"$ref": "file:///etc/passwd"}}}), "/metadata/schema/properties/a/$ref"),
    (meta({"$ref": "#"}), "/metadata/schema/$ref"),
    (
        meta(
            {
                "$defs": {
                    "a": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/b"}]},
                    "b": {"not": {"$ref": "#/$defs/a"}},
                },
                "$ref": "#/$defs/a",
            }
        ),
        None,
    ),
]


@pytest.mark.parametrize(
    ("document", "pointer"), [pytest.param(*row, id=f"{row[1]}-{index}") for index, row in enumerate(REFUSED)]
)
def test_refused_with_a_pointer(document, pointer):
    with pytest.raises(ContractError) as caught:
        from_document(document, "mine")
    if pointer is not None:
        assert caught.value.pointer == pointer
    assert caught.value.where == "mine"
    assert str(caught.value).startswith("mine: ")


@pytest.mark.parametrize(
    "schema_",
    [
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
        {"$defs": {"tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}}}, "$ref": "#/$defs/tree"},
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}},
        {"$defs": {"a/b~c": True}, "$ref": "#/$defs/a~1b~0c"},
        {"anyOf": [{"type": "object"}, {"type": "array"}], "items": {"$ref": "#/anyOf/0"}},
    ],
)
def test_local_references_are_followed(schema_):
    assert from_document(meta(schema_)).metadata.schema == schema_


def written(folder, name, content):
    path = folder / name
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    return path


DEEP = 20_000


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"id": "a/b", "id": "a/b"}', "twice"),
        ('{"arrays": {"d": {"dims": [], "dims": []}}}', "twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": 1e999}', "too large"),
        ('{"a": -1e999}', "too large"),
        ('{"a": 1%s}' % ("0" * 400), "too large"),
        ('{"a": 1%s}' % ("0" * 5000), "too large"),
        ("[" * DEEP + "]" * DEEP, "nested too deeply"),
        ('{"a":' * DEEP + "1" + "}" * DEEP, "nested too deeply"),
        (b"\xff\xfe{}", "not UTF-8"),
        (json.dumps(SMALL).encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("", "not JSON"),
        ("{}}", "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('"text"', "not a JSON object"),
        (" " * MAX_BYTES + "{}", "larger than"),
    ],
)
def test_files_that_are_no_contract(tmp_path, content, what):
    with pytest.raises(ContractError, match=what):
        load(written(tmp_path, "c.json", content))


@pytest.mark.parametrize("depth", [50, 120, 200, 400, 800, 1500])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: meta({"properties": {"a": inner}}),
        lambda inner: changed(("relations",), [inner]),
        lambda inner: changed(("unknown",), inner),
        lambda inner: changed(("arrays", "d", "dims"), [inner]),
    ],
)
@pytest.mark.parametrize("key", ["not", None])
def test_any_depth(tmp_path, depth, wrap, key):
    text = json.dumps(wrap("HERE"))
    inner = '{"not":' * depth + "{}" + "}" * depth if key else "[" * depth + "]" * depth
    path = written(tmp_path, "c.json", text.replace('"HERE"', inner))
    with contextlib.suppress(ContractError):
        load(path)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        ".",
        "nope",
        "ptychopinn/nope",
        "Ptychopinn/Canonical",
        "\0",
        "a" * 5000,
        "/proc/self/mem",
        "/dev/zero",
        "no/such/file.json",
    ],
)
def test_what_is_not_there(reference):
    with pytest.raises(ContractError):
        load(reference)


class TestExtends:
    def test_an_id(self, tmp_path):
        contract = load(
            written(
                tmp_path, "c.json", {**HEAD, "extends": "ptychopinn/canonical", "dimensions": {"N": {"maximum": 9}}}
            )
        )
        assert contract.dimensions["N"].maximum == 9
        assert contract.dimensions["N"].minimum == 1
        assert contract.id == "me/mine"
        assert contract.finding is None
        assert contract.declared_by == ()
        assert "extends" not in contract.document

    def test_a_relative_path_from_any_folder(self, tmp_path, monkeypatch):
        (tmp_path / "deep").mkdir()
        written(tmp_path, "base.json", SMALL)
        path = written(tmp_path, "deep/c.json", {**HEAD, "id": "me/other", "extends": "../base.json"})
        monkeypatch.chdir("/")
        assert set(load(path).arrays) == set(SMALL["arrays"])

    def test_two_steps(self, tmp_path):
        written(tmp_path, "a.json", {**HEAD, "extends": "b.json", "arrays": {"x": {"dtype": "float32"}}})
        written(tmp_path, "b.json", {**HEAD, "extends": "c.json", "arrays": {"y": {"dtype": "float32"}}})
        written(tmp_path, "c.json", SMALL)
        contract = load(tmp_path / "a.json")
        assert [contract.arrays[name].dtype for name in "xyp"] == [("float32",), ("float32",), ("complex64",)]

    def test_null_removes_and_lists_are_replaced(self, tmp_path):
        path = written(
            tmp_path,
            "c.json",
            {
                **HEAD,
                "extends": "ptychopinn/canonical",
                "relations": None,
                "arrays": {"Y": None, "diffraction": {"legacy": []}},
            },
        )
        contract = load(path)
        assert "Y" not in contract.arrays
        assert contract.arrays["diffraction"].legacy == ()
        assert contract.arrays["diffraction"].required

    @pytest.mark.parametrize(
        "links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}, {"a": "./x/../a"}]
    )
    def test_loops(self, tmp_path, links):
        (tmp_path / "x").mkdir()
        for name, parent in links.items():
            written(tmp_path, f"{name}.json", {**HEAD, "extends": f"{parent}.json"})
        with pytest.raises(ContractError, match="extends itself") as caught:
            load(tmp_path / "a.json")
        assert caught.value.pointer == "/extends"

    def test_a_chain_that_is_too_long(self, tmp_path):
        for index in range(30):
            written(tmp_path, f"{index}.json", {**HEAD, "extends": f"{index + 1}.json"})
        with pytest.raises(ContractError, match="extends others over more than 8 levels"):
            load(tmp_path / "0.json")

    @pytest.mark.parametrize("parent", ["gone.json", ".", "\0", "x" * 5000, "https://example.com/c.json"])
    def test_no_such_parent(self, tmp_path, parent):
        with pytest.raises(ContractError):
            load(written(tmp_path, "c.json", {**HEAD, "extends": parent}))

    @pytest.mark.parametrize("parent", [3, [], {}, True])
    def test_no_text(self, parent):
        with pytest.raises(ContractError) as caught:
            from_document({**HEAD, "extends": parent})
        assert caught.value.pointer == "/extends"

    def test_a_document_in_memory_has_no_folder(self):
        with pytest.raises(ContractError, match="no shipped contract"):
            from_document({**HEAD, "extends": "base.json"})


@pytest.mark.parametrize("value", [{1, 2}, object(), b"x", float("nan"), float("inf"), 1j])
def test_a_document_in_memory_that_is_no_json(value):
    with pytest.raises(ContractError):
        from_document({**SMALL, "description": value})


def test_a_document_that_holds_itself():
    document = copy.deepcopy(SMALL)
    document["arrays"]["d"]["values"] = document
    with pytest.raises(ContractError):
        from_document(document)


def test_a_contract_does_not_change_with_the_document_it_came_from():
    document = copy.deepcopy(SMALL)
    contract = from_document(document)
    document["arrays"]["d"]["dims"].clear()
    assert contract.document == SMALL


def test_nothing_is_fetched(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for reference in ("https://example.com/a.json", "http://127.0.0.1:1/#/a"):
        with pytest.raises(ContractError):
            from_document(meta({"allOf": [{"$ref": reference}]}))
    # Where $schema lies is for editors.
    from_document({**SMALL, "$schema": "https://example.com/schema.json"})


# Mutations of the shipped documents

DOCUMENTS = [json.loads(json.dumps(dict(load(name).document))) for name in shipped()]
SCALARS = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**70,
    10**400,
    0.5,
    -1e308,
    "",
    "N",
    "Q",
    "W",
    "HO",
    "xcoords",
    "diffraction",
    "diff3d",
    "_metadata",
    "FORMAT-001",
    "NOPE-999",
    "rename",
    "transpose",
    "cast",
    "amplitude",
    "float32",
    "floating",
    "text",
    "\ud800",
    "a" * 400,
    "(",
    "#",
    "#/nope",
    "ptychopinn/canonical",
    "A~b/c",
    float("nan"),
    float("inf"),
]
KEYS = [
    "dims",
    "dtype",
    "values",
    "legacy",
    "required",
    "quantity",
    "minimum",
    "maximum",
    "equals",
    "$ref",
    "extends",
    "scan",
    "metadata",
    "schema",
    "relations",
    "identical",
    "dimensions",
    "arrays",
    "index",
    "x",
    "y",
    "probe",
    "object",
    "frames",
    "dimension",
    "fix",
    "rule",
    "name",
    "exclusiveMinimum",
    "maximumOverMean",
    "N",
    "H",
    "W",
    "declaredBy",
    "storage",
    "order",
    "member",
    "$id",
    "items",
    "allOf",
    "pattern",
    "multipleOf",
    "",
]
VALUES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=5,
)


def places(node, path=()):
    yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key not in ("description", "sources", "decisions", "source"):
            yield from places(value, (*path, key))


@st.composite
def mutants(draw):
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from([path for path in places(document) if path] or [()]))
        if not at:
            break
        here = document
        for part in at[:-1]:
            here = here[part]
        match draw(st.sampled_from(["remove", "replace", "add", "copy", "rename"])):
            case "remove":
                del here[at[-1]]
            case "replace":
                here[at[-1]] = draw(VALUES)
            case "add" if isinstance(here, dict):
                here[draw(st.sampled_from(KEYS))] = draw(VALUES)
            case "copy":
                there = document
                for part in draw(st.sampled_from(list(places(document)))):
                    there = there[part]
                here[at[-1]] = copy.deepcopy(there)
            case "rename" if isinstance(here, dict):
                here[draw(st.sampled_from(KEYS))] = here.pop(at[-1])
    return document


@given(mutants())
def test_mutants_are_contracts_or_are_refused(document):
    try:
        contract = from_document(document)
    except ContractError:
        return
    assert isinstance(contract, Contract)
    # Whatever is accepted can be loaded again from what findings point into.
    assert from_document(dict(contract.document)).arrays == contract.arrays


@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=6,
    ).map(json.dumps)
)
def test_any_text(text):
    with contextlib.suppress(ContractError):
        assert isinstance(parse_json(text, "x"), dict)


# What ships


@pytest.mark.parametrize("name", shipped())
def test_the_shipped_keep_the_meta_schema(name):
    contract = check_shipped(name)
    assert contract.id == name
    assert contract == load(name)
    assert contract.document["sources"]


def test_six_ship():
    assert set(shipped()) == {
        f"ptychopinn/{name}"
        for name in ("canonical", "legacy-hwn", "raw-npz", "raw-counts", "ci-intensity-v2", "fixture-v1")
    }


def keywords(node, path=()):
    for key in ("properties", "$defs"):
        for name, body in node.get(key, {}).items():
            if key == "properties":
                yield (*path, name), body
            yield from keywords(body, (*path, name))
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from keywords(node[key], path)


def test_every_keyword_of_the_meta_schema_is_described():
    document = schema("contract")
    found = [entry for entry in keywords(document) if isinstance(entry[1], dict)]
    assert len(found) > 60
    for path, body in found:
        target = body
        if "description" not in body:
            assert body.get("$ref", "").startswith("#/$defs/"), path
            target = document["$defs"][body["$ref"].removeprefix("#/$defs/")]
        assert target.get("description", "").strip(), path


def test_the_meta_schema_is_a_schema():
    from jsonschema import Draft202012Validator

    for name in ("contract", "report"):
        Draft202012Validator.check_schema(schema(name))


def test_every_keyword_is_used_by_a_shipped_contract_or_by_a_test():
    text = json.dumps(DOCUMENTS) + json.dumps(REFUSED) + json.dumps([{"extends": ""}])
    for path, _ in keywords(schema("contract")):
        assert f'"{path[-1]}"' in text, path


def test_the_id_of_a_shipped_contract_is_its_own():
    document = {**load("ptychopinn/raw-npz").document, "version": "3.0.0"}
    with pytest.raises(ContractError, match="ships with the tool") as refused:
        from_document(document)
    assert refused.value.pointer == "/id"
    assert from_document(load("ptychopinn/raw-npz").document).id == "ptychopinn/raw-npz"


SIZES = {"description": "a length"}
NUMBERS = {"dims": ["N"], "dtype": "float32"}


@pytest.mark.parametrize(
    ("dimensions", "arrays", "relations", "where"),
    [
        ({"N": {"equals": 4}, "H": {"minimum": "N", "equals": 2}}, {}, [], "/dimensions/H/"),
        ({"N": {"minimum": 10}, "H": {"minimum": "N", "maximum": 5}}, {}, [], "/dimensions/H/"),
        ({"N": {"minimum": 10}, "H": {"equals": "N", "maximum": 5}}, {}, [], "/dimensions/H/"),
        (
            {"N": {"maximum": "H"}, "H": {"equals": "W"}, "W": {"maximum": 3}, "M": {"equals": 4, "maximum": "N"}},
            {},
            [],
            "/dimensions/",
        ),
        ({"N": {}}, {"a": {**NUMBERS, "dtype": "uint16", "values": {"maximum": -1}}}, [], "/arrays/a/values/maximum"),
        ({"N": {}}, {"a": {**NUMBERS, "dtype": "uint8", "values": {"minimum": 300}}}, [], "/arrays/a/values/minimum"),
        (
            {"N": {}},
            {"a": {**NUMBERS, "dtype": ["float32", "uint8"], "values": {"minimum": 300}}},
            [],
            "/arrays/a/values/minimum",
        ),
        (
            {"N": {}, "H": {}},
            {"a": {**NUMBERS, "dims": ["N", "H"]}, "b": NUMBERS},
            [{"identical": ["a", "b"]}],
            "/relations/0/identical/1",
        ),
        (
            {"N": {}},
            {"a": NUMBERS, "b": {**NUMBERS, "dtype": "text"}},
            [{"identical": ["a", "b"]}],
            "/relations/0/identical/1",
        ),
        (
            {"N": {}},
            {"a": {**NUMBERS, "values": {"maximum": 1}}, "b": {**NUMBERS, "values": {"exclusiveMinimum": 1}}},
            [{"identical": ["a", "b"]}],
            "/relations/0/identical/1",
        ),
    ],
)
def test_a_contract_that_nothing_can_keep_is_refused(dimensions, arrays, relations, where):
    document = {
        "id": "test/own",
        "version": "1.0.0",
        "title": "own",
        "dimensions": {symbol: {**SIZES, **bounds} for symbol, bounds in dimensions.items()},
        "arrays": arrays,
        "relations": relations,
    }
    with pytest.raises(ContractError) as refused:
        from_document(document)
    assert refused.value.pointer.startswith(where)


@pytest.mark.parametrize(
    ("dtype", "values"), [("integer", {"minimum": 300}), ("uint8", {"minimum": 255}), ("int8", {"maximum": -128})]
)
def test_bounds_that_a_dtype_can_keep_are_sound(dtype, values):
    arrays = {"a": {**NUMBERS, "dtype": dtype, "values": values}}
    document = {"id": "test/own", "version": "1.0.0", "title": "own", "dimensions": {"N": SIZES}, "arrays": arrays}
    assert from_document(document).arrays["a"].values
