"""Citations read well where no Sphinx is: the words of each link are those of the works that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from book_site.citations import LINK, as_roles
from pybtex.database import Entry, parse_file

BOOK = Path(__file__).parents[2] / "book"
SOURCES = sorted([*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")])
WORKS = parse_file(BOOK / "references.bib").entries


def words(work: Entry) -> str:
    """Authors and year, as on the book's pages."""
    names = [" ".join(str(part) for part in person.rich_last_names) for person in work.persons["author"]]
    authors = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return f"{authors}, {work.fields['year']}"


def test_a_link_becomes_a_role() -> None:
    source = ["As [[Lloyd, 1982]](references.bib#lloyd), and [here](references.md); [[A; B]](references.bib#a,b)."]
    as_roles(None, "page", source)  # type: ignore[arg-type]
    assert source == ["As {cite}`lloyd`, and [here](references.md); {cite}`a,b`."]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_links_say_which_work_they_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "{cite" not in text
    for said, keys in LINK.findall(text):
        assert said == "; ".join(words(WORKS[key]) for key in keys.split(","))
    assert len(LINK.findall(text)) == text.count("references.bib")


def test_there_are_citations() -> None:
    found = {key for path in SOURCES for _, keys in LINK.findall(path.read_text("utf-8")) for key in keys.split(",")}
    assert len(found) > 40
