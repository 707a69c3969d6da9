"""What docs/in_your_tools.md says, done."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml

from npzschema.terminal import UsageError
from npzschema.validator.cli import run
from npzschema.validator.config_file import read

from .small import dataset

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "in_your_tools.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="no docs here")
pytest_plugins = ["pytester"]


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(*argv):
    out, err = io.StringIO(), io.StringIO()
    status = run(list(argv), out, err)
    return status, out.getvalue(), err.getvalue()


def test_there_is_what_is_looked_at():
    assert [len(blocks(kind)) for kind in ("toml", "python", "yaml", "console")] == [3, 2, 2, 5]


def test_the_first_configuration(here):
    Path("pyproject.toml").write_text(blocks("toml")[0], encoding="utf-8")
    config = read("pyproject.toml")
    assert config.fail_on == "warning"
    plain, raw, old = (config.for_file(here / name) for name in ("a.npz", "raw/a.npz", "old/deep/a.npz"))
    assert (plain.contract.id, plain.ignore, plain.axes) == ("ptychopinn/canonical", ("SCAN-002",), {})
    assert (raw.contract.id, raw.ignore) == ("ptychopinn/raw-counts", ("SCAN-002", "SCAN-006"))
    assert old.axes == {"diffraction": ("H", "W", "N")}
    assert {*plain.levels.items()} == {("SCAN-008", "error"), ("KEY-003", "off")}
    # Without the prefix it is an npzschema.toml.
    text = blocks("toml")[0].replace("[tool.npzschema]\n", "").replace("tool.npzschema.", "")
    Path("npzschema.toml").write_text(text, encoding="utf-8")
    assert read("npzschema.toml").for_file("raw/a.npz").ignore == raw.ignore


@pytest.mark.usefixtures("here")
def test_the_mistake():
    Path("pyproject.toml").write_text(blocks("toml")[0].replace("SCAN-008 =", "SCAN-08 ="), encoding="utf-8")
    told = next(block for block in blocks("console") if "SCAN-08:" in block).splitlines()
    with pytest.raises(UsageError) as error:
        command("scan.npz")
    assert told == ["$ validate-npz scan.npz", f"validate-npz: {error.value}; see validate-npz --help"]


def test_contracts_of_ones_own(here):
    (here / "contracts").mkdir()
    own = {"id": "lab/raw", "version": "1.0.0", "title": "Lab", "extends": "ptychopinn/canonical"}
    (here / "contracts" / "any.json").write_text(json.dumps(own))
    Path("pyproject.toml").write_text(blocks("toml")[1], encoding="utf-8")
    dataset(here / "scan.npz")
    assert "lab/raw 1.0.0" in command("scan.npz")[1]
    assert "lab/raw 1.0.0" in command("--contract", "lab/raw", "scan.npz")[1]


def test_the_baseline(here):
    wrong = {"probeGuess": np.full((16, 16), 1 + 0j), "objectGuess": np.full((40, 40), 1 + 0j)}
    for name in ("a", "b"):
        dataset(here / "data" / f"{name}.npz", **wrong)
    write, apply = (block.splitlines() for block in blocks("console") if "known.json" in block)
    files = ["data/a.npz", "data/b.npz"]
    options = ["--write-baseline", "known.json", "--reason", "measured before 2020"]
    assert write[0] == f'$ validate-npz {options[0]} {options[1]} {options[2]} "{options[3]}" data/*.npz'
    status, _, err = command(*options, *files)
    assert (status, err) == (0, write[1] + "\n")
    assert apply == ["$ validate-npz --baseline known.json data/*.npz"]
    assert command("--baseline", "known.json", *files)[0] == 0
    dataset(here / "data" / "b.npz", **wrong, xcoords=np.full(5, np.nan))
    assert command("--baseline", "known.json", *files)[0] == 1


def test_the_tests(pytester):
    writer, override = blocks("python")
    pytester.makepyfile(
        "import numpy as np\ndef save_scan(path):\n    np.savez(path, diffraction=np.ones((2, 4, 4), 'f4'))\n" + writer
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*scan.npz  KEY-001 error  probeGuess: is missing"])
    pytester.makeconftest(override)
    pytester.makepyfile("def test_it(npz_contract):\n    assert npz_contract == 'ptychopinn/raw-counts'")
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_files_as_tests(pytester):
    for name in ("a.npz", "deep/b.npz"):
        dataset(pytester.path / "data" / name)
    pytester.makepyfile("def test_it():\n    pass")
    whole, alone = next(block for block in blocks("console") if "pytest" in block).splitlines()
    assert whole == "$ pytest --validate-npz='data/**/*.npz'"
    assert alone.partition("#")[0].strip() == f"{whole} -m npz"
    pytester.runpytest("--validate-npz=data/**/*.npz").assert_outcomes(passed=3)
    pytester.runpytest("--validate-npz=data/**/*.npz", "-m", "npz").assert_outcomes(passed=2, deselected=1)
    (pytester.path / "pyproject.toml").write_text(blocks("toml")[2])
    result = pytester.runpytest("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["data/a.npz::contract PASSED*"])


def test_the_pre_commit_configuration(here):
    Path("config.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    call = [sys.executable, "-m", "pre_commit", "validate-config", "config.yaml"]
    done = subprocess.run(call, capture_output=True, check=False, cwd=here)
    assert (done.returncode, done.stdout) == (0, b"")
    (repo,) = yaml.safe_load(blocks("yaml")[0])["repos"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [one["id"] for one in repo["hooks"]] == [hook["id"]]


def test_the_action(here):
    job = {"runs-on": "ubuntu-latest", "timeout-minutes": 5, **yaml.safe_load(blocks("yaml")[1])}
    Path("workflow.yml").write_text(yaml.safe_dump({"on": "push", "jobs": {"check": job}}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", "workflow.yml"],
        capture_output=True, text=True, check=False, cwd=here,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    step = next(one for one in job["steps"] if one.get("id") == "npz")
    assert set(step["with"]) <= set(action["inputs"])
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: "" if default == "empty" else default.strip("`") for name, default in rows}
    assert told == {name: body["default"] for name, body in action["inputs"].items()}


def test_every_toml_block_is_toml():
    assert all(tomllib.loads(block) for block in blocks("toml"))
