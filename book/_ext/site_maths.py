"""Formulas without another host: MathJax from the site itself, and only on pages that have formulas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from hardtosoft.interactive.plotly import copy_mathjax


def stage(app: Sphinx) -> None:
    """Lay MathJax out where Sphinx collects static files."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir).parent / ".cache" / "static-maths"
    copy_mathjax(static / "mathjax")
    app.config.html_static_path.append(str(static))


def drop_unused(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Take MathJax and its settings off pages without formulas."""
    if 'class="math' in context.get("body", ""):
        return
    context["script_files"] = [
        script
        for script in context["script_files"]
        if os.fspath(script.filename or "") != f"_static/{app.config.mathjax_path}"
        and not script.attributes.get("body", "").startswith("window.MathJax")
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", stage)
    # After every extension that adds scripts.
    app.connect("html-page-context", drop_unused, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
