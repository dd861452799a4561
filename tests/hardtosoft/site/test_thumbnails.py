"""Small pictures of panels: lines, dots, maps and polygons where they are, in the colours of the theme."""

import re

import numpy as np

from hardtosoft.drawing.moons import moons_partition
from hardtosoft.drawing.regions import regions
from hardtosoft.interactive import palette
from hardtosoft.interactive.frames import Panel, axis, dots, heatmap, layout, line, picture
from hardtosoft.site.thumbnails import HEIGHT, WIDTH, thumbnail


def panel(*traces, aspect=None):
    return Panel("t", "x", "a", traces, layout(axis(0, 4, (0, 4)), axis(0, 2, (0, 2))), aspect=aspect)


def places(svg):
    return np.array([[float(x), float(y)] for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg)])


def test_a_line_runs_where_it_ran_with_the_points_that_it_needs():
    svg = thumbnail(panel(line("a", (0.0, 0.01), np.linspace(0, 2, 401), palette.BLUE)))
    np.testing.assert_array_equal(places(svg), [[0, HEIGHT], [WIDTH, 0]])
    assert "var(--hts-blue)" in svg


def test_a_gap_stays_a_gap():
    svg = thumbnail(panel(line("a", [0, 1, 2, 3, 4], [0, 1, np.nan, 1, 0], palette.BLUE)))
    assert re.search(r' d="([^"]*)"', svg)[1].count("M") == 2


def test_only_the_named_traces_are_drawn():
    both = panel(line("first", [0, 4], [0, 2], palette.BLUE), dots("second", [1], [1], palette.GREEN))
    assert "hts-green" not in thumbnail(both, ["first"])
    assert "hts-green" in thumbnail(both)


def test_a_map_becomes_the_outline_of_its_cell():
    z = np.zeros((20, 40))
    z[:, 20:] = 1
    svg = thumbnail(panel(heatmap("z", z, (0, 4), (0, 2), palette.ORANGE)))
    across, down = places(svg).T
    assert abs(across.min() - WIDTH / 2) < 2
    assert across.max() > WIDTH - 1
    assert down.min() <= 0
    assert down.max() >= HEIGHT


def test_pixels_keep_their_levels():
    svg = thumbnail(panel(picture("p", [[0.0, 1.0], [0.4, 0.0]], (0, 4), (0, 2))))
    assert re.findall(r'fill-opacity="([\d.]+)"', svg) == ["0.4", "1"]
    assert "M60 0H120V38H60z" in svg  # the upper right one, which is full


def test_a_shaped_panel_is_cut_or_whole_but_never_stretched():
    square = panel(line("a", [0, 4, 4, 0, 0], [0, 0, 2, 2, 0], palette.INK), aspect=1.0)
    cut, whole = (np.ptp(places(thumbnail(square, whole=whole)), axis=0) for whole in (False, True))
    np.testing.assert_allclose(cut, WIDTH, atol=0.1)
    np.testing.assert_allclose(whole, 0.9 * HEIGHT, atol=0.11)


def test_every_polygon_is_there():
    partition = moons_partition()
    svg = thumbnail(panel(regions(partition, 2, np.linspace(0, 1, len(partition)))))
    assert svg.count("z") >= len(partition)
    assert "color-mix" in svg
