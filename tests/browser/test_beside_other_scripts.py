"""Figures on a page that they do not have alone: search marks, a translation, and no script at all."""

from __future__ import annotations

from base64 import b64encode

import pytest
from book_figures import FIGURES, PAGES
from figures_in_pages import figure, slider, words

from hardtosoft.interactive.marks import unmarked

pytestmark = [pytest.mark.browser, pytest.mark.site]

PAGE = PAGES["relu-to-swish"]
#: Every text that the figure writes.
TEXTS = """root => ({
  readout: root.querySelector('.hts-readout').textContent,
  output: root.querySelector('output').textContent,
  panels: [...root.querySelectorAll('.hts-panel')].map((panel) =>
    ['title', 'xlabel', 'alt'].map((name) => panel.querySelector(`.hts-${name}`).textContent)),
})"""
#: What a browser's translation does: each text node gives way to elements with other words.
TRANSLATE = """root => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), nodes = [];
  while (walker.nextNode()) if (walker.currentNode.data.trim()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    if (node.parentElement.closest('script, noscript')) continue;
    const font = document.createElement('font');
    font.append(Object.assign(document.createElement('font'), { textContent: `«${node.data}»` }));
    node.replaceWith(font);
  }
}"""


#: How many colours there are from top to bottom of a picture, nine tenths of the way across.
COLOURS = """async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const column = context.getImageData(Math.round(0.9 * image.width), 0, 1, image.height);
  return new Set(new Uint32Array(column.data.buffer)).size;
}"""


def told(beta):
    """The same texts as Python has them."""
    frame = FIGURES["relu-to-swish"].frame(beta=beta)
    return {
        "readout": unmarked(frame.readout),
        "output": FIGURES["relu-to-swish"].axes[1].words(beta),
        "panels": [[panel.title, panel.xlabel, panel.alt] for panel in frame.panels],
    }


def test_search_marks_leave_the_numbers_right(open_page):
    page, complaints = open_page(f"{PAGE}?highlight=value+weights+smooth")
    root = figure(page, "relu-to-swish")
    for place in ("readout", "title", "alt"):
        page.wait_for_selector(f"#relu-to-swish .hts-{place} .highlighted", state="attached")
    slider(root).focus()
    for beta in (0.52, 0.54, 0.56, 0.58, 0.6):
        page.keyboard.press("ArrowRight")
        assert root.evaluate(TEXTS) == told(beta)
    assert complaints.errors == []


def test_a_translation_gives_way_to_new_words_and_stays_where_there_are_none(open_page):
    page, complaints = open_page(PAGE)
    root = figure(page, "relu-to-swish")
    root.evaluate(TRANSLATE)
    slider(root).focus()
    page.keyboard.press("ArrowRight")
    found, meant = root.evaluate(TEXTS), told(0.52)
    # Of a readout the words stay translated that are as before; its numbers are the figure's.
    assert (found["readout"].translate(dict.fromkeys(map(ord, "«»"))), found["output"]) == (
        meant["readout"],
        meant["output"],
    )
    for now, new, old in zip(found["panels"], meant["panels"], told(0.5)["panels"], strict=True):
        assert now == [word if word != before else f"«{word}»" for word, before in zip(new, old, strict=True)]
    assert complaints.errors == []


def test_without_a_script_there_is_nothing_to_move(open_page):
    page, _ = open_page(PAGE, java_script_enabled=False)
    root = page.locator("#relu-to-swish")
    assert "shows one state only" in root.inner_text()
    assert not slider(root).is_visible()
    assert not root.get_by_role("button", name="Reset").is_visible()
    assert root.locator("input:enabled, .hts-stops button:enabled").count() == 0


def test_controls_wait_for_the_script_where_they_will_stand(open_page):
    page, _ = open_page("404.html")
    page.route("**/figure.js*", lambda route: route.abort())
    page.goto(page.url.replace("404.html", PAGE))
    root = page.locator("#relu-to-swish")
    assert slider(root).is_disabled()
    waiting = root.bounding_box()
    page.unroute("**/figure.js*")
    page.reload()
    assert figure(page, "relu-to-swish").bounding_box() | {"y": 0} == waiting | {"y": 0}  # it was scrolled to
    assert slider(root).is_enabled()
    slider(root).focus()
    page.keyboard.press("Home")
    assert words(root) == "β = 0.00, linear"


def test_a_figure_is_called_by_what_its_panels_show(open_page):
    page, _ = open_page(PAGE)
    titles = [panel.title for panel in FIGURES["relu-to-swish"].frame().panels]
    assert page.get_by_role("figure", name=" ".join(titles), exact=True).get_attribute("id") == "relu-to-swish"


def test_forced_colours_leave_a_track_and_a_choice_to_see(open_page):
    page, _ = open_page(PAGE, forced_colors="active")
    root = figure(page, "relu-to-swish")
    picture = b64encode(slider(root).screenshot()).decode()
    assert page.evaluate(COLOURS, picture) >= 2  # the track on its paper: the thumb stands in the middle
    background = "element => getComputedStyle(element).backgroundColor"
    for one, marked in ((".hts-choice input{} + span", ":checked"), (".hts-stops button{}", "[data-here]")):
        chosen, other = (root.locator(one.format(state)).first for state in (marked, f":not({marked})"))
        assert chosen.evaluate(background) != other.evaluate(background)
