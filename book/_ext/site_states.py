"""What a page's figures need to move, all but the first's, moved out of the page.

A figure brings its settings in a ``<script class="hts-config">`` and its packed states in a
``<script class="hts-states">`` after it. The first figure keeps them there and answers at once. For the others both go
into a small script beside ``figure.js``, which asks for it when the figure nears the screen: a script, because pages
opened from a folder may not fetch anything else.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_MOVABLE = re.compile(
    r'<script type="application/json" class="hts-config">(.*?)</script>'
    r'<script type="text/plain" class="hts-states" data-figure="([\w-]+)">([^<]*)</script>',
    re.DOTALL,
)


def move_out(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Replace settings and states in a page's body by the address of a script that holds them."""
    folder = Path(app.outdir) / "_static" / "states"

    def store(found: re.Match[str]) -> str:
        config, figure, states = found.groups()
        content = f"{{config: {config}, states: {json.dumps(states)}}}"
        script = f"(window.htsStates ||= {{}})[{json.dumps(figure)}] = {content};\n"
        name = f"{figure}-{sha256(script.encode()).hexdigest()[:10]}.js"
        folder.mkdir(parents=True, exist_ok=True)
        for outdated in folder.glob(f"{figure}-{'?' * 10}.js"):
            outdated.unlink()
        draft = folder / f"{name}.part"
        draft.write_text(script, encoding="utf-8")
        draft.replace(folder / name)
        tag = f'<script type="text/plain" class="hts-states" data-figure="{figure}"'
        return f'{tag} data-src="states/{name}"></script>'

    if "hts-states" in context.get("body", ""):
        first = _MOVABLE.search(context["body"])
        start = first.end() if first else 0
        context["body"] = context["body"][:start] + _MOVABLE.sub(store, context["body"][start:])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", move_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
