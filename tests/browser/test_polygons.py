"""Polygons by the thousand on a canvas: every region in its colour, in a page and in a notebook, at any size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from book_figures import PAGES
from figures_in_pages import figure, slider
from second_try import once_more

from hardtosoft.figures.partitions import many, melting, moons
from hardtosoft.interactive import palette

pytestmark = [pytest.mark.browser, pytest.mark.site]

MANY, MOONS = many.many_regions_figure(), moons.moon_regions_figure()
#: Colours of the canvas of polygons at places of the plot, from 0 to 1 across and down, nearest pixel.
COLOURS = """(root, places) => {
  const canvas = root.querySelector('canvas.hts-polygons'), context = canvas.getContext('2d');
  return places.map(([x, y]) => [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data]);
}"""


def inner_discs(trace):
    """The middle of each polygon and how far its sides are from it."""
    starts = np.concatenate([[0], trace["sides"].cumsum()])
    corners = np.column_stack([trace["x"], trace["y"]])
    middles, radii = [], []
    for start, end in pairwise(starts):
        own = corners[start:end]
        middle, sides = own.mean(0), np.roll(own, -1, axis=0) - own
        across = (middle - own)[:, 0] * sides[:, 1] - (middle - own)[:, 1] * sides[:, 0]
        middles.append(middle)
        radii.append((np.abs(across) / np.hypot(*sides.T).clip(1e-12)).min())
    return np.array(middles), np.array(radii)


def shade(trace, theme):
    """What each polygon's fill looks like."""
    stops = [
        (at, np.array([int(palette.resolve(c, dark=theme)[k : k + 2], 16) for k in (1, 3, 5)]))
        for at, c in trace["colorscale"]
    ]
    places = [at for at, _ in stops]
    return np.column_stack([np.interp(trace["fill"] / 255, places, [c[k] for _, c in stops]) for k in range(3)])


def assert_coloured(root, shown, state, *, theme=False, at_least=50):
    """Every polygon that is large enough on the canvas has the colour of its fill in its middle."""
    panel = shown.frame(**state).panels[0]
    (trace,) = [trace for trace in panel.traces if trace["type"] == "polygons"]
    middles, radii = inner_discs(trace)
    (x0, x1), (y0, y1) = panel.layout["xaxis"]["range"], panel.layout["yaxis"]["range"]
    width = root.evaluate("r => r.querySelector('canvas.hts-polygons').width")
    large = radii / (x1 - x0) * width > 3  # clear of lines around it
    assert large.sum() >= at_least
    places = np.column_stack([(middles[:, 0] - x0) / (x1 - x0), (y1 - middles[:, 1]) / (y1 - y0)])[large]
    found = np.array(root.evaluate(COLOURS, places.tolist()))
    assert (found[:, 3] == 255).all()
    assert np.abs(found[:, :3] - shade(trace, theme)[large]).max() <= 3


def middles_of(panel, trace, kind):
    """The middles of the sides of one kind, from 0 to 1 across and down."""
    (x0, x1), (y0, y1) = panel.layout["xaxis"]["range"], panel.layout["yaxis"]["range"]
    following = np.arange(1, len(trace["x"]) + 1)
    ends = trace["sides"].cumsum()
    following[ends - 1] = ends - trace["sides"]
    x, y = ((trace[key] + trace[key][following])[trace["kinds"] == kind] / 2 for key in "xy")
    return np.column_stack([(x - x0) / (x1 - x0), (y1 - y) / (y1 - y0)])


def test_thousands_of_regions_have_their_colours_at_every_depth(open_page):
    page, complaints = open_page(PAGES["many-regions"])
    root = figure(page, "many-regions")
    assert root.evaluate("r => r.hts.panels[0].polygons.trace.sides.length") >= 10_000
    assert_coloured(root, MANY, {"shade": "relief", "depth": 3.0}, at_least=200)
    slider(root, "depth").focus()
    page.keyboard.press("ArrowLeft")
    assert_coloured(root, MANY, {"shade": "relief", "depth": 2.0}, at_least=200)
    root.locator("input[type=radio]").first.check(force=True)
    assert_coloured(root, MANY, {"shade": "code", "depth": 2.0}, at_least=200)
    assert complaints.errors == []
    assert complaints.foreign == []


