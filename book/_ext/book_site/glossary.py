"""Words of ``glossary.yml``: what each means is shown where a chapter first uses it, and listed by ``{words}``.

The tooltips are those of the theme (Bootstrap's), which come at the pointer, at the focus and at a tap. Without
scripts the browser shows the title. The notebooks themselves say nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator
from sphinx_design.dropdown import dropdown_main

#: Where a word is left alone: links, headings, code, formulas, what stands out already, boxes, folds and tables.
APART = (
    *(nodes.reference, nodes.title, nodes.literal, nodes.math, nodes.strong, nodes.emphasis, nodes.raw),
    *(nodes.Admonition, nodes.table, dropdown_main),
)


@dataclass(frozen=True)
class Word:
    """A word, the forms in which it is looked for, and what it means."""

    word: str
    forms: tuple[str, ...]
    says: str


class Explained(nodes.inline):  # type: ignore[misc]
    """A word in running text, with what it means."""


def visit(writer: HTML5Translator, node: Explained) -> None:
    """Open it: a button, so that keyboards and fingers reach it."""
    says = escape(node["says"])
    writer.body.append(f'<button type="button" class="word" data-bs-toggle="tooltip" title="{says}">')


def depart(writer: HTML5Translator, _node: Explained) -> None:
    """Close it."""
    writer.body.append("</button>")


@cache
def words(book: str) -> tuple[Word, ...]:
    """The words of the book that is built; none if it has no glossary."""
    path = Path(book) / "glossary.yml"
    found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []
    return tuple(Word(each["word"], tuple(each.get("as", (each["word"],))), each["says"]) for each in found)


def running_text(doctree: nodes.document) -> Iterator[nodes.Text]:
    """The pieces of text in paragraphs that may be explained."""
    for paragraph in doctree.findall(nodes.paragraph):
        for text in paragraph.findall(nodes.Text):
            above = text.parent
            while above is not None and not isinstance(above, APART):
                above = above.parent
            if above is None:
                yield text


def explain(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Explain each word where a notebook uses it first."""
    if not app.env.doc2path(page).endswith(".ipynb"):
        return
    left = {form: word for word in words(str(app.srcdir)) for form in word.forms}
    for text in list(running_text(doctree)):
        rest, parts = str(text), list[nodes.Node]()
        while left and (found := re.search(rf"(?<![\w-])(?:{'|'.join(map(re.escape, left))})(?![\w-])", rest)):
            word = left[found[0]]
            left = {form: other for form, other in left.items() if other is not word}
            explained = Explained(found[0], found[0], says=word.says)
            parts += [nodes.Text(rest[: found.start()]), explained]
            rest = rest[found.end() :]
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(rest)])


class Words(SphinxDirective):
    """Lists all words."""

    def run(self) -> list[nodes.Node]:
        """Make the list."""
        items = []
        for word in words(str(self.env.srcdir)):
            meaning = nodes.definition("", nodes.paragraph(word.says, word.says))
            items.append(nodes.definition_list_item("", nodes.term(word.word, word.word), meaning))
        self.env.note_dependency(str(Path(self.env.srcdir) / "glossary.yml"))
        return [nodes.definition_list("", *items)]
