"""Carry a plan out: each array of a file as a stream that gives the mended array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from npzschema.contracts import Contract
from npzschema.validator.binding import Binding
from npzschema.validator.dataset import Dataset
from npzschema.validator.findings import Report

from .plan import Plan, Step
from .stream import Stream, mapped, of_array, squeeze, stream_of, taken, transpose

Array = np.ndarray[Any, Any]


def mended(dataset: Dataset, report: Report, binding: Binding, contract: Contract, plan: Plan) -> dict[str, Stream]:
    """Arrays of the contract, by their names there, after every step of the plan."""
    streams: dict[str, Stream] = {}
    for name, reading in binding.readings.items():
        stream = stream_of(dataset, reading.header)
        for step in plan.of(name):
            stream = _apply(stream, step, report, reading.header.name)
        streams[name] = stream
    for step in plan.steps:
        if step.step == "drop":
            for name in step.values["arrays"]:
                axis = binding.readings[name].axis(contract.scan.dimension) if contract.scan else None
                streams[name] = taken(streams[name], axis or 0, np.arange(step.values["keep"]))
        elif step.step == "copy":
            streams[step.array] = streams[step.values["source"]]
    return streams


def _apply(stream: Stream, step: Step, report: Report, member: str) -> Stream:
    match step.step:
        case "transpose":
            return transpose(stream, step.values["axes"])
        case "squeeze":
            return squeeze(stream, step.values["axes"])
        case "cast":
            return _cast(stream, np.dtype(step.values["dtype"]))
        case "sqrt":
            return mapped(stream, np.dtype(step.values["dtype"]), lambda chunk: np.sqrt(chunk, dtype=np.float64))
        case "square":
            return mapped(stream, np.dtype(step.values["dtype"]), lambda chunk: np.square(chunk, dtype=np.float64))
        case "normalise":
            largest = float(report.arrays[member].statistics["maximum"])
            roots = any(finding.array == step.array and finding.fix and finding.fix.get("step") == "sqrt" for finding in report.findings)
            scale = math.sqrt(largest) if roots else largest
            return mapped(stream, stream.dtype, lambda chunk: chunk / scale)
        case _:
            # rename, native and copy: nothing happens to the values.
            return stream


def _cast(stream: Stream, dtype: np.dtype[Any]) -> Stream:
    def cast(chunk: Array) -> Array:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return chunk.astype(dtype)

    return mapped(stream, dtype, cast)


def metadata_stream(dataset: Dataset, name: str) -> Stream | None:
    """The metadata's text as a 0-d array of plain text, or None where there is none that can be read."""
    if name not in dataset.headers:
        return None
    text = dataset.text(name)
    return None if text is None else of_array(np.array(text))


def passed_through(dataset: Dataset, taken_names: Mapping[str, Any], known: frozenset[str]) -> dict[str, Stream]:
    """Arrays that the contract does not know, as they are."""
    return {
        name: stream_of(dataset, header)
        for name, header in dataset.headers.items()
        if name not in known and name not in taken_names and not header.pickled
    }
