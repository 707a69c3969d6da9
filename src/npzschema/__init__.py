"""Contract validation for ptychography datasets in NPZ files.

>>> import npzschema
>>> report = npzschema.validate("scan.npz")      # doctest: +SKIP
>>> report.ok, report.findings                   # doctest: +SKIP
>>> data = npzschema.load("scan.npz")            # doctest: +SKIP
"""

from __future__ import annotations

# Typing is not imported: until a command has its own, an interrupt that strikes while modules are imported leaves a
# traceback.
TYPE_CHECKING = False

__version__ = "0.1.0"

__all__ = [
    "ContractError",
    "Finding",
    "GeneratorError",
    "Loaded",
    "Report",
    "ThreadsError",
    "ValidationError",
    "__version__",
    "assert_npz_valid",
    "load",
    "validate",
]

if TYPE_CHECKING:
    from typing import Any

    from npzschema.contracts import ContractError
    from npzschema.generator.errors import GeneratorError
    from npzschema.generator.load import load
    from npzschema.generator.loaded import Loaded
    from npzschema.validator import Finding, Report, ThreadsError, ValidationError, validate
    from npzschema.validator.pytest_plugin import assert_npz_valid


def __getattr__(name: str) -> Any:
    # Numpy is imported when data is looked at, so that --help and --version need none of it.
    if name == "ContractError":
        from npzschema import contracts

        return contracts.ContractError
    if name in ("GeneratorError", "Loaded", "load"):
        from npzschema import generator

        return getattr(generator, name)
    if name == "assert_npz_valid":
        # Needs pytest, which only tests have.
        from npzschema.validator import pytest_plugin

        return pytest_plugin.assert_npz_valid
    if name in __all__:
        from npzschema import validator

        return getattr(validator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
