"""Light pages: no script twice, none that the page has nothing for, and none that the first picture waits for.

Nor has a page any script in itself, which a strict content security policy (``script-src 'self'``) would stop: what
theme and extensions write into pages goes into one small file, the only one that runs before the page is there.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from sphinx.builders.html._assets import _JavaScript

_TOGGLE = r'class="[^"]*\b(?:toggle|dropdown admonition|admonition[^"]* dropdown)\b'
_MATHS = r'class="math\b'
# What in a page's body calls for a script: for one whose address ends so, or that begins so where it is inline.
_NEEDED_FOR = {
    "design-tabs.js": r'class="[^"]*\bsd-tab-set\b',
    "togglebutton.js": _TOGGLE,
    "let toggle": _TOGGLE,
    "var toggle": _TOGGLE,
    "clipboard.min.js": r'class="[^"]*\bhighlight\b',
    "copybutton.js": r'class="[^"]*\bhighlight\b',
    "/startup.js": _MATHS,
    "window.MathJax": _MATHS,
}
# No page needs its name in a script, which would be another for every page.
_NEVER = "DOCUMENTATION_OPTIONS.pagename"
_OPTIONS = "documentation_options.js"
_FIRST = "start.js"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def move_out(static: Path, context: dict[str, Any]) -> None:
    """Replace each script that a cell's output has in itself by a file of its own, run at the same place."""

    def store(found: re.Match[str]) -> str:
        file = _write(static, "cell", found[1])
        return f'<script src="{context["pathto"](f"_static/{file.name}", resource=True)}"></script>'

    context["body"] = _INLINE.sub(store, context["body"])


def lighten(static: Path, context: dict[str, Any]) -> None:
    """Keep each script once, where the page needs it: files deferred, what was inline in the file ``start_js``."""
    body = context.get("body", "")
    unneeded = (_NEVER, *(name for name, need in _NEEDED_FOR.items() if not re.search(need, body)))
    files: dict[str, _JavaScript] = {}
    inline: dict[str, None] = {}
    for script in sorted(context["script_files"], key=lambda script: script.priority):
        name, text = os.fspath(script.filename or ""), script.attributes.get("body") or ""
        if name and not name.endswith((*unneeded, _OPTIONS)):
            files.setdefault(name, defer(script))
        elif text and not text.startswith(unneeded):
            inline.setdefault(text)
    context["script_files"] = list(files.values())
    context["start_js"] = write_start(static, list(inline))


def defer(script: _JavaScript) -> _JavaScript:
    """Let a script wait for the page; deferred scripts run in their order."""
    return _JavaScript(script.filename, priority=script.priority, **{**script.attributes, "defer": "defer"})


def write_start(static: Path, inline: list[str]) -> str:
    """Write what must run first into one file, named by its content; give its address from the site's root.

    The theme comes last: where a browser denies its storage, all else has run.
    """
    parts = [(static / _OPTIONS).read_text(encoding="utf-8"), *inline, (static / _FIRST).read_text(encoding="utf-8")]
    text = ";\n".join(part.strip() for part in parts) + "\n"  # without the semicolon two parts may be one statement
    return f"_static/{_write(static, 'start', text).name}"


def _write(static: Path, kind: str, text: str) -> Path:
    """Write a script into a file named by its content."""
    file = static / f"{kind}-{sha256(text.encode()).hexdigest()[:8]}.js"
    if not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}")  # pages are written by several processes
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    return file
