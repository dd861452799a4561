"""The theme's icons in 5 kB: a style sheet and two fonts cut down to the icons that occur.

The theme would load Font Awesome's whole script, style sheet and fonts (more than 800 kB compressed). Its
icons need the web fonts alone, so the two fonts are subset to the icons below, read from the installed theme.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset

_VENDOR = next(Path(pydata_sphinx_theme.__file__).parent.glob("theme/pydata_sphinx_theme/static/vendor/fontawesome/*"))
_STYLES = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/styles"

# Icons that the theme's templates name; those of its style sheets are found in them.
SOLID = (
    *("angle-left", "angle-right", "arrow-up", "bars", "chevron-down", "circle-half-stroke", "code"),
    *("download", "expand", "file", "file-pdf", "home", "lightbulb", "list", "magnifying-glass", "moon"),
    *("outdent", "pencil-alt", "play", "rocket", "sun"),
)
BRANDS = ("github", "gitlab", "bitbucket")

_BASE = """\
/* Font Awesome Free 6 (fontawesome.com), fonts SIL OFL 1.1, code MIT; cut down to the icons of this site. */
@font-face { font-family: "Font Awesome 6 Free"; font-weight: 900; font-display: block;
  src: url("icons-solid.woff2") format("woff2"); }
@font-face { font-family: "Font Awesome 6 Brands"; font-weight: 400; font-display: block;
  src: url("icons-brands.woff2") format("woff2"); }
:root { --fa-font-solid: normal 900 1em/1 "Font Awesome 6 Free";
  --fa-font-brands: normal 400 1em/1 "Font Awesome 6 Brands"; }
.fa-solid, .fas, .fa-brands, .fab { display: inline-block; font: var(--fa-font-solid); text-rendering: auto;
  -webkit-font-smoothing: antialiased; }
.fa-brands, .fab { font: var(--fa-font-brands); }
.fa-lg { font-size: 1.25em; line-height: .05em; vertical-align: -.075em; }
"""


def code_points(names: tuple[str, ...]) -> dict[str, str]:
    """Read the characters of named icons from the theme's own copy of Font Awesome.

    Raises:
        ValueError: Font Awesome has no icon of that name.
    """
    sheet = (_VENDOR / "css" / "all.min.css").read_text(encoding="utf-8")
    found = {}
    for selectors, escape in re.findall(r'([^{}]*)\{content:"\\([0-9a-f]+)"\}', sheet):
        for name in re.findall(r"\.fa-([a-z0-9-]+):before", selectors):
            found[name] = chr(int(escape, 16))
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"icons must be Font Awesome's, got {missing}")
    return {name: found[name] for name in names}


def write(folder: Path) -> None:
    """Write ``icons.css``, a part of the site's style sheet, and the two fonts that it names."""
    solid, brands = code_points(SOLID), code_points(BRANDS)
    rules = [f'.fa-{name}::before {{ content: "\\{ord(char):x}"; }}\n' for name, char in (solid | brands).items()]
    (folder / "icons.css").write_text(_BASE + "".join(rules), encoding="utf-8")
    # The style sheets name their icons by private-use characters; each font takes those that it has.
    in_styles = set()
    for sheet in _STYLES.glob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        in_styles |= {char for char in text if "\ue000" <= char <= "\uf8ff"}
        in_styles |= {chr(int(escape, 16)) for escape in re.findall(r"\\(f[0-9a-f]{3})\b", text)}
    for font, chars in (("solid-900", solid), ("brands-400", brands)):
        _subset(_VENDOR / f"webfonts/fa-{font}.woff2", set(chars.values()) | in_styles, folder)


def _subset(source: Path, chars: set[str], folder: Path) -> None:
    options = subset.Options(flavor="woff2", layout_features=[], name_IDs=[], notdef_outline=False)
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(char) for char in chars])
    subsetter.subset(font)
    name = source.stem.removeprefix("fa-").split("-")[0]
    subset.save_font(font, str(folder / f"icons-{name}.woff2"), options)


def drop_originals(site: Path) -> None:
    """Take Font Awesome's own files and the theme's source maps, which no page asks for, off the site."""
    shutil.rmtree(site / "_static" / "vendor", ignore_errors=True)
    for source_map in (site / "_static").rglob("*.map"):
        source_map.unlink()
