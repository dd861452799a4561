"""The line above a chapter's title: which chapter it is, how long it takes, what to read before."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from hardtosoft.site.chapters import Contents, read_contents


@cache
def contents(book: str) -> Contents:
    """The chapters' file of the book that is built."""
    return read_contents(Path(book))


def add_line(app: Sphinx, page: str, context: dict[str, Any]) -> None:
    """Put the line before the title of a chapter; other pages have none."""
    if not (Path(app.srcdir) / "chapters.yml").is_file():
        return
    found = contents(str(app.srcdir))
    if chapter := found.chapter(page):
        numbers = {str(one.number): one.file for one in found.chapters if one.file in chapter.needs}

        def linked(number: re.Match[str]) -> str:
            return f'<a href="{context["pathto"](numbers[number[0]])}">{number[0]}</a>'

        before = re.sub(r"\d+", linked, found.before(chapter))
        line = f'<p class="chapter-line">Chapter {chapter.number} · {chapter.minutes} minutes · {before}</p>'
        context["body"] = context["body"].replace("<h1", f"{line}\n<h1", 1)
