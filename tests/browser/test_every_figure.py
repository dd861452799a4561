"""Every figure and every page with figures: sliders from end to end, names of stops, tints of cells, weight."""

from __future__ import annotations

import re

import numpy as np
import pytest
from figures_in_pages import PAGES, figure

from hardtosoft import palette
from hardtosoft.figures import every_figure

pytestmark = [pytest.mark.browser, pytest.mark.site]


def frame_of(name):
    return next(figure for figure in every_figure() if figure.name == name).frame()


def maps(panel):
    return [trace for trace in panel.traces if trace["type"] == "heatmap"]


def tinted(figure):
    """Whether it shows cells; what a reader may change is other in its chapter than here."""
    return not figure.name.startswith("your-") and any(len(maps(panel)) > 1 for panel in figure.frame().panels)


@pytest.mark.parametrize("name", PAGES)
def test_every_slider_runs_over_its_whole_range(open_page, name):
    page, complaints = open_page(PAGES[name])
    root = figure(page, name)
    for axis in (axis for f in every_figure() if f.name == name for axis in f.axes if not axis.is_choice):
        shown = root.evaluate(
            """(r, axis) => {
              const s = r.querySelector(`[data-axis=${axis}] input`), said = [];
              for (s.value = 0; said.length <= s.max; s.value = said.length) {
                s.dispatchEvent(new Event('input', {bubbles: true}));
                said.push(s.getAttribute('aria-valuetext'));
              }
              return said;
            }""",
            axis.name,
        )
        assert shown == [axis.words(value) for value in axis.values]
    page.wait_for_function("r => r.dataset.told === r.hts.indices.join()", arg=root.element_handle())
    assert complaints.errors == []


@pytest.mark.parametrize("path", sorted(set(PAGES.values())))
@pytest.mark.parametrize("width", [360, 1280])
def test_names_of_stops_do_not_cover_each_other(open_page, path, width):
    page, _ = open_page(path, width=width)
    for root in page.locator(".hts-figure").all():
        root.scroll_into_view_if_needed()
        page.wait_for_selector(f"#{root.get_attribute('id')}[data-ready]")
    covered = page.evaluate(
        """() => [...document.querySelectorAll('.hts-stops')].flatMap(stops => {
          const boxes = [...stops.children].map(b => [b.textContent, b.getBoundingClientRect()]);
          boxes.sort(([, a], [, b]) => a.left - b.left);
          return boxes.slice(1).flatMap(([name, box], i) =>
            box.left < boxes[i][1].right - 1 ? [`${stops.closest('figure').id}: ${boxes[i][0]} / ${name}`] : []);
        })"""
    )
    assert covered == []


def luminous(name, theme):
    return np.array([int(palette.COLOURS[name][theme][i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


@pytest.mark.parametrize("name", [figure.name for figure in every_figure() if tinted(figure)])
def test_cells_have_the_tints_of_their_pieces_added_up(open_page, name):
    page, _ = open_page(PAGES[name])
    root = figure(page, name)
    panel = next(i for i, shown in enumerate(frame_of(name).panels) if len(maps(shown)) > 1)
    shown = root.evaluate(
        """(r, panel) => {
          const c = r.querySelectorAll('.hts-plot')[panel].querySelector('canvas');
          return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]];
        }""",
        panel,
    )
    rows, columns, pixels = shown
    paper = luminous("map-low", 0)
    expected = np.broadcast_to(paper, (rows, columns, 3)).copy()
    for trace in maps(frame_of(name).panels[panel]):
        tint = re.search(r"--hts-([\w-]+)", trace["colorscale"][-1][1])[1]
        expected += trace["z"][::-1, :, None] * (luminous(tint, 0) - paper)  # the canvas has its first row on top
    found = np.array(pixels, dtype=float).reshape(rows, columns, 4)
    assert (found[..., 3] == 255).all()
    np.testing.assert_allclose(found[..., :3], expected, atol=3)


@pytest.mark.parametrize("path", sorted(set(PAGES.values())))
def test_a_first_visit_read_to_its_end_stays_light(open_page, path):
    page, _ = open_page(path)
    for name in (name for name, home in PAGES.items() if home == path):
        figure(page, name)
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate(
        """() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
                 .map(entry => [entry.name, entry.encodedBodySize])"""
    )
    assert any("plotly" in name for name, _ in loaded)
    assert sum(size for _, size in loaded) <= 1_100_000
