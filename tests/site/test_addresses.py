"""Addresses of the published site, and check sums behind those of its files."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from book_site import addresses
from bs4 import BeautifulSoup
from sphinx.errors import ConfigError

SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in addresses.pages_of(SITE))


@pytest.mark.parametrize("host", ["https://a.org", "http://127.0.0.1:8000", "https://owner.github.io"])
@pytest.mark.parametrize("path", ["", "/b", "/a-book", "/deep/er"])
@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_every_way_to_write_the_address_means_the_same_site(host: str, path: str, slashes: str) -> None:
    config = SimpleNamespace(html_baseurl=host + path + slashes)
    addresses.settle(None, config)
    assert config.html_baseurl == f"{host}{path}/"
    assert config.notfound_urls_prefix == f"{path}/"
    assert addresses.published(config, "_static/og.png") == f"{host}{path}/_static/og.png"


def test_without_an_address_paths_stand_alone() -> None:
    config = SimpleNamespace(html_baseurl="")
    addresses.settle(None, config)
    assert (config.html_baseurl, config.notfound_urls_prefix) == ("", "/")
    assert addresses.published(config, "_static/og.png") == "_static/og.png"


@pytest.mark.parametrize("wrong", ["a.org/book", "/book/", "ftp://a.org", "https://", "https://a.org/?q=1", "a.org"])
def test_what_is_no_address_of_a_site_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"like https://example.org/book/, got {wrong!r}")):
        addresses.root_of(wrong)


@pytest.mark.parametrize("baseurl", ["https://a.org/book", "https://a.org/book/"])
def test_a_published_book_names_its_addresses_whole(small_book: Callable[..., Path], baseurl: str) -> None:
    site = small_book(baseurl=baseurl)

    def soup(name: str) -> BeautifulSoup:
        return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")

    for name in ("index", "beta-vq"):
        page = soup(name)
        assert [tag["href"] for tag in page.select('link[rel="canonical"]')] == [f"https://a.org/book/{name}.html"]
        properties = {tag["property"]: tag["content"] for tag in page.select("meta[property]")}
        assert properties["og:url"] == f"https://a.org/book/{name}.html"
        assert properties["og:image"] == "https://a.org/book/_static/og.png"
    # These are no pages that a search engine should send readers to.
    for name in ("404", "search", "genindex"):
        assert soup(name).select('link[rel="canonical"], meta[property="og:url"]') == []
    asked = soup("404").select("link[href], script[src]")
    assert {str(tag.get("src") or tag.get("href")).startswith("/book/") for tag in asked} == {True}
    check_sums(site, "404.html", "/book/")


def check_sums(site: Path, name: str, root: str = "/") -> None:
    """Check that every file which a page asks for by name is there, and that its address has its check sum."""
    soup = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    asking = 'script[src], img[src], link[rel~="stylesheet"], link[rel~="preload"], link[rel~="icon"]'
    asked = [urlsplit(str(tag.get("src") or tag.get("href"))) for tag in soup.select(asking)]
    assert len(asked) > 8
    for address in asked:
        path = unquote(address.path)
        file = site / path.removeprefix(root) if path.startswith("/") else (site / name).parent / path
        assert file.is_file(), f"{name} asks for {path}"
        assert address.query == f"v={sha256(file.read_bytes()).hexdigest()[:8]}", f"{name} asks for {path}"


@pytest.mark.site
@pytest.mark.parametrize("name", PAGES)
def test_new_pages_never_meet_old_files(site: Path, name: str) -> None:
    check_sums(site, name)


@pytest.mark.site
def test_the_sheet_never_meets_old_fonts(site: Path) -> None:
    sheet = (site / "_static" / "book.css").read_text(encoding="utf-8")
    named = [address for address in re.findall(r'url\("?([^")]*)', sheet) if not address.startswith("data:")]
    assert len(named) >= 3
    for address in named:
        path, _, query = address.partition("?v=")
        assert sha256((site / "_static" / path).read_bytes()).hexdigest().startswith(query)
        assert len(query) == 8


@pytest.mark.site
def test_what_scripts_ask_for_has_its_version_in_its_name(site: Path) -> None:
    (mathjax,) = (site / "_static").glob("mathjax-*")
    assert f'"{mathjax.name.removeprefix("mathjax-")}"' in (mathjax / "core.js").read_text(encoding="utf-8")
    for script in (site / "_static").rglob("states/*.js"):
        assert script.stem.rsplit("-", 1)[1] == sha256(script.read_bytes()).hexdigest()[:10]


def test_a_later_build_renews_the_sums(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    script = tmp_path / "a b.js"
    script.write_text("1")
    tags = '<script src="{}"></script><img alt="x" src="{}"><a href="{}">a</a><script src="gone.js"></script>'
    for page, address in (
        ("index.html", "a%20b.js"),
        ("deep/page.html", "../a%20b.js"),
        ("404.html", "/top/a%20b.js"),
    ):
        (tmp_path / page).write_text(tags.format(*[address] * 3))
    for content in ("1", "22"):
        script.write_text(content)
        addresses.stamp_pages(tmp_path, "/top/")
        stamp = "?v=" + sha256(content.encode()).hexdigest()[:8]
        assert (tmp_path / "index.html").read_text() == tags.format(f"a%20b.js{stamp}", f"a%20b.js{stamp}", "a%20b.js")
        assert f'"../a%20b.js{stamp}"' in (tmp_path / "deep" / "page.html").read_text()
        assert f'"/top/a%20b.js{stamp}"' in (tmp_path / "404.html").read_text()
