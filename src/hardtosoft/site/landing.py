"""The landing page's ways through the book, as HTML that a cell shows: the fifteen-minute tour, and all chapters."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any

from ..figures import every_figure
from ..interactive.figure import STATIC
from .chapters import Chapter, Contents, Part, read_contents
from .thumbnails import thumbnail

BOOK = Path()  # a notebook runs in the book's folder
ELSEWHERE = "The chapters stand beside this notebook in the book’s repository."


class Shown:
    """HTML for a page and for a notebook; a saved notebook keeps the words alone."""

    def __init__(self, make: Callable[[Contents], str], words: str) -> None:
        self._make, self._words = make, words

    def __repr__(self) -> str:
        return self._words

    def _repr_html_(self) -> str:
        if not (BOOK / "chapters.yml").is_file():
            return f"<p>{ELSEWHERE}</p>"
        style = (files(__package__) / "landing.css").read_text(encoding="utf-8")
        return f'<style>{style}</style><div class="ways">{self._make(read_contents(BOOK))}</div>'


def tour() -> Shown:
    """Five figures in fifteen minutes."""
    return Shown(_tour, "Five figures in fifteen minutes, without prerequisites.")


def chapters() -> Shown:
    """All chapters in their parts, and buttons that mark the ones on a route."""
    return Shown(_chapters, "All chapters in their parts, with three routes through them.")


def hours(minutes: int) -> str:
    """Minutes as they are said: ``35 min``, ``2 h 40``."""
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"


def _tour(contents: Contents) -> str:
    stops = [(chapter, chapter.tour) for chapter in contents.chapters if chapter.tour]
    ends = list(accumulate(stop.minutes for _, stop in stops))
    cards = "".join(
        f'<li><a href="{_address(chapter)}#{stop.figure}"><small><b>{end - stop.minutes}–{end} min</b></small>'
        f"{_picture(chapter)}<span>{escape(stop.see)}</span><small>in chapter {chapter.number}</small></a></li>"
        for end, (chapter, stop) in zip(ends, stops, strict=True)
    )
    return f'<ol class="tour">{cards}</ol>'


def _chapters(contents: Contents) -> str:
    script = (files(__package__) / "landing.js").read_text(encoding="utf-8")
    parts = "".join(_part(contents, part) for part in contents.parts)
    return f"{_routes(contents)}{parts}<script>{script}</script>"


def _routes(contents: Contents) -> str:
    def button(route: str, name: str, said: str) -> str:
        on = [chapter for chapter in contents.chapters if route in ("", *chapter.routes)]
        total = f"{len(on)} chapters · {hours(sum(chapter.minutes for chapter in on))}"
        pressed = "false" if route else "true"
        return (
            f'<li><button type="button" aria-pressed="{pressed}" data-route="{route}">'
            f"<span>{_mark(route) if route else ''}{name} <small>{total}</small></span>"
            f"<small>{escape(said)}</small></button></li>"
        )

    buttons = button("", "Every chapter", "From one unit to the geometry of a network.")
    buttons += "".join(button(route, route.capitalize(), said) for route, said in contents.routes.items())
    keys = " ".join(f"{_mark(route)}{route.capitalize()}: {escape(said)}" for route, said in contents.routes.items())
    return (
        f'<div class="ways-to-choose"><ul class="routes" aria-label="Routes">{buttons}</ul>'
        '<p class="route">Three routes share the first chapter. Choose one, and the other chapters dim.</p></div>'
        f'<noscript><p class="route">{keys}</p></noscript>'
    )


def _part(contents: Contents, part: Part) -> str:
    cards = "".join(_card(contents, chapter) for chapter in part.chapters)
    name = f"<h3><span>{part.number}</span> {escape(part.name)}</h3>"
    return f'<div class="part">{name}<ul class="cards">{cards}</ul></div>'


def _card(contents: Contents, chapter: Chapter) -> str:
    marks = "".join(_mark(route) for route in contents.routes if route in chapter.routes)
    on = f'<span class="marks"><span class="sr-only">on the routes {", ".join(chapter.routes)}</span>{marks}</span>'
    return (
        f'<li data-routes="{" ".join(chapter.routes)}"><a href="{_address(chapter)}">{_picture(chapter)}'
        f'<span class="says"><b><span class="number">{chapter.number}</span> {escape(chapter.title)}</b>'
        f'<span class="line">{escape(chapter.line)}</span><small>{chapter.minutes} min {on}</small></span></a></li>'
    )


def _mark(route: str) -> str:
    return f'<i class="mark {route}" aria-hidden="true"></i>'


def _picture(chapter: Chapter) -> str:
    picture = chapter.picture
    panel = _figures()[picture.figure].frame(**(picture.values or {})).panels[picture.panel]
    return f'<span class="thumbnail">{thumbnail(panel, picture.only, whole=picture.whole)}</span>'


@cache
def _figures() -> dict[str, Any]:
    return {figure.name: figure for figure in every_figure()}


def _address(chapter: Chapter) -> str:
    return f"{chapter.file}.html" if os.environ.get(STATIC) else f"{chapter.file}.ipynb"
