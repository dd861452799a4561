"""States of a page's figures, all but the first, moved out of the page.

A figure brings its packed states in a ``<script class="hts-states">``. The first figure keeps them there and answers
at once. For the others the text goes into a small script beside ``figure.js``, which asks for it when the figure nears
the screen: a script, because pages opened from a folder may not fetch anything else.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_STATES = re.compile(r'(<script type="text/plain" class="hts-states" data-figure="([\w-]+)")>([^<]+)<')


def move_out(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Replace the states in a page's body by the address of a script that holds them."""
    folder = Path(app.outdir) / "_static" / "states"

    def store(found: re.Match[str]) -> str:
        tag, figure, states = found.groups()
        script = f"(window.htsStates ||= {{}})[{json.dumps(figure)}] = {json.dumps(states)};\n"
        name = f"{figure}-{sha256(script.encode()).hexdigest()[:10]}.js"
        folder.mkdir(parents=True, exist_ok=True)
        for outdated in folder.glob(f"{figure}-{'?' * 10}.js"):
            outdated.unlink()
        draft = folder / f"{name}.part"
        draft.write_text(script, encoding="utf-8")
        draft.replace(folder / name)
        return f'{tag} data-src="states/{name}"><'

    if "hts-states" in context.get("body", ""):
        first = _STATES.search(context["body"])
        start = first.end() if first else 0
        context["body"] = context["body"][:start] + _STATES.sub(store, context["body"][start:])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", move_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
