"""Marked words: as HTML, as they are read, and in the roles that the style sheet colours."""

import re
from importlib.resources import files
from pathlib import Path

from hardtosoft.figures import every_figure
from hardtosoft.interactive.marks import marked, pieces, unmarked


def test_marked_words_are_elements_of_their_role():
    text = "At u < 1\n[value|0.73] = [t2|0.73]·u, on [0, 1]"
    assert unmarked(text) == "At u < 1\n0.73 = 0.73·u, on [0, 1]"
    assert marked(text) == (
        '<span>At u &lt; 1\n</span><b class="value">0.73</b><span> = </span><b class="t2">0.73</b>'
        "<span>·u, on [0, 1]</span>"
    )


def test_a_text_without_marks_is_one_element():
    assert marked("H(t) > 0") == "<span>H(t) &gt; 0</span>"


STYLE = (files("hardtosoft.interactive") / "figure.css").read_text(encoding="utf-8")
ROLES = set(re.search(r"b:is\(([^)]+)\)", STYLE)[1].replace(".", "").split(", "))
CHAPTERS = sorted((Path(__file__).parents[3] / "book").glob("*.ipynb"))


def test_every_role_has_its_colour_and_a_dozen_figures_say_an_equation():
    found = {figure.name: {role for role, _ in pieces(figure.frame().readout) if role} for figure in every_figure()}
    assert set().union(*found.values()) <= ROLES
    assert sum(map(bool, found.values())) >= 12


def test_chapters_speak_of_lines_in_their_colours():
    found = {
        path.stem: set(re.findall(r'<b class=\\"(\w+)\\"', path.read_text(encoding="utf-8"))) for path in CHAPTERS
    }
    assert set().union(*found.values()) <= ROLES
    assert sum(map(bool, found.values())) >= 7
