"""The landing page's figure under a reader's hands: what it draws is betavq's, at every β, with WebGL and without."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hardtosoft.drawing.moons import BOX, moons_boundary
from hardtosoft.hero import script
from hardtosoft.interactive import palette
from hardtosoft.results.networks import load_two_moons
from hardtosoft.site.chapters import read_contents

CHAPTERS = read_contents(Path(__file__).parents[2] / "book").chapters

pytestmark = [pytest.mark.browser, pytest.mark.site]

BETAS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.7, 0.9, 0.97, 1.0)
NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind === 'webgl' ? null : get.call(this, kind, ...more);
};"""

# The drawn plane, row by row from the top, whoever drew it.
PIXELS = """() => {
  const c = document.querySelector('.hero-canvas'), gl = c.getContext('webgl'), size = 4 * c.width * c.height;
  const data = new Uint8Array(size);
  if (gl) gl.readPixels(0, 0, c.width, c.height, gl.RGBA, gl.UNSIGNED_BYTE, data);
  else data.set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data);
  return [c.width, c.height, Boolean(gl), btoa(data.reduce((text, byte) => text + String.fromCharCode(byte), ''))];
}"""


class Opening:
    """The figure in a page."""

    def __init__(self, page):
        self.page, self.root = page, page.locator("#opening")
        page.wait_for_selector("#opening[data-live]")

    def go(self, beta):
        """Move the slider, and wait until the whole is drawn."""
        self.page.evaluate(
            """async (step) => {
              const slider = document.querySelector('#opening input');
              slider.value = step;
              slider.dispatchEvent(new Event('input', { bubbles: true }));
              const full = Math.round(document.querySelector('.hero-plane').clientWidth * devicePixelRatio);
              for (let i = 0; i < 100; i++) {
                await new Promise((resolve) => setTimeout(resolve, 50));
                if (i > 5 && document.querySelector('.hero-canvas').width === full) return;
              }
              throw new Error('not drawn in full');
            }""",
            round(script.STEPS * beta),
        )

    def plane(self):
        """Its pixels ``(height, width, 3)``, and where the middle of each is in the plane."""
        width, height, upside_down, packed = self.page.evaluate(PIXELS)
        pixels = np.frombuffer(base64.b64decode(packed), np.uint8).reshape(height, width, 4)[..., :3].astype(float)
        scale = max(width / (BOX.x[1] - BOX.x[0]), height / (BOX.y[1] - BOX.y[0]))
        x = (BOX.x[0] + BOX.x[1] - width / scale) / 2 + (np.arange(width) + 0.5) / scale
        y = (BOX.y[0] + BOX.y[1] + height / scale) / 2 - (np.arange(height) + 0.5) / scale
        self.webgl = upside_down
        return pixels[::-1] if upside_down else pixels, x, y, scale


def logit_and_distance(points, beta):
    """The network's logit by betavq, and how far its zero is at most."""
    points = torch.from_numpy(points).requires_grad_()
    logit = load_two_moons().logits(points, beta)[:, 0]
    (slope,) = torch.autograd.grad(logit.sum(), points)
    return logit.detach().numpy(), (logit.abs() / slope.norm(dim=1)).detach().numpy()


@pytest.mark.parametrize("webgl", [True, False])
def test_classes_in_the_page_are_betavqs(open_page, webgl):
    page, complaints = open_page("404.html")
    if not webgl:
        page.add_init_script(NO_WEBGL)
    page.goto(page.url.replace("404.html", "index.html"))
    opening, chosen = Opening(page), np.random.default_rng(0)
    for beta in BETAS:
        opening.go(beta)
        pixels, x, y, scale = opening.plane()
        rows, columns = chosen.integers(0, len(y), 500), chosen.integers(0, len(x), 500)
        logit, away = logit_and_distance(np.stack([x[columns], y[rows]], -1), beta)
        plain = away * scale > 5  # elsewhere the line is drawn
        assert plain.sum() >= 250
        red, _, blue = pixels[rows, columns][plain].T
        np.testing.assert_array_equal(red > blue, logit[plain] > 0, err_msg=f"β = {beta}")
    assert opening.webgl == webgl
    assert complaints.errors == []


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 0.8])
def test_the_line_runs_where_the_network_decides(open_page, beta):
    page, _ = open_page("index.html")
    opening = Opening(page)
    opening.go(beta)
    pixels, x, y, scale = opening.plane()
    rows, columns = np.nonzero(np.abs(pixels - line_colour()).max(-1) < 12)
    _, away = logit_and_distance(np.stack([x[columns], y[rows]], -1), beta)
    assert len(rows) > 300
    assert away.max() * scale < 2.5  # half its width, and the bend of what is measured along the slope


def line_colour():
    return np.array(palette.channels(palette.COLOURS["plane-line"][0])) * 255


def test_every_bend_of_the_hard_boundary_lies_on_the_line(open_page):
    page, _ = open_page("index.html")
    pixels, x, y, _ = Opening(page).plane()
    drawn = np.abs(pixels - line_colour()).max(-1) < 60
    bends = np.concatenate([line.points for line in moons_boundary()])
    inside = [(a, b) for a, b in bends if x[2] < a < x[-3] and y[-3] < b < y[2]]
    assert len(inside) >= 7
    for a, b in inside:
        rows, columns = np.abs(y - b) <= y[0] - y[1], np.abs(x - a) <= x[1] - x[0]
        assert drawn[np.ix_(rows, columns)].any(), (a, b)


