"""The figure object: what it refuses, and what a cell shows in a built page and in a notebook."""

import IPython.display
import pytest

from hardtosoft.figures import units
from hardtosoft.interactive import STATIC, InteractiveFigure


@pytest.fixture
def shown(monkeypatch):
    """Everything that is displayed, as mime bundles."""
    bundles = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, **_: bundles.append(bundle))
    return bundles


def test_a_page_gets_html_and_a_sentence(shown, monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    units.objective_figure()._ipython_display_()
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/html"].startswith('<figure class="hts-figure" id="beta-code"')


def test_a_notebook_gets_plotly_figures_and_a_sentence(shown, monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    figure = units.objective_figure()
    figure._ipython_display_()
    assert [set(bundle) for bundle in shown] == [{"application/vnd.plotly.v1+json", "text/plain"}] * 2
    panel = shown[0]["application/vnd.plotly.v1+json"]
    assert panel["layout"]["title"]["text"] == figure.frame().panels[0].title
    assert panel["data"][0]["y"] == pytest.approx(figure.frame().panels[0].traces[0]["y"], abs=1e-6)


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
