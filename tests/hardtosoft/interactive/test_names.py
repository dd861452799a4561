"""Names in the picture: where Python puts them before any script, what they replace, and what plotly hears of them."""

import re

import numpy as np
import pytest

from hardtosoft.interactive import markup, names, palette, placeholder
from hardtosoft.interactive.axes import beta_axis
from hardtosoft.interactive.figure import InteractiveFigure
from hardtosoft.interactive.frames import Frame, Panel, axis, dots, layout, line
from hardtosoft.interactive.overlays import area, texts

LAYOUT = layout(axis(0, 10, (0, 10)), axis(0, 5, (0, 5)))


def spans(*traces):
    """Text, left, top and style of every name of a panel."""
    panel = Panel("A title", "x", "A panel.", traces, LAYOUT)
    found = re.findall(r'<span data-of="(\d+)" style="([^"]*)">([^<]*)</span>', placeholder.plot(panel))
    return [(int(of), text, dict(part.split(":", 1) for part in style.split(";"))) for of, style, text in found]


def test_a_line_is_named_where_it_passes_a_place_in_its_own_colour():
    half = line("half of x", np.arange(11.0), np.arange(11.0) / 2, palette.GREEN, label=names.label("x/2", x=4))
    [(of, text, style)] = spans(half)
    assert (of, text) == (0, "x/2")
    assert style == {"color": palette.GREEN, "left": "40.0%", "top": "60.0%", "translate": "-50% -100%"}


@pytest.mark.parametrize(("at", "left"), [(0.0, "20.0%"), (0.5, "50.0%"), (1.0, "80.0%")])
def test_a_name_stands_along_what_is_seen_of_its_line(at, left):
    peak = line("peak", np.arange(11.0), [-1, -1, 0, 1, 2, 3, 2, 1, 0, -1, -1], palette.BLUE)
    [(_, _, style)] = spans({**peak, "label": names.label("peak", at=at, side="e")})
    assert (style["left"], style["translate"]) == (left, "0% -50%")


def test_each_point_has_its_own_name_and_an_unseen_line_none():
    pair = dots("ends", [1, np.nan], [1, 1], palette.INK, label=names.label(["first", "second"]))
    away = line("away", [0, 10], [7, 7], palette.INK, label="away")
    first, second, third = (style for _, _, style in spans(pair, away))
    assert first["left"] == "10.0%"
    assert second["visibility"] == third["visibility"] == "hidden"


def test_texts_of_their_own_stand_in_the_middle_of_their_places():
    [(_, text, style)] = spans(texts(["<b>"], [5], [2.5]))
    assert text == "&lt;b&gt;"
    assert style == {"color": palette.INK, "left": "50.0%", "top": "50.0%", "translate": "-50% -50%"}


def test_a_side_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"side must be one of .*, got 'up'"):
        names.label("x", side="up")


def test_what_has_a_name_in_the_picture_needs_no_legend():
    def frame(beta):
        named = line("told in the picture", [0, 10], [1, 1], palette.BLUE, label="told")
        veil = area("a veil", [0, 5, 10], 0, [1, 2, 1], palette.BLUE)
        keyed = line("told in the legend", [0, 10], [beta, 2], palette.INK)
        return Frame([Panel("A title", "x", "A panel.", [veil, named, keyed], LAYOUT)], "Nothing to read.")

    html = InteractiveFigure("named", frame, [beta_axis()]).html()
    legend = re.search(r'<ul class="hts-legend">.*?</ul>', html, re.S)[0]
    assert re.findall(r"</svg>([^<]*)</li>", legend) == ["told in the legend"]
    assert html.count('<span data-of="1"') == 1


def test_a_veil_lies_between_two_curves_below_all_lines():
    veil = area("a veil", [0, 5, 10], 0, [1, 2, 1], palette.BLUE)
    assert veil["x"].tolist() == [0, 5, 10, 10, 5, 0]
    assert veil["y"].tolist() == [0, 0, 0, 1, 2, 1]
    drawn = placeholder.plot(Panel("A title", "x", "A panel.", [line("l", [0], [0], palette.INK), veil], LAYOUT))
    assert drawn.index('data-trace="1"') < drawn.index("hts-still") < drawn.index('data-trace="0"')


def test_a_legend_shows_a_large_dot_no_larger_than_its_box():
    assert 'stroke-width="11"' in placeholder.swatch(dots("large", [0], [0], palette.INK, size=40))
    assert markup._samples(texts(["t"], [0], [0])) == []
