"""The figures of the built site under a reader's hands: keyboard, mouse, touch, links, and no network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hardtosoft import palette
from hardtosoft.figures import every_figure, units

SITE = Path(__file__).parents[2] / "_build" / "html"

pytestmark = [pytest.mark.browser, pytest.mark.site]

BOOK = Path(__file__).parents[2] / "book"
PAGES = {  # a committed notebook names the figures it shows
    name: f"{path.stem}.html"
    for path in BOOK.glob("*.ipynb")
    for name in re.findall(r"Interactive figure “([\w-]+)”", path.read_text(encoding="utf-8"))
}


def frame_of(name):
    return next(figure for figure in every_figure() if figure.name == name).frame()


def maps(panel):
    return [trace for trace in panel.traces if trace["type"] == "heatmap"]


def tinted(figure):
    """Whether it shows cells; what a reader may change is other in its chapter than here."""
    return not figure.name.startswith("your-") and any(len(maps(panel)) > 1 for panel in figure.frame().panels)


PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}

# The drawn line of a trace as pairs of numbers on its axes, whoever drew it: plotly, or the page before plotly.
DRAWN = """(root, trace) => {
  const plot = root.querySelector('.hts-plot'), live = 'live' in plot.dataset;
  const path = plot.querySelector(live ? `.tracet${trace} .js-line` : `[data-trace="${trace}"]`).getAttribute('d');
  const spec = root.hts.config.frame.panels[0].layout, size = plot.querySelector('.hts-plotly')._fullLayout?._size;
  const [w, h] = live ? [size.w, size.h] : [1000, 1000];
  const [x0, x1] = spec.xaxis.range, [y0, y1] = spec.yaxis.range;
  const pixels = [...path.matchAll(/[ML]?(-?[\\d.]+)[ ,](-?[\\d.]+)/g)];
  return pixels.map(([, x, y]) => [x0 + x / w * (x1 - x0), y0 + (1 - y / h) * (y1 - y0)]);
}"""


def figure(page, name, state="plotly"):
    root = page.locator(f"#{name}")
    root.scroll_into_view_if_needed()
    page.wait_for_selector(f"#{name}[data-ready={state}]")
    return root


def slider(root, axis="beta"):
    return root.locator(f"[data-axis={axis}] input[type=range]")


def words(root, axis="beta"):
    return root.locator(f"[data-axis={axis}] output").inner_text()


def curve_index(root):
    return root.evaluate("r => r.hts.config.frame.panels[0].traces.findIndex(t => t.name === 'value at this β')")


def drawn_curve(root):
    points = np.array(root.evaluate(DRAWN, curve_index(root)))
    return np.interp(units.INPUTS.numpy(), points[:, 0], points[:, 1])


def known_curve(beta):
    return {0.0: lambda u: u / 2, 0.5: F.silu, 1.0: F.relu}[beta](units.INPUTS).numpy()


def assert_curve(found, beta, accuracy):
    known, seen = known_curve(beta), known_curve(beta) <= 5  # what lies in the plot
    assert np.abs(np.asarray(found) - known)[seen].max() <= accuracy * np.ptp(known)


@pytest.mark.parametrize("name", ["opening", "relu-to-swish"])
def test_curve_is_the_line_swish_and_relu_with_the_network_off(open_page, name):
    page, complaints = open_page(PAGES[name])
    root = figure(page, name)
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
    assert "value 1.000" in root.locator(".hts-readout").inner_text()


def test_tab_reaches_every_control(open_page):
    page, _ = open_page(PAGES["relu-to-swish"])
    root = figure(page, "relu-to-swish")
    root.locator("input[type=radio]:checked").focus()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.closest('#relu-to-swish') && document.activeElement.tagName")
        )
    assert reached == ["INPUT", "BUTTON", "BUTTON", "BUTTON", "BUTTON", "A"]


def test_mouse_drags_the_slider(open_page):
    page, _ = open_page(PAGES["opening"])
    root = figure(page, "opening")
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
    page, _ = open_page(PAGES["opening"], **PHONE)
    root = figure(page, "opening")
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
    page.unroute("**/*")
    page.route("**/plotly-*", lambda route: route.abort())
    page.goto(page.url.replace("404.html", "index.html"))
    root = figure(page, "opening", "states")
    slider(root).focus()
    page.keyboard.press("Home")
    assert_curve(drawn_curve(root), 0.0, 1e-3)
    page.wait_for_function("document.querySelector('#opening .hts-trouble').textContent.includes('did not load')")
    page.keyboard.press("End")
    assert_curve(drawn_curve(root), 1.0, 1e-3)


def test_placeholder_and_plotly_draw_the_same_picture(open_page):
    page, _ = open_page("404.html")
    page.unroute("**/*")
    held = []
    page.route("**/plotly-*", lambda route: held.append(route))
    with page.expect_request("**/plotly-*"):
        page.goto(page.url.replace("404.html", "index.html"), wait_until="commit")  # held, plotly may hold up "load"
    root = figure(page, "opening", "states")
    slider(root).focus()
    page.keyboard.press("Home")
    before = drawn_curve(root)
    held[0].continue_()
    figure(page, "opening")
    np.testing.assert_allclose(drawn_curve(root), before, atol=8e-3)  # one unit in a thousand of the plot's height


def test_state_can_be_linked_and_reset(open_page):
    page, _ = open_page("index.html#opening.beta=0.25")
    root = figure(page, "opening")
    assert words(root) == "β = 0.25"
    assert root.locator(".hts-link").get_attribute("href") == "#opening.beta=0.25"
    page.evaluate("location.hash = 'opening.beta=0.5'")
    page.wait_for_function("document.querySelector('#opening output').value.includes('0.50')")
    root.locator(".hts-reset").click()
    assert words(root) == "β = 1.00, hard"


def test_link_carries_every_axis(open_page):
    page, _ = open_page("relu-to-swish.html#relu-to-swish.beta=0.3&unit=absolute%20value")
    root = figure(page, "relu-to-swish")
    assert words(root) == "β = 0.30"
    assert root.locator("input[type=radio]:checked + span").inner_text() == "absolute value"
    assert "−u" in root.locator(".hts-readout").inner_text()
    root.locator("input[type=radio]:checked").press("ArrowLeft")
    assert root.locator("input[type=radio]:checked + span").inner_text() == "leaky ReLU"
    assert words(root) == "β = 0.30"  # every option is a stop, so β may stay where it is


def test_one_slider_moves_while_the_other_sits_at_a_stop(open_page):
    page, complaints = open_page(PAGES["beta-code"])
    root = figure(page, "beta-code")
    slider(root).focus()
    page.keyboard.press("ArrowRight")
    assert words(root) == "β = 0.52"
    slider(root, "u").focus()
    page.keyboard.press("ArrowRight")
    assert words(root, "u") == "u = 1.05"
    assert words(root) == "β = 0.50, soft"
    assert complaints.errors == []


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


def test_regions_follow_the_slider(open_page):
    page, _ = open_page("index.html")
    root = figure(page, "opening")
    colours = """r => {
      const c = r.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      return new Set(new Uint32Array(d.buffer)).size;
    }"""
    slider(root).focus()
    page.keyboard.press("Home")
    assert root.evaluate(colours) == 1
    page.keyboard.press("End")
    assert root.evaluate(colours) > 40


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


def test_figures_follow_the_theme(open_page):
    page, _ = open_page("index.html")
    root = figure(page, "opening")
    stroke = "r => getComputedStyle(r.querySelector('.tracet3 .js-line')).stroke"
    light = root.evaluate(stroke)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"light => ({stroke})(document.querySelector('#opening')) !== light", arg=light)
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
    page, _ = open_page("index.html")
    root = figure(page, "opening")
    slider(root).focus()
    page.keyboard.press("Home")
    page.emulate_media(media="print")
    assert not slider(root).is_visible()
    assert root.locator("output").first.inner_text() == "β = 0.00, linear"
    assert_curve(drawn_curve(root), 0.0, 1e-3)


def test_touch_leaves_plotly_alone_but_a_mouse_reads_values(open_page):
    page, _ = open_page("index.html")
    root = figure(page, "opening")
    box = root.locator(".hts-area").first.bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.3 * box["height"])
    page.wait_for_selector("#opening .hoverlayer .hovertext")
    phone, _ = open_page("index.html", **PHONE)
    figure(phone, "opening")
    styles = "[...document.querySelectorAll('#opening .hts-plotly *')].map(e => getComputedStyle(e).pointerEvents)"
    assert set(phone.evaluate(styles)) == {"none"}


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
