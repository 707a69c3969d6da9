"""The page in a real headless Chromium: it renders, asks for nothing, its links lead somewhere, and axe finds no fault.

Skipped where Playwright or a browser is missing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from npzschema.validator.reporters import REPORTERS, Style

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = os.environ.get("NPZSCHEMA_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "google-chrome"))), ""
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CODES = ["", "FORMAT-001", "PHYS-002", "PHYS-003", "SCAN-001", "SCAN-006", "VALUE-001", "VALUE-004", "FILE-002"]
GRAVE = {"serious", "critical"}

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH, and NPZSCHEMA_CHROMIUM names none")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as held:
        started = held.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page of reports; what it asks for and complains of is kept beside it."""
    contexts = []

    def opened(*reports, scheme="light", width=1000):
        path = tmp_path / "report.html"
        path.write_text(REPORTERS["html"].render(reports, Style()), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        # A slow machine is no fault of the page.
        context.set_default_timeout(300_000)
        page = context.new_page()
        page.complaints, page.asked = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda request: page.complaints.append(request.url))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        page.own = path.as_uri()
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("code", CODES)
def test_it_renders_in_silence_and_asks_for_nothing(report_of, opened, code):
    page = opened(report_of(code))
    assert page.complaints == []
    assert [url for url in page.asked if not url.startswith("data:")] == [page.own]
    assert page.locator("h1").is_visible()
    broken = page.evaluate(
        """async () => {
             const failed = [];
             for (const image of document.querySelectorAll('svg image')) {
               const probe = new Image();
               probe.src = image.getAttribute('href');
               try { await probe.decode(); } catch (error) { failed.push(String(error)); }
             }
             return failed;
           }"""
    )
    assert broken == []
    for drawing in page.locator("svg").all():
        box = drawing.bounding_box()
        assert box["width"] > 60
        assert box["height"] > 40


def test_the_policy_of_the_page_forbids_what_others_might_smuggle_in(report_of, opened):
    """What holds even where escaping failed: the browser itself refuses scripts and other addresses."""
    page = opened(report_of(""))
    page.evaluate(
        """() => {
             const image = document.createElement('img');
             image.src = 'https://example.invalid/a.png';
             document.body.append(image);
             const script = document.createElement('script');
             script.textContent = 'window.ran = true';
             document.body.append(script);
           }"""
    )
    page.wait_for_function("() => true")
    assert not page.evaluate("() => 'ran' in window")
    assert len(page.complaints) >= 2
    assert all("Content Security Policy" in one or "example.invalid" in one for one in page.complaints)


@pytest.mark.parametrize("code", ["FORMAT-001", "PHYS-002", "SCAN-006"])
def test_findings_lead_to_their_pictures_and_back_by_keyboard(report_of, opened, code):
    page = opened(report_of(code))
    finding = page.locator(".finding", has_text=code).first
    link = finding.locator(".see a").first
    name = link.get_attribute("href")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(page.own + name)
    figure = page.locator(f"figure{name}")
    assert figure.evaluate(
        "one => one.getBoundingClientRect().top < innerHeight && one.getBoundingClientRect().top > -5"
    )
    assert figure.locator("svg").first.is_visible()
    figure.locator(".back a", has_text=code).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(page.own + "#" + finding.get_attribute("id"))


def test_the_first_tab_stop_skips_to_the_report(report_of, opened):
    page = opened(report_of(""), report_of("SCAN-005"))
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"


@pytest.mark.parametrize("code", ["", "FORMAT-001", "SCAN-001"])
@pytest.mark.parametrize("width", [320, 400, 1000])
def test_nothing_overflows_sideways(report_of, opened, code, width):
    page = opened(report_of(code), width=width)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_dark_is_dark_and_light_is_light(report_of, opened):
    def brightness(scheme):
        page = opened(report_of(""), scheme=scheme)
        colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness("dark") < 150
    assert brightness("light") > 600


def test_it_prints(report_of, opened):
    page = opened(report_of("FORMAT-001"), scheme="dark")
    page.emulate_media(media="print")
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("codes", [[code] for code in CODES] + [["", "FORMAT-001", "FILE-002"]], ids="+".join)
def test_axe_finds_no_serious_fault(report_of, opened, codes, scheme):
    pytest.importorskip("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    page = opened(*map(report_of, codes), scheme=scheme)
    found = Axe().run(page).response
    assert len(found["passes"]) > 15, "axe looked at the page"
    told = [
        (one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3])
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]
    assert told == []


def test_axe_would_tell(report_of, opened):
    pytest.importorskip("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    page = opened(report_of(""))
    page.evaluate("() => document.querySelectorAll('svg').forEach(one => one.removeAttribute('aria-label'))")
    assert "svg-img-alt" in {one["id"] for one in Axe().run(page).response["violations"]}


def test_hostile_names_do_nothing(opened):
    from npzschema.validator.findings import Finding, Report

    evil = "\"><script>document.title='owned'</script><img src=https://example.invalid/x onerror=alert(1)>"
    page = opened(
        Report(
            path=evil,
            verdict="violations",
            findings=(Finding(code=evil, level="error", message=evil, pointer=evil, remedy=evil, array=evil),),
        )
    )
    assert page.complaints == []
    assert page.title() == f"{Path(evil).name}: violations \N{EN DASH} npzschema report"
    assert page.locator("script, img").count() == 0
    assert [url for url in page.asked if url != page.own] == []
