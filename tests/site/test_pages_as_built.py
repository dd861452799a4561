"""What the built pages hold, read from their HTML: self-contained, light, described, and without dead links."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
import struct
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from fontTools.ttLib import TTFont

from hardtosoft.interactive import plotly

pytestmark = pytest.mark.site

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)
CONTENT = [name for name in PAGES if name not in ("404.html", "genindex.html", "search.html")]


@functools.cache
def parsed(path: Path) -> BeautifulSoup:
    """A page's tree: half a second's work, and many tests read each page."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """The ids that links to a page may name."""
    return frozenset(str(tag["id"]) for tag in parsed(path).select("[id]"))


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, site: Path) -> tuple[str, BeautifulSoup]:
    return request.param, parsed(site / request.param)


def text_of(tag: Tag | None, attribute: str) -> str:
    assert tag is not None
    return str(tag[attribute])


def resources(soup: BeautifulSoup) -> list[str]:
    """Every address that a browser asks for by itself."""
    found = [tag["src"] for tag in soup.select("script[src], img[src], iframe[src], source[src], video[src]")]
    found += [tag["href"] for tag in soup.select("link[href]") if tag["rel"][0] in ("stylesheet", "icon", "preload")]
    return [str(address) for address in found]


def local(site: Path, name: str, address: str) -> Path:
    """The file behind an address on a page; the page for missing addresses links from the site's root."""
    path = unquote(urlsplit(address).path)
    if path.startswith("/"):
        assert name == "404.html", f"{name} links from the host's root: {address}"
        return site / (path.lstrip("/") or "index.html")
    return (site / name).parent / path if path else site / name


def test_chapters_stand_at_the_root_and_the_reference_beside_them(site: Path) -> None:
    assert {"index.html", "relu-to-swish.html", "notation.html", "claims.html", "references.html"} <= set(PAGES)
    assert {"404.html", "search.html", "genindex.html"} <= set(PAGES)
    assert {Path(name).parent.as_posix() for name in PAGES} == {".", "reference"}
    assert "http-equiv" not in (site / "index.html").read_text(encoding="utf-8")


def test_page_asks_no_other_host(page: tuple[str, BeautifulSoup]) -> None:
    _, soup = page
    assert [address for address in resources(soup) if urlsplit(address).netloc] == []