def curve(page):
    path = page.locator(".hero-curve").get_attribute("d")
    points = np.array([pair.split() for pair in path[1:].split("L")], dtype=float)
    u = script.INPUTS[0] + points[:, 0] / 1000 * (script.INPUTS[1] - script.INPUTS[0])
    return u, script.HEIGHTS[1] - points[:, 1] / 1000 * (script.HEIGHTS[1] - script.HEIGHTS[0])


@pytest.mark.parametrize(("beta", "known"), [(0, lambda u: u / 2), (0.5, F.silu), (1, F.relu)])
def test_the_curve_is_the_line_silu_and_relu_with_the_network_off(open_page, beta, known):
    page, complaints = open_page("index.html")
    page.context.set_offline(True)
    Opening(page).go(beta)
    u, value = curve(page)
    np.testing.assert_allclose(value, known(torch.from_numpy(u)).numpy(), atol=2e-3)
    assert page.locator(".hero-label[data-here]").inner_text() == {0: "u/2", 0.5: "swish", 1: "ReLU"}[beta]
    assert complaints.errors == []
    assert complaints.foreign == []


def test_keys_move_it_and_say_where_it_is(open_page):
    page, _ = open_page("index.html")
    opening = Opening(page)
    slider = opening.root.locator("input")
    slider.focus()
    for key, said in (("Home", "β = 0.00, linear"), ("ArrowRight", "β = 0.01"), ("End", "β = 1.00, hard")):
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuetext") == said
        assert opening.root.locator(".hero-beta").inner_text() == said.partition(",")[0]
    assert opening.root.locator(".hero-right").inner_text() == "98 % of new points classified right"


def test_a_state_can_be_linked(open_page):
    page, _ = open_page("index.html#opening.beta=0.25")
    opening = Opening(page)
    assert opening.root.locator(".hero-beta").inner_text() == "β = 0.25"
    assert opening.root.locator(".hero-link").get_attribute("href") == "#opening.beta=0.25"
    page.evaluate("location.hash = 'opening.beta=0.5'")
    page.wait_for_function("document.querySelector('.hero-beta').textContent === 'β = 0.50'")


def test_it_plays_on_request_only_and_any_input_stops_it(open_page):
    page, _ = open_page("index.html")
    opening = Opening(page)
    beta = "document.querySelector('.hero-beta').textContent"
    page.wait_for_timeout(300)
    assert page.evaluate(beta) == "β = 1.00"
    play = opening.root.locator(".hero-play")
    play.click()
    assert play.get_attribute("aria-pressed") == "true"
    page.wait_for_function(f"{beta} !== 'β = 1.00'")
    opening.root.locator("button", has_text="soft").click()
    page.wait_for_timeout(300)
    assert page.evaluate(beta) == "β = 0.50"
    assert play.get_attribute("aria-pressed") == "false"


def test_with_reduced_motion_it_jumps(open_page):
    page, _ = open_page("index.html", reduced_motion="reduce")
    opening = Opening(page)
    opening.root.locator(".hero-play").click()
    page.wait_for_function("document.querySelector('.hero-beta').textContent === 'β = 0.80'")
    opening.root.locator(".hero-play").click()
    page.wait_for_timeout(1500)
    assert opening.root.locator(".hero-beta").inner_text() == "β = 0.80"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (360, 640)])
def test_pictures_and_slider_are_in_the_first_screen(open_page, width, height):
    page, _ = open_page("index.html", width=width, height=height)
    opening = Opening(page)
    box = opening.root.locator(".hero-controls").bounding_box()
    assert box["y"] + box["height"] <= height
    pictures = opening.root.locator(".hero-pictures").bounding_box()
    assert pictures["y"] + pictures["height"] <= box["y"] + 1  # nor does one cover the other
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_follows_the_theme(open_page):
    page, _ = open_page("index.html")
    opening = Opening(page)
    light = opening.plane()[0].mean()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(300)
    assert opening.plane()[0].mean() < light / 2


def test_paper_shows_the_exact_polygons(open_page):
    page, _ = open_page("index.html#opening.beta=0.25")
    opening = Opening(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert not opening.root.locator(".hero-canvas").is_visible()
    assert not opening.root.locator("input").is_visible()
    assert opening.root.locator(".hero-exact").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opening.root.locator(".hero-beta").inner_text() == "β = 0.25"


def test_without_javascript_it_stands_at_beta_1_and_offers_nothing_dead(open_page):
    page, _ = open_page("index.html", java_script_enabled=False)
    assert page.locator(".hero-exact").is_visible()
    assert not page.locator(".hero-controls").is_visible()
    assert "Without JavaScript it stays at β = 1." in page.locator("#opening figcaption").inner_text()
    assert page.locator(".cards li:visible").count() == len(CHAPTERS)
    assert not page.locator(".routes").is_visible()
    assert "Geometry: See it." in page.locator("noscript .route").inner_text()


def test_a_first_visit_is_light_and_brings_no_plotly(open_page):
    page, _ = open_page("index.html")
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate(
        """() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
                 .map(entry => [entry.name, entry.encodedBodySize])"""
    )
    assert not any("plotly" in name for name, _ in loaded)
    assert sum(size for _, size in loaded) <= 300_000


def test_routes_dim_the_other_chapters(open_page):
    page, _ = open_page("index.html")
    page.locator(".routes button", has_text="Practitioner").click()
    assert page.locator(".routes [aria-pressed=true]").count() == 1
    on = page.locator(".cards li:not([data-off])")
    assert on.evaluate_all("cards => cards.every(card => card.dataset.routes.includes('practitioner'))")
    assert on.count() == sum("practitioner" in chapter.routes for chapter in CHAPTERS)
    page.locator(".routes button", has_text="Every chapter").click()
    assert on.count() == len(CHAPTERS)
