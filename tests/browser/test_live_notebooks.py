"""Figures in JupyterLab, as a reader of the notebooks meets them: torch answers every move."""

from __future__ import annotations

import re
import shutil

import nbformat
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from book_figures import BOOK, FIGURES, LIVE
from second_try import once_more

import betavq
from hardtosoft.interactive import palette
from hardtosoft.interactive.marks import unmarked

pytestmark = pytest.mark.browser

#: JupyterLab's own cell toolbar stumbles over a markdown cell that jupyterlab-myst has rendered; nothing comes of it.
TOOLBAR = "_markdownOverlapsToolbar"
UNIT = "from hardtosoft.figures import relu_to_swish\nfigure = relu_to_swish.unit_figure()\nfigure"
PROBLEM = "from hardtosoft.figures import relu_to_swish\nproblem = relu_to_swish.objective_figure()\nproblem"
FOUR = [
    UNIT,
    PROBLEM,
    "from hardtosoft.figures import relu_to_swish\nrelu_to_swish.opening_figure()",
    "from hardtosoft.figures import relu_to_swish\nrelu_to_swish.gap_figure()",
]


def curve_at(beta: float) -> list[float]:
    """β-ReLU on the grid of the unit's figure, from the library itself."""
    u = torch.linspace(-5, 5, 201, dtype=torch.float64)
    return betavq.functional.beta_relu(u, beta=beta).tolist()


@once_more
def test_dragging_asks_torch_for_values_between_the_pages_states(open_notebook):
    notebook = open_notebook(UNIT)
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    box = figure.locator("input[type=range]").bounding_box()
    mouse = notebook.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    for share in (0.55, 0.6, 0.65, 0.7, 0.7131):
        mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    mouse.up()
    beta = notebook.settled(figure)["beta"]
    assert 0.68 < beta < 0.74
    assert abs(beta / 0.02 - round(beta / 0.02)) > 1e-3  # no state of the page
    assert notebook.drawn(figure, "value at this β") == pytest.approx(curve_at(beta), abs=1e-12)
    said = FIGURES["relu-to-swish"].axes[1].words(beta)
    assert said.startswith(f"β = {beta:.3f}".rstrip("0"))
    assert figure.locator("output").inner_text() == said
    assert figure.locator("input[type=range]").get_attribute("aria-valuetext") == said
    assert f"β = {beta:.2f}" in figure.locator(".hts-alt").first.text_content()
    assert notebook.errors == []


@once_more
def test_keys_move_the_slider_and_not_the_notebook(open_notebook):
    notebook = open_notebook("1", UNIT, "2")
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    slider = figure.locator("input[type=range]")
    slider.scroll_into_view_if_needed()
    slider.focus()
    notebook.page.evaluate("() => { window.before = window.jupyterapp.shell.currentWidget.content.activeCellIndex }")
    expected = 0.5
    for key, step in (
        ("ArrowRight", 0.02),
        ("ArrowUp", 0.02),
        ("ArrowUp", 0.02),
        ("ArrowLeft", -0.02),
        ("ArrowDown", -0.02),
    ):
        notebook.page.keyboard.press(key)
        expected += step
        assert notebook.settled(figure)["beta"] == pytest.approx(expected, abs=1e-12)
    for key, beta, words in (("Home", 0.0, "β = 0.00, linear"), ("End", 1.0, "β = 1.00, hard")):
        notebook.page.keyboard.press(key)
        assert notebook.settled(figure) == {"unit": "ReLU", "beta": beta}
        assert slider.get_attribute("aria-valuetext") == words
        assert notebook.drawn(figure, "value at this β") == pytest.approx(curve_at(beta), abs=1e-12)
    assert notebook.page.evaluate("window.before === window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    assert notebook.page.evaluate("document.activeElement.type") == "range"


@once_more
def test_keys_on_a_choice_and_on_buttons_stay_with_the_figure(open_notebook):
    notebook = open_notebook("1", UNIT, "2")
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("radio", name="ReLU", exact=True).focus()
    for key, unit in (("ArrowRight", "leaky ReLU"), ("ArrowDown", "absolute value"), ("ArrowLeft", "leaky ReLU")):
        notebook.page.keyboard.press(key)
        assert notebook.settled(figure)["unit"] == unit
    figure.locator(".hts-reset").focus()
    for key in ("d", "d", "b", "x"):  # what deletes, adds and cuts cells
        notebook.page.keyboard.press(key)
    assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length") == 3
    notebook.page.keyboard.press("Enter")
    assert notebook.settled(figure) == {"unit": "ReLU", "beta": 0.5}


@once_more
def test_values_set_by_code_are_kept_to_the_last_digit(open_notebook):
    notebook = open_notebook(PROBLEM, "problem.set(u=7.7)")
    notebook.run_all(figures=1)
    notebook.wait_until_idle()
    figure = notebook.figure("beta-code")
    beta, u = figure.locator("input[type=range]").all()
    figure.get_by_text("u = 7.70", exact=True).wait_for()
    assert u.get_attribute("aria-valuetext") == "u = 7.70"
    beta.fill("40")
    assert notebook.settled(figure) == {"beta": 0.8, "u": 7.7}
    assert figure.locator("output").last.inner_text() == "u = 7.70"


@once_more
def test_a_widget_in_a_box_is_drawn_by_plotly_too(open_notebook):
    box = "import ipywidgets\nipywidgets.VBox([figure.widget])"
    notebook = open_notebook(f"{UNIT.removesuffix('figure')}{box}")
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name=", hard").click()
    assert notebook.settled(figure)["beta"] == 1


