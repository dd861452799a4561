"""Interactive figures in built pages: their driver, their style sheet and the plotting runtime.

Their style becomes part of the site's style sheet. A page with a figure gets the script ``figure.js``: asked for in
the head, run right behind the first figure, whose sliders answer while the rest of the page is still coming. The
script's own ``data-plotly`` attribute names the plotting runtime beside it, which it loads when a figure nears the
screen.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from hardtosoft.interactive import driver, plotly

_FIRST_FIGURE = re.compile(r'<figure class="[^"]*\bhts-figure\b.*?</figure>', re.DOTALL)


def stage(app: Sphinx) -> None:
    """Lay the runtime and the driver out where Sphinx collects static files."""
    if app.builder.format != "html":
        return
    cache = Path(app.outdir).parent / ".cache"
    static = cache / "static-figures"
    bundle = plotly.plotly_bundle(plotly.cache_dir())
    plotly.refresh(bundle, static / bundle.name)
    (static / "figure.js").write_text(driver.page_script(), encoding="utf-8")
    (static / "figure.css").write_text(driver.page_style(), encoding="utf-8")
    app.config.html_static_path.append(str(static))


def add_to_page(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Run the driver behind the page's first figure; a page without figures gets none."""
    first = _FIRST_FIGURE.search(context.get("body", ""))
    if not first:
        return
    version = sha256(driver.page_script().encode()).hexdigest()[:8]
    address = f"{context['pathto']('_static/figure.js', resource=True)}?v={version}"
    early = f'<link rel="preload" as="script" href="{address}" fetchpriority="high" />'
    script = f'<script src="{address}" data-plotly="{plotly.PLOTLY_BUNDLE}"></script>'
    context["metatags"] = f"{early}\n    {context.get('metatags', '')}"
    context["body"] = context["body"][: first.end()] + script + context["body"][first.end() :]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", stage)
    app.connect("html-page-context", add_to_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
