"""Visits to pages of the built site, which watch what goes wrong there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route


@dataclass
class Complaints:
    """What a reader's browser would complain of."""

    errors: list[str] = field(default_factory=list)
    """Errors on the console, uncaught exceptions, and answers of 400 and above."""
    foreign: list[str] = field(default_factory=list)
    """Requests to any host but the site's own; they find nobody."""


@contextmanager
def visiting(chromium: Browser, site_url: str) -> Iterator[Callable[..., tuple[Page, Complaints]]]:
    """A reader with a browser; when they leave, their pages are closed. See ``open_page``."""
    contexts = []

    def open_(
        path: str, *, theme: str = "light", width: int = 1280, height: int = 900, policy: str = "", **options: object
    ) -> tuple[Page, Complaints]:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **options)
        contexts.append(context)
        page, complaints = context.new_page(), Complaints()

        def restrict(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})

        if policy:
            context.route(re.compile(r"\.html(\?|$)"), restrict)

        def watch(request: Request) -> None:
            if not request.url.startswith((site_url, "data:", "blob:")):
                complaints.foreign.append(request.url)

        def listen(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.errors.append(f"{message.text} ({message.location.get('url', '')})")

        page.on("request", watch)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.errors.append(str(error)))
        page.goto(site_url + path, wait_until="load")
        return page, complaints

    yield open_
    for context in contexts:
        context.close()


@dataclass
class Visit:
    """A page that several tests look at, one after another."""

    path: str
    width: int
    page: Page
    complaints: Complaints
