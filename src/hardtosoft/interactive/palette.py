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
    "entropy": ("#7d6200", "#e0c04f"),
    "ink": ("#1b2530", "#e7ecf2"),
    "muted": ("#55626f", "#a4b0bd"),
    "paper": ("#ffffff", "#10141a"),
    "surface": ("#f6f8fa", "#181e25"),
    "rule": ("#e3e8ed", "#29313a"),
    "link": ("#0b5cad", "#8cc2ff"),
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
    # Planes of two classes: where each is said, their points, and the lines over them.
    "plane-first": ("#8cbbe9", "#21456e"),
    "plane-second": ("#efbb7e", "#7e4c1c"),
    "point-first": ("#00528c", "#8ecbff"),
    "point-second": ("#a33b00", "#ffb37a"),
    "point-edge": ("#ffffff", "#0b0f14"),
    "plane-edge": ("#ffffff", "#edf5ff"),
    "plane-line": ("#1a212b", "#f7faff"),
    "plane-halo": ("#ffffff", "#0d0f14"),
    "unit-low": ("#f0f3f6", "#191f27"),
    "unit-high": ("#dce3eb", "#2a3440"),
    "name-first": ("#003f6e", "#d3eaff"),
    "name-second": ("#7c2c00", "#ffe1c7"),
}

BLUE, ORANGE, GREEN, PURPLE, GREY, INK = (
    f"var(--hts-{name})" for name in ("blue", "orange", "green", "purple", "grey", "ink")
)
#: Of an entropy, which is always dotted.
ENTROPY = "var(--hts-entropy)"
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
#: From against over nothing to for.
SIGNED_SCALE = [[0.0, BLUE], [0.5, "var(--hts-map-low)"], [1.0, ORANGE]]
#: Ink on paper, for images: their grey levels are what they show.
PICTURE_SCALE = [[0.0, "var(--hts-picture-low)"], [1.0, "var(--hts-picture-high)"]]

_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_OKLAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def css(light: str = ":root", dark: str = "html[data-theme=dark]") -> str:
    """The colours as CSS variables, for the elements of a light and of a dark theme; paper is light."""
    day = "".join(f"--hts-{name}:{pair[0]};" for name, pair in COLOURS.items())
    night = "".join(f"--hts-{name}:{pair[1]};" for name, pair in COLOURS.items())
    return f"{light}{{{day}}}\n{dark}{{{night}}}\n@media print{{{dark}{{{day}}}}}\n"


def channels(colour: str) -> list[float]:
    """Red, green and blue of ``#rrggbb``, in [0, 1]."""
    return [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def oklab(colour: str) -> list[float]:
    """Lightness and the two hue axes of ``#rrggbb`` in OKLab, where equal steps look equal (Ottosson, 2020)."""
    light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    cones = [sum(w * c for w, c in zip(row, light, strict=True)) ** (1 / 3) for row in _CONES]
    return [sum(w * c for w, c in zip(row, cones, strict=True)) for row in _OKLAB]


def resolve(value: Any, *, dark: bool = False) -> Any:
    """``value`` (a string, or dicts and lists of them) with every colour variable replaced by its value."""
    if isinstance(value, str):
        return re.sub(r"var\(--hts-([a-z-]+)\)", lambda m: COLOURS[m[1]][dark], value)
    if isinstance(value, dict):
        return {key: resolve(item, dark=dark) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, dark=dark) for item in value]
    return value
