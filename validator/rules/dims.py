"""``dims`` and ``dimensions``: rank, axis order, and sizes that agree and keep their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from npzschema.contracts import ArraySpec, load, shipped

from ..binding import Dissent, Layout, Reading, broken_bounds, meant_by, order_of
from ..case import Case
from ..findings import Deviation
from ..solve import agree, fits, sizes_of
from ..witnesses import witnesses
from ..words import axes, enumerate_words, plural, shape


def check(case: Case, spec: ArraySpec) -> Iterator[Deviation]:
    """Rank (SHAPE-001), and an order that is not declared (FORMAT-001) or that nothing decides (FORMAT-002)."""
    reading = case.reading(spec)
    if reading is None:
        return
    stored = case.headers[reading.header.name].shape
    meant = " or ".join(axes(dims) for dims in spec.dims)
    if reading.kept is not None:
        yield _squeezed(reading, stored, reading.kept, meant)
    if reading.layout is None:
        yield Deviation(
            code="SHAPE-001",
            array=spec.name,
            message=_misfit(case, reading, stored, meant),
            expected=meant,
            found=shape(stored),
            about="named" if reading.named else "",
        )
    elif reading.undeclared:
        yield _turned(case, reading, reading.layout)
    elif case.facts and reading.header.name not in case.facts:
        # Its values are damaged, which is told; what they would have decided nobody knows.
        return
    elif reading.alternatives and not _contradicted(case, reading.layout):
        fitting = [axes(layout.dims) for layout in reading.layouts]
        yield Deviation(
            code="FORMAT-002",
            array=spec.name,
            message=f"the shape {shape(reading.header.shape)} fits {enumerate_words(fitting, 'and')}; "
            f"{'neither sizes nor content decide' if reading.evidence else 'nothing in the sizes decides'} which",
            expected=axes(spec.dims[0]),
            found="undecided",
            evidence=reading.evidence,
            about="" if case.facts else "headers",
        )


def _misfit(case: Case, reading: Reading, stored: tuple[int, ...], meant: str) -> str:
    spec = reading.spec
    if reading.named and not reading.evidence:
        return f"has the shape {shape(stored)}, which the axes named for it (--axes), {axes(reading.named)}, do not fit"
    if any(len(dims) == len(stored) for dims in spec.dims):
        return f"has the shape {shape(stored)}, the contract says {meant}"
    told = f"; {reading.evidence}" if reading.evidence else _allowed_by(case, spec.name, stored)
    return f"has {plural(len(stored), 'axis', 'axes')}, {shape(stored)}, the contract says {meant}{told}"


def _allowed_by(case: Case, name: str, stored: tuple[int, ...]) -> str:
    """Shipped contracts under which an array may have these axes, of the sizes that others bear out, in words."""
    told = [
        f"{contract.id} allows {axes(dims)}"
        for contract in map(load, shipped())
        if name in contract.arrays
        for dims in contract.arrays[name].dims
        if fits(dims, stored)
        and all(case.binding.sizes.get(symbol, size) == size for symbol, size in sizes_of(Layout(dims), stored).items())
    ]
    return "; " + enumerate_words(told, "and") if told else ""


def _squeezed(reading: Reading, stored: tuple[int, ...], kept: tuple[int, ...], meant: str) -> Deviation:
    more = len(stored) - len(kept)
    return Deviation(
        code="SHAPE-001",
        array=reading.spec.name,
        message=f"has {'an axis' if more == 1 else f'{more} axes'} of length 1 too many, {shape(stored)}, "
        f"the contract says {meant}",
        expected=shape(reading.header.shape),
        found=shape(stored),
        fix={"step": "squeeze", "array": reading.spec.name, "axes": list(kept)},
    )


def _turned(case: Case, reading: Reading, layout: Layout) -> Deviation:
    meant = meant_by(reading.spec, layout)
    return Deviation(
        code="FORMAT-001",
        array=reading.spec.name,
        message=f"axes are {axes(layout.dims)} = {shape(reading.header.shape)}, the contract says {axes(meant)}",
        expected=axes(meant),
        found=axes(layout.dims),
        evidence=reading.evidence or witnesses(case, reading),
        fix={"step": "transpose", "array": reading.spec.name, "axes": list(order_of(reading.spec, layout))},
    )


def _contradicted(case: Case, layout: Layout) -> bool:
    """Whether sizes of this array contradict those of others (SHAPE-002): then no layout fits."""
    return any(set(dissent.sizes) & set(layout.dims) for dissent in case.disputes)


def check_sizes(case: Case) -> Iterator[Deviation]:
    """Sizes that disagree across arrays (SHAPE-002, SCAN-004) or break their bounds (SHAPE-003)."""
    for dissent in case.disputes:
        yield _dispute(case, dissent)
    for dissent in case.binding.dissents:
        # No frames at all are too few, and told as that.
        if case.is_surplus(dissent) and all(case.binding.sizes[symbol] for symbol in dissent.sizes):
            yield _surplus(case, dissent)
    # Where arrays contradict each other on a size, that is the fault; its bounds are judged once they agree.
    disputed = {symbol for dissent in case.disputes for symbol in dissent.sizes}
    broken: dict[str | None, list[_Bound]] = {}
    for symbol, keyword, limit in broken_bounds(case.contract, case.binding.sizes):
        if symbol not in disputed:
            array = next(iter(case.binding.witnesses.get(symbol, ())), None)
            broken.setdefault(array, []).append(_Bound(symbol, keyword, limit))
    for array, bounds in broken.items():
        yield Deviation(
            code="SHAPE-003",
            array=array,
            message="; ".join(_out_of_range(case, bound) for bound in bounds),
            expected=", ".join(f"{bound.symbol} {bound.keyword} {bound.limit}" for bound in bounds),
            found=", ".join(f"{bound.symbol} = {case.binding.sizes[bound.symbol]}" for bound in bounds),
            at=(bounds[0].symbol, bounds[0].keyword),
        )


class _Bound(NamedTuple):
    symbol: str
    keyword: str
    limit: int


def _out_of_range(case: Case, broken: _Bound) -> str:
    dimension = case.contract.dimensions[broken.symbol]
    bound = getattr(dimension, broken.keyword)
    means = f"{bound} = {broken.limit}" if isinstance(bound, str) else str(broken.limit)
    word = {"equals": "", "minimum": "at least ", "maximum": "at most "}[broken.keyword]
    size = case.binding.sizes[broken.symbol]
    return f"{broken.symbol} = {size} {dimension.description}, the contract says {word}{means}"


def _surplus(case: Case, dissent: Dissent) -> Deviation:
    ((symbol, positions),) = dissent.sizes.items()
    frames = case.binding.sizes[symbol]
    scan = case.contract.scan
    # Where frames do not fit their positions, the surplus need not be at the end.
    verdict = case.forward.verdict if case.forward else None
    doubtful = verdict is not None and not verdict.supported
    return Deviation(
        code="SCAN-004",
        array=scan.x if scan else dissent.arrays[0],
        message=f"{plural(positions, 'position')} for {plural(frames, 'frame')}",
        expected=f"{symbol} = {frames}",
        found=f"{symbol} = {positions}",
        at=(symbol,),
        about="doubtful" if doubtful else "",
        fix=None
        if doubtful
        else {"step": "drop", "array": scan.x if scan else "", "arrays": list(dissent.arrays), "keep": frames},
    )


def _dispute(case: Case, dissent: Dissent) -> Deviation:
    sizes = case.binding.sizes
    said = enumerate_words([f"{symbol} = {size}" for symbol, size in dissent.sizes.items()], "and")
    others = sorted({name for symbol in dissent.sizes for name in case.binding.witnesses.get(symbol, ())})
    alike = f", as {'do' if len(dissent.arrays) > 2 else 'does'} {enumerate_words(list(dissent.arrays[1:]), 'and')}"
    held = enumerate_words([f"{symbol} = {sizes[symbol]}" for symbol in dissent.sizes], "and")
    return Deviation(
        code="SHAPE-002",
        array=dissent.arrays[0],
        message=f"says {said}{alike if len(dissent.arrays) > 1 else ''}; "
        f"{enumerate_words(others, 'and')} {'say' if len(others) > 1 else 'says'} {held}",
        expected=held,
        found=said,
        evidence=_exchanged(case, dissent),
        at=(next(iter(dissent.sizes)),),
        about="named" if any(case.binding.readings[name].named for name in (*dissent.arrays, *others)) else "",
    )


def _exchanged(case: Case, dissent: Dissent) -> str:
    """The one array with which a dissenting one, exchanged, contradicts nothing, in words; else nothing."""
    layouts = {name: one.layout for name, one in case.binding.readings.items() if one.layout}
    headers = {name: case.binding.readings[name].header for name in layouts}
    shapes = {name: header.shape for name, header in headers.items()}
    found = []
    for one, other in ((one, other) for one in dissent.arrays for other in layouts.keys() - set(dissent.arrays)):
        swapped = {**shapes, one: shapes[other], other: shapes[one]}
        if headers[one].dtype.kind != headers[other].dtype.kind or len(shapes[one]) != len(shapes[other]):
            continue
        sizes, dissents, _ = agree(layouts, swapped)
        if not dissents and not any(broken_bounds(case.contract, sizes)):
            found.append(f"exchanged, {one} and {other} would agree with all other arrays")
    return found[0] if len(found) == 1 else ""
