"""Figures with several axes: who moves one finds the others where they were, by keys, by mouse and by touch."""

from __future__ import annotations

import pytest
from book_figures import FIGURES, PAGES

from hardtosoft.interactive.vectors import Vector

pytestmark = [pytest.mark.browser, pytest.mark.site]

SEVERAL = {name: shown for name, shown in FIGURES.items() if len(shown.axes) > 1}
#: Where along its control an axis is put, one after the other: neither is the start of all of them.
PLACES = (0.3, 0.65)


def by_keys(page, root, axis, place):
    control = root.locator(f"[data-axis={axis.name}]")
    if axis.is_choice:
        control.locator("input:checked").press("ArrowRight")
        return
    if isinstance(axis, Vector):
        control.locator("input").first.press("ArrowUp" if place < 0.5 else "ArrowDown")
        return
    control.locator("input[type=range]").press("Home")
    for _ in range(int(5 * place)):
        page.keyboard.press("ArrowRight")


def spot(root, axis, place):
    """The middle of an option, or a place on a slider, in the window."""
    control = root.locator(f"[data-axis={axis.name}]")
    options = control.locator("label") if axis.is_choice else control.locator("input[type=range]")
    aim = options.nth(int(place * len(axis.values)) if axis.is_choice else 0)
    aim.scroll_into_view_if_needed()
    box = aim.bounding_box()
    return box["x"] + box["width"] * (0.5 if axis.is_choice else place), box["y"] + box["height"] / 2


def typed(root, axis, place):
    """Another first number; beside a finger's or a mouse's other moves."""
    box = root.locator(f"[data-axis={axis.name}] input").first
    box.fill(f"{axis.low[0] + (axis.high[0] - axis.low[0]) * place:.2f}")


def by_mouse(page, root, axis, place):
    if isinstance(axis, Vector):
        return typed(root, axis, place)
    page.mouse.click(*spot(root, axis, place))


def by_touch(page, root, axis, place):
    if isinstance(axis, Vector):
        return typed(root, axis, place)
    page.touchscreen.tap(*spot(root, axis, place))


def standing(root):
    """Where every axis stands, by the figure and by its controls' own words."""
    return root.evaluate(
        """r => r.hts.config.axes.map(({name}, i) => {
          const control = r.querySelector(`[data-axis=${name}]`), chosen = control.querySelector('input:checked');
          const boxes = [...control.querySelectorAll('input[type=number]')].map((box) => box.value);
          const said = chosen ? chosen.nextSibling.textContent : control.querySelector('output')?.value;
          return [r.hts.exact[i], said, boxes];
        })"""
    )


def assert_others_stay(page, shown, move):
    root = page.locator(f"#{shown.name}")
    root.scroll_into_view_if_needed()
    page.wait_for_selector(f"#{shown.name}[data-ready]")
    start = standing(root)
    seen = {axis.name: {repr(start[i])} for i, axis in enumerate(shown.axes)}
    for place in PLACES:
        for i, axis in enumerate(shown.axes):
            before = standing(root)
            move(page, root, axis, place)
            after = standing(root)
            assert after[:i] + after[i + 1 :] == before[:i] + before[i + 1 :], (shown.name, axis.name)
            seen[axis.name].add(repr(after[i]))
    assert all(len(found) > 1 for found in seen.values()), seen


PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}
HANDS = {"keys and mouse": ((by_keys, by_mouse), {"width": 1280}), "touch": ((by_touch,), PHONE)}


@pytest.mark.parametrize("hands", HANDS)
@pytest.mark.parametrize("path", sorted({PAGES[name] for name in SEVERAL}))
def test_moving_one_axis_leaves_the_others_where_they_are(open_page, path, hands):
    moves, window = HANDS[hands]
    page, complaints = open_page(path, **window)
    for shown in SEVERAL.values():
        if PAGES[shown.name] == path:
            for move in moves:
                assert_others_stay(page, shown, move)
    assert complaints.errors == []


def test_many_figures_have_several_axes():
    assert len(SEVERAL) >= 20
