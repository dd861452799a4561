"""Interactive figures in built pages: their driver, their states and the plotting runtime.

A page with a figure gets the script ``figure.js``: asked for in the head, run right behind the first figure, whose
sliders answer while the rest of the page is still coming. The script's own ``data-plotly`` attribute names the
plotting runtime beside it, which it loads when a figure nears the screen.

A figure brings its settings in a ``<script class="hts-config">`` and its packed states in a
``<script class="hts-states">`` after it. The first figure keeps them there. For the others both go into a small script
beside ``figure.js``, which asks for it when the figure nears the screen: a script, because pages opened from a folder
may not fetch anything else.
"""

from __future__ import annotations

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from hardtosoft.interactive import driver, plotly

_FIRST_FIGURE = re.compile(r'<figure class="[^"]*\bhts-figure\b.*?</figure>', re.DOTALL)
_MOVABLE = re.compile(
    r'<script type="application/json" class="hts-config">(.*?)</script>'
    r'<script type="text/plain" class="hts-states" data-figure="([\w-]+)">([^<]*)</script>',
    re.DOTALL,
)


def write(folder: Path) -> None:
    """Write the runtime, the driver, and the style, which becomes part of the site's sheet."""
    shutil.copy(plotly.plotly_bundle(plotly.cache_dir()), folder)
    (folder / "figure.js").write_text(driver.page_script(), encoding="utf-8")
    (folder / "figure.css").write_text(driver.page_style(), encoding="utf-8")


def add_driver(context: dict[str, Any]) -> None:
    """Run the driver behind the page's first figure; a page without figures gets none."""
    first = _FIRST_FIGURE.search(context["body"])
    if not first:
        return
    address = context["pathto"]("_static/figure.js", resource=True)
    early = f'<link rel="preload" as="script" href="{address}" fetchpriority="high" />'
    script = f'<script src="{address}" data-plotly="{plotly.PLOTLY_BUNDLE}"></script>'
    context["metatags"] = f"{early}\n    {context.get('metatags', '')}"
    context["body"] = context["body"][: first.end()] + script + context["body"][first.end() :]


def move_states_out(site: Path, context: dict[str, Any]) -> None:
    """Replace settings and states of all figures but the first by the address of a script that holds them."""
    folder = site / "_static" / "states"

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

    first = _MOVABLE.search(context["body"])
    if first:
        context["body"] = context["body"][: first.end()] + _MOVABLE.sub(store, context["body"][first.end() :])
