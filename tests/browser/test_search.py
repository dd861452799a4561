"""The search: its page, over HTTP and from a folder, and what it quotes of the pages that it finds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.site]

SITE = Path(__file__).parents[2] / "_build" / "html"


def settled(page: Page, results: int) -> list[str]:
    """The excerpts, when the search has come to its end and so many of them are there."""
    page.wait_for_selector(".search-summary:has-text('found')")
    page.wait_for_function("n => document.querySelectorAll('#search-results .context').length === n", arg=results)
    return page.locator("#search-results .context").all_inner_texts()


@pytest.mark.parametrize("query", ["swish", "code", "run", "regions", "soften"])
def test_excerpts_are_the_pages_own_prose(open_page: Callable, query: str) -> None:
    page, complaints = open_page(f"search.html?q={query}")
    page.wait_for_selector(".search-summary:has-text('found')")
    excerpts = settled(page, page.locator("#search-results li:not(:has(> span))").count())
    assert excerpts
    for excerpt in excerpts:
        assert not re.search(r"On your own machine|Show code cell|Before you start", excerpt)
        assert not re.search(r"(−?[\d.½¼]+\s+){4}|\d¼½|−4−2", excerpt), "the ticks of a figure"
        assert not re.search(r"[\\{}]", excerpt), "TeX"
        assert not re.search(r"^\.|\w(…|\.\.\.)$", excerpt), "half a word"
        assert not re.search(r"\b(\w{4,}) \1\b", excerpt), "a cell of a table, and the paragraph in it"
    assert complaints.errors == []


def test_the_search_works_from_a_folder(chromium: Browser) -> None:
    page, errors = chromium.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto((SITE / "search.html").as_uri() + "?q=swish")
    assert settled(page, 0) == []
    assert page.locator("#search-results li a").count() > 3
    page.wait_for_timeout(200)  # a refused request is told of later
    assert errors == []
    page.close()


def test_the_searchs_own_field_has_the_focus(open_page: Callable) -> None:
    page, _ = open_page("search.html?q=swish")
    assert page.evaluate("document.activeElement === document.querySelector('.bd-search-container input')")
    assert page.evaluate("getSelection().toString()") == "swish"


@pytest.mark.parametrize("width", [1280, 360])
def test_the_icon_leaves_the_placeholder_free(open_page: Callable, width: int) -> None:
    page, _ = open_page("search.html", width=width)
    icon = page.locator(".bd-search-container .fa-magnifying-glass").bounding_box()
    text = page.evaluate(
        """() => {
            const field = document.querySelector('.bd-search-container input'), style = getComputedStyle(field);
            return field.getBoundingClientRect().left + parseFloat(style.borderLeftWidth)
                + parseFloat(style.paddingLeft);
        }"""
    )
    assert icon is not None
    assert icon["x"] + icon["width"] <= text
