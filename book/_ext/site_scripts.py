"""Light pages: no script twice, none that the page has nothing for, and none that the first picture waits for."""

from __future__ import annotations

import os
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _JavaScript

# What in a page's content calls for a script (the end of its name).
_NEEDED_FOR = {
    "design-tabs.js": re.compile(r'class="[^"]*\bsd-tab-set\b'),
    "togglebutton.js": re.compile(r'class="[^"]*\b(?:toggle|dropdown admonition|admonition[^"]* dropdown)\b'),
    "clipboard.min.js": re.compile(r'class="[^"]*\bhighlight\b'),
    "copybutton.js": re.compile(r'class="[^"]*\bhighlight\b'),
}
_TOGGLE_SETTINGS = re.compile(r"(?:let|var) toggle")
# Inline scripts of the pages add to it.
_AT_ONCE = "documentation_options.js"


def lighten(_app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None) -> None:
    """Keep each script once, where the page needs it, and defer it."""
    body = context.get("body", "")
    unneeded = tuple(name for name, need in _NEEDED_FOR.items() if not need.search(body))

    def kept(script: _JavaScript) -> bool:
        if name := os.fspath(script.filename or ""):
            return not name.endswith(unneeded)
        return not ("togglebutton.js" in unneeded and _TOGGLE_SETTINGS.match(script.attributes.get("body", "")))

    once: dict[tuple[str, str | None], _JavaScript] = {}
    for script in sorted(context["script_files"], key=lambda script: script.priority):
        once.setdefault((os.fspath(script.filename or ""), script.attributes.get("body")), script)
    scripts = filter(kept, once.values())
    # The search page starts its search from an inline script.
    context["script_files"] = list(scripts if page == "search" else map(defer, scripts))


def defer(script: _JavaScript) -> _JavaScript:
    """Let a script wait for the page; deferred scripts run in their order."""
    name = os.fspath(script.filename or "")
    if not name or name.endswith(_AT_ONCE):
        return script
    return _JavaScript(name, priority=script.priority, **{**script.attributes, "defer": "defer"})


def setup(app: Sphinx) -> dict[str, Any]:
    # After every extension that adds scripts.
    app.connect("html-page-context", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
