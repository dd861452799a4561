"""The chapters and their order, read from ``book/chapters.yml``, and what is written from it.

``python -m hardtosoft.site.chapters`` writes ``_toc.yml`` and the list of chapters in ``README.md`` anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ..tree import source_tree
from .length import length

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
LIST = re.compile(r"(?<=<!-- chapters: written by `make chapters` -->\n).*?(?=<!-- end of chapters -->)", re.DOTALL)


@dataclass(frozen=True)
class Stop:
    """A figure on the fifteen-minute tour: what to see there."""

    see: str
    minutes: int
    figure: str


@dataclass(frozen=True)
class Picture:
    """A panel of a figure that stands for its chapter; ``only`` traces whose names begin so, all if empty."""

    figure: str
    panel: int = 0
    values: Mapping[str, Any] | None = None
    only: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Chapter:
    """One chapter: where it stands, and what a reader wants to know before opening it."""

    number: int
    file: str
    title: str
    minutes: int
    line: str
    routes: tuple[str, ...]
    needs: tuple[str, ...]
    picture: Picture
    tour: Stop | None


@dataclass(frozen=True)
class Part:
    """Chapters that belong together."""

    number: str
    name: str
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True)
class Contents:
    """The book: its parts, other pages by the caption they stand under, and what each route is for."""

    parts: tuple[Part, ...]
    pages: Mapping[str, tuple[str, ...]]
    routes: Mapping[str, str]

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """All chapters, in the order of reading."""
        return tuple(chapter for part in self.parts for chapter in part.chapters)

    def chapter(self, file: str) -> Chapter | None:
        """The chapter of this name, if there is one."""
        return next((chapter for chapter in self.chapters if chapter.file == file), None)

    def before(self, chapter: Chapter) -> str:
        """What to read before it: ``needs chapters 1 and 4``."""
        numbers = sorted(one.number for one in self.chapters if one.file in chapter.needs)
        if not numbers:
            return "no prerequisites"
        *most, last = map(str, numbers)
        return f"needs chapters {', '.join(most)} and {last}" if most else f"needs chapter {last}"


def read_contents(book: Path) -> Contents:
    """Read ``chapters.yml`` in the folder ``book``, and titles and lengths of the chapters.

    Raises:
        ValueError: an entry that names no route or no chapter before it, or a chapter without title.
    """
    import yaml  # type: ignore[import-untyped]

    found = yaml.safe_load((book / "chapters.yml").read_text(encoding="utf-8"))
    numbers, parts, known = count(1), [], set[str]()
    for roman, part in zip(ROMAN, found["parts"], strict=False):
        chapters = []
        for entry in part["chapters"]:
            if strangers := {*entry["needs"]} - known or {*entry["routes"]} - {*found["routes"]}:
                raise ValueError(f"{entry['file']}: needs and routes must be known before, got {', '.join(strangers)}")
            known.add(entry["file"])
            chapters.append(_chapter(next(numbers), entry, book))
        parts.append(Part(roman, part["part"], tuple(chapters)))
    pages = {group["part"]: tuple(group["files"]) for group in found["pages"]}
    return Contents(tuple(parts), pages, found["routes"])


def _chapter(number: int, entry: Mapping[str, Any], book: Path) -> Chapter:
    notebook = json.loads((book / f"{entry['file']}.ipynb").read_text(encoding="utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    title = re.search(r"^# (.+)", text, re.MULTILINE)
    if not title:
        raise ValueError(f"{entry['file']} must have a title")
    picture = {**entry["picture"], "only": tuple(entry["picture"].get("only", ()))}
    tour = Stop(**entry["tour"]) if "tour" in entry else None
    return Chapter(
        number,
        entry["file"],
        title[1],
        length(notebook).minutes,
        entry["line"],
        tuple(entry["routes"]),
        tuple(entry["needs"]),
        Picture(**picture),
        tour,
    )


def table_of_contents(contents: Contents) -> str:
    """``_toc.yml``: the sidebar in parts."""
    lines = ["# Written by `make chapters` from book/chapters.yml.", "format: jb-book", "root: index"]
    lines += ["options:", "  numbered: false", "parts:"]
    groups = {f"{part.number} {part.name}": tuple(one.file for one in part.chapters) for part in contents.parts}
    for caption, files in {**groups, **contents.pages}.items():
        lines += [f"  - caption: {caption}", "    chapters:", *(f"      - file: {file}" for file in files)]
    return "\n".join(lines) + "\n"


def readme_list(contents: Contents) -> str:
    """README's list of chapters."""
    lines = []
    for part in contents.parts:
        links = " · ".join(f"[{one.title}](book/{one.file}.ipynb)" for one in part.chapters)
        lines.append(f"* **{part.number} {part.name}:** {links}\n")
    return "".join(lines)


def main() -> None:
    """Write both."""
    tree = source_tree()
    if tree is None:
        raise SystemExit("the source tree is needed, and this package is not in one")
    contents = read_contents(tree / "book")
    (tree / "_toc.yml").write_text(table_of_contents(contents), encoding="utf-8")
    readme = tree / "README.md"
    readme.write_text(LIST.sub(lambda _: readme_list(contents), readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
