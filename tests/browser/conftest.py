"""A Chromium, the built site on a local port, visits to its pages, and notebooks in JupyterLab."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from visits import Complaints, Visit, visiting

from benchmarks.lab import LabNotebook, LabWindow, Server, serve_lab, write_notebook
from hardtosoft.site.serve import make_server

SITE = Path(__file__).parents[2] / "_build" / "html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # to this machine the others are not there
]
#: The first is Chromium without windows, and takes a quarter less time for a page.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
NO_BROWSER = (
    "no Chromium found: install one with `apt-get install chromium` (Debian, Ubuntu) or "
    "`.venv/bin/playwright install chromium`"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, else playwright's own. Without one tests are skipped, or fail where CI=true."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
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


@pytest.fixture
def open_page(chromium: Browser, site_url: str) -> Iterator[Callable[..., tuple[Page, Complaints]]]:
    """Open a page of the site: ``open_page("index.html", theme="dark", width=360)``.

    Gives the playwright page, loaded, and its complaints so far, which grow as the test goes on. Keywords are
    those of ``Browser.new_context`` except ``theme`` ("light" or "dark"), ``width`` and ``height`` in CSS pixels, and
    ``policy``, the content security policy that the pages come with.
    """
    with visiting(chromium, site_url) as open_:
        yield open_


@pytest.fixture(scope="session")
def visit(request: pytest.FixtureRequest, chromium: Browser, site_url: str) -> Iterator[Visit]:
    """A page, opened once for all tests of it; its (indirect) parameter is the page's path and its width.

    The tests run in the order of their files and of their places there: ``test_every_figure.py`` meets the page as a
    first visit does, ``test_pages.py`` leaves it in another theme.
    """
    path, width = request.param
    with visiting(chromium, site_url) as open_:
        yield Visit(path, width, *open_(path, width=width, reduced_motion="reduce"))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab over an empty folder."""
    with serve_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


class Notebooks:
    """Opens notebooks in one window of JupyterLab, which is kept: loading JupyterLab takes longer than most tests."""

    def __init__(self, browser: Browser, lab: Server) -> None:
        self._browser, self._lab = browser, lab
        self._window: LabWindow | None = None
        self._opened: list[LabNotebook] = []

    def __call__(self, *cells: str, name: str = "", dark: bool = False) -> LabNotebook:
        """Open a fresh notebook of the given cells; the one before it is closed, its kernel shut down.

        With ``name`` a notebook that is in the folder already is opened instead.
        """
        self.close()
        if not name:
            name = f"fresh{len(list(self._lab.folder.glob('fresh*')))}.ipynb"
            write_notebook(self._lab.folder / name, cells)
        self._window = self._window or LabWindow(self._browser, self._lab)
        self._opened.append(self._window.open(name, dark=dark))
        return self._opened[0]

    def close(self) -> None:
        """Close the notebook that is open."""
        while self._opened:
            self._opened.pop().close()

    def renew(self) -> None:
        """Let the next notebook open in a new window, which knows nothing of the notebooks before."""
        self._opened.clear()
        if self._window:
            self._window.close()
        self._window = None


@pytest.fixture(scope="session")
def notebooks(lab: Server, chromium: Browser) -> Iterator[Notebooks]:
    """The window of JupyterLab that all tests of a process share."""
    shared = Notebooks(chromium, lab)
    yield shared
    shared.renew()


@pytest.fixture
def open_notebook(notebooks: Notebooks) -> Iterator[Notebooks]:
    """Open a notebook in JupyterLab: ``open_notebook("1 + 1")``; it is closed when the test is over."""
    yield notebooks
    notebooks.close()
