"""The directive ``{claim-index}``: the claims of the paper, where the book shows them and what tests them.

Made from `hardtosoft.site.claims` and from the marks in the tests, so that the page cannot promise more than is
tested. A definition list rather than a table, because a phone has no room for its columns.
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

from hardtosoft.site import claims
from hardtosoft.site.claims import CLAIMS, Claim, MarkedTest

TESTS = Path(__file__).resolve().parents[3] / "tests"
logger = logging.getLogger(__name__)


class ClaimIndex(SphinxDirective):
    """Lists the covered claims with their figures and tests, then those still to come."""

    def run(self) -> list[nodes.Node]:
        """Build both lists. Every build reads the page again: a new test may be marked in any file."""
        self.env.note_reread()
        marked = claims.collect(TESTS)
        covered = [_covered(claim, marked) for claim in CLAIMS if claim.covered]
        to_come = [_entry(claim) for claim in CLAIMS if not claim.covered]
        return [_section("Shown and tested", covered), _section("Still to come", to_come)]


def _section(title: str, entries: Iterable[nodes.Node]) -> nodes.section:
    section_id = nodes.make_id(title)
    section = nodes.section("", nodes.title(text=title), ids=[section_id], names=[title.lower()])
    entries = list(entries)
    section.append(nodes.definition_list("", *entries) if entries else nodes.paragraph(text="None."))
    return section


def _entry(claim: Claim, *details: nodes.Node) -> nodes.definition_list_item:
    """A claim's id as the term, its statement and the details as the definition."""
    term = nodes.term(text=claim.id, ids=[f"claim-{claim.id.lower()}"])
    statement = nodes.paragraph(text=claim.statement)
    return nodes.definition_list_item("", term, nodes.definition("", statement, *details))


def _covered(claim: Claim, marked: Iterable[MarkedTest]) -> nodes.definition_list_item:
    """A claim with the figures that show it and the tests that check it."""
    places = nodes.paragraph(text="See it: ")
    for number, (chapter, figure) in enumerate(claim.places):
        places += nodes.Text(" · " if number else "")
        places += nodes.reference("", "", internal=True, claim_chapter=chapter, claim_figure=figure)
    tests = [_test(test) for test in marked if test.claim_id == claim.id]
    if not tests:
        logger.warning("claim %s is listed as covered, but no test is marked with it", claim.id)
    return _entry(
        claim,
        places,
        nodes.paragraph(text="Checked by:"),
        nodes.bullet_list("", *tests),
    )


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
