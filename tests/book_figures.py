"""The book's figures and the pages that they stand on, made once for all tests of a process.

A figure's table of states takes seconds to make, so each frame is kept. Tests that need it name their case by page
and figure, as in ``[partitions.html-melting]``: so they share a process with the tests that open the page
(``order_plugin.py``).
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from hardtosoft.figures import every_figure
from hardtosoft.hero import OpeningFigure
from hardtosoft.interactive.figure import InteractiveFigure


def remembering(figure: InteractiveFigure) -> InteractiveFigure:
    """The same figure, which keeps every frame that it has made."""
    function = functools.cache(figure.function)
    return InteractiveFigure(
        figure.name, function, figure.axes, caption=figure.caption, hero=figure.hero, traced=figure.traced
    )


BOOK = Path(__file__).parents[1] / "book"
_ALL = every_figure()
#: As they are in notebooks.
LIVE = {figure.name: remembering(figure) for figure in _ALL}
#: All but the landing page's, which holds no states in its page (tests/browser/test_opening.py).
FIGURES = {figure.name: LIVE[figure.name] for figure in _ALL if not isinstance(figure, OpeningFigure)}
PAGES = {  # a committed notebook names the figures it shows
    name: f"{path.stem}.html"
    for path in BOOK.glob("*.ipynb")
    for name in re.findall(r"Interactive figure “([\w-]+)”", path.read_text(encoding="utf-8"))
    if name in FIGURES
}


def _each(figures: dict[str, InteractiveFigure]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("figure", figures.values(), ids=[f"{PAGES[name]}-{name}" for name in figures])


#: Figures that their pages compute; those of the others are in tables.
TRACED = {name: figure for name, figure in FIGURES.items() if figure.traced}
#: Run a test for each figure, each in a table, each traced one.
every = _each(FIGURES)
tabled = _each({name: figure for name, figure in FIGURES.items() if not figure.traced})
traced = _each(TRACED)