@once_more
def test_all_axes_are_free_at_once(open_notebook):
    notebook = open_notebook(PROBLEM)
    notebook.run_all(figures=1)
    figure = notebook.figure("beta-code")
    beta, u = figure.locator("input[type=range]").all()
    beta.fill("13")  # the slider counts the page's values: β = 0.26
    u.fill("35.75")  # between u = 0.75 and u = 0.80
    assert notebook.settled(figure) == {"beta": 0.26, "u": 0.7875}
    weight = betavq.code(torch.tensor([0.0, 0.7875], dtype=torch.float64), 0.26)[1].item()
    assert figure.locator(".hts-readout").inner_text().startswith(f"Code ({1 - weight:.3f}, {weight:.3f}).\n")
    figure.locator(".hts-reset").click()
    assert notebook.settled(figure) == {"beta": 0.5, "u": 1.0}


@once_more
def test_code_moves_the_figure_and_hears_of_moves(open_notebook):
    listen = "import ipywidgets\nheard = ipywidgets.Label('nothing')\nheard"
    link = "stop = figure.observe(lambda values: setattr(heard, 'value', f\"heard {values['beta']:.3f}\"))"
    notebook = open_notebook(UNIT, listen, link, "figure.set(beta=0.333, unit='absolute value')")
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    notebook.page.get_by_text("heard 0.333").wait_for()
    assert notebook.settled(figure) == {"unit": "absolute value", "beta": 0.333}
    assert figure.locator("output").inner_text() == "β = 0.333"
    assert (
        figure.locator("input[type=radio]:checked").evaluate("radio => radio.nextSibling.textContent")
        == "absolute value"
    )
    figure.get_by_role("button", name=", hard").click()
    notebook.page.get_by_text("heard 1.000").wait_for()
    notebook.settled(figure)
    assert notebook.drawn(figure, "value at this β") == pytest.approx(
        [abs(-5 + 0.05 * i) for i in range(201)], abs=1e-12
    )


@once_more
def test_one_figure_shown_twice_stays_one_and_shares_no_id(open_notebook):
    notebook = open_notebook(UNIT, "figure")
    notebook.run_all(figures=2)
    first, second = (notebook.figure("relu-to-swish", view) for view in (0, 1))
    second.get_by_role("radio", name="leaky ReLU").check()
    second.locator("input[type=range]").fill("5.5")
    assert notebook.settled(second) == {"unit": "leaky ReLU", "beta": 0.11}
    assert notebook.settled(first) == {"unit": "leaky ReLU", "beta": 0.11}
    assert notebook.drawn(first, "value at this β") == notebook.drawn(second, "value at this β")
    ids = notebook.page.eval_on_selector_all(".hts-figure, .hts-figure [id]", "found => found.map(one => one.id)")
    assert len(ids) > 10
    assert len(ids) == len(set(ids))


@once_more
def test_the_plotting_code_comes_once_a_notebook(open_notebook):
    received = []
    for cells in (FOUR[:1], FOUR):
        notebook = open_notebook(*cells)
        before = notebook.received
        notebook.run_all(figures=len(cells))
        received.append(notebook.received - before)
    assert received[1] <= 1_000_000
    assert received[1] - received[0] < 200_000


@once_more
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_figures_are_accessible_and_follow_the_theme(open_notebook, dark):
    notebook = open_notebook(UNIT, FOUR[2], dark=dark)
    notebook.run_all(figures=2)
    found = Axe().run(notebook.page, context=".hts-figure").response["violations"]
    assert [(violation["id"], len(violation["nodes"])) for violation in found] == []
    ink = notebook.figure("opening").evaluate("root => getComputedStyle(root).getPropertyValue('--hts-ink')")
    assert ink == palette.COLOURS["ink"][dark]


@once_more
@pytest.mark.parametrize("chapter", sorted(path.name for path in BOOK.glob("*.ipynb")))
def test_every_figure_of_a_chapter_lives(open_notebook, lab, chapter):
    shutil.copy(BOOK / chapter, lab.folder / chapter)
    notebook = open_notebook(name=chapter)
    notebook.start_command("notebook:run-all-cells")
    stored = nbformat.read(BOOK / chapter, as_version=4)
    expected = str(stored).count("Interactive figure “")
    assert expected
    notebook.wait_for_figures(expected)
    notebook.wait_until_idle()
    for figure in notebook.page.locator(".hts-figure").all():
        figure.scroll_into_view_if_needed()
        name = re.sub("-view.*", "", figure.get_attribute("id"))
        if figure.locator(".hts-slider").count():
            control = figure.locator(".hts-slider").first
            control.locator("input[type=range]").press("End")
        else:
            control = figure.locator(".hts-choice").first
            control.locator("label").last.click()
        values = notebook.settled(figure)
        axis = next(axis for axis in LIVE[name].axes if axis.name == control.get_attribute("data-axis"))
        assert values[axis.name] == axis.values[-1]
        assert figure.locator(".hts-trouble").inner_text() == ""
        if not name.startswith("your-"):  # those show what the chapter wrote down
            assert figure.locator(".hts-readout").text_content() == unmarked(LIVE[name].frame(**values).readout)
    assert [error for error in notebook.errors if TOOLBAR not in error] == []
    assert not notebook.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count()
