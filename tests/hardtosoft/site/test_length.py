"""How long chapters are, by what stands in them."""

import json
from pathlib import Path

import pytest

from hardtosoft.site.length import Length, length

BOOK = Path(__file__).parents[3] / "book"
WORDS = """# Two words

A [link](page.ipynb#place) of $u + v$ words.

$$
w = 1
$$

:::{admonition} Exercise 1: x
:class: exercise

Do it.
:::
"""


def notebook(*cells):
    kinds = {"markdown": {}, "code": {"outputs": []}}
    return {"cells": [{"cell_type": kind, "source": text.splitlines(True), **kinds[kind]} for kind, text in cells]}


def test_words_formulas_and_exercises_are_counted():
    # Two words; A link of FORMULA words; FORMULA
    assert length(notebook(("markdown", WORDS), ("code", "1 + 1"))) == Length(
        words=2 + 5 + 1 + 2, formulas=2, cells=1, figures=0, exercises=1
    )


def test_a_figure_is_a_cell_that_put_one_out_and_colab_s_cell_is_none():
    found = notebook(("code", "figure()"), ("code", "print(1)"), ("code", "install()"))
    found["cells"][0]["outputs"] = [{"data": {"text/plain": ["Interactive figure “x” (…)."]}}]
    found["cells"][2]["id"] = "colab"
    assert (length(found).figures, length(found).cells) == (1, 2)


@pytest.mark.parametrize(("words", "minutes"), [(0, 5), (200, 6), (201, 7)])
def test_minutes_are_reading_figures_and_exercises(words, minutes):
    assert Length(words=words, formulas=0, cells=9, figures=1, exercises=2).minutes == minutes


def test_the_first_chapter_takes_fifteen_minutes_at_most():
    first = length(json.loads((BOOK / "relu-to-swish.ipynb").read_text(encoding="utf-8")))
    assert first.words <= 1600
    assert first.minutes <= 15
