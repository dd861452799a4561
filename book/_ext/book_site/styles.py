"""One style sheet for the whole site, without the rules that no page uses.

Theme and extensions bring a dozen sheets, 75 kB compressed, most of it for components that the book has not. On a
phone's line the first picture waits for all of them. Here they become ``book.css``: the same rules in the same
order, less those whose classes and ids occur in no page and no script of the site.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from pathlib import Path

import tinycss2
from tinycss2.ast import Node

from .addresses import pages_of, stamp_sheet

SHEET = "book.css"

# In the order of the cascade; names may have a check sum in them. The last are the book's own, kept whole.
THEIRS = (
    *("basic.css", "styles/bootstrap.css", "styles/pydata-sphinx-theme.css", "icons.css", "pygments.css"),
    *("styles/sphinx-book-theme.css", "togglebutton.css", "copybutton.css", "sphinx-design.min.css", "mystnb*.css"),
)
OURS = ("figure.css", "site.css", "look.css")

_NESTING = ("media", "supports", "layer", "container")


def needed(selector: list[Node], words: set[str]) -> bool:
    """Whether every class and id that one selector asks for is among the words of the site.

    Those in parentheses and brackets (alternatives, what must not be there, attributes) are not asked for.
    """
    classes = [name.value for dot, name in pairwise(selector) if dot == "." and name.type == "ident"]
    return words.issuperset(classes + [part.value for part in selector if part.type == "hash"])


def prune(css: str | list[Node], words: set[str]) -> str:
    """Drop the rules none of whose selectors is needed, and the selectors that are not."""
    kept = []
    for rule in tinycss2.parse_rule_list(css, skip_comments=True, skip_whitespace=True):
        prelude = tinycss2.serialize(rule.prelude).strip()
        if rule.type == "qualified-rule":
            by_commas = groupby(rule.prelude, lambda part: part == ",")
            asked = [selector for comma, parts in by_commas if not comma and needed(selector := list(parts), words)]
            heads = [tinycss2.serialize(selector).strip() for selector in asked]
            kept.append(f"{','.join(heads)}{{{tinycss2.serialize(rule.content)}}}" if heads else "")
        elif rule.lower_at_keyword in _NESTING and rule.content:
            inner = prune(rule.content, words)
            kept.append(f"@{rule.at_keyword} {prelude}{{{inner}}}" if inner else "")
        elif rule.lower_at_keyword != "charset":
            kept.append(rule.serialize())
    return "".join(kept)


def words_of(site: Path) -> set[str]:
    """Every word that could name a class or an id in a page, or be given to an element by a script."""
    words: set[str] = set()
    scripts = [path for path in (site / "_static").rglob("*.js") if not re.search("plotly|mathjax", str(path))]
    for path in (*pages_of(site), *scripts):
        words.update(re.findall(r"[\w/-]+", path.read_text(encoding="utf-8")))
    return words


def write(site: Path) -> None:
    """Write the sheet once all pages, and the sheets that extensions write last, are there."""
    static, words = site / "_static", words_of(site)
    parts = [prune(path.read_text(encoding="utf-8"), words) for name in THEIRS for path in static.glob(name)]
    parts += [re.sub(r"/\*.*?\*/", "", (static / name).read_text(encoding="utf-8"), flags=re.DOTALL) for name in OURS]
    # The theme's sheets come from a folder of their own.
    sheet = stamp_sheet("\n".join(parts).replace("url(../", "url("), static)
    (static / SHEET).write_text(sheet, encoding="utf-8")
