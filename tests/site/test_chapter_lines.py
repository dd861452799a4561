"""The line above a chapter's title, in built pages."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from hardtosoft.site.chapters import read_contents

pytestmark = pytest.mark.site

CONTENTS = read_contents(Path(__file__).parents[2] / "book")


def page(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("chapter", CONTENTS.chapters, ids=lambda chapter: chapter.file)
def test_it_says_number_minutes_and_what_to_read_before(site, chapter):
    soup = page(site, chapter.file)
    line = soup.select_one("h1").find_previous_sibling("p", class_="chapter-line")
    before = CONTENTS.before(chapter)
    assert line.get_text() == f"Chapter {chapter.number} · {chapter.minutes} minutes · {before}"
    assert sorted(link["href"] for link in line.select("a")) == sorted(f"{name}.html" for name in chapter.needs)


@pytest.mark.parametrize("name", ["index", "notation", "404"])
def test_other_pages_have_none(site, name):
    assert not page(site, name).select(".chapter-line")


def test_the_sidebar_stands_in_the_parts_of_the_chapters_file(site):
    captions = [caption.get_text() for caption in page(site, "notation").select(".bd-links p.caption")]
    assert captions == [*(f"{part.number} {part.name}" for part in CONTENTS.parts), *CONTENTS.pages]
