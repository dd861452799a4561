"""The figures' script and style, put together for their two homes: a built page and a notebook with a kernel.

A page gets one classic script (modules do not load from ``file://``). A notebook gets the same figures as a module
that exports ``mount``; the style then applies to figures alone and follows JupyterLab's, Colab's or VS Code's theme.
"""

from __future__ import annotations

from importlib.resources import files

from . import palette

_DARK_NOTEBOOKS = ('body[data-jp-theme-light="false"]', "html[theme=dark]", "body.vscode-dark")


def page_script() -> str:
    """What a built page with figures loads."""
    return "(() => {\n'use strict';\n" + _figures() + _parts("graph.js", "traced.js", "page.js") + "})();\n"


def page_style() -> str:
    """The style sheet of figures in a built page."""
    return palette.css() + _parts("figure.css")


def notebook_script() -> str:
    """The module that draws a notebook's figures."""
    return _figures() + _parts("live.js") + "export { mount };\n"


def notebook_style() -> str:
    """The style sheet of figures in a notebook."""
    dark = ",".join(f"{theme} .hts-figure" for theme in _DARK_NOTEBOOKS)
    return palette.css(".hts-figure", dark) + _parts("figure.css", "live.css")


def player_script() -> str:
    """What plays a sweep along a slider, for figures that draw themselves."""
    return _parts("play.js")


def widget_script() -> str:
    """What each figure's widget loads: it finds the notebook's script by itself."""
    return _parts("widget.js")


def _figures() -> str:
    """What both homes share."""
    return _parts("polygons.js", "names.js", "panel.js", "play.js", "boxes.js", "handles.js", "figure.js")


def _parts(*names: str) -> str:
    return "".join((files(__package__) / name).read_text(encoding="utf-8") for name in names)
