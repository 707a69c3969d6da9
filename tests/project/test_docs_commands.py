"""Every command of ours that a page shows runs, in a folder with the files that it names."""

from __future__ import annotations

import glob
import io
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from npzschema.contracts import cli as contract_cli
from npzschema.generator import Experiment, simulate
from npzschema.generator import cli as generator_cli
from npzschema.validator import cli as validator_cli

ROOT = Path(__file__).resolve().parents[2]
RUNS: dict[str, Callable[..., int]] = {
    "validate-npz": validator_cli.run,
    "generate-npz": generator_cli.run,
    "npz-contract": contract_cli.run,
}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands() -> Iterator[Any]:
    """Commands of ours by page. A pipe or a redirection is the shell's; the demo's own are run by ``make demo``."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in re.findall(r"^\$ (.*)", block, re.MULTILINE):
                words = shlex.split(line.split("   #")[0].split(" | ")[0].split(" > ")[0])
                if words[0] in RUNS and not any("demo/" in word for word in words):
                    yield pytest.param(words, id=f"{page.name}: {line[:60]}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that a page names."""
    folder = tmp_path_factory.mktemp("stage")
    experiment = Experiment(positions=64, size=64, object="siemens", object_shape=(134, 140))
    simulate(folder / "scan.npz", experiment)
    simulate(folder / "old.npz", experiment, contract="ptychopinn/legacy-hwn")
    simulate(folder / "a.npz", experiment, contract="ptychopinn/raw-npz")
    simulate(folder / "canonical.npz", Experiment(positions=32, size=32))
    simulate(folder / "sim.npz", Experiment(positions=25, size=16))
    (folder / "data").mkdir()
    shutil.copy(folder / "scan.npz", folder / "data" / "one.npz")
    shutil.copy(folder / "old.npz", folder / "data" / "two.npz")
    own = {"id": "lab/mine", "version": "1.0.0", "title": "Mine", "extends": "ptychopinn/canonical"}
    for name in ("mine.json", "my-contract.json"):
        (folder / name).write_text(json.dumps(own), encoding="utf-8")
    files = [str(folder / "data" / name) for name in ("one.npz", "two.npz")]
    validator_cli.run(["--report", f"json={folder / 'night.json'}", *files], io.StringIO(), io.StringIO())
    return folder


@pytest.mark.parametrize("words", list(commands()))
def test_it_runs(words: list[str], stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    shutil.copytree(stage, folder)
    monkeypatch.chdir(folder)
    if "--format" in words and "html" in words:
        pytest.importorskip("jinja2")
        pytest.importorskip("matplotlib")
    argv = [name for word in words[1:] for name in (sorted(glob.glob(word)) if "*" in word else [word])]
    if "--baseline" in argv:
        validator_cli.run(["--write-baseline", "known.json", *glob.glob("data/*.npz")], io.StringIO(), io.StringIO())
    if words[0] == "generate-npz":
        # Pages show commands one after the other; here each finds its output free.
        (folder / "canonical.npz").unlink()
    out = io.StringIO()
    try:
        status = RUNS[words[0]](argv, out, io.StringIO())
    except SystemExit as stop:
        # argparse leaves so after what needs no file.
        status = int(stop.code or 0)
    assert status in (0, 1), out.getvalue()


def test_there_are_commands() -> None:
    assert len(list(commands())) > 20


def test_links_of_the_readme_lead_somewhere() -> None:
    """The site's own links are checked where it is built; the README is no page of it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(targets) > 10
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in heads}
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (ROOT / target).is_file(), target
