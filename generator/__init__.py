"""Make data that keeps the contract."""

# Imported here and now: a submodule of the same name would otherwise hide the function.
from .convert import convert
from .errors import GeneratorError
from .fixture import fixture
from .load import load
from .loaded import Loaded
from .publish import Made, Output, Progress
from .simulate import Experiment, simulate

__all__ = [
    "Experiment",
    "GeneratorError",
    "Loaded",
    "Made",
    "Output",
    "Progress",
    "convert",
    "fixture",
    "load",
    "simulate",
]
