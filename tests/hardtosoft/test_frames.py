"""Frames: what they refuse, and that arrays become short plain numbers."""

import math

import numpy as np
import pytest

from hardtosoft import palette
from hardtosoft.frames import Frame, Panel, dots, heatmap, layout, line, picture, plain
from hardtosoft.frames import axis as plot_axis
from hardtosoft.markup import notebook_figure


def test_plain_numbers_are_short_and_json_safe():
    assert plain({"y": np.array([1.0, 1 / 3, math.nan, -0.0])}) == {"y": [1, 0.3333333, None, 0]}


def test_unknown_dash_and_symbol_are_refused():
    with pytest.raises(ValueError, match="dash must be one of solid, dash, dot, dashdot, got 'wavy'"):
        line("a", [0], [0], palette.BLUE, dash="wavy")
    with pytest.raises(ValueError, match="symbol must be one of circle, square, got 'star'"):
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
@pytest.mark.parametrize(("theme", "background"), [(0, "#ffffff"), (1, "#14181e")])
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


def test_a_tick_outside_the_range_is_refused():
    with pytest.raises(ValueError, match=r"ticks must lie between 0 and 1, got \[1\.5\]"):
        plot_axis(0, 1, (0, 1.5))
