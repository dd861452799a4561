"""The figure object: what it refuses, and what a cell shows in a built page and in a notebook."""

import re

import IPython.display
import numpy as np
import pytest
import torch

from hardtosoft.figures.relu_to_swish import units
from hardtosoft.interactive.figure import STATIC, InteractiveFigure
from hardtosoft.interactive.live import Runtime


@pytest.fixture
def shown(monkeypatch):
    """Everything that is displayed, as mime bundles."""
    bundles = []

    for name in ("display", "update_display"):
        monkeypatch.setattr(IPython.display, name, lambda bundle, **_: bundles.append(bundle))
    return bundles


def test_a_page_gets_html_and_a_sentence(shown, monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    units.objective_figure()._ipython_display_()
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/html"].startswith('<figure class="hts-figure" id="beta-code"')


def test_a_page_figure_is_called_by_its_panels_and_waits_for_its_script():
    figure = units.objective_figure()
    html = figure.html()
    named = re.match(r'<figure [^>]*aria-labelledby="([^"]+)"', html)[1].split()
    titles = [re.search(rf'id="{title}">([^<]+)<', html)[1] for title in named]
    assert titles == [panel.title for panel in figure.frame().panels]
    (controls,) = re.findall(r'<fieldset class="hts-controls" role="none" disabled>(.*?)</fieldset>', html)
    assert [f'data-axis="{axis.name}"' in controls for axis in figure.axes] == [True, True]


def test_a_notebook_gets_a_widget_and_a_sentence_for_when_there_is_none(shown, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    figure = units.objective_figure()
    figure._ipython_display_()
    view, memory = shown
    assert view["application/vnd.jupyter.widget-view+json"]["model_id"] == figure.widget.model_id
    assert set(memory) == {"text/html", "text/plain"}
    assert memory["text/plain"] == f"{figure!r} Run the cell to move it."
    assert figure.widget.mark in memory["text/html"]
    assert figure.frame().panels[0].alt in memory["text/html"]


def test_the_kept_sentence_follows_when_the_reader_rests(shown, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    figure = units.objective_figure()
    figure._ipython_display_()
    figure.set(u=0.123)
    assert len(shown) == 2
    figure.widget._handle_custom_msg({"rested": True}, [])
    assert shown[2]["text/plain"].startswith(
        "Interactive figure “beta-code” (β, how hard units select: β = 0.50, soft; u"
    )
    assert "u = 0.12" in shown[2]["text/plain"]
    figure.widget._handle_custom_msg({"rested": True}, [])  # from another view
    assert len(shown) == 3


def test_set_moves_and_tells_observers():
    figure, heard = units.objective_figure(), []
    stop = figure.observe(heard.append)
    figure.set(u=0.123)
    figure.set(u=0.123)
    assert heard == [{"beta": 0.5, "u": 0.123}]
    assert figure.values == {"beta": 0.5, "u": 0.123}
    heard[0]["u"] = 99.0  # an observer cannot move the figure by accident
    assert figure.values["u"] == 0.123
    stop()
    stop()
    figure.set(beta=0.2)
    assert len(heard) == 1
    assert "β = 0.20" in repr(figure)


def test_two_figures_can_follow_each_other():
    first, second = units.objective_figure(), units.unit_figure()
    first.observe(lambda values: second.set(beta=values["beta"]))
    second.observe(lambda values: first.set(beta=values["beta"]))
    second.set(beta=0.9)
    assert (first.values["beta"], second.values["beta"]) == (0.9, 0.9)
    first.set(beta=0.1)
    assert (first.values["beta"], second.values["beta"]) == (0.1, 0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gamma": 1.0}, "axes of 'relu-to-swish' are unit, beta; got gamma"),
        ({"unit": "tanh"}, "unit must be one of 'ReLU', 'leaky ReLU', 'absolute value', got 'tanh'"),
        ({"beta": float("nan")}, "beta must be a finite number, got nan"),
        ({"beta": "0.3"}, "beta must be a finite number, got '0.3'"),
        ({"beta": None}, "beta must be a finite number, got None"),
        ({"beta": 1.5}, r"beta must be in \[0, 1\], got 1.5"),
    ],
)
def test_a_wrong_value_is_raised_to_code_and_the_figure_stays(values, message):
    figure, heard = units.unit_figure(), []
    figure.observe(heard.append)
    with pytest.raises(ValueError, match=message):
        figure.set(**values)
    assert figure.values == figure.start
    assert heard == []


def test_the_page_opens_at_the_start_wherever_code_has_moved_the_figure():
    figure = units.objective_figure()
    before = figure.html()
    figure.set(beta=0.9)
    assert figure.html() == before


def test_values_left_out_stay_at_their_start():
    figure = units.objective_figure()
    assert figure.frame(u=-1.0).readout == units.objective_frame(0.5, -1.0).readout


@pytest.mark.parametrize("name", ["", "Beta", "1st", "a b", "a.b"])
def test_names_that_no_link_can_carry_are_refused(name):
    with pytest.raises(ValueError, match="name must be lower-case letters, digits and hyphens"):
        InteractiveFigure(name, units.unit_frame, units.unit_figure().axes)


def test_a_figure_needs_an_axis():
    with pytest.raises(ValueError, match="axes must hold at least one axis, got none"):
        InteractiveFigure("still", units.unit_frame, [])


def test_numbers_of_torch_and_numpy_are_taken():
    figure = units.objective_figure()
    figure.set(beta=torch.tensor(0.25), u=np.float32(0.5))
    assert figure.values == {"beta": 0.25, "u": 0.5}
    assert {type(value) for value in figure.values.values()} == {float}


def test_a_widget_alone_gets_the_plotting_code_too(monkeypatch):
    delivered = []
    monkeypatch.setattr(Runtime, "deliver", lambda _self: delivered.append("plotly"))
    assert units.unit_figure().widget.runtime
    assert delivered == ["plotly"]


def test_the_figure_function_is_called_once_for_what_is_shown(shown, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    calls = []

    def counted(beta, u):
        calls.append((beta, u))
        return units.objective_frame(beta, u)

    figure = InteractiveFigure("counted", counted, units.objective_figure().axes)
    figure._ipython_display_()
    figure._ipython_display_()
    assert len(calls) == 1
    figure.set(u=0.25)
    figure.widget._handle_custom_msg({"rested": True}, [])
    assert len(calls) == 2
    assert len(shown) == 5  # two views, a sentence for each, and one update for both
