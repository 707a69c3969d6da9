"""One target under atheris: ``python -m tests.fuzz.one TARGET [options of libFuzzer] SEEDS``."""

from __future__ import annotations

import os
import random
import sys

import atheris

with atheris.instrument_imports(include=["npzschema"]):
    import npzschema.contracts.loader
    import npzschema.generator.source
    import npzschema.validator.engine
    import npzschema.validator.reporters.json
    import npzschema.validator.reporters.text  # noqa: F401 - instrumented here, used by the targets

from .targets import LARGEST, TARGETS


def main() -> None:
    name, options = sys.argv[1], sys.argv[2:]
    target = TARGETS[name]

    def run(data: bytes) -> None:
        if len(data) <= LARGEST:
            target.run(data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if target.mutate is not None and rng.random() < 0.5:
            return target.mutate(data, rng)[:most]
        return bytes(atheris.Mutate(data, most))

    # A marker that a command ran would lie here, and fail the run.
    os.makedirs("build/fuzz/cwd", exist_ok=True)
    arguments = [sys.argv[0], f"-max_len={LARGEST}", *options]
    if target.mutate is None:
        atheris.Setup(arguments, run)
    else:
        atheris.Setup(arguments, run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
