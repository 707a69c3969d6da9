"""The pytest plugin: ``assert_npz_valid``, the fixture ``npz_contract``, and ``--validate-npz``, files as tests."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Pytest imports this module at every start: numpy and everything else of the package waits until it is needed.
if TYPE_CHECKING:
    from npzschema.contracts import Contract, Level

    from .baseline import Baseline
    from .config import Config
    from .findings import Report
    from .settings import NamedLevel, Settings

    AnyContract = str | Path | Contract


def assert_npz_valid(
    target: str | os.PathLike[str] | bytes | Mapping[str, Any],
    contract: AnyContract = "auto",
    *,
    headers_only: bool = False,
    axes: Mapping[str, Sequence[str | int]] | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    levels: Mapping[str, NamedLevel] | None = None,
    fail_on: Level = "error",
) -> Report:
    """Fail the test, with the findings for its message, where a dataset does not keep its contract.

    Only the arguments count; no configuration file is read. A dataset that cannot be checked fails as well.

    Args:
        target: path of an NPZ file, its bytes, or a mapping of names to arrays.
        contract: as the fixture ``npz_contract`` gives it: an id, a file, a loaded contract, or ``auto``.
        headers_only, axes: as for :func:`npzschema.validate`.
        select, ignore: beginnings of codes, such as ``SCAN``.
        levels: level by code, or ``off``.
        fail_on: the least level that fails.

    Returns:
        The report.

    Raises:
        ContractError: the contract is refused.
        ValueError: ``select`` or ``ignore`` chooses no rule; ``levels`` names none, or one whose level is fixed; there
            is no such level.
    """
    __tracebackhide__ = True
    from .config import level_flaw, prefix_flaw
    from .engine import validate
    from .findings import LEVELS
    from .settings import Settings

    for prefix in (*select, *ignore):
        if (flaw := prefix_flaw(prefix)) is not None:
            raise ValueError(flaw)
    for code, level in (levels or {}).items():
        if (flaw := level_flaw(code, level)) is not None:
            raise ValueError(f"levels: {code}: {flaw}")
    if fail_on not in LEVELS:
        raise ValueError(f"fail_on: {fail_on!r} is not error, warning or info")
    settings = Settings(select=tuple(select), ignore=tuple(ignore), levels=levels or {})
    report = settings.applied(validate(target, contract, headers_only, axes=axes))
    if _fails(report, fail_on):
        pytest.fail(_told(report, fail_on), pytrace=False)
    return report


@pytest.fixture(scope="session")
def npz_contract(pytestconfig: pytest.Config) -> AnyContract:
    """The contract to test against: the configuration's, else ``auto``. Override it in a module or a conftest.py."""
    return _config(pytestconfig).settings.contract or "auto"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("npzschema", "datasets in NPZ files")
    group.addoption(
        "--validate-npz",
        action="append",
        default=[],
        metavar="GLOB",
        help="test each file that matches against its contract, as validate-npz does; may be repeated",
    )
    parser.addini("validate_npz", "patterns of files to test, relative to the root, beside --validate-npz", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "npz: a file that --validate-npz tests against its contract")
    # Before anything is collected: with pytest-xdist, what is wrong here is told once and not by every worker.
    config.stash[_ASKED] = _asked(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> NpzFile | None:
    # A file that is named itself, as in data/a.npz::contract.
    if not parent.session.isinitpath(file_path):
        return None
    named = (check for check in parent.config.stash[_ASKED] if check.path == file_path)
    return next((_file(parent, check) for check in named), None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    if any(isinstance(item, NpzItem) for item in items):
        return
    # Files are added here, not collected: they may lie outside the folders of the tests, and -k and -m see them still.
    for check in config.stash[_ASKED]:
        items.extend(_file(session, check).collect())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Check:
    """One file, and what is asked of it. Paths are absolute: a test may leave the process in another folder."""

    path: Path
    settings: Settings
    fail_on: Level
    baseline: Baseline
    own_contracts: Sequence[Contract]


_ASKED = pytest.StashKey[list[_Check]]()


class NpzFile(pytest.File):
    """A file that is tested."""

    def __init__(self, *, check: _Check, **other: Any) -> None:
        super().__init__(**other)
        self._check = check

    def collect(self) -> Iterable[pytest.Item]:
        yield NpzItem.from_parent(self, name="contract", check=self._check)


class NpzItem(pytest.Item):
    """One file against its contract."""

    def __init__(self, *, check: _Check, **other: Any) -> None:
        super().__init__(**other)
        self._check = check
        self._file = self.nodeid.removesuffix(f"::{self.name}")
        self.add_marker("npz")

    def runtest(self) -> None:
        from .engine import validate
        from .threads import ThreadsError

        settings, baseline = self._check.settings, self._check.baseline
        own = self._check.own_contracts
        try:
            report = validate(self.path, settings.contract or "auto", axes=settings.axes, own_contracts=own)
        except ThreadsError as error:
            pytest.fail(str(error), pytrace=False)
        report = settings.applied(baseline.marked(report))
        if _fails(report, self._check.fail_on):
            shown = replace(report, path=self._file)
            pytest.fail(_told(shown, self._check.fail_on), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        from .escape import escape

        # The heading of a failure. Were it the end of the node's id, pytest would take it for dotted names.
        return Path(escape(str(self.path))), None, self._file


def _file(parent: pytest.Collector, check: _Check) -> NpzFile:
    """The file under a name that can be shown, and written down in any report."""
    from .escape import escape

    file = NpzFile.from_parent(parent, path=check.path, check=check)
    shown = escape(file.nodeid)
    if shown == file.nodeid:
        return file
    return NpzFile.from_parent(parent, path=check.path, check=check, name=escape(file.name), nodeid=shown)


def _asked(config: pytest.Config) -> list[_Check]:
    """The files that are asked for, each once, in one order everywhere."""
    patterns = [(pattern, config.invocation_params.dir) for pattern in config.getoption("validate_npz")]
    patterns += [(pattern, config.rootpath) for pattern in config.getini("validate_npz")]
    found: set[Path] = set()
    for pattern, folder in patterns:
        # A name with brackets is first of all a name.
        names = [pattern] if (folder / pattern).is_file() else glob.iglob(pattern, root_dir=folder, recursive=True)
        matched = {path for path in (Path(os.path.abspath(folder / name)) for name in names) if not path.is_dir()}
        if not matched:
            raise pytest.UsageError(f"--validate-npz {pattern}: no file matches in {folder}")
        found |= matched
    if not found:
        return []
    settled = _config(config)
    baseline = _baseline(settled)
    from .config import ConfigError

    try:
        return [
            _Check(
                path=path,
                settings=settled.asked_of(path),
                fail_on=settled.fail_on,
                baseline=baseline,
                own_contracts=tuple(settled.own_contracts.values()),
            )
            for path in sorted(found)
        ]
    except ConfigError as error:
        raise pytest.UsageError(f"npzschema: {error}") from None


def _config(config: pytest.Config) -> Config:
    """The configuration that holds at the root of the tests."""
    from .config import Config, ConfigError
    from .config_file import find, read

    try:
        path = find(config.rootpath)
        return read(path) if path else Config()
    except ConfigError as error:
        raise pytest.UsageError(f"npzschema: {error}") from None


def _baseline(settled: Config) -> Baseline:
    from .baseline import Baseline, BaselineError, read

    try:
        return read(os.path.abspath(settled.baseline)) if settled.baseline else Baseline(path="")
    except BaselineError as error:
        raise pytest.UsageError(f"npzschema: {error}") from None


def _fails(report: Report, fail_on: Level) -> bool:
    from .settings import failing

    return report.verdict == "unreadable" or bool(failing(report, fail_on))


def _told(report: Report, fail_on: Level) -> str:
    """The findings as validate-npz tells them; infos only where they fail."""
    from .reporters import REPORTERS, Style

    return REPORTERS["text"].render([report], Style(verbosity=1 if fail_on == "info" else 0)).rstrip("\n")
