"""One style sheet for the whole site, without the rules that no page uses.

Theme and extensions bring a dozen sheets, 75 kB compressed, most of it for components that the book has not. On a
phone's line the first picture waits for all of them. Here they become ``book.css``: the same rules in the same
order, less those whose classes and ids occur in no page and no script of the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

SHEET = "book.css"

# In the order of the cascade; names may have a check sum in them. The last two are the book's own, kept whole.
THEIRS = (
    *("basic.css", "styles/bootstrap.css", "styles/pydata-sphinx-theme.css", "icons.css", "pygments.css"),
    *("styles/sphinx-book-theme.css", "togglebutton.css", "copybutton.css", "sphinx-design.min.css", "mystnb*.css"),
)
OURS = ("figure.css", "site.css")

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NESTING = ("@media", "@supports", "@layer", "@container")
# Lists of alternatives, what must not be there, and attributes: they do not say which classes a rule needs.
_ASIDE = re.compile(r":(?:is|not|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]")
_NAMES = re.compile(r"[.#]((?:[\w-]|\\.)+)")


def rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Split a sheet without comments into rules: what stands before the braces, and what stands in them.

    A statement without braces (``@import …;``) has None there.
    """
    start = position = 0
    while position < len(css):
        char = css[position]
        if char in "\"'":
            position = _end_of_string(css, position)
        elif char == ";":
            yield css[start:position].strip(), None
            start = position + 1
        elif char == "{":
            end = _end_of_block(css, position)
            yield css[start:position].strip(), css[position + 1 : end]
            start, position = end + 1, end
        position += 1


def _end_of_string(css: str, start: int) -> int:
    position = start + 1
    while css[position] != css[start]:
        position += 2 if css[position] == "\\" else 1
    return position


def _end_of_block(css: str, start: int) -> int:
    depth, position = 0, start
    while True:
        char = css[position]
        if char in "\"'":
            position = _end_of_string(css, position)
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1


def needed(selector: str, words: set[str]) -> bool:
    """Whether every class and id that one selector asks for is among the words of the site."""
    asked = _NAMES.findall(_ASIDE.sub("", selector))
    return all(re.sub(r"\\(.)", r"\1", name) in words for name in asked)


def prune(css: str, words: set[str]) -> str:
    """Drop the rules none of whose selectors is needed, and the selectors that are not."""
    kept = []
    for head, block in rules(_COMMENT.sub("", css)):
        if block is None:
            kept.append(f"{head};" if head else "")
        elif head.startswith(_NESTING):
            inner = prune(block, words)
            kept.append(f"{head}{{{inner}}}" if inner else "")
        elif head.startswith("@"):
            kept.append(f"{head}{{{block}}}")
        else:
            # A comma inside parentheses separates alternatives of one selector.
            selectors = [one for one in re.split(r",(?![^(]*\))", head) if needed(one, words)]
            kept.append(f"{','.join(selectors)}{{{block}}}" if selectors else "")
    return "".join(kept)


def words_of(site: Path) -> set[str]:
    """Every word that could name a class or an id in a page, or be given to an element by a script."""
    words: set[str] = set()
    scripts = [path for path in (site / "_static").rglob("*.js") if not re.search("plotly|mathjax", str(path))]
    for path in (*site.glob("*.html"), *scripts):
        words.update(re.findall(r"[\w/-]+", path.read_text(encoding="utf-8")))
    return words


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the sheet once all pages, and the sheets that extensions write last, are there."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    words = words_of(site)
    parts = [
        prune(path.read_text(encoding="utf-8"), words) for name in THEIRS for path in (site / "_static").glob(name)
    ]
    parts += [_COMMENT.sub("", (site / "_static" / name).read_text(encoding="utf-8")) for name in OURS]
    # The theme's sheets come from a folder of their own.
    text = re.sub(r'@charset "[^"]*";', "", "\n".join(parts)).replace("url(../", "url(")
    (site / "_static" / SHEET).write_text(text, encoding="utf-8")


def link(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None) -> None:
    """Let pages ask for this sheet alone."""
    context["css_files"] = []


def setup(app: Sphinx) -> dict[str, Any]:
    # After the extensions that add sheets to pages, and before Font Awesome's files are dropped.
    app.connect("html-page-context", link, priority=950)
    app.connect("build-finished", write, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
