"""The book's colours, in one place: a name stands for a light and a dark value.

Figures name a colour as a CSS variable, ``palette.BLUE == "var(--hts-blue)"``. The page resolves it for the theme
of the moment; outside a page :func:`resolve` puts in the light value. All line colours keep 3:1 contrast to both
backgrounds and stay apart for colour-blind readers (after Okabe & Ito).
"""

from __future__ import annotations

import re
from typing import Any

COLOURS: dict[str, tuple[str, str]] = {  # name: (light, dark)
    "blue": ("#0068a8", "#5ab8f0"),
    "orange": ("#c04f00", "#f59b52"),
    "green": ("#00785a", "#3ccf9f"),
    "purple": ("#8a3f86", "#d79ad3"),
    "grey": ("#6a7280", "#98a2b0"),
    "ink": ("#1f2933", "#e4e8ee"),
    "grid": ("#dfe3e8", "#39424e"),
    "zero": ("#a9b2bd", "#66717f"),
    "map-low": ("#ffffff", "#0d1116"),
    "map-mid": ("#d9dfe6", "#2b343f"),
    "map-high": ("#a8b5c4", "#566577"),
    "map-blue": ("#b9d9ee", "#163f5c"),
    "map-orange": ("#f7d2b4", "#573311"),
    "map-green": ("#b3e0d0", "#0d4a39"),
    "map-purple": ("#e2c9df", "#4a2b49"),
    "shadow": ("#5d6b7c", "#10161d"),
    "dusk": ("#b4bec9", "#4d5967"),
    "light": ("#ffffff", "#b9c4d1"),
    "picture-low": ("#ffffff", "#0d1116"),
    "picture-high": ("#1f2933", "#e4e8ee"),
}

BLUE, ORANGE, GREEN, PURPLE, GREY, INK = (
    f"var(--hts-{name})" for name in ("blue", "orange", "green", "purple", "grey", "ink")
)
GRID, ZERO = "var(--hts-grid)", "var(--hts-zero)"
#: A quiet scale of one hue for maps: it takes no side between the colours of classes drawn over it.
MAP_SCALE = [[0.0, "var(--hts-map-low)"], [0.5, "var(--hts-map-mid)"], [1.0, "var(--hts-map-high)"]]
#: A quiet tint of a line's colour, for the area that belongs to it.
TINTS = {
    BLUE: "var(--hts-map-blue)",
    ORANGE: "var(--hts-map-orange)",
    GREEN: "var(--hts-map-green)",
    PURPLE: "var(--hts-map-purple)",
}
#: A surface under a lamp: what is lit is brighter in either theme.
RELIEF_SCALE = [[0.0, "var(--hts-shadow)"], [0.5, "var(--hts-dusk)"], [1.0, "var(--hts-light)"]]
#: Ink on paper, for images: their grey levels are what they show.
PICTURE_SCALE = [[0.0, "var(--hts-picture-low)"], [1.0, "var(--hts-picture-high)"]]


def css(light: str = ":root", dark: str = "html[data-theme=dark]") -> str:
    """The colours as CSS variables, for the elements of a light and of a dark theme; paper is light."""
    day = "".join(f"--hts-{name}:{pair[0]};" for name, pair in COLOURS.items())
    night = "".join(f"--hts-{name}:{pair[1]};" for name, pair in COLOURS.items())
    return f"{light}{{{day}}}\n{dark}{{{night}}}\n@media print{{{dark}{{{day}}}}}\n"


def resolve(value: Any, *, dark: bool = False) -> Any:
    """``value`` (a string, or dicts and lists of them) with every colour variable replaced by its value."""
    if isinstance(value, str):
        return re.sub(r"var\(--hts-([a-z-]+)\)", lambda m: COLOURS[m[1]][dark], value)
    if isinstance(value, dict):
        return {key: resolve(item, dark=dark) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, dark=dark) for item in value]
    return value
