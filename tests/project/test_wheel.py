"""What the wheel holds is what the tree holds, under the names that are meant."""

from __future__ import annotations

import configparser
import importlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The same mapping as package-dir in pyproject.toml, written out: a wrong mapping there must fail here.
PACKAGES = {
    "src/npzschema": "npzschema",
    "contracts": "npzschema/contracts",
    "validator": "npzschema/validator",
    "generator": "npzschema/generator",
}
FOLDERS = tuple(name for name in PACKAGES if "/" not in name)


def tree() -> Iterator[tuple[Path, str]]:
    """Every file that belongs into the wheel, with its name there."""
    for folder, package in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".json", ".j2", ".css"} or path.name == "py.typed":
                yield path, f"{package}/{path.relative_to(ROOT / folder).as_posix()}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("no source tree here")
    # A copy: setuptools leaves build/ behind, and a build/ that is there already hides files that are missing.
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("src", *FOLDERS):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (copy / "validator" / "notes.txt").write_text("no part of the package")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    made = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(out), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_wheel_holds_the_files_of_the_tree_and_no_others(wheel: zipfile.ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for _, name in tree()}


def test_wheel_installs_one_top_level_name(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"npzschema"}


def test_wheel_is_typed_and_licensed(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "npzschema/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_wheel_has_every_command(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    text = wheel.read(entry_points).decode()
    parser = configparser.ConfigParser()
    parser.read_string(text)
    assert {group: set(parser[group]) for group in parser.sections()} == {
        "console_scripts": {"generate-npz", "npz-contract", "validate-npz"},
        "pytest11": {"npzschema"},
    }


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_are_not_importable_by_their_bare_names(name: str) -> None:
    assert importlib.util.find_spec(name) is None


def test_installed_package_is_that_of_the_tree() -> None:
    """A stale wheel would be tested in place of the tree: run ``make test``, which builds it again."""
    stale = []
    for path, name in tree():
        package, _, rest = name.removeprefix("npzschema/").partition("/")
        module, inner = (f"npzschema.{package}", rest) if rest else ("npzschema", package)
        installed = Path(next(iter(importlib.import_module(module).__path__))) / inner
        if not installed.is_file() or installed.read_bytes() != path.read_bytes():
            stale.append(name)
    assert stale == []
