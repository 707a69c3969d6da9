"""The pytest plugin, in projects of its own: findings for a message, files as items, no weight at the start."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import npzschema
from npzschema.validator.cli import run

from .handmade import ARRAYS, archive, npy, parts

pytest_plugins = ["pytester"]

LEGACY = np.ascontiguousarray(ARRAYS["diffraction"].transpose(1, 2, 0))
WRONG = "FORMAT-001 error  diffraction: axes are (H, W, N) = (16, 16, 5), the contract says (N, H, W)"


@pytest.fixture
def project(pytester):
    """A project with a good file, one in legacy order and one that is cut off."""
    (pytester.path / "data" / "old").mkdir(parents=True)
    (pytester.path / "data" / "good.npz").write_bytes(archive(parts()))
    (pytester.path / "data" / "old" / "legacy.npz").write_bytes(archive(parts(diffraction=npy(LEGACY))))
    (pytester.path / "cut.npz").write_bytes(archive(parts())[:-1])
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\n")
    return pytester


def items(result):
    return [line.split(" ")[0] for line in result.outlines if "::" in line]


# assert_npz_valid


def test_a_good_dataset_gives_its_report(project):
    project.makepyfile(
        """
        import numpy as np
        from npzschema import assert_npz_valid

        def test_it(npz_contract):
            report = assert_npz_valid("data/good.npz", contract=npz_contract)
            assert report.contract == "ptychopinn/canonical" and report.ok
            with np.load("data/good.npz") as held:
                assert assert_npz_valid(dict(held)).ok
            with open("data/good.npz", "rb") as held:
                assert assert_npz_valid(held.read(), "ptychopinn/canonical").ok
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_the_failure_is_the_findings_and_no_traceback(project):
    project.makepyfile(
        """
        from npzschema import assert_npz_valid

        def test_it():
            assert_npz_valid("data/old/legacy.npz")
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    lines = result.outlines
    start = next(index for index, line in enumerate(lines) if line.startswith("____") and "test_it" in line)
    end = next(index for index, line in enumerate(lines) if "short test summary" in line)
    out = io.StringIO()
    assert run(["data/old/legacy.npz"], out, io.StringIO()) == 1
    assert lines[start + 1 : end] == out.getvalue().splitlines()
    assert f"data/old/legacy.npz  {WRONG}" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [
        ("'data/old/legacy.npz'", False),
        ("'data/old/legacy.npz', levels={'FORMAT-001': 'warning'}", True),
        ("'data/old/legacy.npz', levels={'FORMAT-001': 'warning'}, fail_on='warning'", False),
        ("'data/old/legacy.npz', levels={'FORMAT-001': 'info'}, fail_on='info'", False),
        ("'data/old/legacy.npz', ignore=['FORMAT']", True),
        ("'data/old/legacy.npz', select=['KEY']", True),
        ("'data/good.npz', 'ptychopinn/raw-counts'", False),
        ("'data/good.npz', headers_only=True", True),
        ("'cut.npz'", False),
        ("'cut.npz', ignore=['FILE']", False),
        ("'none.npz'", False),
        ("{}", False),
    ],
)
def test_what_passes(project, arguments, passes):
    project.makepyfile(f"from npzschema import assert_npz_valid\ndef test_it():\n    assert_npz_valid({arguments})")
    result = project.runpytest()
    result.assert_outcomes(passed=passes, failed=not passes)
    assert passes or any(
        line.split("  ")[1:2] and line.split("  ")[1].split(" ")[0] in npzschema.contracts.rules()
        for line in result.outlines
    )


@pytest.mark.parametrize(
    ("arguments", "error", "what"),
    [
        ("levels={'FILE-001': 'off'}", ValueError, "levels: FILE-001: its level cannot be changed"),
        ("levels={'SCAN-99': 'off'}", ValueError, "levels: SCAN-99: no such rule"),
        ("levels={'SCAN-002': 'warn'}", ValueError, "levels: SCAN-002: 'warn' is not error, warning, info or off"),
        ("fail_on='warnings'", ValueError, "fail_on: 'warnings' is not error, warning or info"),
        ("select=['VALEU']", ValueError, "no rule's code begins with 'VALEU'"),
        ("ignore=['scan']", ValueError, "no rule's code begins with 'scan'"),
        ("ignore=['']", ValueError, "an empty beginning of codes chooses every rule"),
        ("contract='no/such'", npzschema.ContractError, "no such contract"),
    ],
)
def test_mistakes_of_the_caller_are_raised(arguments, error, what):
    with pytest.raises(error, match=what):
        eval(f"npzschema.assert_npz_valid({{}}, {arguments})")


# npz_contract


def test_the_contract_can_be_overridden(project):
    project.makeconftest(
        """
        import pytest

        @pytest.fixture
        def npz_contract():
            return "ptychopinn/raw-counts"
        """
    )
    project.makepyfile("def test_it(npz_contract):\n    assert npz_contract == 'ptychopinn/raw-counts'")
    project.runpytest().assert_outcomes(passed=1)


def test_the_contract_is_the_configurations(project):
    (project.path / "mine").mkdir()
    own = {"id": "lab/raw", "version": "1.0.0", "title": "Lab", "extends": "ptychopinn/canonical"}
    (project.path / "mine" / "raw.json").write_text(json.dumps(own))
    (project.path / "pyproject.toml").write_text('[tool.npzschema]\ncontract = "lab/raw"\ncontracts = "mine"')
    project.makepyfile("def test_it(npz_contract):\n    assert npz_contract.id == 'lab/raw'")
    project.runpytest().assert_outcomes(passed=1)


# --validate-npz


def test_files_become_items(project):
    project.makepyfile("def test_other():\n    pass")
    options = ("--validate-npz=data/**/*.npz", "--validate-npz=data/*.npz", "--validate-npz=cut.npz")
    result = project.runpytest(*options, "-v")
    result.assert_outcomes(passed=2, failed=2)
    assert items(result)[:4] == [
        "test_files_become_items.py::test_other",
        "cut.npz::contract",
        "data/good.npz::contract",
        "data/old/legacy.npz::contract",
    ]
    text = "\n".join(result.outlines)
    assert f"data/old/legacy.npz  {WRONG}" in text
    assert "cut.npz  FILE-002 error" in text
    assert "Traceback" not in text
    assert "pytest_plugin.py" not in text


def test_items_are_chosen_as_others_are(project):
    project.makepyfile("def test_other():\n    pass")
    project.runpytest("--validate-npz=data/*.npz", "-m", "npz").assert_outcomes(passed=1, deselected=1)
    project.runpytest("--validate-npz=data/**/*.npz", "-k", "good").assert_outcomes(passed=1, deselected=2)
    result = project.runpytest("--validate-npz=data/**/*.npz", "--collect-only", "-q")
    assert items(result)[1:] == ["data/good.npz::contract", "data/old/legacy.npz::contract"]
    project.runpytest("--validate-npz=data/*.npz", "--strict-markers").assert_outcomes(passed=2)


def test_files_alone_are_enough(project):
    project.runpytest("--validate-npz=data/*.npz").assert_outcomes(passed=1)
    assert project.runpytest().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_ini_file_names_them_too(project):
    project.makeini("[pytest]\nvalidate_npz =\n    data/*.npz\n    cut.npz\n")
    os.chdir(project.path / "data")
    project.runpytest("--rootdir", "..", "-c", "../tox.ini").assert_outcomes(passed=1, failed=1)


def test_patterns_are_relative_to_where_they_are_typed(project):
    project.makepyfile("def test_other():\n    pass")
    os.chdir(project.path / "data")
    result = project.runpytest("--rootdir", "..", "--validate-npz=*.npz", "-v")
    # Pytest tells it relative to where it was started, as it tells tests.
    assert items(result) == ["good.npz::contract"]


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_pattern_without_a_file_is_an_error(project, workers):
    """A check that looks at nothing must not pass."""
    project.makepyfile("def test_other():\n    pass")
    result = project.runpytest("--validate-npz=data/*.npy", *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines == [f"ERROR: --validate-npz data/*.npy: no file matches in {project.path}", ""]


def test_a_name_that_reads_as_a_pattern_is_a_name(project):
    (project.path / "a[1].npz").write_bytes(archive(parts()))
    project.runpytest("--validate-npz=a[1].npz").assert_outcomes(passed=1)


def test_names_that_pytest_would_take_apart(project):
    for name in ("a[1].npz", "b::c.npz", "-d.npz"):
        (project.path / "data" / name).write_bytes(archive(parts()))
    project.runpytest("--validate-npz=data/*.npz").assert_outcomes(passed=4)


@pytest.mark.parametrize("options", [("-v",), ("-vv", "--junitxml=j.xml"), ("-n", "1", "-v")])
def test_names_that_cannot_be_shown_are_escaped(project, options):
    (project.path / "data" / "\udcff\x1b[31m.npz").write_bytes(archive(parts()))
    result = project.runpytest_subprocess("--validate-npz=data/*.npz", *options)
    result.assert_outcomes(passed=2)
    assert any(r"data/\xff\x1b[31m.npz::contract" in line for line in result.outlines)
    assert "\x1b" not in "".join(result.outlines)


def test_an_item_can_be_named_alone(project):
    project.makepyfile("def test_other():\n    pass")
    asked = "--validate-npz=data/**/*.npz"
    for argument in ("data/good.npz::contract", "data/good.npz"):
        result = project.runpytest(asked, argument, "-v")
        result.assert_outcomes(passed=1)
        assert items(result) == ["data/good.npz::contract"]
    project.runpytest(asked, "data").assert_outcomes(passed=1, failed=1)
    assert project.runpytest(asked, "cut.npz::contract").ret == pytest.ExitCode.USAGE_ERROR


def test_the_configuration_holds(project):
    project.makepyfile("import os\ndef test_that_wanders():\n    os.chdir('/')")
    settings = '[files."old/"]\nlevels.FORMAT-001 = "warning"\n'
    (project.path / "data" / "old" / "npzschema.toml").write_text("= not read: it is below the root")
    (project.path / "npzschema.toml").write_text(settings)
    project.runpytest("--validate-npz=data/**/*.npz").assert_outcomes(passed=3)
    (project.path / "npzschema.toml").write_text('fail-on = "warning"\n' + settings)
    os.chdir(project.path)
    project.runpytest("--validate-npz=data/**/*.npz").assert_outcomes(passed=2, failed=1)


def test_contracts_of_ones_own_are_found_by_what_a_file_declares(project):
    own = {"id": "lab/raw", "version": "1.0.0", "title": "x", "extends": "ptychopinn/legacy-hwn"}
    (project.path / "mine").mkdir()
    (project.path / "mine" / "raw.json").write_text(json.dumps(own), encoding="utf-8")
    (project.path / "npzschema.toml").write_text('contracts = "mine"\n', encoding="utf-8")
    said = npy(np.array(json.dumps({"contract": "lab/raw"})))
    (project.path / "a.npz").write_bytes(archive(parts(_metadata=said)))
    result = project.runpytest("--validate-npz=a.npz")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*violations*lab/raw 1.0.0*"])


def test_the_baseline_holds(project):
    command = ["--write-baseline", "known.json", "data/old/legacy.npz"]
    assert run(command, io.StringIO(), io.StringIO()) == 0
    (project.path / "npzschema.toml").write_text('baseline = "known.json"')
    project.runpytest("--validate-npz=data/**/*.npz").assert_outcomes(passed=2)
    frames = LEGACY.copy()
    frames[0, 0, 0] = np.nan
    (project.path / "data" / "old" / "legacy.npz").write_bytes(archive(parts(diffraction=npy(frames))))
    project.runpytest("--validate-npz=data/**/*.npz").assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("npzschema.toml", 'contrat = "x"', "npzschema: npzschema.toml:1: contrat: no such key"),
        ("npzschema.toml", 'baseline = "none.json"', "none.json: cannot be read"),
        ("npzschema.toml", 'axes.Y = ["N", "Q"]', "npzschema: npzschema.toml:1: axes.Y: no contract has the axes"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_one_line(project, name, text, what):
    (project.path / name).write_text(text)
    result = project.runpytest("--validate-npz=data/*.npz")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    assert what in line


def test_with_xdist_the_same_items_run_on_every_worker(project):
    project.makepyfile("def test_other():\n    pass")
    options = ("--validate-npz=data/**/*.npz", "--validate-npz=*.npz")
    alone = project.runpytest(*options, "-v")
    spread = project.runpytest_subprocess(*options, "-n", "2", "-v")
    spread.assert_outcomes(passed=2, failed=2)
    told = {line.split()[-1] for line in spread.outlines if line.startswith("[gw") and "::" in line}
    assert told == set(items(alone)[:4])


# Weight


def test_nothing_heavy_is_imported_at_the_start():
    code = (
        "import sys, pytest; before = set(sys.modules); import npzschema.validator.pytest_plugin;"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(told.stdout)) - set(sys.stdlib_module_names) == {"npzschema"}
    assert "'json'" not in told.stdout


def test_a_run_without_files_loads_nothing_of_it(project):
    project.makepyfile(
        """
        import sys

        def test_it():
            assert not {"numpy", "polars", "jsonschema"} & set(sys.modules)
            assert [name for name in sys.modules if name.startswith("npzschema")] == [
                "npzschema", "npzschema.validator", "npzschema.validator.pytest_plugin"
            ]
        """
    )
    # Plugins of others may load anything.
    project.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:typeguard").assert_outcomes(passed=1)