def test_polygons_follow_the_theme_and_the_width(open_page):
    page, _ = open_page(PAGES["many-regions"])
    root = figure(page, "many-regions")
    before = root.evaluate("r => r.querySelector('canvas.hts-polygons').width")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(100)
    assert_coloured(root, MANY, {"shade": "relief", "depth": 3.0}, theme=True)
    page.set_viewport_size({"width": 360, "height": 740})
    narrower = "w => document.querySelector('#many-regions canvas.hts-polygons').width < w"
    page.wait_for_function(narrower, arg=before)
    assert_coloured(root, MANY, {"shade": "relief", "depth": 3.0}, theme=True)


def test_outlines_that_change_are_drawn_anew(open_page):
    page, _ = open_page(PAGES["moon-regions"])
    root = figure(page, "moon-regions")
    assert_coloured(root, MOONS, {"step": 1500.0, "depth": 2.0}, at_least=15)
    root.locator("[data-axis=step] button").first.click()
    assert_coloured(root, MOONS, {"step": 0.0, "depth": 2.0}, at_least=15)


def test_a_page_without_plotly_shows_its_polygons(open_page):
    page, _ = open_page("404.html")
    page.unroute("**/*")
    page.route("**/plotly-*", lambda route: route.abort())
    page.goto(page.url.replace("404.html", PAGES["moon-regions"]))
    root = figure(page, "moon-regions", "states")
    assert_coloured(root, MOONS, {"step": 1500.0, "depth": 2.0}, at_least=15)


def test_lines_are_drawn_where_edges_are(open_page):
    page, _ = open_page(PAGES["moon-regions"])
    root = figure(page, "moon-regions")
    panel = MOONS.frame().panels[0]
    trace = panel.traces[0]
    ink = [int(palette.COLOURS["ink"][0][k : k + 2], 16) for k in (1, 3, 5)]
    places = middles_of(panel, trace, kind=1)
    found = np.array(root.evaluate(COLOURS, places.tolist()))[:, :3]
    assert np.median(np.abs(found - ink).max(1)) < 60


@once_more
def test_a_notebook_draws_the_same_polygons(open_notebook):
    notebook = open_notebook("from hardtosoft.figures import partitions\npartitions.moon_regions_figure()")
    notebook.run_all(figures=1)
    root = notebook.figure("moon-regions")
    assert_coloured(root, MOONS, {"step": 1500.0, "depth": 2.0}, at_least=15)
    root.locator("[data-axis=step] button").first.click()
    state = notebook.settled(root)
    assert_coloured(root, MOONS, state, at_least=15)
    assert state == {"step": 0.0, "depth": 2.0}
    assert notebook.errors == []


def test_faint_lines_over_nothing_let_through_what_is_under_them(open_page):
    page, _ = open_page(PAGES["melting"])
    root = figure(page, "melting")
    panel = melting.melting_figure().frame().panels[0]
    (trace,) = [trace for trace in panel.traces if trace["type"] == "polygons"]
    assert trace["fill"] is None
    stroke = trace["strokes"][0]
    assert 0 < stroke["opacity"] < 1
    seen = np.array(root.evaluate(COLOURS, middles_of(panel, trace, kind=1).tolist()))
    assert abs(np.median(seen[:, 3]) - 255 * stroke["opacity"]) <= 2
    ink = [int(palette.COLOURS["ink"][0][k : k + 2], 16) for k in (1, 3, 5)]
    assert np.median(np.abs(seen[:, :3] - ink), axis=0).max() <= 4
    everywhere = np.array(
        root.evaluate(COLOURS, [[(i + 0.5) / 40, (j + 0.5) / 40] for i in range(40) for j in range(40)])
    )
    assert np.median(everywhere[:, 3]) == 0
