"""Interactive figures in built pages: their driver, their style sheet and the plotting runtime.

Their style becomes part of the site's style sheet. A page with a figure gets the deferred script ``figure.js``. The
script's own ``data-plotly`` attribute names the plotting runtime beside it, which it loads when a figure nears the
screen.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import hardtosoft.assets
from hardtosoft import driver

_FIGURE = re.compile(r'class="[^"]*\bhts-figure\b')


def stage(app: Sphinx) -> None:
    """Lay the runtime and the driver out where Sphinx collects static files."""
    if app.builder.format != "html":
        return
    cache = Path(app.outdir).parent / ".cache"
    static = cache / "static-figures"
    bundle = hardtosoft.assets.plotly_bundle(hardtosoft.assets.cache_dir())
    hardtosoft.assets.refresh(bundle, static / bundle.name)
    (static / "figure.js").write_text(driver.page_script(), encoding="utf-8")
    (static / "figure.css").write_text(driver.page_style(), encoding="utf-8")
    app.config.html_static_path.append(str(static))


def add_to_page(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Load the driver on pages that have a figure, and on no other."""
    if _FIGURE.search(context.get("body", "")):
        attributes: dict[str, Any] = {"data-plotly": hardtosoft.assets.PLOTLY_BUNDLE, "fetchpriority": "high"}
        # Before all other scripts: the sliders are what a reader came for.
        app.add_js_file("figure.js", priority=50, defer="defer", **attributes)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", stage)
    app.connect("html-page-context", add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
