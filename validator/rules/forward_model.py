"""``scan.forwardModel``: frames, positions, probe and object must belong together (PHYS-001 to PHYS-004)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from npzschema.contracts import Scan

from ..binding import broken_bounds
from ..case import Case
from ..findings import Deviation
from ..forward import Reading, Verdict, holds
from ..pairs import afterwards
from ..scan_table import patterns_constant, placed
from ..slip import Slip

_ON_FRAMES: Final = ("centre", "detector")
_CODES: Final = {
    "pairing": "PHYS-001",
    "probe": "PHYS-001",
    "positions": "PHYS-002",
    "centre": "PHYS-003",
    "detector": "PHYS-004",
}


def check(case: Case) -> Iterator[Deviation]:
    scan = case.contract.scan
    if scan is None or case.forward is None or case.forward.verdict is None:
        return
    verdict = case.forward.verdict
    if verdict.best is not None and verdict.other_fits:
        surplus = any(map(case.is_surplus, case.binding.dissents))
        yield _other(scan, verdict, verdict.best, surplus=surplus)
    elif verdict.slip and not _explained(case):
        yield _slipped(scan.x, verdict, verdict.slip)
    elif verdict.best is not None and verdict.contested and not _explained(case):
        yield _contested(scan, verdict, verdict.best)
    elif verdict.astray and not _explained(case):
        yield _astray(scan.x, verdict)
    elif verdict.strays and not _explained(case):
        yield _strays(scan.x, verdict)
    elif holds(verdict.stated) and not verdict.supported and not _explained(case):
        yield Deviation(
            code="PHYS-001",
            level="warning",
            array=scan.x,
            message="probe, object and positions explain little of the patterns: they correlate "
            f"{verdict.stated.correlation:.2f} where {verdict.stated.attainable:.2f} could be reached; probe or object "
            "may be poor, or the positions wrong in a way that was not tried",
            expected="patterns as probe, object and positions predict them",
            found=f"correlation {verdict.stated}",
            evidence=_evidence(verdict),
            at=("forwardModel",),
        )
    elif not verdict.supported and not _explained(case):
        yield Deviation(
            code="PHYS-001",
            level="warning",
            array=scan.x,
            message="nothing shows that positions belong to their frames, and no other reading fits: "
            "the pairing may be lost, probe or object may be poor, or the data not far-field",
            expected="patterns as probe, object and positions predict them",
            found=f"correlation {verdict.stated}",
            evidence=_evidence(verdict),
            at=("forwardModel",),
        )


def _explained(case: Case) -> bool:
    """Whether something else, told already, keeps the model from fitting: positions outside the object, wrong sizes."""
    scan, sizes = case.contract.scan, case.binding.sizes
    if case.disputes or next(broken_bounds(case.contract, sizes), None) is not None or scan is None:
        return True
    if patterns_constant(case):
        return True
    return placed(case, scan).leaves_object


def _slipped(positions: str, verdict: Verdict, slip: Slip) -> Deviation:
    """No step mends it: which frame or position is missing shows only as nearly as frames are looked at."""
    many = abs(slip.step)
    place = f"the position {'' if many == 1 else f'{many} '}{'after' if slip.step > 0 else 'before'} their own"
    lost, over = ("frame", "position") if slip.step > 0 else ("position", "frame")
    cause = f"a {lost} was lost before" if many == 1 else f"{many} {lost}s were lost before"
    other = f"a {over} is too many" if many == 1 else f"{many} {over}s are too many"
    return Deviation(
        code="PHYS-001",
        level="warning",
        array=positions,
        message=f"frames from about {slip.frame} on fit {place} better ({slip.beside:.2f} in place of {slip.own:.2f}): "
        f"{cause}, or {other}",
        expected="patterns as probe, object and positions predict them",
        found=f"a step of {slip.step:+d} from about frame {slip.frame} on",
        evidence=_evidence(verdict),
        at=("forwardModel",),
    )


def _astray(positions: str, verdict: Verdict) -> Deviation:
    """Part of the scan fits: a frame or a position was lost on the way, or a part was put in another order."""
    out = verdict.astray
    return Deviation(
        code="PHYS-001",
        level="warning",
        array=positions,
        message=f"{len(out)} of {verdict.frames} frames looked at do not fit their positions, while the others do; "
        f"the first is frame {out[0]}: a frame or a position may have been lost there",
        expected="patterns as probe, object and positions predict them",
        found=f"correlation {verdict.stated}",
        evidence=_evidence(verdict),
        frames=out,
        at=("forwardModel",),
    )


def _strays(positions: str, verdict: Verdict) -> Deviation:
    """No single reading mends it, yet other places fit: cut, sorted, in part out of step, scaled or turned."""
    out, places = verdict.strays, verdict.places
    looked = len(places.index) if places else 0
    told = f" ({places.best.mean():.2f} in place of {places.own.mean():.2f})" if places else ""
    return Deviation(
        code="PHYS-001",
        level="warning",
        array=positions,
        message=f"{len(out)} of {looked} frames looked at fit other places better than their "
        f"own positions{told}: part of the scan may be out of step or in another order, "
        "or the positions scaled, turned or inexact",
        expected="patterns as probe, object and positions predict them",
        found=f"correlation {verdict.stated}",
        evidence=_evidence(verdict),
        frames=out,
        at=("forwardModel",),
    )


def _about(scan: Scan, best: Reading) -> str:
    """The array that another reading reads otherwise."""
    return scan.frames if best.kind in _ON_FRAMES else scan.probe or scan.x if best.kind == "probe" else scan.x


def _contested(scan: Scan, verdict: Verdict, best: Reading) -> Deviation:
    """Another reading is ahead, but not surely enough to be believed: undecided, and said so."""
    return Deviation(
        code=_CODES[best.kind],
        level="warning",
        array=_about(scan, best),
        message=f"undecided: as stored, patterns and predictions correlate {verdict.stated.correlation:.2f}; "
        f"with {best.words}, {best.score.correlation:.2f}, which is not enough to be sure: "
        "frames or photons may be too few, the object too plain, probe or object poor",
        expected="patterns as probe, object and positions predict them",
        found=best.name,
        evidence=_evidence(verdict),
        at=("forwardModel",),
    )


def _other(scan: Scan, verdict: Verdict, best: Reading, *, surplus: bool) -> Deviation:
    array = _about(scan, best)
    # Of positions that are too many some may be theirs.
    left = "; frames at one end have no position in the file" if verdict.hanging and not surplus else ""
    return Deviation(
        code=_CODES[best.kind],
        level="warning" if best.slight else None,
        array=array,
        message=f"as stored, patterns and predictions correlate {verdict.stated.correlation:.2f}; "
        f"with {best.words}, {best.score.correlation:.2f}{left}",
        expected="patterns as probe, object and positions predict them",
        found=best.name,
        evidence=_evidence(verdict),
        at=("forwardModel",),
        about="probe" if best.kind == "probe" else "",
        fix=None
        if best.kind == "probe" or best.name == "stride" or verdict.hanging or _inexact(verdict, best)
        else {
            "step": best.kind,
            "array": array,
            "reading": best.name,
            "values": dict(best.values),
            **({"then": list(then)} if (then := afterwards(best.name)) else {}),
        },
    )


def _inexact(verdict: Verdict, best: Reading) -> bool:
    """Whether pixels of the detector are known only as nearly as they were compared."""
    return bool(verdict.coarse) and best.kind in _ON_FRAMES and best.name != "fftshift"


def _evidence(verdict: Verdict) -> str:
    told = f"stored: {verdict.stated}"
    if verdict.best is not None:
        told += f"; best of {verdict.tried - 1} others, {verdict.best.name}: {verdict.best.score}"
    told += f"; null 0 +- {verdict.stated.sigma:.2f}; {verdict.frames} frames"
    return f"{told}; {verdict.compared}" if verdict.compared else told
