"""The page without a browser: what stands in it, where it links, how large it is, and that nothing of others runs."""

from __future__ import annotations

import base64
import importlib.util
import io
import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from npzschema.contracts import rules
from npzschema.terminal import UsageError
from npzschema.validator.cli import run
from npzschema.validator.engine import validate
from npzschema.validator.findings import ArrayFacts, Finding, Report
from npzschema.validator.reporters import REPORTERS, Style

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
Pillow = pytest.importorskip("PIL.Image")

RULES = [code for code in rules() if code != "INTERNAL-001"]
LARGEST = 3 << 20
VOID = {"meta", "link", "br", "img", "input", "hr", "image"}

SEEN_IN = {
    "FORMAT-001": {"axis-order"},
    "FORMAT-002": {"axis-order"},
    "VALUE-001": {"worst-frames", "totals"},
    "VALUE-002": {"worst-frames", "totals", "histogram"},
    "VALUE-003": {"worst-frames", "totals", "histogram"},
    "VALUE-004": {"object"},
    "NORM-001": {"histogram", "forward-model"},
    "NORM-002": {"histogram", "totals"},
    "SCAN-001": {"object", "positions"},
    "SCAN-002": {"object", "positions"},
    "SCAN-003": {"positions"},
    "SCAN-004": {"positions"},
    "SCAN-005": {"worst-frames", "totals", "object"},
    "SCAN-006": {"worst-frames", "totals", "object"},
    "SCAN-007": {"worst-frames", "totals", "object"},
    "SCAN-008": {"probe", "positions"},
    "PHYS-001": {"forward-model"},
    "PHYS-002": {"forward-model", "positions", "object"},
    "PHYS-003": {"forward-model", "mean-pattern"},
    "PHYS-004": {"forward-model", "mean-pattern"},
}


