"""Draw the pictures of docs/html_report.md: HTML reports of simulated files, as a browser shows them.

python docs/draw_report.py [chromium]

Needs pip install 'npzschema[report,browser]' and a Chromium, by default /usr/bin/chromium.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from npzschema.generator.simulate import Experiment, counts, truth
from npzschema.validator import validate
from npzschema.validator.reporters.html import render
from npzschema.validator.reporters.style import Style

Arrays = dict[str, Any]
IMAGES: Final = Path(__file__).resolve().parent / "images"
FLAGS: Final = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main() -> None:
    """Make all pictures anew."""
    chromium = sys.argv[1] if len(sys.argv) > 1 else "/usr/bin/chromium"
    good = _simulated()
    frames = good["diffraction"].copy()
    frames[20] = 0
    frames[41, 12, 50] = 8.5
    frames[7, 30:34, 20:60] = np.nan
    files = {
        "legacy": good | {"diffraction": np.ascontiguousarray(good["diffraction"].transpose(1, 2, 0))},
        "swapped": good | {"xcoords": good["ycoords"], "ycoords": good["xcoords"]},
        "frames": good | {"diffraction": frames},
    }
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, scheme, width, parts in (
            ("legacy", "light", 900, ["header.file, .finding", "#file-1-axis-order"]),
            ("swapped", "dark", 900, [".finding", "#file-1-forward-model"]),
            ("frames", "light", 900, ["#file-1-worst-frames", "#file-1-totals"]),
            ("frames", "dark", 400, ["header.file, .finding"]),
        ):
            context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
            page = context.new_page()
            page.goto(_page(Path(folder), name, files[name]).as_uri())
            _shoot(page, parts, IMAGES / f"report_{name}{'_narrow' if width < 500 else ''}.png", scheme)
            context.close()
        browser.close()


def _simulated() -> Arrays:
    experiment = Experiment(positions=64, size=64, photons=2e5, object="siemens", scan="fermat", seed=4)
    made = truth(experiment)
    measured = np.sqrt(np.concatenate(list(counts(experiment, made))))
    return {
        "diffraction": (measured / measured.max()).astype(np.float32),
        "probeGuess": made.probe.astype(np.complex64),
        "objectGuess": made.object.astype(np.complex64),
        "xcoords": made.x,
        "ycoords": made.y,
    }


def _page(folder: Path, name: str, arrays: Arrays) -> Path:
    file = folder / f"{name}.npz"
    np.savez(file, **arrays)
    report = validate(file, "ptychopinn/canonical", pictures=True, axes=None)
    page = folder / f"{name}.html"
    page.write_text(render([report], Style()).replace(f"{folder}/", ""), encoding="utf-8")
    return page


def _shoot(page: Page, parts: list[str], target: Path, scheme: str) -> None:
    """The first of each kind of part below each other, in few colours: the file stays small."""
    shots = []
    for part in parts:
        for selector in part.split(", "):
            shot = target.with_suffix(".part.png")
            page.locator(selector).first.screenshot(path=shot)
            with Image.open(shot) as image:
                shots.append(image.convert("RGB"))
            shot.unlink()
    gap = 16
    back = (19, 21, 23) if scheme == "dark" else (247, 247, 245)
    size = max(one.width for one in shots) + 2 * gap, sum(one.height + gap for one in shots) + gap
    whole = Image.new("RGB", size, back)
    at = gap
    for one in shots:
        whole.paste(one, (gap, at))
        at += one.height + gap
    whole.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
