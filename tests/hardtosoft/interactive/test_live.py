"""The live widget: what it sends for a move, that it equals what pages store, and what it makes of bad moves."""

import gzip

import numpy as np
import pytest
from moves import ask, first_text, half_step, received

from hardtosoft.figures.relu_to_swish import units
from hardtosoft.interactive import live, plotly
from hardtosoft.interactive.axes import beta_axis, sliding
from hardtosoft.interactive.figure import InteractiveFigure
from hardtosoft.interactive.frames import Frame, Panel, axis, heatmap, layout, line


def test_a_view_opened_late_gets_everything_that_moved():
    figure = units.objective_figure()
    ask(figure.widget, "1", beta=0.5, u=-1.5)  # moves one panel's curve and both dots
    ask(figure.widget, "2", beta=0.9, u=1.0)
    shown, frame = received(figure.widget), figure.frame(beta=0.9, u=1.0)
    for p, panel in enumerate(frame.panels):
        for t, trace in enumerate(panel.traces):
            for key in ("x", "y"):
                if key in trace:
                    np.testing.assert_array_equal(shown["panels", p, "traces", t, key], trace[key])
        path = ("panels", p, "alt")
        assert shown.get(path, first_text(figure.widget, path)) == panel.alt
    assert shown["readout",] == frame.readout


def test_values_beyond_the_pages_grid_and_range_are_answered():
    figure = units.objective_figure()
    ask(figure.widget, "1", beta=1, u=7.7)  # a browser's 1 is a whole number
    assert figure.values == {"beta": 1.0, "u": 7.7}
    assert isinstance(figure.values["beta"], float)
    assert figure.widget.said["words"] == ["β = 1.00, hard", "u = 7.70"]
    assert received(figure.widget)["readout",] == figure.frame(beta=1.0, u=7.7).readout


def test_a_mistake_is_told_and_the_next_move_answered():
    figure = units.objective_figure()
    ask(figure.widget, "1", beta=1.5, u=1.0)
    said = figure.widget.said
    assert said["trouble"].startswith("ValueError: beta must be in [0, 1], got 1.5 (line ")
    assert (said["turn"], said["values"]) == ("1", {"beta": 1.5, "u": 1.0})
    assert figure.values == figure.start
    ask(figure.widget, "2", beta=0.25, u=1.0)
    assert figure.widget.said["trouble"] == ""
    assert figure.values == {"beta": 0.25, "u": 1.0}


def test_a_callbacks_mistake_is_told_though_the_figure_moved():
    figure = units.objective_figure()
    figure.observe(lambda values: values["gamma"])
    ask(figure.widget, "1", beta=0.25, u=1.0)
    assert figure.widget.said["trouble"].startswith("KeyError: 'gamma' (line ")
    assert received(figure.widget)["readout",] == figure.frame(beta=0.25).readout


def picture(traces):
    box = layout(axis(0, 1, (0, 1)), axis(0, 1, (0, 1)))
    return Frame([Panel("title", "x", "alt", traces, box)], "read")


def test_arrays_may_change_their_length_and_heatmaps_take_a_byte_a_number():
    def drawn(n):
        x = np.linspace(0, 1, round(n))
        return picture([line("line", x, x, "red"), heatmap("map", np.outer(x, x), (0, 1), (0, 1))])

    figure = InteractiveFigure("lengths", drawn, [sliding("n", "n", 2, 40, 1, start=3)])
    ask(figure.widget, "1", n=20)
    shapes = {tuple(one["path"])[-1]: (one["shape"], len(data)) for one, data in packed(figure.widget.answer)}
    assert shapes == {"x": ((20,), 160), "y": ((20,), 160), "z": ((20, 20), 400)}


@pytest.mark.parametrize(
    ("name", "values", "kind", "size"),
    [
        ("fill", np.array([0, 3, 255]), "u1", 3),
        ("fill", np.array([-1, 3, 4]), "f8", 24),
        ("fill", np.array([0, 3, 256]), "f8", 24),
        ("x", np.linspace(-3.0, 5.0, 20_000) ** 3, "u2", 40_000),
        ("y", np.full(3, 0.25), "f8", 24),
        ("other", np.linspace(-1e6, 1e6, 20_000), "f8", 160_000),
    ],
)
def test_numbers_take_no_more_bits_than_they_need(name, values, kind, size):
    trace = {"type": "polygons", "sides": np.array([3]), "key": [], "strokes": [], name: values}
    first = Frame([Panel("title", "x", "alt", [trace], layout(axis(0, 1, (0, 1)), axis(0, 1, (0, 1))))], "read")
    widget = live.LiveFigure("numbers", [beta_axis()], first, {"beta": 0.5}, print, print, caption="", hero=False)
    ((described, data),) = [one for one in packed(widget.opening) if one[0]["path"][-1] == name]
    assert (described["type"], len(data)) == (kind, size)
    shown = received(widget)["panels", 0, "traces", 0, name]
    assert np.abs(shown - values).max() <= half_step(described) * 1.001
    assert (half_step(described) > 0) == (kind == "u2")


