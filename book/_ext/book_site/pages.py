"""Pages that assistive technology, search engines and previews of shared links can read.

Each page gets a description (its front matter's ``html_meta``, else its first plain paragraph) and Open Graph
tags. Formulas in the paragraph become Unicode; a paragraph whose formulas cannot is passed over.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from .addresses import published

IMAGE = "_static/og.png"
_LENGTH = 200
_GREEK = {
    "beta": "β",
    "eta": "η",
    "nu": "ν",
    "sigma": "σ",
    "Delta": "Δ",
    "infty": "∞",
    "tfrac12": "½",
    "frac12": "½",
    "max": "max",
    "to": "→",
    "le": "≤",
    "ge": "≥",
    ",": " ",
}


def plain_text(paragraph: nodes.paragraph) -> str | None:
    """Give a paragraph's text with its formulas in Unicode; None where a formula needs more than that."""
    parts = []
    for node in paragraph.findall(nodes.Text):
        text = node.astext()
        if isinstance(node.parent, (nodes.math, nodes.math_block)):
            text = re.sub(r"\\([A-Za-z]+\d*|,)", lambda found: _GREEK.get(found[1], found[0]), text)
            if re.search(r"[\\{}^_]", text):
                return None
        parts.append(text)
    # Citations read as such without a link.
    return re.sub(r"\[([^\[\]]*\d{4}[a-z]?)\]", r"(\1)", " ".join("".join(parts).split()))


def first_text(doctree: nodes.document | None) -> str:
    """Give the first paragraph of the page's own text, cut at a word to about 200 characters."""
    if doctree is None:
        return ""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, (nodes.section, nodes.document)):
            continue  # boxes, captions, table cells
        text = plain_text(paragraph)
        if text and len(text) > 40:
            return text if len(text) <= _LENGTH else text[:_LENGTH].rsplit(" ", 1)[0] + " …"
    return ""


def describe(app: Sphinx, page: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add description and Open Graph tags to the page's head."""
    own = re.search(r'<meta content="([^"]*)" name="description"', context.get("metatags", ""))
    site = str(app.config.html_title)
    description = unescape(own[1]) if own else first_text(doctree)
    if not description:
        description = f"{site}: an interactive book on the nonlinearities of deep networks."
    title = re.sub(r"<[^>]*>", "", str(context.get("title", "")) or site)
    tags = {
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:site_name": site,
        "og:title": unescape(title),
        "og:description": description,
        # Previews want whole addresses; without a published one the path is all there is.
        "og:image": published(app.config, IMAGE),
        "og:image:alt": "The plane of a small network: sharp polygons on the left, which melt towards the right.",
    }
    if (
        page not in app.env.found_docs
    ):  # the search, the index and the page for missing addresses have no lasting place
        context["pageurl"] = None
    elif app.config.html_baseurl:
        tags["og:url"] = published(app.config, app.builder.get_target_uri(page))
    lines = [f'<meta property="{name}" content="{escape(value)}" />' for name, value in tags.items()]
    if not own:
        lines.insert(0, f'<meta name="description" content="{escape(description)}" />')
    context["metatags"] = "\n    ".join([context.get("metatags", ""), *lines])


def mend(body: str) -> str:
    """Mend the body of a page.

    * Bibliography entries: ``doc-biblioentry`` is no child of a list for browsers; ``listitem`` is.
    * Folded cells: the name of their switch must be the words that stand on it.
    * Task lists: their check boxes have no name.
    """
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    return re.sub(r'(<input\b[^>]*\bclass="task-list-item-checkbox")', r'\1 aria-label="Task"', body)
