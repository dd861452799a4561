"""Accessible HTML where Sphinx's own falls short of WCAG 2.1 A and AA."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def mend(body: str) -> str:
    """Mend the body of a page.

    * Bibliography entries: ``doc-biblioentry`` is no child of a list for browsers; ``listitem`` is.
    * Folded cells: the name of their switch must be the words that stand on it.
    * Task lists: their check boxes have no name.
    """
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    return re.sub(r'(<input\b[^>]*\bclass="task-list-item-checkbox")', r'\1 aria-label="Task"', body)


def mend_page(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Mend a page before it is written."""
    if "body" in context:
        context["body"] = mend(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", mend_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
