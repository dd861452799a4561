"""Ways to run a chapter: right links where the repository is on GitHub, none that lead nowhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from book_site import launch

from hardtosoft.site.repository import Repository

SmallBook = Callable[..., Path]
ROOT = Path(__file__).parents[2]
GITHUB = "https://github.com/owner/a-book"
BINDER_LINK = "https://mybinder.org/v2/gh/owner/a-book/main?urlpath=lab/tree/book/beta-vq.ipynb"
COLAB_LINK = "https://colab.research.google.com/github/owner/a-book/blob/main/book/beta-vq.ipynb"


def links(html: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'href="([^"]*)"', html)]


@pytest.mark.parametrize(
    ("address", "found", "commands"),
    [
        (GITHUB, [BINDER_LINK, COLAB_LINK], f"git clone {GITHUB}\ncd a-book\nmake lab"),
        ("https://gitlab.com/owner/a-book", [], "git clone https://gitlab.com/owner/a-book\ncd a-book\nmake lab"),
        ("", [], "make lab"),
    ],
)
def test_block_names_the_ways_that_there_are(address: str, found: list[str], commands: str) -> None:
    html = launch.block(Repository(address, "main", "book"), "beta-vq.ipynb")
    assert links(html) == found
    assert f"<pre>{commands}</pre>" in html
    assert "<code>beta-vq.ipynb</code>" in html
    assert ("few minutes to start" in html) == bool(found)
    balance(html)


def balance(html: str) -> None:
    """Check that every element is closed, in the right order."""
    stack: list[str] = []

    class Check(HTMLParser):
        def handle_starttag(self, tag: str, _attributes: Any) -> None:
            stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Check().feed(html)
    assert stack == []


def test_block_names_the_make_target_that_opens_jupyterlab() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "lab"]
    dry = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "/jupyter lab --notebook-dir=book" in dry.splitlines()[-1]


PAGES = {"index": "index.ipynb", "beta-vq": "beta-vq.ipynb", "notation": "notation.md"}


@pytest.fixture
def page_body(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], str]:
    monkeypatch.setattr(launch, "read_repository", lambda _tree: Repository(GITHUB, "main", "book"))
    environment = SimpleNamespace(found_docs=set(PAGES), doc2path=lambda page, base: PAGES[page])  # noqa: ARG005
    app = SimpleNamespace(srcdir=str(tmp_path), config=SimpleNamespace(root_doc="index"), env=environment)

    def body(page: str) -> str:
        context = {"body": "<section><h1>Title</h1><p>Text</p><h1>Another</h1></section>"}
        launch.add_block(app, page, context)
        return context["body"]

    return body


def test_block_stands_once_under_the_title_of_notebooks(page_body: Callable[[str], str]) -> None:
    body = page_body("beta-vq")
    assert re.search(r'</h1>\s*<div class="run-chapter"', body)
    assert body.count("run-chapter") == 1
    assert body.endswith("<p>Text</p><h1>Another</h1></section>")


@pytest.mark.parametrize("page", ["index", "notation", "search"])
def test_other_pages_stay_as_they_are(page_body: Callable[[str], str], page: str) -> None:
    assert "run-chapter" not in page_body(page)


def outward(html: str) -> list[str]:
    return [link for link in links(html) if re.search(r"binder|colab|owner", link)]


def chapter_and_front(site: Path) -> tuple[str, str]:
    return (site / "beta-vq.html").read_text(encoding="utf-8"), (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("address", [f"{GITHUB}.git", f"{GITHUB}/", f"{GITHUB}/tree/main"])
def test_a_book_on_github_has_the_same_links_in_header_and_block(small_book: SmallBook, address: str) -> None:
    chapter, front = chapter_and_front(small_book(address))
    assert sorted(outward(chapter)) == sorted([BINDER_LINK, COLAB_LINK] * 2)
    # The front page begins with its figure; its header launches all the same.
    assert outward(front) == [link.replace("beta-vq", "index") for link in (BINDER_LINK, COLAB_LINK)]
    assert "run-chapter" not in front


@pytest.mark.parametrize("address", ["", "https://git.example.org/owner/a-book"])
def test_elsewhere_the_build_passes_without_links(small_book: SmallBook, address: str) -> None:
    chapter, front = chapter_and_front(small_book(address))
    assert outward(chapter) == outward(front) == []
    assert "launch-buttons" not in chapter
    assert "make lab" in chapter


@pytest.mark.site
def test_every_chapter_of_the_site_opens_with_the_block(site: Path) -> None:
    chapters = {path.stem for path in (ROOT / "book").glob("*.ipynb")} - {"index"}
    assert chapters
    for path in site.glob("*.html"):
        found = len(re.findall(r'</h1>\s*<div class="run-chapter"', path.read_text(encoding="utf-8")))
        assert found == (path.stem in chapters), path.name
