"""What can be dragged in a figure's panels, by mouse and by finger; keys move the slider of each."""

from __future__ import annotations

import pytest
from book_figures import FIGURES, PAGES
from figures_in_pages import figure, slider
from test_moving_figures import PHONE, touch

pytestmark = [pytest.mark.browser, pytest.mark.site]

SLIDERS = [
    (name, axis.name)
    for name, shown in FIGURES.items()
    for axis in shown.axes
    if name in PAGES and getattr(axis, "values", ()) and len(axis.values) > 1 and axis.handle
]
#: Where the ring stands, on the axes of its panel.
RING = """(root, name) => {
  const ring = root.querySelector(`[data-handle="${name}"]`), panel = ring.closest('.hts-panel');
  const area = panel.querySelector('.hts-area').getBoundingClientRect(), box = ring.getBoundingClientRect();
  const place = [...root.querySelectorAll('.hts-panel')].indexOf(panel);
  const { xaxis, yaxis } = root.hts.config.frame.panels[place].layout;
  const at = ([low, high], part) => low + (high - low) * part;
  return [at(xaxis.range, (box.left + box.width / 2 - area.left) / area.width),
          at(yaxis.range, (area.bottom - box.top - box.height / 2) / area.height)];
}"""


def middle(ring):
    box = ring.bounding_box()
    assert min(box["width"], box["height"]) > 43.9
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def value(root, name):
    return root.evaluate("(r, name) => r.hts.values()[name]", name)


def step(name, axis):
    low, high = next(one for one in FIGURES[name].axes if one.name == axis).values[:2]
    return high - low


def mouse(page, points):
    page.mouse.move(*points[0])
    page.mouse.down()
    for one in points[1:]:
        page.mouse.move(*one)
    page.mouse.up()


@pytest.mark.parametrize(("how", "screen"), [(mouse, {}), (touch, PHONE)], ids=["mouse", "finger"])
@pytest.mark.parametrize(("name", "axis"), SLIDERS, ids=[f"{PAGES[name]}-{name}-{axis}" for name, axis in SLIDERS])
def test_a_ring_drags_its_slider_and_no_other(open_page, name, axis, how, screen):
    page, complaints = open_page(PAGES[name], **screen)
    root = figure(page, name)
    ring = root.locator(f"[data-handle={axis}]")
    page.evaluate("id => document.getElementById(id).scrollIntoView({block: 'start', behavior: 'instant'})", name)
    before, others = value(root, axis), {one.name: value(root, one.name) for one in FIGURES[name].axes}
    x, y = middle(ring)
    way = -1 if before == next(one for one in FIGURES[name].axes if one.name == axis).values[-1] else 1
    how(page, [(x + way * one, y + way * one) for one in (0, 5, 12, 24)])
    after = value(root, axis)
    assert abs(after - before) >= step(name, axis)
    assert {**others, axis: after} == {one: value(root, one) for one in others}
    assert root.locator(f"[data-axis={axis}] input[type=range]").get_attribute("aria-valuetext")
    # The pointer is still on the ring, as far as the ring can follow it and the page holds states.
    moved = middle(ring)
    assert min(abs(moved[0] - x - way * 24), abs(moved[1] - y - way * 24)) <= 12
    assert complaints.errors == []


def test_a_line_is_moved_by_one_ring_and_tilted_by_the_other(open_page):
    page, _ = open_page(PAGES["lines"] + "#lines.offset=0&slope=0.4")
    root = figure(page, "lines")
    assert root.evaluate(RING, "offset") == pytest.approx([0, 0], abs=0.03)
    assert root.evaluate(RING, "slope") == pytest.approx([1.5, 1.5 * 0.4], abs=0.03)
    x, y = middle(root.locator("[data-handle=slope]"))
    mouse(page, [(x, y), (x, y + 30)])
    assert value(root, "slope") < 0.3
    assert value(root, "offset") == 0


def test_keys_move_the_slider_and_the_ring_goes_with_it(open_page):
    page, _ = open_page(PAGES["beta-code"])
    root = figure(page, "beta-code")
    slider(root, "u").focus()
    for key, u in (("Home", -1), ("End", 1), ("ArrowLeft", 0.95)):
        page.keyboard.press(key)
        weight = root.evaluate("r => r.hts.config.frame.panels[1].traces.at(-1).y[0]")
        assert root.evaluate(RING, "u") == pytest.approx([u, weight], abs=0.03)
    x, y = middle(root.locator("[data-handle=u]"))
    mouse(page, [(x, y), (x - 40, y)])
    page.keyboard.press("Home")  # what was dragged can be moved on by keys
    assert value(root, "u") == -1
