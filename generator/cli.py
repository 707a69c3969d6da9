"""generate-npz: convert, fixture, simulate, break. Calls the generator, and says what was written."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO

from npzschema.contracts import ContractError
from npzschema.terminal import RefusedError, UsageError, main_of
from npzschema.validator.escape import escape
from npzschema.validator.reading_options import limits_of

from .options import parser

if TYPE_CHECKING:
    from .publish import Made, Output


def main() -> NoReturn:
    main_of("generate-npz", run)


def run(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """The command: returns its status.

    Raises:
        UsageError: the arguments are wrong, or nothing could be made.
        SystemExit: after ``--help`` and ``--version``, as argparse leaves.
    """
    options = parser().parse_args(list(argv))
    from npzschema.validator.threads import ThreadsError

    from .errors import GeneratorError

    try:
        if options.command == "convert" and options.dry_run:
            return _dry_run(options, stdout)
        if options.command == "break":
            from .breakers import break_file

            path = break_file(
                options.source, options.target, options.rule.upper(), contract=options.contract, force=options.force
            )
            stdout.write(escape(f"{path}: written; breaks {options.rule.upper()}") + "\n")
            return 0
        made = {"convert": _run_convert, "fixture": _run_fixture, "simulate": _run_simulate}[options.command](
            options, _output_of(options, stderr)
        )
    except ContractError as error:
        raise RefusedError(escape(f"contract refused: {error}")) from None
    except (GeneratorError, ThreadsError) as error:
        raise RefusedError(escape(str(error))) from None
    stdout.writelines(escape(f"  {step['sentence']}") + "\n" for step in made.steps)
    if options.command != "simulate":
        stdout.writelines(escape(f"  {line}") + "\n" for line in _not_taken(options.allow, made))
    warnings = [one for one in made.report.findings if one.level == "warning"]
    stdout.writelines(escape(f"  {one.code} warning  {one.message}") + "\n" for one in warnings)
    stdout.write(
        escape(f"{made.path}: written, {made.report.verdict}; {made.report.contract} {made.report.contract_version}; ")
        + _sizes(made)
        + "\n"
    )
    return 0


def _not_taken(allowed: Sequence[str], made: Made) -> list[str]:
    """One line where steps were allowed that were not taken: there was none to take."""
    # What a step did not mend yet is told with the findings.
    taken = {step["step"] for step in made.steps} | {one.fix["step"] for one in made.report.findings if one.fix}
    idle = [name for name in dict.fromkeys(allowed) if name not in taken]
    if not idle:
        return []
    return [f"--allow {' --allow '.join(idle)}: nothing found that this would mend"]


def _sizes(made: Made) -> str:
    return " ".join(f"{symbol}={size}" for symbol, size in made.report.binding.items())


def _dry_run(options: argparse.Namespace, stdout: TextIO) -> int:
    """What convert would do; its status is that of doing it, with all that it may be allowed."""
    from npzschema.contracts.steps import LOSSY

    from .convert import dry_run
    from .plan import check_allowed

    check_allowed(options.allow)
    without, everything = dry_run(
        options.source,
        contract=options.contract,
        axes=dict(options.axes),
        limits=limits_of(options),
        keep_legacy_names=options.keep_legacy_names,
    )
    lines = [f"would do: {step.sentence}" for step in without.steps]
    lines += [
        f"with --allow {step.step}: {step.sentence}"
        for step in everything.steps
        if step.step in LOSSY and not step.lossless
    ]
    lines += [f"in the way: {obstacle}" for obstacle in everything.obstacles]
    stdout.writelines(escape(line) + "\n" for line in lines or ["nothing to mend"])
    return 2 if everything.obstacles else 0


def _run_convert(options: argparse.Namespace, output: Output) -> Made:
    from .convert import convert

    if options.target is None:
        raise UsageError("no output named", "generate-npz convert")
    return convert(
        options.source,
        options.target,
        contract=options.contract,
        allow=options.allow,
        axes=dict(options.axes),
        limits=limits_of(options),
        keep_legacy_names=options.keep_legacy_names,
        metadata_out=options.metadata_out,
        options=output,
    )


def _run_fixture(options: argparse.Namespace, output: Output) -> Made:
    from .fixture import fixture

    return fixture(
        options.source,
        options.output,
        subset_size=options.subset_size,
        positions=options.positions,
        contract=options.contract,
        allow=options.allow,
        axes=dict(options.axes),
        limits=limits_of(options),
        metadata_out=options.metadata_out,
        options=output,
    )


def _run_simulate(options: argparse.Namespace, output: Output) -> Made:
    from npzschema.contracts import load

    from .simulate import Experiment, simulate

    contract = load(options.contract)
    fixed = contract.dimensions[contract.scan.dimension].equals if contract.scan else None
    positions = options.positions if options.positions is not None else fixed if isinstance(fixed, int) else 100
    experiment = Experiment(
        positions=positions,
        size=options.size,
        probe=options.probe,
        object=options.object,
        scan=options.scan,
        overlap=options.overlap,
        photons=options.photons if options.photons is not None else 1e6,
        seed=options.seed,
        object_shape=options.object_shape,
    )
    return simulate(options.output, experiment, contract=contract, options=output, png=options.png)


def _output_of(options: argparse.Namespace, stderr: TextIO) -> Output:
    from npzschema.validator.progress import drawable

    from .progress import Bar
    from .publish import Output, Progress

    progress = Bar(stderr) if drawable(stderr) else Progress()
    return Output(force=options.force, compression=options.compress, level=options.level, progress=progress)


if __name__ == "__main__":
    main()
