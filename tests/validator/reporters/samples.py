"""Reports to render: as a check makes them, hostile ones, and strategies for any."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from npzschema.contracts import rules
from npzschema.validator.findings import ArrayFacts, Finding, Report, verdict_of

# Each of these means something to one of the formats, or to a terminal.
HOSTILE = (
    "a\nb",
    "\r\n::error::forged",
    "::error file=x::forged",
    "##[error]forged",
    "\x1b[2J\x1b]0;owned\x07",
    "]]>",
    "</failure><testcase name='forged'/>",
    "<script>alert(1)</script>",
    "&amp;&#0;",
    "a|b",
    "a\\|b",
    "``` ` ``",
    "`a`",
    "[click](http://evil.example)",
    "![x](http://evil.example/p.png)",
    "http://evil.example www.evil.example a@evil.example @everyone #1 :smile: $x$",
    "*bold* _it_ ~~no~~ **b**",
    "[bold red]markup[/bold red] [link=http://evil.example]x[/link]",
    "{0} {{1}}",
    "\u202egnp.exe\u2066",
    "\u2028\u2029\x85",
    "\ud800\udcff",
    "\ufffe\uffff",
    "100%, a:b",
    " - x",
    "größe 寸法 \U0001f600",
    "",
    " ",
)


def finding(code="FORMAT-001", **changed):
    rule = rules()[code]
    told = {
        "code": code,
        "level": rule.level,
        "message": "diffraction: axes are (H, W, N)",
        "pointer": "/arrays/diffraction/dims",
        "remedy": rule.remedy,
        "array": "diffraction",
    }
    return Finding(**{**told, **changed})


def report(path="scan.npz", *findings, **changed):
    told = {
        "path": path,
        "verdict": verdict_of(findings),
        "contract": "ptychopinn/canonical",
        "contract_version": "1.0.0",
        "contract_reason": "the default; the file declares none",
        "binding": {"N": 100, "H": 64},
        "arrays": {
            "diffraction": ArrayFacts(
                name="diffraction",
                dtype="float32",
                shape=(100, 64, 64),
                axes=("N", "H", "W"),
                reads_as="diffraction",
                quantity="amplitude",
                statistics={"minimum": 0.0, "maximum": 7.25, "mean": 0.5, "count": 409600, "constant": False},
            )
        },
        "findings": findings,
        "notes": ("forward model not asked: there is no probe",),
    }
    return Report(**{**told, **changed})


MEND = "generate-npz convert scan.npz scan_canonical.npz"
GOOD = report("good.npz", recognised=("ptychopinn/canonical",))
WARNED = report(
    "warned.npz",
    finding("SCAN-005", message="diffraction: 2 of 100 frames are blank", frames=(3, 17)),
    finding("KEY-003", array="extra", message="extra: is unknown"),
)
LEGACY = report(
    "legacy.npz",
    finding(remedy=MEND, fix={"step": "transpose"}, evidence="100 positions", expected="(N, H, W)", found="(H, W, N)"),
    finding("DTYPE-001", remedy=MEND, fix={"step": "cast"}, message="probeGuess: is complex128", array="probeGuess"),
)
BROKEN = report(
    "broken.npz",
    finding("FILE-002", array=None, pointer="", message="no directory at its end"),
    contract=None,
    contract_version=None,
    contract_reason="",
    binding={},
    arrays={},
    notes=(),
)
ALL = (GOOD, WARNED, LEGACY, BROKEN)


def hostile(text):
    """A report with the same text wherever a file, a contract or a path could put it."""
    return report(
        text,
        finding(
            array=text,
            pointer=f"/arrays/{text}",
            message=text,
            expected=text,
            found=text,
            evidence=text,
            remedy=f"generate-npz convert {text}",
            fix={"step": "rename", "to": text},
        ),
        finding("SCAN-005", array=text, message=text, remedy=text, frames=tuple(range(0, 40, 2))),
        contract=text,
        contract_version=text,
        contract_reason=text,
        recognised=(text,),
        binding={text: 3},
        arrays={text: ArrayFacts(name=text, dtype=text, shape=(3,), axes=(text,), reads_as=text)},
        notes=(text,),
    )


_texts = st.text(max_size=12) | st.sampled_from(HOSTILE)
_counts = st.integers(0, 2**63)
_numbers = st.integers(-(2**63), 2**64 - 1) | st.floats() | st.booleans()
_fixes = st.none() | st.dictionaries(_texts, _texts | _numbers.filter(math.isfinite))

findings = st.builds(
    Finding,
    code=st.sampled_from(sorted(rules())),
    level=st.sampled_from(["error", "warning", "info"]),
    message=_texts,
    pointer=_texts,
    remedy=_texts,
    array=st.none() | _texts,
    place=_texts,
    expected=_texts,
    found=_texts,
    evidence=_texts,
    frames=st.lists(_counts, max_size=12).map(lambda frames: tuple(sorted(set(frames)))),
    fix=_fixes,
)


@st.composite
def _arrays(draw):
    facts = st.builds(
        ArrayFacts,
        name=st.just(""),
        dtype=_texts,
        shape=st.lists(_counts, max_size=4).map(tuple),
        axes=st.none() | st.lists(_texts, max_size=3).map(tuple),
        reads_as=st.none() | _texts,
        quantity=st.sampled_from([None, "amplitude", "intensity"]),
        order=st.sampled_from("CF"),
        statistics=st.dictionaries(st.sampled_from(["minimum", "maximum", "mean", "count", "constant"]), _numbers),
    )
    return {name: draw(facts) for name in draw(st.lists(_texts, max_size=3, unique=True))}


reports = st.builds(
    Report,
    path=_texts,
    verdict=st.sampled_from(["valid", "violations", "unreadable"]),
    contract=st.none() | _texts,
    contract_version=_texts,
    contract_reason=_texts,
    recognised=st.lists(_texts, max_size=2).map(tuple),
    binding=st.dictionaries(_texts, _counts, max_size=3),
    arrays=_arrays(),
    findings=st.lists(findings, max_size=4).map(tuple),
    headers_only=st.booleans(),
    notes=st.lists(_texts, max_size=2).map(tuple),
)
