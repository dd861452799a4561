"""Every page, wide and narrow, light and dark: accessible, self-contained, quiet, and no wider than the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from accessibility import OF_COLOUR, violations
from figures_in_pages import on_pages
from playwright.sync_api import Page
from visits import Visit

pytestmark = [pytest.mark.browser, pytest.mark.site]

SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts)
#: Pages of the reference are made by one template, with the same few kinds of elements: one of them stands for all in
#: each width and theme, and what their texts can break, the narrow screen and the light theme show.
LIKE_ANOTHER = [path for path in PAGES if path.startswith("reference/") and path != "reference/functional.html"]
SWEPT = [path for path in PAGES if path not in LIKE_ANOTHER]

# What scrolls sideways and cannot be reached by keyboard.
OUT_OF_REACH = """() => [...document.querySelectorAll('.bd-article *')].filter((element) =>
    /auto|scroll/.test(getComputedStyle(element).overflowX)
    && element.scrollWidth > element.clientWidth + 1
    && element.tabIndex < 0
).map((element) => element.outerHTML.slice(0, 120))"""


def settle(page: Page) -> None:
    """Wait until formulas are set, plots have come where there are figures, and a frame is drawn after them."""
    if page.locator(".hts-figure").count():
        page.wait_for_load_state("networkidle")
    page.evaluate("""() => Promise.resolve(window.MathJax?.startup?.promise).then(() => new Promise(
        (resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(null)))))""")


def assert_prints_light_and_open(page: Page) -> None:
    """Print a dark page: light, its folded answers open, and all as before when that is over."""
    closed = page.locator(".bd-article details:not([open])").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator(".bd-article details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator(".bd-article details:not([open])").count() == closed


def test_the_site_is_built() -> None:
    assert "index.html" in PAGES, "run `make site` first"


def assert_sound(visit: Visit) -> None:
    """No wider than the screen, in reach of a keyboard, quiet, by itself, and accessible."""
    page, complaints = visit.page, visit.complaints
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= visit.width
    assert page.evaluate(OUT_OF_REACH) == []
    # Before axe, which asks for style sheets by itself.
    assert complaints.errors == []
    assert complaints.foreign == []
    assert violations(page) == []


@on_pages(LIKE_ANOTHER, 360)
def test_page_like_another(visit: Visit) -> None:
    assert_sound(visit)


@on_pages(SWEPT, 1280, 360)
def test_page(visit: Visit) -> None:
    assert_sound(visit)
    page = visit.page
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    assert violations(page, OF_COLOUR) == []
    if visit.width == 1280:
        assert_prints_light_and_open(page)


def rules(found: list[str]) -> set[str]:
    """Those that are broken."""
    return {text.partition(":")[0] for text in found}


def test_axe_sees_violations(open_page: Callable) -> None:
    """The checks above can fail: an image without a text and a colour too pale are found."""
    page, _ = open_page("404.html")
    assert violations(page, OF_COLOUR) == []
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    assert rules(violations(page, OF_COLOUR)) == {"color-contrast"}
    page.evaluate("document.querySelector('article').insertAdjacentHTML('beforeend', '<img src=data:,>')")
    assert "image-alt" in rules(violations(page))


def test_axe_sees_each_pale_text_among_others(open_page: Callable) -> None:
    page, _ = open_page("relu-to-swish.html")
    texts = [page.locator(name).last for name in ("pre span.n:visible", "article p:visible", ".hts-xlabel")]
    for number, text in enumerate(texts):
        text.evaluate("(text, name) => text.classList.add(name)", f"pale-{number}")
    before = [text.get_attribute("style") or "" for text in texts]
    wrongs = ["color: #ddd", "background-color: #555", "opacity: 0.3"]
    for _ in range(3):  # each text is wrong in each way
        wrongs = [*wrongs[1:], wrongs[0]]
        for text, style, wrong in zip(texts, before, wrongs, strict=True):
            text.evaluate("(text, style) => text.setAttribute('style', style)", f"{style}; {wrong}")
        found = violations(page, OF_COLOUR)
        assert rules(found) == {"color-contrast"}
        assert [number for number in range(3) if f"pale-{number}" in "".join(found)] == [0, 1, 2]
    for text, style in zip(texts, before, strict=True):
        text.evaluate("(text, style) => text.setAttribute('style', style)", style)
    assert violations(page, OF_COLOUR) == []


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_sees_that_all_texts_are_pale(open_page: Callable, width: int) -> None:
    page, _ = open_page("claims.html", width=width)
    page.add_style_tag(content="article p { color: #ccc !important }")
    assert rules(violations(page, OF_COLOUR)) == {"color-contrast"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_search_finds_and_highlights(open_page: Callable, theme: str) -> None:
    page, complaints = open_page("search.html?q=swish", theme=theme)
    page.wait_for_selector("#search-results li a")
    assert violations(page) == []
    page.click("#search-results li a")
    page.wait_for_selector(".highlighted")
    settle(page)
    assert violations(page) == []
    assert complaints.errors == []


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("BetaMaxPool2d", "reference/nn.html#betavq.nn.BetaMaxPool2d"),
        ("soften", "reference/softening.html#betavq.softening.soften"),
        ("partition", "reference/geometry.html#betavq.geometry.partition"),
        ("responsibilities", "reference/mixture.html#betavq.mixture.GaussianMixture.responsibilities"),
    ],
)
def test_search_finds_names_first(open_page: Callable, words: str, address: str) -> None:
    page, _ = open_page(f"search.html?q={words}")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function("() => /found/.test(document.querySelector('.search-summary').textContent)")
    assert page.locator("#search-results li a").first.get_attribute("href") == address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_search_dialog(open_page: Callable, theme: str) -> None:
    page, _ = open_page("notation.html", theme=theme)
    page.keyboard.press("Control+k")
    page.wait_for_selector(".search-button__wrapper.show input:focus")
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_menus_on_a_phone(open_page: Callable, theme: str) -> None:
    page, _ = open_page("notation.html", theme=theme, width=360, height=740)
    page.click("button.primary-toggle:visible")
    page.wait_for_timeout(400)
    assert page.is_visible(".bd-sidebar-primary nav.bd-links a")
    assert violations(page) == []


def test_tooltip_stands_in_a_landmark(open_page: Callable) -> None:
    page, _ = open_page("notation.html")
    page.hover(".theme-switch-button")
    page.wait_for_selector("main .tooltip.show")
    assert violations(page) == []


def test_theme_button_cycles(open_page: Callable) -> None:
    page, _ = open_page("notation.html", theme="light")
    seen = {page.evaluate("document.documentElement.dataset.theme")}
    for _ in range(3):
        page.click(".theme-switch-button")
        seen.add(page.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}


@pytest.mark.parametrize("width", [1280, 360])
def test_landing_figure_is_above_the_fold(open_page: Callable, width: int) -> None:
    page, _ = open_page("index.html", width=width, height=740)
    box = page.locator(".hero").bounding_box()
    assert box is not None
    assert box["y"] < 370


def test_missing_address_shows_the_sites_own_page(open_page: Callable) -> None:
    page, complaints = open_page("no/such/page.html")
    assert page.locator("h1").inner_text() == "This page does not exist"
    assert page.locator(".bd-links a").first.get_attribute("href").startswith("/")
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("-apple-system")
    assert all("no/such/page.html" in error for error in complaints.errors)
