"""The directive ``{claim-index}``: claims, what the book found of each, where it shows them and what tests them.

Made from `hardtosoft.site.claims`, from result files and from the marks in the tests, so that the page cannot promise
more than is tested. On a phone, which has no room for columns, the style sheet stacks the cells of a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from hardtosoft.site import marked_tests
from hardtosoft.site.claims import CLAIMS, Claim
from hardtosoft.site.marked_tests import MarkedTest

TESTS = Path(__file__).resolve().parents[3] / "tests"
TITLES = ("Claim", "Verdict", "n and interval, or how it was checked", "See it")
WIDTHS = (36, 12, 34, 18)
logger = logging.getLogger(__name__)


class ClaimIndex(SphinxDirective):
    """A table of all claims with verdicts, figures and evidence, the tests folded under each claim."""

    def run(self) -> list[nodes.Node]:
        """Build the table. Every build reads the page again: a new test may be marked in any file."""
        self.env.note_reread()
        marked = marked_tests.collect(TESTS)
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=len(WIDTHS))
        head = nodes.row("", *(nodes.entry("", nodes.paragraph(text=title)) for title in TITLES))
        group += nodes.thead("", head)
        group += nodes.tbody("", *(_row(claim, marked, self._cited(claim.source)) for claim in CLAIMS))
        return [nodes.table("", group, classes=["claims"])]

    def _cited(self, key: str) -> list[nodes.Node]:
        """The paper, as a citation."""
        found: list[nodes.Node] = self.state.inline_text(f"{{cite}}`{key}`", self.lineno)[0]
        return found


def _row(claim: Claim, marked: Iterable[MarkedTest], source: Iterable[nodes.Node]) -> nodes.row:
    """A claim with its tests; what was found, with evidence; and the figures that show it."""
    tests = [_test(test) for test in marked if test.claim_id == claim.id]
    if not tests:
        logger.warning("claim %s is listed as covered, but no test is marked with it", claim.id)
    statement = nodes.paragraph("", "", nodes.strong(text=f"{claim.id}. "), nodes.Text(claim.statement))
    statement += [nodes.Text(" "), *source]
    count = f"{len(tests)} test" if len(tests) == 1 else f"{len(tests)} tests"
    folded = [
        nodes.raw("", f"<details><summary>{count}</summary>", format="html"),
        nodes.bullet_list("", *tests),
        nodes.raw("", "</details>", format="html"),
    ]
    places = nodes.paragraph()
    for number, (chapter, figure) in enumerate(claim.places):
        places += nodes.Text(" · " if number else "")
        places += nodes.reference("", "", internal=True, claim_chapter=chapter, claim_figure=figure)
    verdict = nodes.paragraph("", "", nodes.strong(text=claim.verdict))
    cells = [[statement, *folded], [verdict], [nodes.paragraph(text=claim.evidence())], [places]]
    row = nodes.row("", *(nodes.entry("", *cell) for cell in cells))
    row["ids"] = [f"claim-{claim.id.lower()}"]
    return row


def _test(test: MarkedTest) -> nodes.list_item:
    """A test's name, which a narrow screen may break after a slash, colon or underscore, and its summary."""
    name = re.sub(r"([/_]|::)", r"\1<wbr>", escape(f"{test.path}::{test.name}"))
    paragraph = nodes.paragraph("", "", nodes.raw("", f"<code>{name}</code>", format="html"))
    if test.summary:
        paragraph += nodes.raw("", "<br>", format="html")
        paragraph += nodes.Text(test.summary.replace("`", ""))
    return nodes.list_item("", paragraph)


def link_figures(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give the links to figures an address and a text; titles of chapters are known once all pages are read."""
    for link in doctree.findall(nodes.reference):
        if "claim_chapter" not in link:
            continue
        chapter = link["claim_chapter"]
        if chapter not in app.env.titles:
            logger.warning("a claim names the chapter %s, which is not in the book", chapter, location=link)
            continue
        link["refuri"] = f"{app.builder.get_relative_uri(docname, chapter)}#{link['claim_figure']}"
        link += nodes.Text(f"{app.env.titles[chapter].astext()}, figure {link['claim_figure']}")
