"""The chapters' file, and what is written from it."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from hardtosoft.figures import every_figure
from hardtosoft.site import landing
from hardtosoft.site.chapters import LIST, read_contents, readme_list, table_of_contents

ROOT = Path(__file__).parents[3]
CONTENTS = read_contents(ROOT / "book")
FIGURES = {figure.name: figure for figure in every_figure()}


def notebook(chapter):
    return (ROOT / "book" / f"{chapter.file}.ipynb").read_text(encoding="utf-8")


def test_every_notebook_and_page_has_its_place():
    pages = [page for group in CONTENTS.pages.values() for page in group]
    listed = ["index", *pages, *(chapter.file for chapter in CONTENTS.chapters)]
    book = ROOT / "book"
    files = [path for path in book.rglob("*") if path.suffix in (".ipynb", ".md", ".rst")]
    assert sorted(listed) == sorted(str(path.relative_to(book).with_suffix("")) for path in files)
    assert [chapter.number for chapter in CONTENTS.chapters] == list(range(1, len(CONTENTS.chapters) + 1))


def test_the_sidebar_and_readme_are_as_written():
    """`make chapters` writes both."""
    assert (ROOT / "_toc.yml").read_text(encoding="utf-8") == table_of_contents(CONTENTS)
    (found,) = LIST.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found == readme_list(CONTENTS)


def test_the_sidebar_stands_in_captioned_parts():
    parts = yaml.safe_load(table_of_contents(CONTENTS))["parts"]
    assert [part["caption"] for part in parts] == [
        "I One unit",
        "II The probabilities behind it",
        "III β in practice",
        "IV The geometry of a network",
        "V The siblings",
        *CONTENTS.pages,
    ]


@pytest.mark.parametrize("chapter", CONTENTS.chapters, ids=lambda chapter: chapter.file)
def test_what_a_chapter_needs_it_says_itself(chapter):
    needed = re.search(r"\*\*You need\*\*.*?(?=\\n\")", notebook(chapter))
    assert needed
    assert set(chapter.needs) <= {*re.findall(r"\(([\w-]+)\.ipynb", needed[0])}


@pytest.mark.parametrize("chapter", CONTENTS.chapters, ids=lambda chapter: chapter.file)
def test_its_picture_and_its_stop_are_figures_of_the_chapter(chapter):
    shown = re.findall(r"Interactive figure “([\w-]+)”", notebook(chapter))
    assert chapter.picture.figure in shown
    assert chapter.tour is None or chapter.tour.figure in shown
    panel = FIGURES[chapter.picture.figure].frame(**(chapter.picture.values or {})).panels[chapter.picture.panel]
    for start in chapter.picture.only:
        assert any(trace["name"].startswith(start) for trace in panel.traces), f"{chapter.file}: no trace {start}…"


def test_the_tour_takes_fifteen_minutes():
    stops = [chapter.tour for chapter in CONTENTS.chapters if chapter.tour]
    assert len(stops) == 5
    assert sum(stop.minutes for stop in stops) == 15


def test_prerequisites_are_said_in_numbers():
    said = {chapter.file: CONTENTS.before(chapter) for chapter in CONTENTS.chapters}
    assert said["relu-to-swish"] == "no prerequisites"
    assert said["beta-vq"] == "needs chapter 1"
    assert said["partitions"] == "needs chapters 2 and 4"


@pytest.mark.parametrize(("old", "new"), [("needs: [partitions]", "needs: [nowhere]"), ("[geometry]", "[poetry]")])
def test_an_entry_that_leads_nowhere_is_refused(tmp_path, old, new):
    for path in (ROOT / "book").glob("*.ipynb"):
        shutil.copy(path, tmp_path)
    text = (ROOT / "book" / "chapters.yml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "chapters.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=r"needs and routes must be known before, got (nowhere|poetry)"):
        read_contents(tmp_path)


def test_the_landing_page_has_every_chapter_and_marks_its_routes(monkeypatch):
    monkeypatch.setattr(landing, "BOOK", ROOT / "book")
    html = landing.chapters()._repr_html_()
    for chapter in CONTENTS.chapters:
        assert f'href="{chapter.file}.' in html
        assert f'data-routes="{" ".join(chapter.routes)}"' in html
        assert f">{chapter.minutes} min" in html
    assert html.count("<svg") == len(CONTENTS.chapters)
    assert "nan" not in html


def test_away_from_the_book_it_says_where_the_chapters_are(monkeypatch, tmp_path):
    monkeypatch.setattr(landing, "BOOK", tmp_path)
    assert landing.ELSEWHERE in landing.tour()._repr_html_()


@pytest.mark.parametrize(("minutes", "said"), [(35, "35 min"), (60, "1 h 00"), (490, "8 h 10")])
def test_minutes_are_said_in_hours(minutes, said):
    assert landing.hours(minutes) == said
