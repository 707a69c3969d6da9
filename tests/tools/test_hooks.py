"""The pre-commit hook and the GitHub Action: kept to their schemas, and run as far as one machine can."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import yaml

from npzschema.validator.options import parser

from .small import dataset

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not (ROOT / "action.yml").is_file(), reason="no source tree here")

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
HOSTILE = '$(touch owned) `touch owned`; touch owned #"\'\n"; touch owned'


@pytest.fixture(scope="module")
def action():
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def start(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, check=False, **options)


# Schemas


@pytest.mark.parametrize(
    ("schema", "name"),
    [("vendor.github-actions", "action.yml"), ("vendor.github-workflows", ".github/workflows/ci.yml")],
)
def test_files_for_github_keep_their_schemas(schema, name):
    done = start(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ROOT / name))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifest_of_hooks_is_sound():
    done = start(sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_hook_takes_datasets_only():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    names = ["a.npz", "data/b.npz", "-x.npz", "a.npz.txt", "npz", "anpz"]
    assert [name for name in names if re.search(hook["files"], name)] == ["a.npz", "data/b.npz", "-x.npz"]
    assert hook["args"][-1] == "--"
    assert hook["entry"] == parser().prog


# The action


def test_inputs_never_enter_a_script(action):
    steps = action["runs"]["steps"]
    assert len([step for step in steps if "run" in step]) == 2
    for step in steps:
        assert EXPRESSION.findall(step.get("run", "")) == []
    used = {name for step in steps for name in re.findall(r"inputs\.([\w-]+)", json.dumps(step))}
    assert used == set(action["inputs"])


def test_options_of_the_action_are_options_of_the_command(action):
    (script,) = (step["run"] for step in action["runs"]["steps"] if step.get("id") == "validate")
    known = parser().format_help()
    for option in ("--contract", "--fail-on", "--baseline"):
        assert f"{option} " in known
        assert option.strip("-").replace("-", "_").upper() in script


class Runner:
    """Runs the shell steps of the action as GitHub does: bash -e -o pipefail, inputs by the environment."""

    def __init__(self, action, folder):
        self.action, self.folder = action, folder
        self.outputs = {"python": {"python-path": sys.executable}, "install": {"python": sys.executable}}

    def step(self, name, **inputs):
        (step,) = (one for one in self.action["runs"]["steps"] if one.get("id") == name)
        defaults = {key: body.get("default", "") for key, body in self.action["inputs"].items()}
        values = {f"inputs.{key}": value for key, value in {**defaults, **inputs}.items()}
        values["github.action_path"] = str(ROOT)
        for one, told in self.outputs.items():
            values |= {f"steps.{one}.outputs.{key}": value for key, value in told.items()}
        environment = {
            key: EXPRESSION.sub(lambda match: values[match[1].strip()], text) for key, text in step["env"].items()
        }
        for path in ("output", "summary"):
            (self.folder / path).write_text("")
        (self.folder / "script.sh").write_text(step["run"])
        (self.folder / "temp").mkdir(exist_ok=True)
        (self.folder / "work").mkdir(exist_ok=True)
        done = start(
            "bash", "--noprofile", "--norc", "-eo", "pipefail", str(self.folder / "script.sh"),
            cwd=self.folder / "work",
            env={
                **{key: os.environ[key] for key in ("PATH", "HOME", "PYTHONPATH") if key in os.environ},
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **environment,
            },
        )  # fmt: skip
        lines = (self.folder / "output").read_text().splitlines()
        self.outputs[name] = dict(line.split("=", 1) for line in lines)
        return done


@pytest.fixture
def runner(action, tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    return Runner(action, tmp_path)


@pytest.fixture
def recorded(runner):
    """A Python whose npzschema only writes down how it was called."""
    package = runner.folder / "fake" / "npzschema" / "validator"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "cli.py").write_text(
        "import json, os, sys\njson.dump(sys.argv[1:], open(os.environ['NPZ_CALL'], 'w'))\nsys.exit(1)\n"
    )
    python = runner.folder / "python"
    call = runner.folder / "call.json"
    python.write_text(
        f"#!/bin/sh\nPYTHONPATH='{package.parent.parent}' NPZ_CALL='{call}' exec '{sys.executable}' \"$@\"\n"
    )
    python.chmod(0o755)
    runner.outputs["install"]["python"] = str(python)
    return lambda: json.loads(call.read_text()) if call.exists() else None


def test_the_action_passes_its_inputs(runner, recorded):
    for name in ("a.npz", "deep/er/b.npz", "deep/c d.npz", "-e.npz"):
        dataset(runner.folder / "work" / name)
    done = runner.step(
        "validate", paths="**/*.npz\n  a.npz\n", contract="lab/raw", baseline="k.json", sarif="out.sarif",
        **{"fail-on": "warning"},
    )  # fmt: skip
    assert done.returncode == 1
    assert recorded() == [
        "--format", "github", "--contract=lab/raw", "--fail-on=warning", "--baseline=k.json",
        "--report=sarif=out.sarif", "--", "-e.npz", "a.npz", "deep/c d.npz", "deep/er/b.npz",
    ]  # fmt: skip
    assert runner.outputs["validate"] == {"status": "1", "sarif": ""}, "a file that was not written is not handed on"


def test_empty_inputs_leave_the_configuration_to_decide(runner, recorded):
    dataset(runner.folder / "work" / "a.npz")
    runner.step("validate")
    assert recorded() == ["--format", "github", "--", "a.npz"]


@pytest.mark.parametrize("name", ["contract", "fail-on", "baseline", "paths", "sarif"])
def test_hostile_inputs_stay_text(runner, recorded, name):
    dataset(runner.folder / "work" / "a.npz")
    dataset(runner.folder / "work" / "$(touch owned)`touch owned`.npz")
    done = runner.step("validate", **{name: HOSTILE})
    assert sorted(path.name for path in (runner.folder / "work").iterdir()) == [
        "$(touch owned)`touch owned`.npz",
        "a.npz",
    ]
    if name in {"paths", "sarif"}:
        assert done.returncode == 2
        assert recorded() is None
        assert done.stdout.startswith("::error title=validate-npz::")
        assert done.stdout.count("\n") == 1
    else:
        assert f"--{name}={HOSTILE}" in recorded()


@pytest.mark.parametrize(
    ("paths", "what"), [("none/*.npz", "no file matches none/*.npz"), (" \n", "no paths are given")]
)
def test_nothing_to_check_is_an_error(runner, recorded, paths, what):
    done = runner.step("validate", paths=paths)
    assert (done.returncode, done.stdout) == (2, f"::error title=validate-npz::{what}\n")
    assert recorded() is None


def test_the_action_with_the_real_command(runner):
    if "sarif" not in parser().format_help():
        pytest.skip("this version writes no SARIF yet")
    dataset(runner.folder / "work" / "good.npz")
    assert runner.step("validate", paths="good.npz").returncode == 0
    dataset(runner.folder / "work" / "bad.npz", probeGuess=np.ones((8, 8), np.complex64))
    done = runner.step("validate", sarif="out.sarif")
    assert done.returncode == 1, done.stderr
    assert "::error " in done.stdout
    assert (runner.folder / "summary").read_text()
    (run,) = json.loads((runner.folder / "work" / "out.sarif").read_text())["runs"]
    assert run["results"]
    assert runner.outputs["validate"] == {"status": "1", "sarif": "out.sarif"}


def test_a_file_of_an_earlier_run_is_not_handed_on(runner):
    dataset(runner.folder / "work" / "a.npz")
    for contract, written in (("", True), ("no/such", False), ("", True)):
        runner.step("validate", contract=contract, sarif="out.sarif")
        assert runner.outputs["validate"]["sarif"] == ("out.sarif" if written else "")


def test_modules_in_the_folder_that_is_checked_are_not_run(runner, recorded):
    dataset(runner.folder / "work" / "a.npz")
    for name in ("glob.py", "json.py", "subprocess.py", "npzschema.py"):
        (runner.folder / "work" / name).write_text("raise SystemExit('owned')")
    done = runner.step("validate")
    assert "owned" not in done.stdout + done.stderr
    assert recorded() is not None


def installable(tmp_path):
    """Whether pip can fetch here what an installation needs."""
    done = start(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path), "setuptools")
    return done.returncode == 0


@pytest.mark.slow
def test_the_action_installs_itself(runner, tmp_path):
    if not installable(tmp_path / "probe"):
        pytest.skip("pip cannot install here")
    done = runner.step("install")
    assert done.returncode == 0, done.stdout + done.stderr
    told = start(runner.outputs["install"]["python"], "-m", "npzschema.validator.cli", "--version", cwd=tmp_path)
    assert told.stdout == f"validate-npz {version('npzschema')}\n"


@pytest.mark.slow
def test_pre_commit_runs_the_hook_of_a_clone(tmp_path):
    """As pre-commit's users try a hook: the repository as it is committed, against a project of theirs."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout here")
    if not installable(tmp_path / "probe"):
        pytest.skip("pip cannot install here")
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
    }  # fmt: skip
    hooks, project = tmp_path / "hooks", tmp_path / "project"
    # The tree as it stands, committed or not.
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        hooks.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, hooks)
    for name in ("src", "contracts", "validator", "generator"):
        shutil.copytree(ROOT / name, hooks / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    dataset(project / "data" / "good.npz")
    dataset(project / "-x.npz")
    (project / "notes.txt").write_text("not checked")
    for folder in (hooks, project):
        for argv in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
            assert start("git", *argv, cwd=folder, env=environment).returncode == 0
    call = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "validate-npz", "--all-files", "--verbose"]
    done = start(*call, cwd=project, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "data/good.npz  valid" in done.stdout
    assert "-x.npz  valid" in done.stdout
    assert "notes.txt" not in done.stdout
    dataset(project / "data" / "bad.npz", probeGuess=np.ones((8, 8), np.complex64))
    start("git", "add", "--all", cwd=project, env=environment)
    done = start(*call, cwd=project, env=environment)
    assert done.returncode == 1
    assert "data/bad.npz  SHAPE-002 error" in done.stdout
