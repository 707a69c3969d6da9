"""What the command line, the configuration and the baseline ask of a run, put together."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from npzschema.contracts import Contract, ContractError, shipped
from npzschema.terminal import UsageError

from .escape import escape
from .outputs import refuse_place

if TYPE_CHECKING:
    from .baseline import Baseline
    from .config import Config
    from .findings import Report


def config_of(options: argparse.Namespace) -> Config:
    """The configuration, with the command line on top.

    Raises:
        UsageError: either of them is refused.
    """
    from .config import Config, ConfigError, level_flaw, prefix_flaw
    from .config_file import find, read
    from .settings import Settings

    for prefix in (*options.select, *options.ignore):
        if (flaw := prefix_flaw(prefix)) is not None:
            raise UsageError(flaw)
    for code, level in options.level:
        if (flaw := level_flaw(code, level)) is not None:
            raise UsageError(escape(f"--level {code}: {flaw}"))
    for name in ("contract", "config", "baseline", "write_baseline", "output"):
        if getattr(options, name) == "":
            raise UsageError(f"--{name.replace('_', '-')} names nothing; leave it out")
    if options.config and options.isolated:
        raise UsageError("--config and --isolated exclude each other")
    try:
        path = None if options.isolated else options.config or find(_here())
        config = read(path) if path else Config()
        contract = config.contract(options.contract) if options.contract else None
    except ConfigError as error:
        raise UsageError(escape(str(error))) from None
    except ContractError as error:
        raise UsageError(escape(f"contract refused: {error}")) from None
    return replace(
        config,
        fail_on=options.fail_on or config.fail_on,
        baseline=options.baseline or config.baseline,
        command_line=Settings(
            contract=contract,
            select=tuple(options.select),
            ignore=tuple(options.ignore),
            levels=dict(options.level),
            axes=dict(options.axes),
        ),
    )


def _here() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        raise UsageError(f"the working directory is gone: {(error.strerror or str(error)).lower()}") from None


def kept(options: argparse.Namespace, config: Config) -> dict[str, str]:
    """Files that no report may replace, and what they are."""
    wishes = [config.command_line, config.settings, *(settings for _, settings in config.files)]
    contracts = [one.contract for one in wishes if isinstance(one.contract, Contract)]
    contracts += config.own_contracts.values()
    references = [reference for one in contracts for reference in (one.reference, *one.parents)]
    return {
        **_sidecars(options.paths),
        **{reference: "a contract" for reference in references if reference not in shipped()},
        **{path: "the baseline" for path in (config.baseline, options.write_baseline) if path},
        **({config.path: "the configuration"} if config.path else {}),
        **dict.fromkeys((*options.paths, *filter(None, [options.from_report])), "an input"),
    }


def _sidecars(paths: Sequence[str]) -> dict[str, str]:
    if not paths:
        return {}
    from .sidecar import sidecar_of  # brings numpy, which a saved report does not need

    return {sidecar: f"the sidecar of {path}" for path in paths if (sidecar := sidecar_of(path))}


def baseline_of(options: argparse.Namespace, config: Config) -> Baseline:
    """The baseline that the run goes by, or that it renews; an empty one where there is none.

    Raises:
        UsageError: it is refused, or the options contradict each other.
    """
    from .baseline import Baseline, BaselineError, read

    if options.reason is not None and not options.write_baseline:
        raise UsageError("--reason belongs to --write-baseline")
    if options.baseline and options.write_baseline:
        raise UsageError("--baseline and --write-baseline exclude each other; the second keeps what FILE knows")
    try:
        if options.write_baseline:
            path = options.write_baseline
            refuse_place(path)
            # Whatever else lies there, an input above all, is no baseline and is refused here.
            return read(path) if os.path.lexists(path) else Baseline(path=path)
        return read(config.baseline) if config.baseline else Baseline(path="")
    except BaselineError as error:
        raise UsageError(escape(str(error))) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Reports as they are asked for: findings left out, levelled, and marked where they are known.

    ``files``: what is to be written with them, text by path; ``notes``: lines to tell once it is.
    """

    reports: Sequence[Report]
    files: Mapping[str, str]
    notes: Sequence[str]


def chosen(options: argparse.Namespace, config: Config, baseline: Baseline, whole: Sequence[Report]) -> Chosen:
    """What is asked for of reports that hold everything."""
    from .baseline import unmarked

    files: dict[str, str] = {}
    notes: list[str] = []
    if baseline.path:
        # A saved report may be marked by another one.
        whole = [unmarked(report) for report in whole]
    if options.write_baseline:
        settled = [config.for_file(report.path).applied(report) for report in whole]
        baseline = baseline.renewed(whole, settled, config.fail_on, options.reason or "")
        files[baseline.path] = baseline.text()
        open_ = sum(not known.reason for known in baseline.known.values())
        notes.append(f"{baseline.path}: {_entries(len(baseline.known))} written, {open_} without a reason")
    stale = baseline.stale(whole)
    if stale:
        named = ", ".join(" ".join(filter(None, (one.file, one.code, one.array))) for one in stale[:3])
        named += ", ..." if len(stale) > 3 else ""
        what = f"{_entries(len(stale))} no longer found: {named}; --write-baseline {baseline.path} drops what is gone"
        notes.append(f"{baseline.path}: {what}")
    return Chosen(
        reports=[config.for_file(report.path).applied(baseline.marked(report)) for report in whole],
        files=files,
        notes=notes,
    )


def _entries(count: int) -> str:
    return f"{count} known finding{'s' * (count != 1)}"
