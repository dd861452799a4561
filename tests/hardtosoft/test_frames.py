"""Frames: what they refuse, and that arrays become short plain numbers."""

import math

import numpy as np
import pytest

from hardtosoft import palette
from hardtosoft.frames import dots, heatmap, line, plain


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
