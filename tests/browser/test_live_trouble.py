"""What can go wrong with a live figure, and what a reader then sees: words, never an empty box or a dead slider."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from second_try import once_more

pytestmark = pytest.mark.browser

UNIT = "from hardtosoft.figures import relu_to_swish\nfigure = relu_to_swish.unit_figure()\nfigure"
FRAGILE = """\
import torch
from hardtosoft.interactive.axes import beta_axis
from hardtosoft.interactive.frames import Frame, Panel, axis, layout, line
from hardtosoft.interactive.figure import InteractiveFigure

def fragile(beta):
    if beta > 0.8:
        raise ValueError("too hard for me")
    x = torch.linspace(0, 1, 11)
    box = layout(axis(0, 1, (0, 1)), axis(0, 1, (0, 1)))
    mine = line("mine", x, beta * x, "var(--hts-blue)")
    return Frame([Panel("Mine", "x", "A line.", [mine], box)], f"slope {beta:.2f}")

mine = InteractiveFigure("mine", fragile, [beta_axis()])
mine
"""
#: A cell that keeps the kernel busy until the file of this name is there.
BUSY = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)"
SENTENCE = "The ReLU unit at β = 0.00: a straight line."


def curve_at_half():
    """SiLU on the grid of the unit's figure."""
    return F.silu(torch.linspace(-5, 5, 201, dtype=torch.float64)).tolist()


def trouble(figure):
    return figure.locator(".hts-trouble")


@once_more
def test_an_error_in_the_figure_function_is_told_and_the_slider_goes_on(open_notebook):
    notebook = open_notebook(FRAGILE)
    notebook.run_all(figures=1)
    figure = notebook.figure("mine")
    slider = figure.locator("input[type=range]")
    for _ in range(2):  # the same mistake twice is told twice
        slider.fill("90")
        figure.get_by_text("too hard for me").wait_for()
        assert trouble(figure).inner_text() == "ValueError: too hard for me (line 8 of fragile)"
        assert figure.locator(".hts-readout").inner_text() != "slope 0.90"
        slider.fill("25")
        notebook.settled(figure)
        assert trouble(figure).inner_text() == ""
        assert figure.locator(".hts-readout").inner_text() == "slope 0.25"
    assert notebook.drawn(figure, "mine") == pytest.approx([0.025 * i for i in range(11)], abs=1e-7)


@once_more
def test_an_error_in_a_callback_is_told_and_the_figure_moves(open_notebook):
    callback = "def listener(values):\n    raise KeyError('no such thing')\n\nstop = figure.observe(listener)"
    notebook = open_notebook(UNIT, callback, "stop()")
    notebook.page.evaluate(
        "() => { const nb = window.jupyterapp.shell.currentWidget.content; nb.activeCellIndex = 0 }"
    )
    for _ in range(2):
        notebook.command("notebook:run-cell-and-select-next")
    notebook.wait_for_figures(1)
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name=", hard").click()
    assert notebook.settled(figure)["beta"] == 1
    assert trouble(figure).inner_text() == "KeyError: 'no such thing' (line 2 of listener)"
    assert notebook.drawn(figure, "value at this β")[:100] == [0.0] * 100
    notebook.command("notebook:run-cell-and-select-next")
    notebook.wait_until_idle()
    figure.get_by_role("button", name="soft").click()
    notebook.settled(figure)
    assert trouble(figure).inner_text() == ""


@once_more
def test_a_busy_kernel_is_told_and_the_figure_follows(open_notebook):
    notebook = open_notebook(UNIT, BUSY)
    (notebook.server.folder / "go").unlink(missing_ok=True)
    notebook.start_command("notebook:run-all-cells")
    notebook.wait_for_figures(1)
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name="linear").click()
    figure.get_by_role("button", name=", hard").click()
    busy = "No answer from the kernel yet. If it is busy, the figure follows; if it was restarted, run its cell again."
    figure.get_by_text(busy).wait_for()
    (notebook.server.folder / "go").touch()
    assert notebook.settled(figure)["beta"] == 1
    assert trouble(figure).inner_text() == ""
    assert notebook.drawn(figure, "value at this β")[:100] == [0.0] * 100


