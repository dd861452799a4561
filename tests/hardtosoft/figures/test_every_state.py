"""Every figure of the book in every state of its page: drawn, told, packed to the stated error, and the same live."""

import gzip
import json
import re

import numpy as np
import plotly.graph_objects
from book_figures import every, tabled
from moves import ask, first_text, half_steps, received

from hardtosoft.interactive import palette
from hardtosoft.interactive.figure import InteractiveFigure
from hardtosoft.interactive.frames import plain
from hardtosoft.interactive.markup import notebook_figure
from hardtosoft.interactive.states import enumerate_states, unpack


def assert_complete(frame):
    """A frame says something in every panel, and its numbers are finite or absent."""
    assert frame.readout.strip()
    assert not re.search(r"nan|inf|-0\.0*\b", frame.readout)
    assert all(panel.alt.endswith(".") for panel in frame.panels)
    for values in (t[key] for panel in frame.panels for t in panel.traces for key in "xyz" if key in t):
        assert not np.isinf(values).any()


def assert_stored(frame, block, stored):
    """A page's numbers are the frame's, up to the error that their block states; 0 fills up what is shorter here."""
    _, panel, _, trace, key = block.path
    truth = frame.panels[panel].traces[trace][key]
    np.testing.assert_allclose(stored[: len(truth)], truth, rtol=0, atol=block.error * (1 + 1e-6))
    assert not np.nan_to_num(stored[len(truth) :]).any()


def stated(block):
    """How far a page's numbers may be from the figure function's."""
    return (block.high - block.low) * 1e-4 if block.bits == 16 else 1 / 255


def place(table, variant, row):
    """Where a state's text is among those of the axes that it depends on."""
    sides = [length if axis in variant["along"] else 1 for axis, length in table.grid.items()]
    return np.broadcast_to(np.arange(len(variant["index"])).reshape(sides), (*table.grid.values(),)).flat[row]


@tabled
def test_every_state_draws_speaks_and_is_the_same_in_page_and_notebook(figure):
    table, arrays, drawn = figure.table, unpack(figure.table), []
    live = InteractiveFigure(
        figure.name, lambda **values: drawn.append(figure.function(**values)) or drawn[-1], figure.axes
    )
    widget = live.widget
    assert arrays
    assert table.states == enumerate_states(figure.axes)
    for row, state in enumerate(table.states):
        ask(widget, str(row), **state)
        assert widget.said["trouble"] == ""
        assert widget.said["values"] == state
        assert_complete(drawn[-1])
        shown, live_errors = received(widget), half_steps(widget)
        for block in table.blocks:
            assert_stored(drawn[-1], block, arrays[block.path][row])
            # Half a step of the page's numbers, and half a step of the live ones.
            allowed = block.error + live_errors[block.path]
            assert allowed <= stated(block)
            stored = arrays[block.path][row][: len(shown[block.path])]
            np.testing.assert_allclose(shown[block.path], stored, rtol=0, atol=allowed * (1 + 1e-9))
        for variant in table.variants:
            truth = variant["values"][variant["index"][place(table, variant, row)]]
            assert shown.get(tuple(variant["path"]), first_text(widget, variant["path"])) == truth


@tabled
def test_no_trace_is_absent_in_all_states(figure):
    base = [trace for panel in figure.table.base["panels"] for trace in panel["traces"]]
    still = [trace[key] for trace in base for key in "xyz" if trace.get(key) is not None]
    for values in [*unpack(figure.table).values(), *(np.array(values, dtype=float) for values in still)]:
        assert np.isfinite(values).any()


def polygons_in(figure):
    """How many polygons the figure draws."""
    traces = [trace for panel in figure.frame().panels for trace in panel.traces]
    return sum(len(trace["sides"]) for trace in traces if trace["type"] == "polygons")


@every
def test_plotly_knows_every_attribute(figure):
    for panel in figure.frame().panels:
        kinds = ("scatter", "heatmap")  # the others are the book’s own, and so are names
        traces = [{k: v for k, v in t.items() if k != "label"} for t in panel.traces if t["type"] in kinds]
        picture = palette.resolve({"data": plain(traces), "layout": panel.layout})
        shown = plotly.graph_objects.Figure(picture)
        assert "var(--" not in shown.to_json()
        assert len(shown.data) == len(traces)


@every
def test_page_html_is_complete_and_light(figure):
    html = figure.html()
    config = json.loads(re.search(r'class="hts-config">(.*?)</script>', html, re.S)[1])
    assert len(config["axes"]) == len(figure.axes)
    for axis in figure.axes:
        assert f'data-axis="{axis.name}"' in html
    assert set(re.findall(r"var\(--hts-([\w-]+)\)", html)) <= set(palette.COLOURS)
    most = 1_000_000 if polygons_in(figure) >= 10_000 else 150_000
    assert len(gzip.compress(html.encode())) <= most
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


@every
def test_notebook_text_names_the_figure_and_its_conclusion(figure):
    assert figure.name in repr(figure)
    assert figure.frame().panels[0].alt in repr(figure)


@every
def test_names_stand_in_the_picture_so_that_a_legend_has_two_keys_at_most(figure):
    html = notebook_figure(figure.name, figure.axes, figure.frame(), figure.start, "", hero=False)
    legend = re.search(r'<ul class="hts-legend">.*?</ul>', html)
    assert not legend or legend[0].count("<li>") <= 2