class Page(HTMLParser):
    """Elements with their attributes, the text, and for each element with an id the links inside it."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open, self.inside = [], [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append((tag, attributes.get("id")))
        if "id" in attributes:
            self.inside.setdefault(attributes["id"], set())
        if tag == "a":
            for _, name in self.open:
                if name:
                    self.inside[name].add(attributes["href"])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1][0] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def values(self, attribute):
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


def rendered(*reports):
    text = REPORTERS["html"].render(reports, Style())
    return text, Page(text)


def finding(**changed):
    told = {"code": "KEY-003", "level": "info", "message": "m", "pointer": "/arrays", "remedy": "r"}
    return Finding(**(told | changed))


@pytest.mark.parametrize("code", ["", *RULES])
def test_every_rule_has_a_sound_small_page(report_of, code):
    report = report_of(code)
    text, page = rendered(report)
    assert page.open == []
    assert len(text.encode()) < LARGEST
    ids = Counter(page.values("id"))
    assert max(ids.values()) == 1
    assert {href.removeprefix("#") for href in page.values("href") if not href.startswith("data:")} <= set(ids)
    assert report.verdict in page.text
    for one in report.findings:
        assert one.code in page.text
        assert " ".join(rules()[one.code].why.split()) in page.text
        assert one.message in page.text
        assert one.remedy in page.text


@pytest.mark.parametrize("code", sorted(SEEN_IN))
def test_findings_link_to_their_pictures_and_pictures_back(report_of, code):
    report = report_of(code)
    _, page = rendered(report)
    (number,) = [at for at, one in enumerate(report.findings, start=1) if one.code == code]
    anchor = f"file-1-finding-{number}"
    pictures = {f"file-1-{key}" for key in SEEN_IN[code]}
    assert {f"#{one}" for one in pictures} <= page.inside[anchor]
    for picture in pictures:
        assert f"#{anchor}" in page.inside[picture]


def test_a_probe_without_phase_is_seen_in_its_picture(datasets):
    arrays = datasets.canonical()
    report = validate(arrays | {"probeGuess": np.abs(arrays["probeGuess"])}, "ptychopinn/canonical", pictures=True)
    _, page = rendered(report)
    (number,) = [at for at, one in enumerate(report.findings, start=1) if one.code == "DTYPE-001"]
    assert page.inside[f"file-1-finding-{number}"] == {"#file-1-probe"}
    assert "there is no phase to show" in page.text


def test_pictures_that_show_a_finding_come_first(report_of):
    _, page = rendered(report_of("SCAN-001"))
    order = [name for name in page.values("id") if re.fullmatch(r"file-1-[a-z-]+", name)]
    figures = [name for tag, attributes in page.elements if tag == "figure" for name in [attributes["id"]]]
    assert [name for name in order if name in figures] == figures
    linked = [any(href.startswith("#file-1-finding-") for href in page.inside[name]) for name in figures]
    assert linked == sorted(linked, reverse=True)
    assert {True, False} == set(linked)


@pytest.mark.parametrize("code", ["", "FORMAT-001", "PHYS-002", "FILE-002"])
def test_nothing_leads_out_of_the_page_and_nothing_runs(report_of, code):
    text, page = rendered(report_of(code))
    for href in [*page.values("href"), *page.values("src")]:
        assert href.startswith(("#", "data:image/png;base64,"))
    assert "url(" not in text
    assert "@import" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert [tag for tag, _ in page.elements if tag in {"script", "iframe", "object", "embed", "link", "form"}] == []
    policy = [
        attributes["content"] for tag, attributes in page.elements if tag == "meta" and "http-equiv" in attributes
    ]
    assert policy == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    ]


def test_the_same_report_gives_the_same_bytes(report_of):
    assert rendered(report_of("PHYS-002"))[0] == rendered(report_of("PHYS-002"))[0]


def test_names_of_others_are_text_and_nothing_else():
    evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&{{ 7*7 }}'\u202e\x07"
    report = Report(
        path=f"/tmp/{evil}.npz",
        verdict="violations",
        contract=evil,
        contract_version=evil,
        contract_reason=evil,
        recognised=(evil,),
        binding={evil: 3},
        arrays={evil: ArrayFacts(name=evil, dtype=evil, shape=(1,), axes=(evil,), reads_as=evil, quantity=evil)},
        findings=(
            finding(
                array=evil,
                message=evil,
                expected=evil,
                found=evil,
                evidence=evil,
                pointer=evil,
                remedy=evil,
                frames=(1,),
            ),
        ),
        notes=(evil,),
    )
    text, page = rendered(report, report)
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "img"})
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert "\u202e" not in text
    assert "\x07" not in text
    visible = evil.replace("\u202e", "\\u202e").replace("\x07", "\\x07")
    assert page.text.count(visible) > 20
    assert "49" not in page.text


def test_an_array_with_a_hostile_name_in_a_file(datasets):
    name = "<b onclick=alert(1)>x"
    report = validate(datasets.saved(datasets.canonical() | {name: np.zeros(3)}), pictures=True)
    _, page = rendered(report)
    assert name in page.text
    assert [one for one in page.elements if one[0] == "b" and "onclick" in one[1]] == []


def test_images_hold_the_levels_of_the_report(report_of):
    report = report_of("")
    (probe,) = [one for one in report.pictures if one.key == "probe"]
    text, _ = rendered(replace(report, pictures=(probe,)))
    uris = re.findall(r'href="data:image/png;base64,([^"]+)"', text)
    assert len(uris) == 2
    for uri, panel in zip(uris, probe.panels, strict=True):
        with Pillow.open(io.BytesIO(base64.b64decode(uri))) as image:
            assert image.mode == "P"
            np.testing.assert_array_equal(np.asarray(image), panel.levels.array())
            colours = np.array(image.convert("RGBA"))
        masked = panel.levels.array() == 254
        assert (colours[..., 3] == np.where(masked, 0, 255)).all()


def test_every_image_and_plot_has_a_text(report_of):
    _, page = rendered(report_of("FORMAT-001"))
    drawings = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(drawings) >= 15
    assert all(one["role"] == "img" and len(one["aria-label"]) > 30 for one in drawings)


def test_several_files_have_a_table_of_contents(report_of):
    reports = [report_of(code) for code in ("", "SCAN-005", "FILE-002")]
    _, page = rendered(*reports)
    assert [tag for tag, _ in page.elements].count("nav") == 1
    assert [href for href in page.values("href") if re.fullmatch(r"#file-\d", href)] == [
        "#file-1",
        "#file-2",
        "#file-3",
    ]
    assert "3 files checked" in page.text
    assert page.text.count("unreadable") >= 2


def test_one_file_needs_none(report_of):
    _, page = rendered(report_of(""))
    assert "nav" not in [tag for tag, _ in page.elements]
    assert [tag for tag, _ in page.elements].count("h1") == 1


def test_headings_go_down_one_level_at_a_time(report_of):
    for reports in ([report_of("FORMAT-001")], [report_of("FORMAT-001"), report_of("")]):
        _, page = rendered(*reports)
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_a_report_saved_without_pictures_says_how_to_get_them(report_of):
    _, page = rendered(replace(report_of(""), pictures=None))
    assert "made without pictures" in page.text
    assert "--pictures" in page.text
    assert "figure" not in [tag for tag, _ in page.elements]


def test_what_is_not_shown_is_listed_with_its_reason(report_of):
    _, page = rendered(report_of("VALUE-004"))
    assert "Measured and predicted : objectGuess is a placeholder." in page.text.replace(" :", " :")


@pytest.mark.parametrize("code", ["FILE-001", "FILE-002", "FILE-011"])
def test_an_unreadable_file_says_so_in_place_of_pictures(report_of, code):
    _, page = rendered(report_of(code))
    assert "There is nothing to look at: the file could not be read." in page.text


def test_headers_only_says_so_in_place_of_pictures(datasets):
    _, page = rendered(validate(datasets.canonical(), headers_only=True, pictures=True))
    assert "only headers were read" in page.text


def test_known_findings_are_told_as_known():
    told = (finding(level="error"), finding(level="error", known="old <b>"), finding(known=""))
    text, page = rendered(Report(path="p.npz", verdict="violations", findings=told))
    assert "2 errors and 1 note, 2 of them known" in page.text
    assert text.count('<span class="level known">known</span>') == 2
    assert "old <b>" in page.text
    assert page.text.count("The baseline gives no reason.") == 1


@pytest.mark.parametrize("count", [20, 150])
def test_many_files_stay_small_and_the_grave_ones_keep_their_pictures(report_of, count):
    reports = [report_of("") for _ in range(count)] + [report_of("FORMAT-001")]
    text, page = rendered(*reports)
    assert len(text.encode()) < LARGEST
    assert f"file-{count + 1}-axis-order" in page.values("id")
    assert ("Left out, so that the page stays small" in page.text) == (count == 150)


@pytest.mark.parametrize("count", [1_000, 5_000])
def test_very_many_files_are_listed_only(count):
    """A page of 3,000 files took 28 MB."""
    findings = tuple(finding(array=one) for one in "abcdef")
    bad = Report(path='run "1" <a>.npz' * 5, verdict="violations", findings=findings)
    reports = [Report(path="good.npz", verdict="valid", findings=())] * count + [bad] * (count // 2)
    text, page = rendered(*reports)
    assert len(text.encode()) < LARGEST
    anchors = [f"file-{at}" for at in range(1, len(reports) + 1)]
    told = set(anchors) & set(page.values("id"))
    assert f"file-{count + 1}" in told, "the gravest"
    assert "file-1" not in told
    assert {href.removeprefix("#") for href in page.values("href") if not href.startswith("data:")} <= set(
        page.values("id")
    )
    assert f"{len(reports):,} files checked" in page.text
    listed = min(len(reports), 2_000)
    assert f"Of {listed - len(told):,} files this list is all" in page.text
    assert (f"{len(reports) - listed:,} more files are not listed" in page.text) == (len(reports) > listed)


def test_hostile_counts_and_lengths_stay_small():
    many = tuple(
        finding(array=f"a{at}", message="x" * 60_000, frames=tuple(range(0, 20_000, 2))) for at in range(5_000)
    )
    arrays = {f"a{at}": ArrayFacts(name="y" * 60_000, dtype="int8", shape=(1,)) for at in range(5_000)}
    text, page = rendered(Report(path="p.npz", verdict="violations", findings=many, arrays=arrays))
    assert len(text.encode()) < LARGEST
    assert "4,800 more findings are left out here" in page.text
    assert "4,800 more arrays are left out here" in page.text


@pytest.mark.parametrize("char", ['"', "\u6e2c", "\U000e0001", "x"])
def test_texts_that_grow_in_the_page_stay_small(char):
    evil = char * 1_500
    told = dict.fromkeys(("message", "expected", "found", "evidence", "pointer", "remedy", "known"), evil)
    arrays = {f"{at:03d}{evil}": ArrayFacts(name=f"{at:03d}{evil}", dtype="int8", shape=(1,)) for at in range(300)}
    report = Report(path=evil, verdict="violations", findings=(finding(**told),) * 300, arrays=arrays)
    text, page = rendered(report, report)
    assert len(text.encode()) < LARGEST
    assert "000" in page.text
    assert "\N{HORIZONTAL ELLIPSIS}" in page.text


@pytest.mark.parametrize("side", [256, 1024])
def test_large_frames_and_objects_stay_small(side):
    """Noise compresses worst."""
    rng = np.random.default_rng(1)
    arrays = {
        "diffraction": rng.gamma(1, size=(12, side, side)).astype(np.float32),
        "probeGuess": (rng.normal(size=(side, side)) * np.exp(1j * rng.normal(size=(side, side)))).astype(np.complex64),
        "objectGuess": (rng.normal(size=(1200, 1300)) * np.exp(1j * rng.normal(size=(1200, 1300)))).astype(
            np.complex64
        ),
        "xcoords": rng.uniform(side / 2, 1300 - side / 2, 12),
        "ycoords": rng.uniform(side / 2, 1200 - side / 2, 12),
    }
    arrays["diffraction"][3, 5, 5] = np.nan
    text, page = rendered(validate(arrays, "ptychopinn/canonical", pictures=True))
    assert len(text.encode()) < LARGEST
    assert "file-1-worst-frames" in page.values("id")


def test_the_command_writes_a_page(datasets, tmp_path):
    path, out = tmp_path / "a.npz", tmp_path / "a.html"
    path.write_bytes(datasets.saved(datasets.canonical()))
    stdout, stderr = io.StringIO(), io.StringIO()
    assert run(["--format", "html", "--output", str(out), str(path)], stdout, stderr) == 0
    assert stdout.getvalue() == stderr.getvalue() == ""
    page = Page(out.read_text(encoding="utf-8"))
    assert "Nothing deviates from the contract." in page.text
    assert "file-1-probe" in page.values("id")


def test_json_has_pictures_only_when_asked(datasets, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(datasets.saved(datasets.canonical()))
    held = []
    for options in ([], ["--pictures"]):
        stdout = io.StringIO()
        run(["--format", "json", *options, str(path)], stdout, io.StringIO())
        held.append(json.loads(stdout.getvalue())["files"][0])
    assert "pictures" not in held[0]
    assert {one["key"] for one in held[1]["pictures"]} >= {"probe", "object", "totals"}


def test_a_file_name_that_is_no_text_is_shown_as_an_escape():
    name = Report(path="good\udcff.npz", verdict="valid")
    assert "good\\xff.npz" in rendered(name, name)[1].text


@pytest.mark.parametrize("argv", [["no-such-file.npz"], ["--from-report", "no-such-file.json"]])
def test_a_missing_library_is_one_line_before_any_file_is_read(monkeypatch, argv):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jinja2" else found(name))
    with pytest.raises(UsageError) as told:
        run(["--format", "html", *argv], io.StringIO(), io.StringIO())
    assert str(told.value) == "--format html needs jinja2, not installed here: pip install 'npzschema[report]'"
