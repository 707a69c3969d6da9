"""Configuration: where it is found, what it changes, what wins, and one line for whatever is wrong with it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from npzschema.contracts import load, rules, schema
from npzschema.terminal import UsageError
from npzschema.validator.cli import run
from npzschema.validator.config import ConfigError
from npzschema.validator.config_file import find, read
from npzschema.validator.findings import Finding, Report
from npzschema.validator.settings import Settings

from .handmade import ARRAYS, archive, npy, parts

OWN = {"id": "lab/raw", "version": "1.0.0", "title": "Lab", "extends": "ptychopinn/canonical"}
UNREADABLE = [code for code, rule in rules().items() if rule.unreadable]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder to work in. Nothing above it holds a configuration."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert find(folder) is None
    return folder


def dataset(path, **changed):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive(parts(**changed)))
    return str(path)


def legacy(path):
    """One error, FORMAT-001, and one info, KEY-003."""
    frames = np.ascontiguousarray(ARRAYS["diffraction"].transpose(1, 2, 0))
    return dataset(path, diffraction=npy(frames), extra=npy(np.zeros(3)))


def told(*argv):
    """Status, and for each file its levels by code and its contract."""
    out = io.StringIO()
    status = run(["--format", "json", *argv], out, io.StringIO())
    document = json.loads(out.getvalue())
    jsonschema.Draft202012Validator(schema("report")).validate(document)
    return status, [
        ({finding["code"]: finding["level"] for finding in file["findings"]}, (file["contract"] or {}).get("id"))
        for file in document["files"]
    ]


def configure(text, name="npzschema.toml"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


# The schema


def described(node, path=""):
    for key, body in node.get("properties", {}).items():
        target = schema("config")["$defs"][body["$ref"].rpartition("/")[2]] if "$ref" in body else {}
        yield f"{path}/{key}", body.get("description") or target.get("description")
        yield from described({**target, **body}, f"{path}/{key}")
    other = node.get("additionalProperties")
    if isinstance(other, dict):
        yield f"{path}/*", other.get("description")
        yield from described(other, f"{path}/*")


@pytest.mark.parametrize("name", ["config", "baseline"])
def test_the_schemas_are_sound(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_every_keyword_is_described():
    found = dict(described(schema("config")))
    assert {"/contract", "/levels/*", "/files/*/ignore"} <= set(found)
    assert [key for key, words in found.items() if not words] == []


# Where it is found


def test_the_nearest_file_counts(here):
    (here / "a" / "b").mkdir(parents=True)
    configure('ignore = ["KEY"]')
    assert find(here / "a" / "b") == "npzschema.toml"
    configure("[tool.npzschema]\nignore = ['SCAN']", "a/pyproject.toml")
    assert find(here / "a" / "b") == "a/pyproject.toml"
    assert find(here) == "npzschema.toml"
    configure("", "a/npzschema.toml")
    assert find(here / "a" / "b") == "a/npzschema.toml"


def test_a_project_without_the_table_is_passed_over(here):
    (here / "a").mkdir()
    configure("")
    configure("[project]\nname = 'x'", "a/pyproject.toml")
    assert find(here / "a") == "npzschema.toml"


def test_paths_are_relative_to_the_configuration(here, monkeypatch):
    legacy(here / "old" / "a.npz")
    configure('contracts = "mine"\n[files."old/"]\ncontract = "lab/raw"\nignore = ["FORMAT"]')
    configure(json.dumps(OWN), "mine/lab.json")
    monkeypatch.chdir(here / "old")
    assert told("a.npz") == (0, [({"KEY-003": "info"}, "lab/raw")])


def test_config_names_a_file_and_isolated_forbids_any(here):
    path = legacy(here / "a.npz")
    configure('ignore = ["FORMAT"]')
    other = configure('levels = {FORMAT-001 = "warning"}', "other/any.toml")
    assert told(path)[0] == 0
    assert told("--config", other, path)[1][0][0]["FORMAT-001"] == "warning"
    assert told("--isolated", path)[1][0][0]["FORMAT-001"] == "error"
    assert told("--isolated", path)[0] == 1


def test_the_configuration_is_not_read_where_nothing_is_checked():
    configure("= nonsense")
    for option in ("--version", "--list-rules", "--help"):
        assert run([option], io.StringIO(), io.StringIO()) == 0


# What it changes


@pytest.mark.parametrize(
    ("text", "status", "levels"),
    [
        ("", 1, {"FORMAT-001": "error", "KEY-003": "info"}),
        ('select = ["KEY"]', 0, {"KEY-003": "info"}),
        ('ignore = ["FORMAT", "KEY-003"]', 0, {}),
        ('levels = {FORMAT-001 = "info"}', 0, {"FORMAT-001": "info", "KEY-003": "info"}),
        ('levels = {FORMAT-001 = "off"}', 0, {"KEY-003": "info"}),
        ('levels = {KEY-003 = "error", FORMAT-001 = "off"}', 1, {"KEY-003": "error"}),
        ('fail-on = "info"\nignore = ["FORMAT"]', 1, {"KEY-003": "info"}),
        ('[files."b*.npz"]\nignore = ["FORMAT"]', 1, {"FORMAT-001": "error", "KEY-003": "info"}),
        ('[files."a.npz"]\nignore = ["FORMAT"]', 0, {"KEY-003": "info"}),
        ('ignore = ["KEY"]\n[files."*.npz"]\nignore = ["FORMAT"]', 0, {}),
        ('levels.KEY-003 = "error"\n[files."*"]\nlevels.FORMAT-001 = "off"', 1, {"KEY-003": "error"}),
        ('[files."*"]\nselect = ["FORMAT"]\n[files."a.*"]\nselect = ["KEY"]', 0, {"KEY-003": "info"}),
        (
            '[files."*"]\nlevels.FORMAT-001 = "off"\n[files."a.*"]\nlevels.FORMAT-001 = "info"\nignore = ["KEY"]',
            0,
            {"FORMAT-001": "info"},
        ),
    ],
)
def test_findings(here, text, status, levels):
    path = legacy(here / "a.npz")
    configure(text)
    assert told(path) == (status, [(levels, "ptychopinn/canonical")])


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.npz", {"a.npz", "raw/a.npz", "raw/deep/b.npz"}),
        ("/*.npz", {"a.npz"}),
        ("raw/", {"raw/a.npz", "raw/deep/b.npz"}),
        ("raw/*.npz", {"raw/a.npz"}),
        ("raw/**/*.npz", {"raw/a.npz", "raw/deep/b.npz"}),
        ("**/b.npz", {"raw/deep/b.npz"}),
        ("raw/[b-z]*", {"raw/deep/b.npz"}),
    ],
)
def test_patterns_are_those_of_gitignore(here, pattern, matched):
    configure(f"[files.'{pattern}']\nignore = ['KEY']")
    config = read("npzschema.toml")
    files = ["a.npz", "raw/a.npz", "raw/deep/b.npz", "../a.npz", "../raw/a.npz"]
    assert {file for file in files if config.for_file(file).ignore} == matched
    assert {file for file in files if config.for_file(here / file).ignore} == matched


def test_folders_of_the_same_name_by_a_link_are_the_same(here):
    (here / "real" / "raw").mkdir(parents=True)
    (here / "link").symlink_to("real")
    (here / "far.npz").touch()
    (here / "real" / "raw" / "linked.npz").symlink_to("../../far.npz")
    configure("[files.'raw/']\nignore = ['KEY']", "real/npzschema.toml")
    for folder in ("real", "link"):
        config = read(f"{folder}/npzschema.toml")
        for name in ("real/raw/a.npz", "link/raw/a.npz", here / "link/raw/a.npz", "link/raw/linked.npz"):
            assert config.for_file(name).ignore == ("KEY",)
        for name in ("raw/a.npz", "far.npz", "link/a.npz"):
            assert config.for_file(name).ignore == ()


def test_axes(here):
    """A cube of noise cannot be told: naming its axes is what the setting is for."""
    frames = np.random.default_rng(0).random((16, 16, 16), dtype=np.float32)
    where = np.linspace(9, 30, 16)
    path = dataset(
        here / "cube.npz", diffraction=npy(frames), xcoords=npy(where), ycoords=npy(where[::-1].copy()),
        probeGuess=npy(np.ones((16, 16), np.complex64)), objectGuess=npy(np.ones((40, 40), np.complex64)),
        scan_index=None,
    )  # fmt: skip
    assert "FORMAT-002" in told(path)[1][0][0]
    configure('axes = {diffraction = ["N", "H", "W"]}')
    assert not {"FORMAT-001", "FORMAT-002"} & set(told(path)[1][0][0])
    assert "FORMAT-001" in told("--axes", "diffraction=H,W,N", path)[1][0][0]


def test_axes_are_asked_of_the_arrays_that_a_contract_has(here):
    """A contract without the array, or with another order of it, was a traceback."""
    path = dataset(here / "a.npz")
    configure(json.dumps({"id": "lab/bare", "version": "1.0.0", "title": "x", "arrays": {}}), "bare.json")
    configure('axes = {diffraction = ["N", "H", "W"]}\n[files."a.npz"]\ncontract = "bare.json"')
    assert told(path)[1][0][1] == "lab/bare"
    configure('axes = {diffraction = ["H", "W", "N"]}\n[files."a.npz"]\ncontract = "ptychopinn/raw-npz"')
    assert told("--contract", "bare.json", path)[0] == 0
    only = {
        "id": "lab/only",
        "version": "1.0.0",
        "title": "x",
        "dimensions": {symbol: {"description": "x"} for symbol in "NHW"},
    }
    spec = {"dims": [["N", "H"], ["W"]], "dtype": "float32"}
    configure(json.dumps({**only, "arrays": {"diffraction": spec}}), "only.json")
    with pytest.raises(UsageError, match=r"a\.npz: axes: diffraction: no contract has the axes \(H, W, N\)"):
        told("--contract", "only.json", path)


def test_the_report_says_who_chose_the_contract(here):
    path = legacy(here / "a.npz")
    configure('contract = "ptychopinn/legacy-hwn"')
    out = io.StringIO()
    run(["-v", path], out, io.StringIO())
    assert "contract ptychopinn/legacy-hwn: npzschema.toml asks for it" in out.getvalue()
    configure('ignore = ["KEY"]')
    out = io.StringIO()
    run(["-v", path], out, io.StringIO())
    assert "1 finding left out, as select, ignore or levels ask for" in out.getvalue()


def test_contracts_of_ones_own_are_known_by_id(here):
    path = dataset(here / "a.npz")
    configure(json.dumps(OWN), "mine/deep/x.json")
    configure(json.dumps({**OWN, "id": "lab/beside"}), "beside.json")
    configure('contracts = "mine"\n[files."b.npz"]\ncontract = "beside.json"')
    assert told("--contract", "lab/raw", path) == (0, [({}, "lab/raw")])
    dataset(here / "b.npz")
    assert [contract for _, contract in told("a.npz", "b.npz")[1]] == ["ptychopinn/canonical", "lab/beside"]


def declaring(path, **said):
    return dataset(path, _metadata=npy(np.array(json.dumps(said))))


def test_auto_finds_what_a_file_declares_among_contracts_of_ones_own(here):
    pair = {"scale_contract_version": "lab_v1", "measurement_domain": "lab"}
    configure(json.dumps({**OWN, "declaredBy": [pair]}), "mine/a.json")
    configure(json.dumps({**OWN, "id": "lab/other"}), "mine/b.json")
    configure('contracts = "mine"')
    paths = [
        declaring(here / "id.npz", contract="lab/other"),
        declaring(here / "pair.npz", **pair),
        declaring(here / "version.npz", contract="lab/raw@2.0.0"),
        declaring(here / "unknown.npz", contract="lab/none"),
        dataset(here / "silent.npz"),
    ]
    _, files = told(*paths)
    assert [contract for _, contract in files] == ["lab/other", "lab/raw", "lab/raw", *["ptychopinn/canonical"] * 2]
    assert [set(levels) for levels, _ in files] == [set(), set(), {"META-002"}, {"META-002"}, set()]
    assert [set(levels) for levels, _ in told("--contract", "lab/raw", *paths[:2])[1]] == [set(), set()]
    assert told("--isolated", paths[0]) == (0, [({"META-002": "warning"}, "ptychopinn/canonical")])
    assert told("--jobs", "2", *paths[:2]) == told(*paths[:2])


def test_what_others_say_under_the_keys_of_ones_own_pairs_declares_nothing(here):
    own = [{"beamline": "cSAXS"}, {"detector": "Eiger", "lab": 7, "hall": 2}]
    configure(json.dumps({**OWN, "declaredBy": own}), "mine/a.json")
    configure('contracts = "mine"')
    out = io.StringIO()
    run(
        [
            declaring(here / "other.npz", beamline="ID16", lab=8),
            declaring(here / "part.npz", detector="Eiger"),
            declaring(here / "shipped.npz", beamline="ID16", scale_contract_version="ci_intensity_v2"),
        ],
        out, io.StringIO(),
    )  # fmt: skip
    lines = [line for line in out.getvalue().splitlines() if "META-002" in line]
    assert not any("other.npz" in line for line in lines)
    assert "declares detector Eiger: lab and hall are missing, and detector, lab and hall are inseparable" in lines[0]
    assert lines[0].count("legacy_v1") == 1
    assert (
        "declares scale_contract_version ci_intensity_v2: measurement_domain is missing, and scale_contract_version "
        "and measurement_domain are inseparable"
    ) in lines[1]
    assert len(lines) == 2


def test_the_report_says_which_contracts_of_ones_own_a_file_keeps(here):
    strict = {"arrays": {"diffraction": {"values": {"exclusiveMaximum": 1e-6}}}}
    configure(json.dumps(OWN), "mine/a.json")
    configure(json.dumps({**OWN, **strict, "id": "lab/strict"}), "mine/b.json")
    configure('contracts = "mine"')
    out = io.StringIO()
    run(["--format", "json", dataset(here / "a.npz")], out, io.StringIO())
    recognised = json.loads(out.getvalue())["files"][0]["recognised"]
    assert "lab/raw" in recognised
    assert "lab/strict" not in recognised


def test_a_pair_is_ones_own_before_it_is_a_shipped_one(here):
    pair = load("ptychopinn/raw-counts").declared_by or load("ptychopinn/canonical").declared_by
    path = declaring(here / "a.npz", **pair[0])
    configure(json.dumps({**OWN, "declaredBy": list(pair)}), "mine/a.json")
    configure('contracts = "mine"')
    assert told(path) == (0, [({}, "lab/raw")])


# The command line wins


@pytest.mark.parametrize(
    ("argv", "status", "levels", "contract"),
    [
        ([], 1, {"KEY-003": "error"}, "lab/raw"),
        (["--contract", "auto"], 1, {"KEY-003": "error"}, "ptychopinn/canonical"),
        (["--contract", "ptychopinn/canonical"], 1, {"KEY-003": "error"}, "ptychopinn/canonical"),
        (["--ignore", "KEY"], 1, {"FORMAT-001": "error"}, "lab/raw"),  # instead of what the file ignores
        (["--level", "KEY-003=info"], 1, {"KEY-003": "info"}, "lab/raw"),
        (["--level", "KEY-003=info", "--fail-on", "warning"], 0, {"KEY-003": "info"}, "lab/raw"),
        (["--level", "KEY-003=off"], 0, {}, "lab/raw"),
        (["--select", "KEY"], 1, {"KEY-003": "error"}, "lab/raw"),
        (["--select", "FORMAT"], 1, {"FORMAT-001": "error"}, "lab/raw"),  # although the file ignores it
    ],
)
def test_the_command_line_wins(here, argv, status, levels, contract):
    path = legacy(here / "a.npz")
    configure(json.dumps(OWN), "mine/lab.json")
    configure(
        'contracts = "mine"\ncontract = "ptychopinn/canonical"\nfail-on = "info"\nignore = ["FORMAT"]\n'
        'select = ["FORMAT"]\n'
        '[files."*"]\ncontract = "lab/raw"\nselect = ["FORMAT", "KEY"]\nlevels.KEY-003 = "error"\n'
    )
    assert told(*argv, path) == (status, [(levels, contract)])


# What stays


@pytest.mark.parametrize("text", ['ignore = ["FILE"]', 'select = ["KEY"]', '[files."*"]\nignore = ["FILE-002"]'])
def test_an_unreadable_file_stays_unreadable(here, text):
    path = here / "a.npz"
    path.write_bytes(archive(parts())[:-1])
    configure(text)
    assert told("a.npz")[0] == 2
    assert told("a.npz")[1][0][0] == {"FILE-002": "error"}


@pytest.mark.parametrize("code", UNREADABLE)
@pytest.mark.parametrize("level", ["off", "info", "error"])
def test_no_level_for_what_makes_a_file_unreadable(code, level):
    configure(f"[levels]\n{code} = '{level}'")
    with pytest.raises(ConfigError, match=f"^npzschema.toml:2: levels.{code}: its level cannot be changed"):
        read("npzschema.toml")
    with pytest.raises(UsageError, match=f"--level {code}: its level cannot be changed"):
        told("--level", f"{code}={level}", "a.npz")


def test_internal_faults_are_never_left_out():
    assert "INTERNAL-001" in UNREADABLE
    crash = Finding(code="INTERNAL-001", level="error", message="x", pointer="", remedy="y")
    report = Report(path="a", verdict="unreadable", findings=(crash,))
    for settings in (
        Settings(ignore=("INTERNAL",)),
        Settings(select=("KEY",)),
        Settings(levels={"INTERNAL-001": "off"}),
    ):
        assert settings.applied(report) == report


# What is refused

TABLE = "[project]\nname = 'x'\n[tool.npzschema]\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("contrat = 'x'", 4, "contrat: no such key; did you mean 'contract'?"),
        ("\n\n[tool.npzschema.files.'a']\n# x\nfail-on = 'info'", 8, "files.a.fail-on: no such key"),
        ("files.a = 3", 4, "files.a: 3 is not a table"),
        ("files.'!a'.ignore = ['KEY']", 4, 'files."!a": begins with ! or #'),
        ("ignore = 'KEY'", 4, "ignore: 'KEY' is not a list"),
        ("ignore = [\n'KEY',\n'KAY']", 6, "ignore.1: no rule's code begins with 'KAY'"),
        ("select = ['key']", 4, "select.0: no rule's code begins with 'key'"),
        ("levels = {SCAN-02 = 'off'}", 4, "levels.SCAN-02: no such rule; did you mean 'SCAN-002'?"),
        ("levels.SCAN = 'off'", 4, "levels.SCAN: no such rule"),
        ("[tool.npzschema.levels]\nSCAN-002 = 'fatal'", 5, "levels.SCAN-002: 'fatal' is not one of"),
        ("fail-on = 'never'", 4, "fail-on: 'never' is not one of"),
        ("axes = {diffraction = ['H', 1.5]}", 4, "axes.diffraction.1: 1.5 is neither a symbol nor a length"),
        ("axes = {diffraction = ['']}", 4, "axes.diffraction.0: '' is neither a symbol nor a length"),
        ("axes = {diffraction = 'H,W,N'}", 4, "axes.diffraction: 'H,W,N' is not a list"),
        ("axes = {diffraction = ['H', -1]}", 4, "axes.diffraction.1: "),
        ("contract = 'ptychopinn/canon'", 4, "contract: no such contract 'ptychopinn/canon'; did you mean"),
        ("files.a.contract = 'none.json'", 4, "files.a.contract: no such contract 'none.json'"),
        ("contract = 'pyproject.toml'", 4, "contract: contract refused: pyproject.toml: not JSON"),
        ("contract = 2020-01-01", 4, "contract: 2020-01-01 is not a text"),
        ("contract = ''", 4, "contract: '' "),
        ("contracts = 'none'", 4, "contracts: no such folder 'none'"),
        ("contracts = 'twice'", 4, "contracts: twice/b.json has the id 'lab/raw' of twice/a.json"),
        ("contracts = 'shipped'", 4, "contracts: contract refused: shipped/a.json: /id: 'ptychopinn/canonical'"),
        ("contracts = 'alike'", 4, "contracts: alike/b.json and alike/a.json have a pair of declaredBy in common"),
        ("contracts = 'broken'", 4, "contracts: contract refused: broken/a.json: not a JSON object"),
        ("axes = {foo = ['N']}", 4, "axes.foo: axes are named for 'foo', which is no array of the contract"),
        ("[tool.npzschema.files.a.axes]\ndiffraction = ['N', 'Q']", 5,
         "files.a.axes.diffraction: no contract has the axes (N, Q)"),
        ("select = ['SCAN'", 4, "not TOML: a list is not closed: ] or a comma is missing: select = ['SCAN'"),
        ("a = 1\na = 2", 5, "not TOML: this key or table is there already; keep one of the two: a = 2"),
        ("[tool.npzschema]", 4, "not TOML: this key or table is there already"),
        ("levels = {a = 'x', a = 'y'}", 4, "not TOML: this key or table is there already"),
        ("x = \x01", 4, "not TOML: no value, or none that TOML knows; a text stands in quotes: x = \\x01"),
        ("x = '\x01'", 4, "not TOML: a control character; delete it: x = '\\x01'"),
        ("# \x01", 4, "not TOML: a control character; delete it"),
        ("contract =", 4, "not TOML: no value, or none that TOML knows; a text stands in quotes: contract ="),
        ("contract = auto", 4, "not TOML: no value, or none"),
        ("contract", 4, "not TOML: = is missing after the key; write key = value: contract"),
        ("contract = 'auto\n", 4, "not TOML: a text does not end on its line: the closing quote is missing"),
        ('contract = "auto\n', 4, "not TOML: a text does not end on its line: the closing quote is missing"),
        ('contract = "auto', 4, "not TOML: a text does not end on its line: the closing quote is missing"),
        ('contract = "C:\\data"', 4, "not TOML: no such escape in a text; write paths with / or in single quotes"),
        ('contract = "C:\\users"', 4, "not TOML: no such escape in a text"),
        ("contract = 'auto' 'x'", 4, "not TOML: a line holds one key and its value"),
        ("[tool.other", 4, "not TOML: a heading is not closed: ] is missing: [tool.other"),
        ("[[tool.x]", 4, "not TOML: a heading is not closed: ] is missing"),
        ("levels = {KEY-003 = 'off'", 4, "not TOML: a table in braces is not closed: } or a comma is missing"),
        ("levels = {KEY-003 = 'off',\n}", 4, "not TOML: no key begins so; put a pattern in quotes, and close { }"),
        ("files.*.ignore = ['KEY']", 4, "not TOML: no key begins so; put a pattern in quotes"),
        ("contract = 2020-02-30", 4, "not TOML: no such date or time; a text stands in quotes"),
        ("? = 1", 4, "not TOML: neither a key nor a [table] begins so; write key = value: ? = 1"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_line_with_its_place(text, line, what):
    configure(json.dumps(OWN), "twice/a.json")
    configure(json.dumps(OWN), "twice/b.json")
    configure(json.dumps({**OWN, "id": "ptychopinn/canonical"}), "shipped/a.json")
    configure("[]", "broken/a.json")
    configure(json.dumps({**OWN, "declaredBy": [{"a": 1}]}), "alike/a.json")
    configure(json.dumps({**OWN, "id": "lab/b", "declaredBy": [{"b": 1}, {"a": 1}]}), "alike/b.json")
    configure(TABLE + text, "pyproject.toml")
    with pytest.raises(UsageError) as error:
        told("none.npz")
    message = str(error.value)
    assert message.isprintable()
    assert message.startswith(f"pyproject.toml:{line}: {what}")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"ignore = ['\xff']", "npzschema.toml:1: not UTF-8 text"),
        (b"\n\na = '\xff'", "npzschema.toml:3: not UTF-8 text"),
        (b"#" * (1 << 21), "npzschema.toml: larger than"),
        (b"a = " + b"[" * 100_000, "npzschema.toml: nested too deeply"),
        (b"'\x1b[2J' = 1", "npzschema.toml:1: "),
        (b'"\\u001b[2J" = 1', 'npzschema.toml:1: "'),
    ],
)
def test_hostile_configurations(here, content, what):
    (here / "npzschema.toml").write_bytes(content)
    with pytest.raises(UsageError) as error:
        told("none.npz")
    assert str(error.value).startswith(what)
    assert str(error.value).isprintable()


def test_a_working_directory_that_is_gone_is_told(here, monkeypatch):
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    with pytest.raises(UsageError, match=r"^the working directory is gone: no such file or directory$"):
        told(str(here / "a.npz"))


def test_a_byte_order_mark_is_passed_over(here):
    (here / "npzschema.toml").write_bytes(b'\xef\xbb\xbfignore = ["KEY"]\r\n')
    assert told(legacy(here / "a.npz")) == (1, [({"FORMAT-001": "error"}, "ptychopinn/canonical")])


def test_files_that_cannot_be_read():
    for name in ("none.toml", ".", "a\0b"):
        with pytest.raises(UsageError, match="cannot be read"):
            told("--config", name, "a.npz")
    configure("[tool.other]", "pyproject.toml")
    with pytest.raises(UsageError, match=r"pyproject.toml: holds no table \[tool.npzschema\]"):
        told("--config", "pyproject.toml", "a.npz")


def test_a_broken_pyproject_above_is_told(here, monkeypatch):
    """It may hold the table: going on as if it held none would be a guess."""
    (here / "a").mkdir()
    configure("[tool\n", "pyproject.toml")
    monkeypatch.chdir(here / "a")
    with pytest.raises(UsageError, match=r"^\.\./pyproject.toml:1: not TOML: "):
        told("x.npz")


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (["--level", "SCAN-002"], "is not CODE="),
        (["--level", "SCAN-002=fatal"], "is not CODE="),
        (["--level", "SCAN-999=off"], "--level SCAN-999: no such rule"),
        (["--contract", "lab/none"], "contract refused"),
        (["--isolated", "--config", "x.toml"], "exclude each other"),
    ],
)
def test_wrong_usage(argv, what):
    with pytest.raises(UsageError, match=what):
        told(*argv, "a.npz")


def test_defaults_are_those_without_a_configuration():
    configure("")
    config = read("npzschema.toml")
    assert config.for_file("a.npz") == Settings()
    assert (config.fail_on, config.baseline, config.contract("auto")) == ("error", None, "auto")
    assert config.contract("ptychopinn/canonical") == load("ptychopinn/canonical")
