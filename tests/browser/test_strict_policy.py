"""Under a strict content security policy, which stops scripts in pages, every page does what it does elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from figures_in_pages import figure, slider, words

pytestmark = [pytest.mark.browser, pytest.mark.site]

POLICY = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:"


def test_formulas_figures_and_themes(open_page: Callable) -> None:
    page, complaints = open_page("relu-to-swish.html", policy=POLICY)
    page.wait_for_selector("mjx-container svg, mjx-container mjx-math")
    root = figure(page, "relu-to-swish")
    slider(root).focus()
    page.keyboard.press("End")
    assert words(root) == "β = 1.00, hard"
    page.wait_for_selector("#beta-code .hts-plotly", state="attached")
    seen = []
    for _ in range(3):
        page.click(".theme-switch-button")
        seen.append(page.evaluate("document.documentElement.dataset.mode"))
    assert sorted(seen) == ["auto", "dark", "light"]
    page.click("button.copybtn >> nth=0", force=True)
    assert complaints.errors == []


def test_search(open_page: Callable) -> None:
    page, complaints = open_page("notation.html", policy=POLICY)
    page.keyboard.press("Control+k")
    page.fill(".search-button__wrapper.show input", "swish")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li .context")
    page.click("#search-results li a")
    page.wait_for_selector(".highlighted")
    assert complaints.errors == []


def test_the_button_prints(open_page: Callable) -> None:
    page, complaints = open_page("relu-to-swish.html", policy=POLICY)
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.click(".dropdown-download-buttons > button")
    page.click(".btn-download-pdf-button")
    assert page.title() == "printed"
    assert complaints.errors == []


@pytest.mark.parametrize("path", ["index.html", "claims.html", "genindex.html", "no/such/page.html"])
def test_other_pages(open_page: Callable, path: str) -> None:
    page, complaints = open_page(path, policy=POLICY)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator(".theme-switch-button:visible").count() == 1
    assert [error for error in complaints.errors if "no/such/page.html" not in error] == []


def test_without_scripts_nothing_is_offered_that_needs_them(open_page: Callable) -> None:
    page, _ = open_page("relu-to-swish.html", java_script_enabled=False)
    assert page.locator(".theme-switch-button, .search-button__button, .btn-download-pdf-button").count() >= 3
    assert (
        page.locator(":is(.theme-switch-button, .search-button__button, .btn-download-pdf-button):visible").count()
        == 0
    )


def test_a_script_in_a_page_is_stopped(open_page: Callable) -> None:
    """The checks above can fail: the policy holds on these pages."""
    page, complaints = open_page("notation.html", policy=POLICY)
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran") is None
    assert "Content Security Policy" in "".join(complaints.errors)
