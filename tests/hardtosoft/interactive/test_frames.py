"""Frames: what they refuse, and that arrays become short plain numbers."""

import math
import re

import numpy as np
import pytest

from hardtosoft.interactive import palette
from hardtosoft.interactive.frames import Frame, Panel, dots, heatmap, layout, line, picture, plain, polygons, stroke
from hardtosoft.interactive.frames import axis as plot_axis
from hardtosoft.interactive.markup import notebook_figure


def test_plain_numbers_are_short_and_json_safe():
    assert plain({"y": np.array([1.0, 1 / 3, math.nan, -0.0])}) == {"y": [1, 0.3333333, None, 0]}


def test_unknown_dash_and_symbol_are_refused():
    with pytest.raises(ValueError, match="dash must be one of 'solid', 'dash', 'dot', 'dashdot', got 'wavy'"):
        line("a", [0], [0], palette.BLUE, dash="wavy")
    with pytest.raises(ValueError, match="symbol must be one of 'circle', 'square', got 'star'"):
        dots("a", [0], [0], palette.BLUE, symbol="star")


@pytest.mark.parametrize("z", [[0.0, 1.0], [[0.0, 1.1]], [[-0.1, 0.0]], [[math.nan, 0.0]]])
def test_heatmap_wants_a_matrix_in_the_unit_interval(z):
    with pytest.raises(ValueError, match="z must be a matrix with values in"):
        heatmap("map", z, (0, 1), (0, 1))


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["blue", "orange", "green", "purple", "grey", "ink"])
@pytest.mark.parametrize(("theme", "background"), [(0, "#ffffff"), (1, "#10141a")])
def test_line_colours_keep_contrast_to_both_backgrounds(name, theme, background):
    light, dark = sorted((_luminance(palette.COLOURS[name][theme]), _luminance(background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_colours_resolve_for_either_theme():
    traces = palette.resolve({"line": {"color": palette.BLUE}, "stops": [[0, palette.INK]]}, dark=True)
    assert traces == {"line": {"color": palette.COLOURS["blue"][1]}, "stops": [[0, palette.COLOURS["ink"][1]]]}


@pytest.mark.parametrize("name", ["blue", "orange", "green", "purple", "grey", "ink"])
@pytest.mark.parametrize("tint", palette.TINTS.values())
@pytest.mark.parametrize("theme", [0, 1])
def test_line_colours_keep_contrast_to_every_tint(name, tint, theme):
    ground = palette.COLOURS[tint.removeprefix("var(--hts-").removesuffix(")")][theme]
    light, dark = sorted((_luminance(palette.COLOURS[name][theme]), _luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_a_map_has_the_tint_of_its_line_and_a_picture_its_first_row_on_top():
    z = [[0.0, 1.0], [0.25, 0.5]]
    cells = heatmap("cells", z, (0, 2), (0, 1), palette.GREEN)
    assert [colour for _, colour in cells["colorscale"]] == ["var(--hts-map-low)", palette.TINTS[palette.GREEN]]
    assert (cells["x0"], cells["dx"], cells["y0"], cells["dy"]) == (0.5, 1.0, 0.25, 0.5)
    np.testing.assert_array_equal(cells["z"], z)
    image = picture("image", z, (0, 2), (0, 1))
    np.testing.assert_array_equal(image["z"], [[0.25, 0.5], [0.0, 1.0]])  # plotly draws the first row at the bottom
    assert (image["zsmooth"], cells["zsmooth"]) == (False, "best")


@pytest.mark.parametrize(("aspect", "shaped"), [(None, ""), (1.25, ' data-shaped style="--aspect:1.25"')])
@pytest.mark.parametrize(("trace", "kind"), [(heatmap, "hts-map"), (picture, "hts-map hts-pixels")])
def test_a_panel_keeps_its_shape_and_a_picture_its_pixels(aspect, shaped, trace, kind):
    plane = layout(plot_axis(0, 1, (0, 1)), plot_axis(0, 1, (0, 1)))
    panel = Panel("Title", "x", "It is so.", [trace("z", [[0.0, 1.0]], (0, 1), (0, 1))], plane, aspect)
    html = notebook_figure("name", [], Frame([panel], "One."), {}, "", hero=False)
    assert f'<div class="hts-plot"{shaped}>' in html
    assert f'<canvas class="{kind}">' in html


def test_a_large_panel_may_fill_the_column():
    plane = layout(plot_axis(0, 1, (0, 1)), plot_axis(0, 1, (0, 1)))
    panel = Panel("Title", "x", "It is so.", [line("a", [0, 1], [0, 1], palette.BLUE)], plane, 1.0, large=True)
    html = notebook_figure("name", [], Frame([panel], "One."), {}, "", hero=False)
    assert '<div class="hts-plot" data-shaped data-large style="--aspect:1">' in html


def test_a_tick_outside_the_range_is_refused():
    with pytest.raises(ValueError, match=r"ticks must lie between 0 and 1, got \[1\.5\]"):
        plot_axis(0, 1, (0, 1.5))


TRIANGLE, SQUARE = [[0, 0], [1, 0], [0, 1]], [[0, 0], [1, 0], [1, 1], [0, 1]]
BOTH = {"corners": [*TRIANGLE, *SQUARE], "sides": [3, 4]}
FIRST, SECOND = stroke("first", palette.INK, width=2), stroke("second", palette.BLUE, opacity=0.5)


def test_polygons_stand_in_one_row():
    trace = polygons("both", **BOTH, fill=[0.0, 0.5], kinds=[0, 1, 2, 2, 2, 1, 1], strokes=[FIRST, SECOND])
    np.testing.assert_array_equal(trace["x"], [0, 1, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(trace["y"], [0, 0, 1, 0, 0, 1, 1])
    np.testing.assert_array_equal(trace["sides"], [3, 4])
    np.testing.assert_array_equal(trace["fill"], [0, 128])
    np.testing.assert_array_equal(trace["kinds"], [0, 1, 2, 2, 2, 1, 1])
    assert trace["strokes"][1] == {"name": "second", "color": palette.BLUE, "width": 1.0, "opacity": 0.5}
    assert polygons("clear", TRIANGLE, [3])["fill"] is None
    np.testing.assert_array_equal(polygons("clear", TRIANGLE, [3])["kinds"], [0, 0, 0])
    np.testing.assert_array_equal(polygons("lines", TRIANGLE, [3], strokes=[FIRST])["kinds"], [1, 1, 1])


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"sides": [3, 3]}, r"sides must be 3 or more a polygon, 7 in all, got \[3 3\] for \(7, 2\)"),
        ({"sides": [2, 5]}, "sides must be 3 or more a polygon"),
        ({"corners": [0.0] * 7}, "sides must be 3 or more a polygon, 7 in all"),
        ({"fill": [0.1]}, r"fill must be 2 numbers in \[0, 1\], got shape \(1,\)"),
        ({"fill": [0.1, 1.1]}, r"fill must be 2 numbers in \[0, 1\]"),
        ({"fill": [0.1, math.nan]}, r"fill must be 2 numbers in \[0, 1\]"),
        ({"kinds": [1] * 6}, "kinds must be 7 numbers from 0 to 1, one a side"),
        ({"kinds": [2] * 7}, "kinds must be 7 numbers from 0 to 1, one a side"),
    ],
)
def test_polygons_that_make_no_sense_are_refused(bad, complaint):
    with pytest.raises(ValueError, match=complaint):
        polygons("bad", **{**BOTH, "strokes": [FIRST], **bad})


def test_a_panel_of_polygons_has_a_canvas_and_a_legend_of_sides_and_fills():
    plane = layout(plot_axis(0, 1, (0, 1)), plot_axis(0, 1, (0, 1)))
    trace = polygons("both", **BOTH, strokes=[FIRST, SECOND], key=[("a fill", palette.GREEN)])
    html = notebook_figure("name", [], Frame([Panel("T", "x", "So.", [trace], plane)], "One."), {}, "", hero=False)
    assert html.count('<canvas class="hts-polygons">') == 1
    assert re.findall(r"</svg>([^<]+)</li>", html) == ["a fill", "first", "second"]
