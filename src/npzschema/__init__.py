"""Contract validation for ptychography datasets in NPZ files.

>>> import npzschema
>>> report = npzschema.validate("scan.npz")      # doctest: +SKIP
>>> report.ok, report.findings                   # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["ContractError", "Finding", "Report", "ValidationError", "__version__", "assert_npz_valid", "validate"]

if TYPE_CHECKING:
    from npzschema.contracts import ContractError
    from npzschema.validator import Finding, Report, ValidationError, validate
    from npzschema.validator.pytest_plugin import assert_npz_valid


def __getattr__(name: str) -> Any:
    # Numpy is imported when data is looked at, so that --help and --version need none of it.
    if name == "ContractError":
        from npzschema import contracts

        return contracts.ContractError
    if name == "assert_npz_valid":
        # Needs pytest, which only tests have.
        from npzschema.validator import pytest_plugin

        return pytest_plugin.assert_npz_valid
    if name in __all__:
        from npzschema import validator

        return getattr(validator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
