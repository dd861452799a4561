"""A Chromium, the built site on a local port, and pages that watch what goes wrong in them."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.lab import LabNotebook, Server, serve_lab, write_notebook
from hardtosoft.serve import make_server

SITE = Path(__file__).parents[2] / "_build" / "html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_BROWSER = (
    "no Chromium found: install one with `apt-get install chromium` (Debian, Ubuntu) or "
    "`.venv/bin/playwright install chromium`"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, else playwright's own. Without one tests are skipped, or fail where CI=true."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except PlaywrightError as error:
            if found is None and "Executable doesn't exist" in str(error):
                (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_BROWSER)
            raise
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site_url() -> Iterator[str]:
    """Address of the built site, with a slash at its end."""
    if not (SITE / "index.html").is_file():
        pytest.fail("the site is not built: run `make site` first")
    with make_server(SITE) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@dataclass
class Complaints:
    """What a reader's browser would complain of."""

    errors: list[str] = field(default_factory=list)
    """Errors on the console, uncaught exceptions, and answers of 400 and above."""
    foreign: list[str] = field(default_factory=list)
    """Requests to any host but the site's own; they are blocked."""


@contextmanager
def visiting(chromium: Browser, site_url: str) -> Iterator[Callable[..., tuple[Page, Complaints]]]:
    """A reader with a browser; when they leave, their pages are closed. See ``open_page``."""
    contexts = []

    def open_(
        path: str, *, theme: str = "light", width: int = 1280, height: int = 900, **options: object
    ) -> tuple[Page, Complaints]:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **options)
        contexts.append(context)
        page, complaints = context.new_page(), Complaints()

        def watch(route: Route) -> None:
            if route.request.url.startswith((site_url, "data:", "blob:")):
                route.continue_()
            else:
                complaints.foreign.append(route.request.url)
                route.abort()

        def listen(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.errors.append(f"{message.text} ({message.location.get('url', '')})")

        page.route("**/*", watch)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.errors.append(str(error)))
        page.goto(site_url + path, wait_until="load")
        return page, complaints

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(chromium: Browser, site_url: str) -> Iterator[Callable[..., tuple[Page, Complaints]]]:
    """Open a page of the site: ``open_page("index.html", theme="dark", width=360)``.

    Gives the playwright page, loaded, and its complaints so far, which grow as the test goes on. Keywords are
    those of ``Browser.new_context`` except ``theme`` ("light" or "dark"), ``width`` and ``height`` in CSS pixels.
    """
    with visiting(chromium, site_url) as open_:
        yield open_


@dataclass
class Visit:
    """A page that several tests look at, one after another."""

    path: str
    page: Page
    complaints: Complaints


@pytest.fixture(scope="module")
def visit(request: pytest.FixtureRequest, chromium: Browser, site_url: str) -> Iterator[Visit]:
    """A wide page, opened once for all tests of a file; which one is the fixture's (indirect) parameter."""
    with visiting(chromium, site_url) as open_:
        yield Visit(request.param, *open_(request.param))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab over an empty folder."""
    with serve_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def open_notebook(lab: Server, chromium: Browser) -> Iterator[Callable[..., LabNotebook]]:
    """Open a fresh notebook of the given cells in JupyterLab; the one before it is closed, its kernel shut down.

    With ``name`` a notebook that is in the folder already is opened instead.
    """
    opened: list[LabNotebook] = []

    def open_(*cells: str, name: str = "", dark: bool = False) -> LabNotebook:
        while opened:
            opened.pop().close()
        if not name:
            name = f"fresh{len(list(lab.folder.glob('fresh*')))}.ipynb"
            write_notebook(lab.folder / name, cells)
        opened.append(LabNotebook(chromium, lab, name, dark=dark))
        return opened[0]

    yield open_
    while opened:
        opened.pop().close()