@once_more
def test_two_views_asked_while_the_kernel_is_busy_both_follow(open_notebook):
    notebook = open_notebook(UNIT, "figure", BUSY)
    (notebook.server.folder / "go").unlink(missing_ok=True)
    notebook.start_command("notebook:run-all-cells")
    notebook.wait_for_figures(2)
    first, second = (notebook.figure("relu-to-swish", view) for view in (0, 1))
    first.get_by_role("button", name=", hard").click()
    first.get_by_role("button", name="linear").click()
    second.get_by_role("button", name=", hard").click()
    (notebook.server.folder / "go").touch()
    for view in (first, second):
        assert notebook.settled(view)["beta"] == 1
        assert trouble(view).inner_text() == ""


@once_more
def test_a_reloaded_page_goes_on_with_the_living_kernel(open_notebook):
    notebook = open_notebook(UNIT, "1")
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name=", hard").click()
    notebook.settled(figure)
    notebook.command("docmanager:save")
    notebook.page.reload(wait_until="load")
    notebook.wait_until_idle()
    notebook.wait_for_figures(1)
    figure = notebook.figure("relu-to-swish")
    assert notebook.settled(figure)["beta"] == 1
    for name, beta in ((", linear", 0), (", hard", 1)):
        figure.get_by_role("button", name=name).click()
        assert notebook.settled(figure)["beta"] == beta
        assert trouble(figure).inner_text() == ""


@once_more
def test_plotly_comes_with_the_next_kernel_where_the_first_had_none(open_notebook):
    without = "import os\nfrom hardtosoft.interactive import plotly as assets\nif not os.path.exists('later'):\n"
    without += "    open('later', 'w').close()\n    assets.cached_bundle = lambda: None\n"
    without += "    assets.plotly_bundle = lambda folder: None"
    open_notebook.renew()  # the window of another test may have plotly
    notebook = open_notebook(without, UNIT)
    (notebook.server.folder / "later").unlink(missing_ok=True)
    notebook.command("notebook:run-all-cells")
    notebook.page.locator(".hts-figure[data-ready=kernel]").wait_for()
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name=", hard").click()
    figure.locator(".hts-readout", has_text="1.00·0").wait_for()  # it moves without plotly
    assert figure.get_attribute("data-ready") == "kernel"
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    notebook.wait_until_idle()
    notebook.run_all(figures=1)
    assert notebook.drawn(notebook.figure("relu-to-swish"), "value at this β") == pytest.approx(curve_at_half())


@once_more
def test_after_a_restart_the_figure_says_so_and_lives_again_when_run(open_notebook):
    notebook = open_notebook(UNIT)
    notebook.run_all(figures=1)
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    notebook.wait_until_idle()
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name=", hard").click()
    figure.get_by_text("run its cell again").wait_for()
    notebook.page.evaluate(
        "() => document.querySelectorAll('.hts-figure').forEach((one) => { one.dataset.ready = 'old' })"
    )
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    figure.get_by_role("button", name=", hard").click()
    assert notebook.settled(figure)["beta"] == 1
    assert trouble(figure).inner_text() == ""


@once_more
def test_a_saved_notebook_tells_its_last_state_without_a_kernel(open_notebook):
    notebook = open_notebook(UNIT)
    notebook.run_all(figures=1)
    figure = notebook.figure("relu-to-swish")
    assert not notebook.page.get_by_text("Run the cell to move it.").is_visible()
    figure.get_by_role("button", name="linear").click()
    notebook.settled(figure)
    kept = "(text) => [...document.querySelectorAll('.jp-RenderedHTML p')].some((p) => p.textContent.includes(text))"
    notebook.page.wait_for_function(kept, arg=SENTENCE)
    notebook.command("docmanager:save")
    saved = (notebook.server.folder / notebook.name).read_text(encoding="utf-8")
    assert "widget-state" not in saved
    assert len(saved) < 10_000
    again = open_notebook(name=notebook.name)  # a new kernel knows nothing of the old one's widgets
    again.page.get_by_text(SENTENCE).wait_for()
    for of_no_use in ("Loading widget", "Error displaying widget"):
        again.page.get_by_text(of_no_use).wait_for(state="hidden")
    again.run_all(figures=1)
    assert not again.page.get_by_text("Run the cell to move it.").is_visible()
