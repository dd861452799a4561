"""Addresses: where the site is published, and check sums behind those of its files."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

_TAG = re.compile(r"<(?:script|link|img)\b[^>]*>")
_IN_TAG = re.compile(r'\b(src|href)="([^"?#]+)(?:\?v=\w*)?"')
_IN_SHEET = re.compile(r"""url\(["']?([\w./-]+)["']?\)""")


def root_of(baseurl: str) -> str:
    """Write the published site's address so that a path can follow: with one slash at its end; empty stays empty.

    Raises:
        ConfigError: it is no address of a site.
    """
    parts = urlsplit(baseurl)
    if not baseurl:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"html.baseurl in _config.yml must be empty or like https://example.org/book/, got {baseurl!r}"
        )
    return baseurl.rstrip("/") + "/"


def settle(_app: Sphinx, config: Config) -> None:
    """Let all that follows find the address in one form: canonical links, previews, the page for missing addresses.

    That page may answer at any depth, so that it links from the site's own root.
    """
    config.html_baseurl = root_of(config.html_baseurl)
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path or "/"


def published(config: Config, path: str) -> str:
    """The whole address of one of the site's files; its path alone where the site has no address yet."""
    return f"{config.html_baseurl}{path}"


def pages_of(site: Path) -> Iterator[Path]:
    """Every page of a built site."""
    return (path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts)


@functools.cache
def _sum_of(path: Path, _time: int) -> str:
    return sha256(path.read_bytes()).hexdigest()[:8]


def stamped(path: Path) -> str:
    """What stands behind a file's address, so that no browser takes an older file that it has kept for this one."""
    return f"?v={_sum_of(path, path.stat().st_mtime_ns)}"


def stamp_pages(site: Path, root: str) -> None:
    """Put check sums behind the addresses of all that pages ask for by name: scripts, sheets, images.

    Args:
        site: the built site.
        root: the path under which it is published, with which absolute addresses begin.
    """
    for page in pages_of(site):
        folder = page.parent

        def stamp(found: re.Match[str], folder: Path = folder) -> str:
            path = unquote(found[2])
            file = site / path.removeprefix(root) if path.startswith("/") else folder / path
            named = file.suffix != ".html" and file.is_file()
            return f'{found[1]}="{found[2]}{stamped(file)}"' if named else found[0]

        html = page.read_text(encoding="utf-8")
        fresh = _TAG.sub(lambda tag: _IN_TAG.sub(stamp, tag[0]), html)
        if fresh != html:
            page.write_text(fresh, encoding="utf-8")


def stamp_sheet(css: str, folder: Path) -> str:
    """Put check sums behind the addresses in a sheet that lies in ``folder``."""

    def stamp(found: re.Match[str]) -> str:
        file = folder / found[1]
        return f'url("{found[1]}{stamped(file)}")' if file.is_file() else found[0]

    return _IN_SHEET.sub(stamp, css)