def test_page_has_no_script_in_itself(page: tuple[str, BeautifulSoup]) -> None:
    """A strict content security policy would stop it; blocks of data are none."""
    _, soup = page
    kinds = {str(tag.get("type", "text/javascript")) for tag in soup.select("script:not([src])")}
    assert kinds <= {"application/json", "text/plain"}
    handlers = [name for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert handlers == []
    assert not soup.select('[href^="javascript:"]')


def test_style_sheets_ask_no_other_host(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", text), sheet.name
        assert not re.search(r"@import\s+(url\()?['\"]?(https?:)?//", text), sheet.name


def test_page_has_no_live_notebook_machinery(page: tuple[str, BeautifulSoup]) -> None:
    name, soup = page
    machinery = r"require(\.min)?\.js|html-manager|thebe(-lite)?\.(min\.)?js|application/vnd\.jupyter\.widget"
    assert not re.search(machinery, str(soup)), name


def test_page_says_what_it_is(page: tuple[str, BeautifulSoup]) -> None:
    name, soup = page
    assert text_of(soup.html, "lang") == "en"
    assert len(soup.select("h1")) == 1
    assert soup.title is not None
    assert "From Hard to Soft" in soup.title.get_text()
    descriptions = [str(tag["content"]) for tag in soup.select('meta[name="description"]')]
    assert len(descriptions) == 1
    assert 20 < len(descriptions[0]) <= 210
    assert not re.search(r"[\\${}]|\[\w\w", descriptions[0]), f"raw TeX or citation in {name}"
    properties = {str(tag["property"]): str(tag["content"]) for tag in soup.select("meta[property]")}
    assert properties["og:description"] == descriptions[0]
    assert properties["og:title"].strip()
    assert properties["og:image"].endswith("_static/og.png")


def test_titles_and_descriptions_tell_pages_apart(site: Path) -> None:
    soups = [parsed(site / name) for name in CONTENT]
    assert len({soup.title.get_text() for soup in soups if soup.title}) == len(CONTENT)
    assert len({text_of(soup.select_one('meta[name="description"]'), "content") for soup in soups}) == len(CONTENT)


def test_mathjax_is_on_pages_with_formulas_only(page: tuple[str, BeautifulSoup], site: Path) -> None:
    name, soup = page
    has = bool(soup.select('script[src*="mathjax"]'))
    assert has == bool(soup.select(".math")), name
    (start,) = soup.select('script[src*="_static/start-"]')
    assert has == ("window.MathJax" in local(site, name, str(start["src"])).read_text(encoding="utf-8")), name


def test_driver_is_on_pages_with_figures_only(page: tuple[str, BeautifulSoup], site: Path) -> None:
    _, soup = page
    drivers, figures = soup.select('script[src*="_static/figure.js"]'), soup.select(".hts-figure")
    assert len(drivers) == bool(figures)
    # It runs as soon as the first figure is there, and was asked for long before.
    assert drivers == [figure.find_next_sibling() for figure in figures[:1]]
    early = [tag["href"] for tag in soup.select('head link[rel="preload"][as="script"]')]
    assert early == [driver["src"] for driver in drivers]
    assert not soup.select('script[src*="plotly"]'), "the runtime comes when a figure nears the screen"
    for driver in drivers:
        bundle = site / "_static" / str(driver["data-plotly"])
        assert hashlib.sha256(bundle.read_bytes()).hexdigest() == plotly.PLOTLY_SHA256


def test_first_picture_waits_for_one_sheet_and_one_small_script(page: tuple[str, BeautifulSoup]) -> None:
    _, soup = page
    sheets = [str(tag["href"]) for tag in soup.select('link[rel="stylesheet"]')]
    assert [sheet.split("/")[-1].split("?")[0] for sheet in sheets] == ["book.css"]
    (script,) = soup.select("head script[src]:not([defer])")
    assert re.search(r"_static/start-\w{8}\.js", str(script["src"]))


def test_no_script_twice(page: tuple[str, BeautifulSoup]) -> None:
    _, soup = page
    files = [str(tag["src"]).split("?")[0] for tag in soup.select("script[src]")]
    assert len(files) == len(set(files))


def test_links_lead_somewhere(page: tuple[str, BeautifulSoup], site: Path) -> None:
    name, soup = page
    for address in resources(soup):
        assert local(site, name, address).is_file(), f"{name} asks for {address}"
    for link in soup.select("a[href]"):
        parts = urlsplit(str(link["href"]))
        if parts.scheme or parts.netloc:
            assert parts.scheme in ("https", "mailto"), f"{name} links to {link['href']}"
            continue
        target = local(site, name, parts.path)
        assert target.is_file(), f"{name} links to {link['href']}"
        if parts.fragment and target.suffix == ".html":
            anchor = unquote(parts.fragment)
            # `#figure.beta=0.5` names a figure and its state.
            assert {anchor, anchor.split(".")[0]} & anchors(target), f"{name} links to {link['href']}"


@pytest.mark.parametrize("name", [name for name in PAGES if name != "search.html"])
def test_anchors_are_unique(site: Path, name: str) -> None:
    soup = parsed(site / name)
    ids = [str(tag["id"]) for tag in soup.select("[id]") if not tag.find_parent("svg")]
    assert sorted(set(ids)) == sorted(ids)


def test_no_page_names_the_machine_that_built_it(site: Path) -> None:
    for path in site.rglob("*"):
        if path.suffix in (".html", ".js", ".json", ".css", ".ipynb", ".md"):
            assert str(ROOT) not in path.read_text(encoding="utf-8"), path


def test_icons_are_small_and_whole(site: Path) -> None:
    static = site / "_static"
    fonts = [static / "icons-solid.woff2", static / "icons-brands.woff2"]
    assert sum(font.stat().st_size for font in fonts) < 6_000
    sheet = (static / "book.css").read_text(encoding="utf-8")
    drawn = {char for font in fonts for char in TTFont(font).getBestCmap()}
    named = {name: ord(char) for name, char in re.findall(r'\.fa-([a-z-]+)::before\{ content: "(.)"', sheet)}
    assert set(named.values()) <= drawn
    styles = {"solid", "brands", "regular", "lg"}
    for name in PAGES:
        used = set(re.findall(r"\bfa-([a-z][a-z-]*)", (site / name).read_text(encoding="utf-8")))
        assert used - styles <= set(named), name
    assert not (static / "vendor").exists()
    assert list(static.rglob("*.map")) == []


def test_admonition_icons_are_in_the_font(site: Path) -> None:
    drawn = set(TTFont(site / "_static" / "icons-solid.woff2").getBestCmap())
    theme = (site / "_static" / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    wanted = {ord(char) for char in re.findall(r'--pst-icon-(?!git)[a-z-]+:"(.)"', theme)}
    assert len(wanted) > 8
    assert wanted <= drawn


def test_favicon_and_preview_image(site: Path) -> None:
    for name in PAGES:
        soup = parsed(site / name)
        assert "_static/favicon.svg?v=" in text_of(soup.select_one('link[rel="icon"]'), "href")
    image = (site / "_static" / "og.png").read_bytes()
    assert struct.unpack(">II", image[16:24]) == (1200, 630)
    assert len(image) < 60_000


def test_a_page_without_formulas_or_figures_is_light(site: Path) -> None:
    """What it loads beside its own words; the theme alone would weigh 985 kB compressed."""
    soup = BeautifulSoup((site / "references.html").read_text(encoding="utf-8"), "html.parser")
    files = [local(site, "references.html", address) for address in resources(soup)]
    text = [path for path in files if path.suffix in (".js", ".css", ".svg")]
    total = sum(len(gzip.compress(path.read_bytes())) for path in text)
    total += sum(font.stat().st_size for font in (site / "_static").glob("icons-*.woff2"))
    assert total < 72_000


@pytest.mark.parametrize("name", PAGES)
def test_html_is_light(site: Path, name: str) -> None:
    assert len(gzip.compress((site / name).read_bytes())) <= 100_000


def test_search_knows_every_page(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    found = json.loads(index.removeprefix("Search.setIndex(").rstrip(")"))
    assert {f"{name}.html" for name in found["docnames"]} == set(CONTENT)
