"""One self-contained HTML page to look at. It fetches nothing and runs nothing: no script, no font, no link outwards.

Needs jinja2, matplotlib (colour maps, ticks) and Pillow (PNG): the extra ``report``.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from typing import Any, Final

from npzschema import __version__

from ...escape import escape
from ...findings import Report
from ..style import Style

_LIBRARIES: Final = ("jinja2", "matplotlib", "PIL")


def missing() -> str:
    """What must be installed before a page can be made, in one line; empty where nothing is missing."""
    absent = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if not absent:
        return ""
    return f"--format html needs {', '.join(absent)}, not installed here: pip install 'npzschema[report]'"


def render(reports: Sequence[Report], style: Style) -> str:
    """The page. The same reports give the same page.

    Raises:
        ImportError: a library is missing; :func:`missing` tells beforehand.
    """
    import jinja2
    from markupsafe import Markup

    from .page import counts_words, view_of
    from .raster import gradient

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__, "."),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    sheet = resources.files(__name__).joinpath("style.css").read_text(encoding="utf-8")
    verdicts = Counter(report.verdict for report in reports)
    return environment.get_template("report.html.j2").render(
        page=view_of(reports),
        total=len(reports),
        verdicts=verdicts,
        counts=counts_words(finding for report in reports for finding in report.findings),
        version=__version__,
        style=Markup(sheet),  # noqa: S704 - it ships with the package
        gradients={scale: gradient(scale) for scale in ("linear", "log", "phase")},
    )


def _visible(value: Any) -> Any:
    """Text of others without characters that cannot be seen; autoescape does the rest. Markup is ours."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else escape(value)
