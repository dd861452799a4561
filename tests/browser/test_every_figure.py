"""Every page with figures, visited once a width: weight, names of stops, tints of cells, sliders from end to end."""

from __future__ import annotations

import re

import numpy as np
import pytest
from book_figures import FIGURES, PAGES
from figures_in_pages import figure, on_pages

from hardtosoft.interactive import palette
from hardtosoft.interactive.marks import pieces

pytestmark = [pytest.mark.browser, pytest.mark.site]


ON_EACH_PAGE = on_pages(sorted(set(PAGES.values())), 1280)
COVERED = """() => [...document.querySelectorAll('.hts-stops')].flatMap(stops => {
  const boxes = [...stops.children].map(b => [b.textContent, b.getBoundingClientRect()]);
  boxes.sort(([, a], [, b]) => a.left - b.left);
  return boxes.slice(1).flatMap(([name, box], i) =>
    box.left < boxes[i][1].right - 1 ? [`${stops.closest('figure').id}: ${boxes[i][0]} / ${name}`] : []);
})"""


def figures_on(path):
    return [FIGURES[name] for name, home in PAGES.items() if home == path]


@ON_EACH_PAGE
def test_a_first_visit_read_to_its_end_stays_light(visit):
    for name in (name for name, home in PAGES.items() if home == visit.path):
        figure(visit.page, name)
    visit.page.wait_for_load_state("networkidle")
    loaded = visit.page.evaluate(
        """() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
                 .map(entry => [entry.name, entry.encodedBodySize])"""
    )
    assert any("plotly" in name for name, _ in loaded)
    assert sum(size for _, size in loaded) <= 1_100_000


def mount_all(page):
    for root in page.locator(".hts-figure").all():
        root.scroll_into_view_if_needed()
        page.wait_for_selector(f"#{root.get_attribute('id')}[data-ready]")


@on_pages(sorted(set(PAGES.values())), 1280, 360)
def test_names_of_stops_do_not_cover_each_other(visit):
    mount_all(visit.page)
    assert visit.page.evaluate(COVERED) == []


ABOVE_CAPTIONS = """() => [...document.querySelectorAll('.hts-figure')].map((figure) => {
  const [pictures, caption] = ['.hts-panels', 'figcaption'].map((name) => figure.querySelector(name));
  return [figure.id, caption.getBoundingClientRect().top - pictures.getBoundingClientRect().bottom];
})"""


@ON_EACH_PAGE
def test_captions_follow_the_pictures_however_long_the_rail_beside_them(visit):
    mount_all(visit.page)
    gaps = dict(visit.page.evaluate(ABOVE_CAPTIONS))
    assert {name: gap for name, gap in gaps.items() if not 0 <= gap <= 16} == {}


MARKED = "r => [...r.querySelector('.hts-readout').children].map((piece) => [piece.className, piece.textContent])"


@ON_EACH_PAGE
def test_readouts_are_marked_as_python_marks_them(visit):
    for shown in (shown for shown in figures_on(visit.path) if not shown.name.startswith("your-")):
        root = figure(visit.page, shown.name)
        for place, axis in enumerate(shown.axes):
            root.evaluate("(r, to) => r.hts.move(...to)", [place, len(axis.values) - 1])
        values = root.evaluate("r => r.hts.values()")
        assert root.evaluate(MARKED) == [list(piece) for piece in pieces(shown.frame(**values).readout)], shown.name
        root.locator(".hts-reset").click()


def maps(panel):
    return [trace for trace in panel.traces if trace["type"] == "heatmap"]


def tinted(figure):
    """Whether it shows cells; what a reader may change is other in its chapter than here."""
    return not figure.name.startswith("your-") and any(len(maps(panel)) > 1 for panel in figure.frame().panels)


def luminous(name, theme):
    return np.array([int(palette.COLOURS[name][theme][i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def farthest_from_tints(page, shown):
    """How far the canvas of a figure is from its maps' tints added up, in levels of 255."""
    root = figure(page, shown.name)
    root.locator(".hts-reset").click()
    panels = shown.frame().panels
    panel = next(i for i, one in enumerate(panels) if len(maps(one)) > 1)
    rows, columns, pixels = root.evaluate(
        """(r, panel) => {
          const c = r.querySelectorAll('.hts-plot')[panel].querySelector('canvas');
          return [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]];
        }""",
        panel,
    )
    paper = luminous("map-low", 0)
    expected = np.broadcast_to(paper, (rows, columns, 3)).copy()
    for trace in maps(panels[panel]):
        tint = re.search(r"--hts-([\w-]+)", trace["colorscale"][-1][1])[1]
        expected += trace["z"][::-1, :, None] * (luminous(tint, 0) - paper)  # the canvas has its first row on top
    found = np.array(pixels, dtype=float).reshape(rows, columns, 4)
    return np.abs(found - np.dstack([expected, np.full((rows, columns), 255)])).max()


@ON_EACH_PAGE
def test_cells_have_the_tints_of_their_pieces_added_up(visit):
    found = {shown.name: farthest_from_tints(visit.page, shown) for shown in figures_on(visit.path) if tinted(shown)}
    assert {name: levels for name, levels in found.items() if levels > 3} == {}


def test_some_figures_have_tints():
    assert sum(map(tinted, FIGURES.values())) >= 6


@ON_EACH_PAGE
def test_every_slider_runs_over_its_whole_range(visit):
    for shown in figures_on(visit.path):
        root = figure(visit.page, shown.name)
        for axis in (axis for axis in shown.axes if len(axis.values) > 1 and not axis.is_choice):
            said = root.evaluate(
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
            assert said == [axis.words(value) for value in axis.values], (shown.name, axis.name)
        visit.page.wait_for_function("r => r.dataset.told === r.hts.indices.join()", arg=root.element_handle())
    assert visit.complaints.errors == []
