"""The layers: contracts <- validator <- generator, with the command lines on top."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("contracts", "validator", "generator")
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py") if "__pycache__" not in path.parts)
COMMAND_LINE = {
    "contracts/cli.py",
    "validator/asked.py",
    "validator/cli.py",
    "validator/options.py",
    "validator/outputs.py",
    "generator/cli.py",
    "generator/options.py",
}
BELOW_CLI = [path for path in MODULES if path.relative_to(ROOT).as_posix() not in COMMAND_LINE]
EXITS = {"exit", "quit"}
SYS_OUTPUT = {"exit", "stdout", "stderr", "__stdout__", "__stderr__"}
HEAVY = {"dask", "fsspec", "hypothesis", "matplotlib", "pandera", "polars", "rich", "skimage"}
# The generator is made of numpy; the two that are called in loops over files must answer without it.
NOT_AT_START = {"validate-npz": HEAVY | {"numpy"}, "npz-contract": HEAVY | {"numpy"}, "generate-npz": HEAVY}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST, path: Path) -> Iterator[str]:
    """Full dotted name of everything that a module imports, wherever in it; a relative import is resolved."""
    package = ("npzschema", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            for name in [str(one.value) for one in node.args if isinstance(one, ast.Constant)]:
                yield ".".join([*package, name.lstrip(".")]) if name.startswith(".") else name


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def faults(tree: ast.AST) -> Iterator[str]:
    """What only a command line may do."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "input", *EXITS}
        ):
            yield f"line {node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id == "sys" and node.attr in SYS_OUTPUT) or (node.value.id == "os" and node.attr == "_exit"):
                yield f"line {node.lineno}: {node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name) and node.id == "SystemExit":
            yield f"line {node.lineno}: SystemExit"
        elif isinstance(node, ast.ImportFrom) and node.module == "sys":
            yield from (f"line {node.lineno}: sys.{one.name}" for one in node.names if one.name in SYS_OUTPUT)


def executes(tree: ast.AST) -> Iterator[str]:
    """What could run code that a file holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}:
            yield f"line {node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield f"line {node.value.lineno}: allow_pickle"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            yield from (f"line {node.lineno}: {one}" for one in names if one in {"pickle", "marshal", "shelve", "dill"})


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_only(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    above = LAYERS[LAYERS.index(layer) + 1 :]
    wrong = [name for name in imports(parsed(path), path) for upper in above if within(name, f"npzschema.{upper}")]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_imported_by_a_bare_folder_name(path: Path) -> None:
    assert [name for name in imports(parsed(path), path) if name.partition(".")[0] in LAYERS] == []


@pytest.mark.parametrize("path", BELOW_CLI, ids=name_of)
def test_nothing_below_the_command_line_prints_exits_or_imports_it(path: Path) -> None:
    tree = parsed(path)
    above = ["npzschema." + name.removesuffix(".py").replace("/", ".") for name in sorted(COMMAND_LINE)]
    above += ["npzschema.commands", "npzschema.completion", "npzschema.process", "npzschema.terminal"]
    cli = [name for name in imports(tree, path) if any(within(name, one) for one in above)]
    assert cli == []
    assert list(faults(tree)) == []


@pytest.mark.parametrize("path", [one for one in MODULES if "generator" not in one.parts], ids=name_of)
def test_nothing_from_a_file_is_executed(path: Path) -> None:
    """The generator is left out: it writes pickled members on purpose, to show that they are refused."""
    assert list(executes(parsed(path))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("print(1)", ["line 1: print()"]),
        ("import sys\nsys.exit(1)", ["line 2: sys.exit"]),
        ("import sys\nsys.stderr.write('x')", ["line 2: sys.stderr"]),
        ("from sys import exit", ["line 1: sys.exit"]),
        ("raise SystemExit", ["line 1: SystemExit"]),
        ("def show(stdout): stdout.write('x')", []),
    ],
)
def test_faults_are_found(source: str, found: list[str]) -> None:
    assert list(faults(ast.parse(source))) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from ..generator import cli", ["npzschema.generator.cli"]),
        ("from .. import generator", ["npzschema.generator"]),
        ("from npzschema import generator", ["npzschema.generator"]),
        ("import npzschema.generator.write", ["npzschema.generator.write"]),
        ("def late():\n    from ..generator.cli import main", ["npzschema.generator.cli.main"]),
        ("import importlib\nimportlib.import_module('npzschema.generator')", ["importlib", "npzschema.generator"]),
    ],
)
def test_imports_are_resolved(source: str, found: list[str]) -> None:
    assert list(imports(ast.parse(source), ROOT / "validator" / "engine.py")) == found


@pytest.mark.parametrize("command", sorted(NOT_AT_START))
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_heavy(command: str, option: str) -> None:
    (script,) = entry_points(group="console_scripts", name=command)
    code = "\n".join(
        [
            "import sys, importlib",
            f"sys.argv = [{command!r}, {option!r}]",
            "try:",
            f"    status = importlib.import_module({script.module!r}).{script.attr}()",
            "except SystemExit as stop:",
            "    status = stop.code",
            "heavy = sorted({name.partition('.')[0] for name in sys.modules} & set("
            + repr(sorted(NOT_AT_START[command]))
            + "))",
            "sys.stderr.write(f'{status or 0} {heavy}')",
        ]
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert told.stderr == "0 []"
    assert command in told.stdout or option == "--version"
