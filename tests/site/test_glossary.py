"""Words explained where they first occur, and their list."""

from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from hardtosoft.site.chapters import read_contents

pytestmark = pytest.mark.site

BOOK = Path(__file__).parents[2] / "book"
WORDS = yaml.safe_load((BOOK / "glossary.yml").read_text(encoding="utf-8"))
MEANING = {form: each["says"] for each in WORDS for form in each.get("as", [each["word"]])}
PAGES = [chapter.file for chapter in read_contents(BOOK).chapters]


def soup(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("name", PAGES)
def test_each_word_is_explained_once_in_running_text(site, name):
    found = soup(site, name).select("article button.word")
    assert found
    said = [button["title"] for button in found]
    assert len(set(said)) == len(said)
    for button in found:
        assert MEANING[button.get_text()] == button["title"]
        assert not button.find_parent(["a", "h1", "h2", "h3", "strong", "code", "table"])


def test_the_first_chapter_explains_its_words(site):
    words = {button.get_text() for button in soup(site, "relu-to-swish").select("button.word")}
    assert {"η", "scores", "entropy", "free energy"} & words >= {"η", "entropy"}


def test_the_page_of_symbols_lists_every_word_and_other_pages_explain_none(site):
    page = soup(site, "notation")
    terms = [term.get_text() for term in page.select("article dt")]
    assert terms == [each["word"] for each in WORDS]
    assert not page.select("button.word")
    assert not soup(site, "claims").select("button.word")
