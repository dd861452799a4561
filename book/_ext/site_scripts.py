"""Light pages: no script twice, and none that the page has nothing for."""

from __future__ import annotations

import os
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# What in a page's content calls for a script or style sheet (the end of its name).
_NEEDED_FOR = {
    "design-tabs.js": re.compile(r'class="[^"]*\bsd-tab-set\b'),
    "togglebutton.js": re.compile(r'class="[^"]*\b(?:toggle|dropdown admonition|admonition[^"]* dropdown)\b'),
    "togglebutton.css": re.compile(r'class="[^"]*\b(?:toggle|dropdown admonition|admonition[^"]* dropdown)\b'),
    "sphinx-design.min.css": re.compile(r'class="[^"]*\bsd-'),
    "clipboard.min.js": re.compile(r'class="[^"]*\bhighlight\b'),
    "copybutton.js": re.compile(r'class="[^"]*\bhighlight\b'),
    "copybutton.css": re.compile(r'class="[^"]*\bhighlight\b'),
}
_TOGGLE_SETTINGS = re.compile(r"(?:let|var) toggle")


def lighten(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Keep each script and style sheet once, where the page needs it."""
    body = context.get("body", "")
    unneeded = tuple(name for name, need in _NEEDED_FOR.items() if not need.search(body))

    def kept(asset: Any) -> bool:
        name = os.fspath(asset.filename or "")
        if name:
            return not name.endswith(unneeded) if unneeded else True
        return not ("togglebutton.js" in unneeded and _TOGGLE_SETTINGS.match(asset.attributes.get("body", "")))

    for kind in ("script_files", "css_files"):
        assets = sorted(context[kind], key=lambda asset: asset.priority)
        once = {(os.fspath(asset.filename or ""), asset.attributes.get("body")): asset for asset in assets[::-1]}
        context[kind] = [asset for asset in list(once.values())[::-1] if kept(asset)]


def setup(app: Sphinx) -> dict[str, Any]:
    # After every extension that adds scripts.
    app.connect("html-page-context", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
