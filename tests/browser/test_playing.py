"""Figures that play a sweep: on request alone, and over as soon as a reader does anything else."""

from __future__ import annotations

import pytest
from book_figures import FIGURES, PAGES
from figures_in_pages import figure, slider, words

pytestmark = [pytest.mark.browser, pytest.mark.site]

PLAYED = [name for name, shown in FIGURES.items() if name in PAGES and any(axis.plays for axis in shown.axes)]
BETA = "document.querySelector('#relu-to-swish [data-axis=beta] output').textContent"


@pytest.fixture
def played(open_page):
    """A figure whose sweep has begun: the page, the figure and its button."""
    page, _ = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    page.wait_for_timeout(300)
    assert words(root) == "β = 0.50, soft"  # by itself it does not move
    button = root.locator(".hts-play")
    assert button.get_attribute("aria-pressed") == "false"
    button.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"{BETA} !== 'β = 0.50, soft'")
    assert button.get_attribute("aria-pressed") == "true"
    return page, root, button


def test_a_sweep_tells_the_story_in_eight_figures():
    assert len(PLAYED) >= 8


def test_it_goes_down_first_and_the_picture_follows(played):
    page, root, _ = played
    page.wait_for_function(f"{BETA} === 'β = 0.00, linear'", timeout=15_000)
    assert "−0.50 = 0.50·0" in root.locator(".hts-readout").inner_text()
    assert slider(root).get_attribute("aria-valuetext") == "β = 0.00, linear"
    page.wait_for_function(f"{BETA} !== 'β = 0.00, linear'")


@pytest.mark.parametrize(
    "does",
    [
        lambda root: root.page.keyboard.press("Space"),
        lambda root: root.page.keyboard.press("Escape"),
        lambda root: root.locator(".hts-play").click(),
        lambda root: root.locator("[data-axis=unit] label", has_text="leaky").click(),
        lambda root: root.locator(".hts-plot").first.click(),
        # what assistive technology does has neither key nor pointer
        lambda root: slider(root).evaluate("s => s.dispatchEvent(new Event('input', { bubbles: true }))"),
        lambda root: root.page.evaluate("location.hash = 'relu-to-swish.beta=0.4'"),
    ],
)
def test_any_input_stops_it(played, does):
    page, root, button = played
    does(root)
    page.wait_for_function("document.querySelector('.hts-play').ariaPressed === 'false'")
    stopped = words(root)
    page.wait_for_timeout(400)
    assert words(root) == stopped
    button.click()  # and it can be begun again
    page.wait_for_function(f"{BETA} !== {stopped!r}")


def test_with_reduced_motion_it_jumps_between_named_stops_and_comes_back(open_page):
    page, _ = open_page(PAGES["relu-to-swish"] + "#relu-to-swish.beta=0.3", reduced_motion="reduce")
    root = figure(page, "relu-to-swish")
    page.evaluate(f"""() => {{
      window.seen = [];
      const look = () => {{ if (seen.at(-1) !== {BETA}) seen.push({BETA}); requestAnimationFrame(look); }};
      look();
    }}""")
    root.locator(".hts-play").click()
    page.wait_for_function("document.querySelector('.hts-play').ariaPressed === 'false'", timeout=15_000)
    down = ["β = 1.00, hard", "β = 0.50, soft", "β = 0.00, linear"]
    assert page.evaluate("seen") == ["β = 0.30", *down, *down[1::-1], "β = 0.30"]
