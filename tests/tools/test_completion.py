"""Shell completion, asked in the shells themselves; and what --help must tell."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from shutil import which

import pytest

from npzschema.contracts import rules, shipped

COMMANDS = ("generate-npz", "npz-contract", "validate-npz")

# Sources the script, then asks as readline does: the words so far, the last one unfinished.
ASK = """
source "$1" || exit 1
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
spec=$(complete -p "$1") || exit 1
[[ $spec =~ -F\\ ([^ ]+) ]] || exit 1
"${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def call(command, *argv):
    (script,) = entry_points(group="console_scripts", name=command)
    code = f"import sys; sys.argv = {[command, *argv]!r}; from {script.module} import {script.attr}; {script.attr}()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for command in COMMANDS:
        (folder / command).write_text(call(command, "--print-completion", "bash"))
    return folder


@pytest.fixture
def candidates(scripts, tmp_path):
    if which("bash") is None:
        pytest.skip("no bash here")
    (tmp_path / "scan.npz").touch()
    (tmp_path / "mine.json").touch()

    def ask(line):
        words = shlex.split(line)
        if line.endswith(" "):
            words.append("")
        argv = ["bash", "--norc", "--noprofile", "-c", ASK, "bash", str(scripts / words[0]), *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return set(done.stdout.split())

    return ask


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("validate-npz --head", {"--headers-only"}),
        ("validate-npz --write-b", {"--write-baseline"}),
        ("validate-npz sc", {"scan.npz"}),
        ("validate-npz scan.npz sc", {"scan.npz"}),
        ("validate-npz --fail-on ", {"error", "warning", "info"}),
        ("validate-npz --fail-on w", {"warning"}),
        ("validate-npz --config m", {"mine.json"}),
        ("validate-npz --contract ptychopinn/raw-c", {"ptychopinn/raw-counts"}),
        ("validate-npz --contract mi", {"mine.json"}),
        ("validate-npz --print-completion ", {"bash", "zsh", "tcsh"}),
        ("generate-npz conv", {"convert"}),
        ("generate-npz convert sc", {"scan.npz"}),
        ("generate-npz simulate --scan ", {"raster", "fermat", "concentric"}),
        ("generate-npz break --rule FORMAT-00", {"FORMAT-001", "FORMAT-002", "FORMAT-003"}),
        ("npz-contract sh", {"show"}),
        ("npz-contract check mi", {"mine.json"}),
    ],
)
def test_candidates_in_bash(candidates, line, expected):
    assert candidates(line) == expected


def test_contracts_and_codes_are_those_of_the_catalogue(candidates):
    assert set(shipped()) | {"auto"} <= candidates("validate-npz --contract ")
    assert candidates("validate-npz --explain ") == set(rules())
    assert set(rules()) | {"SCAN", "PHYS"} <= candidates("validate-npz --ignore ")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_take_the_script(command, shell, tmp_path):
    script = call(command, "--print-completion", shell)
    assert command in script
    if which(shell) is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "script").write_text(script)
    done = subprocess.run([shell, "-n", "script"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


# The scripts lie in the working directory. The prompt is written in two parts: its echo must not be taken for it.
START = {
    "zsh": (["zsh", "-f", "-i"], "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; PS1='rea''dy> '"),
    "tcsh": (
        ["tcsh", "-f"],
        "source _validate-npz; source _generate-npz; source _npz-contract; set prompt='rea''dy> '",
    ),
}


def typed(shell, line, wanted, folder):
    """What the shell shows after a line and a tab: read until what is wanted is there, or the shell is silent."""
    argv, setup = START[shell]
    # A process between: forking this one, which may have threads, is warned of.
    spawn = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", *argv]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen(spawn, cwd=folder, env={**os.environ, "TERM": "vt100"}, **pipes) as terminal:

        def until(text):
            shown = b""
            while text not in shown and select.select([terminal.stdout], [], [], 20)[0]:
                new = terminal.stdout.read(4096)
                if not new:
                    break
                shown += new
            return shown

        try:
            terminal.stdin.write(setup.encode() + b"\n")
            until(b"ready> ")
            terminal.stdin.write(line.encode() + b"\t")
            return until(wanted.encode()).decode()
        finally:
            terminal.kill()


@pytest.mark.parametrize(
    ("shell", "line", "wanted"),
    [
        *(
            (shell, *case)
            for shell in START
            for case in [
                ("validate-npz --headers", "--headers-only"),
                ("validate-npz --explain INT", "INTERNAL-001"),
                ("validate-npz sc", "scan.npz"),
                ("generate-npz conv", "generate-npz convert"),
                ("npz-contract sh", "npz-contract show"),
            ]
        ),
        # tcsh takes what stands before a slash for a folder, so that it can complete no id of a contract.
        ("zsh", "validate-npz --contract ptychopinn/raw-c", "ptychopinn/raw-counts"),
    ],
)
def test_candidates_in_other_shells(shell, line, wanted, tmp_path):
    if which(shell) is None:
        pytest.skip(f"no {shell} here")
    (tmp_path / "scan.npz").touch()
    for command in COMMANDS:
        (tmp_path / f"_{command}").write_text(call(command, "--print-completion", shell))
    assert wanted in typed(shell, line, wanted, tmp_path)


def test_an_unknown_shell_is_one_line():
    done = subprocess.run(
        [sys.executable, "-c", "from npzschema.validator.cli import main; main()", "--print-completion", "ksh"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "invalid choice: 'ksh'" in done.stderr


# --help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_a_manual(command):
    text = call(command, "--help")
    assert text.startswith(f"usage: {command} ")
    for heading in ("exit status:", "examples:"):
        assert f"\n{heading}\n" in text
    assert all(len(line) <= 110 for line in text.splitlines())
    commands = re.findall(r"^    ([a-z]+) {2,}\S", text, re.MULTILINE)
    assert bool(commands) is (command != "validate-npz")
    for one in commands:
        assert call(command, one, "--help").startswith(f"usage: {command} {one}")


def test_help_names_files_and_environment():
    told = call("validate-npz", "--help")
    assert all(word in told for word in ("npzschema.toml", "[tool.npzschema]", "NO_COLOR"))
    assert "SOURCE_DATE_EPOCH" in call("generate-npz", "--help")
