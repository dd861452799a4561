"""The book's Sphinx extension: what it does to a build, in the order in which it is done."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from . import (
    addresses,
    build,
    chapters,
    citations,
    claim_index,
    figures,
    glossary,
    icons,
    launch,
    maths,
    names,
    pages,
    progress,
    reference,
    scripts,
    styles,
)
from .benchmark_page import BenchmarkPart


def stage(app: Sphinx) -> None:
    """Lay out what Sphinx is to collect as static files."""
    if app.builder.format == "html":
        static = Path(app.outdir).parent / ".cache" / "static"
        shutil.rmtree(static, ignore_errors=True)
        static.mkdir(parents=True)
        figures.write(static)
        icons.write(static)
        maths.copy_mathjax(static / Path(app.config.mathjax_path).parent)
        app.config.html_static_path.append(str(static))


def finish_page(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Finish a page before it is written: its body first, by which the scripts that it needs are chosen then."""
    site = Path(app.outdir)
    if "body" in context:
        figures.add_driver(context)
        figures.move_states_out(site, context)
        scripts.move_out(site / "_static", context)
        launch.add_block(app, page, context)
        chapters.add_line(app, page, context)
        context["body"] = reference.mend_signatures(pages.mend(context["body"]))
        context["body"] = names.link_code(app, page, context["body"])
    scripts.lighten(site / "_static", context)
    pages.describe(app, page, context, doctree)


def finish_site(app: Sphinx, error: Exception | None) -> None:
    """Finish the site: what no page asks for goes first, for the sheet keeps the rules for all that is there.

    Check sums come last, when every file is as it will be.
    """
    if error is None and app.builder.format == "html":
        site = Path(app.outdir)
        icons.drop_originals(site)
        styles.write(site)
        addresses.stamp_pages(site, app.config.notfound_urls_prefix)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect all of it. Priorities say only what comes before or after other extensions, whose hooks have 500."""
    build.prepare(app)
    reference.prepare(app)
    app.add_directive("benchmark", BenchmarkPart)
    app.add_directive("claim-index", claim_index.ClaimIndex)
    app.add_directive("words", glossary.Words)
    app.add_node(glossary.Explained, html=(glossary.visit, glossary.depart))
    app.connect("config-inited", addresses.settle, priority=100)  # notfound.extension reads it
    app.connect("config-inited", launch.configure)
    app.connect("config-inited", build.declare)
    app.connect("builder-inited", stage)
    app.connect("env-get-outdated", build.outdated)
    app.connect("env-before-read-docs", progress.begin)
    app.connect("doctree-read", progress.page_read)
    app.connect("doctree-read", reference.link_papers)
    app.connect("env-updated", progress.all_read)
    app.connect("env-updated", reference.add_aliases)
    app.connect("source-read", citations.as_roles)
    app.connect("doctree-resolved", claim_index.link_figures)
    app.connect("doctree-resolved", names.link_text)
    app.connect("doctree-resolved", glossary.explain)
    app.connect("html-page-context", finish_page, priority=900)  # other extensions have added their scripts
    app.connect("build-finished", finish_site, priority=900)  # the theme has written its last sheet
    app.connect("build-finished", progress.end, priority=1000)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
