"""The figures of the built site under a reader's hands: keyboard, mouse, touch, links, and no network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from book_figures import PAGES
from figures_in_pages import assert_curve, curve_index, drawn_curve, figure, slider, words

SITE = Path(__file__).parents[2] / "_build" / "html"

pytestmark = [pytest.mark.browser, pytest.mark.site]

PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}


def test_curve_is_the_line_swish_and_relu_with_the_network_off(open_page):
    page, complaints = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    page.context.set_offline(True)
    for beta, stop in ((0.0, "0 linear"), (0.5, "½ soft"), (1.0, "1 hard")):
        root.locator("[data-axis=beta] button", has_text=stop).click()
        drawn = drawn_curve(root)
        page.wait_for_function("r => r.dataset.told === r.hts.indices.join()", arg=root.element_handle())
        told = root.evaluate("(r, i) => r.querySelector('.hts-plotly').data[i].y", curve_index(root))
        assert_curve(told, beta, 1e-4)
        assert_curve(drawn, beta, 1e-4)
        assert_curve(drawn_curve(root), beta, 1e-3)  # plotly rounds its path to a hundredth of a pixel
    assert complaints.errors == []
    assert complaints.foreign == []


def test_keyboard_moves_the_slider_and_the_picture(open_page):
    page, _ = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    control = slider(root)
    control.focus()
    for key, expected in (
        ("Home", "β = 0.00, linear"),
        ("ArrowRight", "β = 0.02"),
        ("End", "β = 1.00, hard"),
        ("ArrowLeft", "β = 0.98"),
        ("End", "β = 1.00, hard"),
    ):
        page.keyboard.press(key)
        assert words(root) == expected
        assert control.get_attribute("aria-valuetext") == expected
    assert_curve(drawn_curve(root), 1.0, 1e-4)
    assert "0.00 = 1.00·0 + 0.00·(−1)" in root.locator(".hts-readout").inner_text()


def test_plotly_counts_as_told_only_of_the_numbers_that_are_shown(open_page):
    page, _ = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    # A kernel's numbers come after the slider has moved: plotly may be told of the old ones in between.
    told = """async (root) => {
      const figure = root.hts, hard = figure.indices.with(1, 50);
      figure.point(hard);
      await figure.tell();
      const early = figure.tell();
      figure.set(hard);
      await early;
      return root.dataset.told ?? 'nothing';
    }"""
    assert root.evaluate(told) == "nothing"
    page.wait_for_function("r => r.dataset.told === r.hts.indices.join()", arg=root.element_handle())
    shown = root.evaluate("(r, i) => [...r.querySelector('.hts-plotly').data[i].y]", curve_index(root))
    assert_curve(shown, 1.0, 1e-4)


def test_tab_reaches_every_control(open_page):
    page, _ = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    root.locator("input[type=radio]:checked").focus()
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.closest('#relu-to-swish') && document.activeElement.tagName")
        )
    assert reached == ["BUTTON", "INPUT", "BUTTON", "BUTTON", "BUTTON", "BUTTON", "A"]


def test_mouse_drags_the_slider(open_page):
    page, _ = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    box = slider(root).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 13, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=8)
    assert words(root) == "β = 0.50, soft"
    assert_curve(drawn_curve(root), 0.5, 1e-4)
    page.mouse.move(box["x"], middle, steps=8)
    page.mouse.up()
    assert words(root) == "β = 0.00, linear"


def touch(page, points):
    """Put a finger down at the first point, move it over the others, lift it."""
    session = page.context.new_cdp_session(page)
    for kind, point in [("touchStart", points[0]), *(("touchMove", p) for p in points[1:]), ("touchEnd", None)]:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}] if point else []},
        )


def test_finger_drags_the_slider(open_page):
    page, _ = open_page(PAGES["relu-to-swish"], **PHONE)
    root = figure(page, "relu-to-swish")
    box = slider(root).bounding_box()
    middle, right = box["y"] + box["height"] / 2, box["x"] + box["width"]
    touch(page, [(right - 13, middle), *((right - 13 - step * box["width"] / 20, middle) for step in range(1, 11))])
    beta = float(re.search(r"[\d.]+", words(root))[0])
    assert 0.4 < beta < 0.6
    assert box["height"] >= 44


def test_page_scrolls_under_a_thumb_on_a_figure(open_page):
    page, _ = open_page(PAGES["relu-to-swish"], **PHONE)
    root = figure(page, "relu-to-swish")
    page.evaluate("document.querySelector('#relu-to-swish').scrollIntoView({block: 'start', behavior: 'instant'})")
    before = page.evaluate("scrollY")
    box = root.locator(".hts-plot").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(page, [(x, y - 12 * step) for step in range(12)])
    page.wait_for_function("before => scrollY > before + 60", arg=before, timeout=5000)
    assert words(root) == "β = 0.50, soft"


def test_slider_answers_before_plotly_and_without_it(open_page):
    page, _ = open_page("404.html")
    page.route("**/plotly-*", lambda route: route.abort())
    page.goto(page.url.replace("404.html", "relu-to-swish.html"))
    root = figure(page, "relu-to-swish", "states")
    slider(root).focus()
    page.keyboard.press("Home")
    assert_curve(drawn_curve(root), 0.0, 1e-3)
    page.wait_for_function(
        "document.querySelector('#relu-to-swish .hts-trouble').textContent.includes('did not load')"
    )
    page.keyboard.press("End")
    assert_curve(drawn_curve(root), 1.0, 1e-3)


def test_placeholder_and_plotly_draw_the_same_picture(open_page):
    page, _ = open_page("404.html")
    held = []
    page.route("**/plotly-*", lambda route: held.append(route))
    with page.expect_request("**/plotly-*"):  # held, plotly may hold up "load"
        page.goto(page.url.replace("404.html", "relu-to-swish.html#relu-to-swish"), wait_until="commit")
    root = figure(page, "relu-to-swish", "states")
    slider(root).focus()
    page.keyboard.press("Home")
    before = drawn_curve(root)
    held[0].continue_()
    figure(page, "relu-to-swish")
    np.testing.assert_allclose(drawn_curve(root), before, atol=8e-3)  # one unit in a thousand of the plot's height


def test_state_can_be_linked_and_reset(open_page):
    page, _ = open_page("relu-to-swish.html#hard-soft-gap.beta=0.75")
    root = figure(page, "hard-soft-gap")
    assert words(root) == "β = 0.75"
    assert root.locator(".hts-link").get_attribute("href") == "#hard-soft-gap.beta=0.75"
    page.evaluate("location.hash = 'hard-soft-gap.beta=1'")
    page.wait_for_function("document.querySelector('#hard-soft-gap output').value.includes('1.00')")
    root.locator(".hts-reset").click()
    assert words(root) == "β = 0.50, soft"


def test_link_carries_every_axis(open_page):
    page, _ = open_page("relu-to-swish.html#relu-to-swish.beta=0.3&unit=absolute%20value")
    root = figure(page, "relu-to-swish")
    assert words(root) == "β = 0.30"
    assert root.locator("input[type=radio]:checked + span").inner_text() == "absolute value"
    assert "−u" in root.locator(".hts-readout").inner_text()
    root.locator("input[type=radio]:checked").press("ArrowLeft")
    assert root.locator("input[type=radio]:checked + span").inner_text() == "leaky ReLU"
    assert "t₁·0.25·u" in root.locator(".hts-readout").inner_text()
    assert words(root) == "β = 0.30"


def test_figures_follow_the_theme(open_page):
    page, _ = open_page("relu-to-swish.html")
    root = figure(page, "relu-to-swish")
    stroke = "r => getComputedStyle(r.querySelector('.tracet3 .js-line')).stroke"
    light = root.evaluate(stroke)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"light => ({stroke})(document.querySelector('#relu-to-swish')) !== light", arg=light)
    assert torch.tensor([int(part) for part in re.findall(r"\d+", root.evaluate(stroke))[:3]]).sum() > 300


def test_pages_work_from_a_folder_without_a_server(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.goto((SITE / "relu-to-swish.html").as_uri())
    root = figure(page, "relu-to-swish")
    slider(root).focus()
    page.keyboard.press("End")
    assert_curve(drawn_curve(root), 1.0, 1e-4)
    context.close()


def test_print_shows_the_current_state_without_controls(open_page):
    page, _ = open_page("relu-to-swish.html")
    root = figure(page, "relu-to-swish")
    slider(root).focus()
    page.keyboard.press("Home")
    page.emulate_media(media="print")
    assert not slider(root).is_visible()
    assert root.locator("output").first.inner_text() == "β = 0.00, linear"
    assert_curve(drawn_curve(root), 0.0, 1e-3)


def test_touch_leaves_plotly_alone_but_a_mouse_reads_values(open_page):
    page, _ = open_page("relu-to-swish.html")
    root = figure(page, "relu-to-swish")
    box = root.locator(".hts-area").first.bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.3 * box["height"])
    page.wait_for_selector("#relu-to-swish .hoverlayer .hovertext")
    phone, _ = open_page("relu-to-swish.html", **PHONE)
    figure(phone, "relu-to-swish")
    styles = (
        "[...document.querySelectorAll('#relu-to-swish .hts-plotly *')].map(e => getComputedStyle(e).pointerEvents)"
    )
    assert set(phone.evaluate(styles)) == {"none"}