def test_a_long_line_keeps_all_digits_where_its_range_is_large():
    x = np.linspace(0, 1, 20_000)
    figure = InteractiveFigure("long", lambda beta: picture([line("line", x, 1e9 * x**2, str(beta))]), [beta_axis()])
    assert np.array_equal(received(figure.widget)["panels", 0, "traces", 0, "y"], 1e9 * x**2)


def packed(message):
    return zip(message["arrays"], message["data"], strict=True)


def test_other_traces_than_at_first_are_refused():
    def drawn(beta):
        return picture([line(str(i), [0, 1], [0, 1], "red") for i in range(2 if beta > 0.7 else 1)])

    figure = InteractiveFigure("growing", drawn, [beta_axis()])
    ask(figure.widget, "1", beta=0.9)
    assert (
        "every frame must have the same traces and settings as the first; panels/0/traces/1"
        in (figure.widget.said["trouble"])
    )


def test_a_moving_layout_is_refused_in_both_homes():
    def drawn(beta):
        box = layout(axis(0, 1 + beta, (0, 1)), axis(0, 1, (0, 1)))
        return Frame([Panel("title", "x", "alt", [line("line", [0, 1], [0, 1], "red")], box)], "read")

    figure = InteractiveFigure("jumping", drawn, [beta_axis()])
    message = "a panel's layout must not depend on the axes; panels/0/layout/xaxis/range does"
    ask(figure.widget, "1", beta=0.9)
    assert message in figure.widget.said["trouble"]
    with pytest.raises(ValueError, match=message):
        figure.html()


def test_words_made_for_the_pages_stops_alone_do_not_stop_the_figure():
    names = {0.0: "none", 1.0: "all"}
    share = sliding("share", "share", 0, 1, 1, start=0, say=lambda value: names[value])
    figure = InteractiveFigure("named", lambda share: picture([line("l", [0, 1], [0, share], "red")]), [share])
    ask(figure.widget, "1", share=0.5)
    assert figure.widget.said["words"] == ["share = 0.5"]
    assert figure.widget.said["trouble"] == ""
    assert figure.values == {"share": 0.5}


@pytest.mark.parametrize("value", [None, "much"])
def test_an_impossible_value_from_a_browser_is_told(value):
    figure = units.objective_figure()
    ask(figure.widget, "1", beta=value, u=1.0)
    assert "beta must be a finite number" in figure.widget.said["trouble"]
    assert figure.widget.said["turn"] == "1"


def test_plotting_code_is_in_the_runtime_and_in_no_figure(monkeypatch):
    monkeypatch.setattr(plotly, "cached_bundle", lambda: gzip.compress(b"plotly"))
    first, second = units.unit_figure().widget, units.objective_figure().widget
    assert first.runtime is second.runtime is live.runtime()
    for widget in (first, second):
        state = widget.get_state()
        assert state["runtime"] == f"IPY_MODEL_{live.runtime().model_id}"
        assert len(state["_esm"]) < 1500
        assert "_css" not in state or not state["_css"]
    fresh = live.Runtime()
    fresh.deliver()
    assert gzip.decompress(fresh.bundle) == b"plotly"


def test_a_missing_bundle_is_fetched_without_holding_up_the_kernel(monkeypatch):
    cache, started = [], []
    monkeypatch.setattr(plotly, "cached_bundle", lambda: cache[0] if cache else None)
    monkeypatch.setattr(plotly, "plotly_bundle", lambda _folder: cache.append(b"packed"))

    class Thread:
        def __init__(self, target, daemon):
            assert daemon
            self.start = lambda: started.append(target)
            self.is_alive = lambda: True

    monkeypatch.setattr(live.threading, "Thread", Thread)
    runtime = live.Runtime()
    runtime.deliver()
    runtime.deliver()  # the next figure
    assert (runtime.bundle, cache, len(started)) == (b"", [], 1)
    started[0]()
    assert runtime.bundle == b"packed"


def test_without_a_bundle_to_be_had_the_figure_stays_as_it_is(monkeypatch):
    def refused(_folder):
        raise plotly.AssetError("no network")

    monkeypatch.setattr(plotly, "cached_bundle", lambda: None)
    monkeypatch.setattr(plotly, "plotly_bundle", refused)
    runtime = live.Runtime()
    runtime._fetch()
    assert runtime.bundle == b""
