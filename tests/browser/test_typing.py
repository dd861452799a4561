"""Numbers typed and points dragged in pages: taken at once, kept in links, refused in words, and there for all."""

from __future__ import annotations

import pytest
from book_figures import FIGURES, PAGES
from figures_in_pages import figure
from test_dragging import RING, middle, mouse, value
from test_moving_figures import PHONE, touch

from hardtosoft.interactive.numbers import short
from hardtosoft.interactive.vectors import Vector

pytestmark = [pytest.mark.browser, pytest.mark.site]

VECTORS = {
    name: [axis for axis in shown.axes if isinstance(axis, Vector)]
    for name, shown in FIGURES.items()
    if name in PAGES and shown.traced and any(isinstance(axis, Vector) for axis in shown.axes)
}
POINTS = [(name, axis) for name, axes in VECTORS.items() for axis in axes if axis.panel is not None]


def test_several_figures_take_what_is_typed_and_one_is_dragged():
    assert len(VECTORS) >= 5
    assert POINTS


@pytest.mark.parametrize("name", VECTORS, ids=[f"{PAGES[name]}-{name}" for name in VECTORS])
def test_numbers_are_typed_by_keys_alone_refused_in_words_and_kept_in_the_link(open_page, name):
    page, complaints = open_page(PAGES[name])
    root = figure(page, name)
    vector = VECTORS[name][0]
    low, high, step = vector.low[0], vector.high[0], vector.step
    start = value(root, vector.name)  # a chapter may give its figure other numbers
    box = root.get_by_role("spinbutton", name=f"{vector.label}: {vector.labels[0]}", exact=True)
    assert (box.get_attribute("min"), box.get_attribute("max")) == (f"{low:g}", f"{high:g}")  # told to screen readers
    box.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    typed = round(low + 0.37 * (high - low), 3)
    page.keyboard.type(str(typed))
    assert value(root, vector.name) == [typed, *start[1:]]
    page.keyboard.press("ArrowDown")
    moved = value(root, vector.name)[0]
    assert moved == pytest.approx(typed - step)

    box.fill(f"{high + 1:g}")
    page.keyboard.press("Tab")
    assert box.get_attribute("aria-invalid") == "true"
    note = page.locator(f"#{box.get_attribute('aria-describedby')}")
    words = f"{vector.label}: {vector.labels[0]}: write a number from {short(low)} to {short(high)}."
    assert note.inner_text() == words
    assert value(root, vector.name)[0] == moved
    box.fill("")
    assert value(root, vector.name)[0] == moved

    link = root.locator(".hts-link").get_attribute("href")
    root.locator(".hts-reset").click()
    assert value(root, vector.name) == start
    assert (box.get_attribute("aria-invalid"), note.inner_text()) == (None, "")
    page.evaluate("link => { location.hash = link }", link)
    page.wait_for_function(
        "([r, name, n]) => r.hts.values()[name][0] === n", arg=[root.element_handle(), vector.name, moved]
    )
    assert complaints.errors == []


@pytest.mark.parametrize(("name", "axis"), POINTS, ids=[f"{PAGES[name]}-{name}" for name, _ in POINTS])
@pytest.mark.parametrize(("how", "screen"), [(mouse, {}), (touch, PHONE)], ids=["mouse", "finger"])
def test_a_point_goes_where_it_is_dragged(open_page, name, axis, how, screen):
    page, complaints = open_page(PAGES[name], **screen)
    root = figure(page, name)
    page.evaluate("id => document.getElementById(id).scrollIntoView({block: 'start', behavior: 'instant'})", name)
    ring = root.locator(f"[data-handle={axis.name}]")
    x, y = middle(ring)
    how(page, [(x, y), (x + 8, y - 6), (x + 24, y - 18)])
    moved = middle(ring)
    assert moved == pytest.approx((x + 24, y - 18), abs=1.5)
    assert value(root, axis.name) == pytest.approx(root.evaluate(RING, axis.name), abs=0.02)
    how(page, [moved, (5, 5)])  # no further than its bounds
    found = value(root, axis.name)
    assert all(low <= number <= high for number, low, high in zip(found, axis.low, axis.high, strict=True))
    assert complaints.errors == []


@pytest.mark.parametrize(("name", "axis"), POINTS, ids=[f"{PAGES[name]}-{name}" for name, _ in POINTS])
def test_a_point_is_moved_by_arrow_keys_and_told_to_screen_readers(open_page, name, axis):
    page, _ = open_page(PAGES[name])
    root = figure(page, name)
    across, up = (root.get_by_role("slider", name=f"{axis.label}, {each}", exact=True) for each in axis.labels)
    for range_, low, high in zip((across, up), axis.low, axis.high, strict=True):
        assert (range_.get_attribute("min"), range_.get_attribute("max")) == (f"{low:g}", f"{high:g}")
    x, y = value(root, axis.name)
    across.focus()
    for key, dx, dy in (
        ("ArrowRight", 1, 0),
        ("ArrowUp", 0, 1),
        ("Shift+ArrowLeft", -10, 0),
        ("Shift+ArrowDown", 0, -10),
    ):
        page.keyboard.press(key)
        x, y = x + dx * axis.step, y + dy * axis.step
        assert value(root, axis.name) == pytest.approx([x, y])
    assert across.get_attribute("aria-valuetext") == f"{axis.labels[0]} = {short(round(x, 6))}"
    assert up.get_attribute("aria-valuetext") == f"{axis.labels[1]} = {short(round(y, 6))}"
    assert root.evaluate(RING, axis.name) == pytest.approx([x, y], abs=0.02)
