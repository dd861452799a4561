"""Light pages: no script twice, none that the page has nothing for, and none that the first picture waits for."""

from __future__ import annotations

import os
import re
from typing import Any

from sphinx.builders.html._assets import _JavaScript

_TOGGLE = r'class="[^"]*\b(?:toggle|dropdown admonition|admonition[^"]* dropdown)\b'
# What in a page's body calls for a script: for one whose address ends so, or that begins so where it is inline.
_NEEDED_FOR = {
    "design-tabs.js": r'class="[^"]*\bsd-tab-set\b',
    "togglebutton.js": _TOGGLE,
    "let toggle": _TOGGLE,
    "var toggle": _TOGGLE,
    "clipboard.min.js": r'class="[^"]*\bhighlight\b',
    "copybutton.js": r'class="[^"]*\bhighlight\b',
    "mathjax/startup.js": r'class="math\b',
    "window.MathJax": r'class="math\b',
}
# Inline scripts of the pages add to it.
_AT_ONCE = "documentation_options.js"


def lighten(page: str, context: dict[str, Any]) -> None:
    """Keep each script once, where the page needs it, and defer it."""
    body = context.get("body", "")
    unneeded = tuple(name for name, need in _NEEDED_FOR.items() if not re.search(need, body))
    once: dict[tuple[str, str], _JavaScript] = {}
    for script in sorted(context["script_files"], key=lambda script: script.priority):
        name, inline = os.fspath(script.filename or ""), script.attributes.get("body") or ""
        if not (name.endswith(unneeded) if name else inline.startswith(unneeded)):
            once.setdefault((name, inline), script)
    # The search page starts its search from an inline script.
    context["script_files"] = list(once.values() if page == "search" else map(defer, once.values()))


def defer(script: _JavaScript) -> _JavaScript:
    """Let a script wait for the page; deferred scripts run in their order."""
    name = os.fspath(script.filename or "")
    if not name or name.endswith(_AT_ONCE):
        return script
    return _JavaScript(name, priority=script.priority, **{**script.attributes, "defer": "defer"})
