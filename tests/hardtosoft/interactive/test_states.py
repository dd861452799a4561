"""The table of states: which states exist, and that packing keeps every number to the stated error."""

import numpy as np
import pytest

from hardtosoft.interactive import palette
from hardtosoft.interactive.axes import choice, sliding
from hardtosoft.interactive.frames import Frame, Panel, axis, heatmap, layout, line, polygons, stroke
from hardtosoft.interactive.states import MOST_AS_TEXT, enumerate_states, tabulate, unpack

SPEED = sliding("speed", "v", 0, 1, 0.1, start=0.5)
SHAPE = choice("shape", "shape", ("round", "flat"), start="round")


def frame_of(traces, readout="same"):
    return Frame([Panel("title", "x", "alt", traces, layout(axis(0, 1, (0, 1)), axis(0, 1, (0, 1))))], readout)


def wavy(speed):
    x = np.linspace(0, 1, 57)
    y = np.sin(9 * speed + 7 * x)
    y[:: 1 + round(10 * speed)] = np.nan
    z = np.outer(x, np.cos(x * speed)) ** 2
    still = line("still", x, x, palette.GREY)
    return frame_of([line("wave", x, y, palette.BLUE), still, heatmap("map", z, (0, 1), (0, 1))], f"speed {speed:g}")


def test_every_combination_of_values_is_a_state():
    states = enumerate_states([SPEED, SHAPE])
    assert len(states) == 11 * 2
    assert [state["speed"] for state in states[:11]] == list(SPEED.values)  # the longest axis runs fastest
    assert {"speed": 0.3, "shape": "flat"} in states


def test_more_states_than_a_page_can_hold_are_refused():
    many = [sliding(name, name, 0, 1, 0.02, start=0) for name in "ab"]
    with pytest.raises(ValueError, match="at most 2000 states in all, got 2601: use larger steps"):
        enumerate_states(many)


def test_what_depends_on_one_axis_is_stored_for_that_axis_alone():
    def both(shape, speed, size):
        x = np.linspace(0, 1, 9)
        y = {"by speed": speed * x, "by size": size * x**2, "by both": x + speed * size}
        return frame_of([line(name, x, y[name], palette.BLUE) for name in y], f"{shape}, size {size:g}")

    axes = [SPEED, SHAPE, sliding("size", "s", 1, 3, 0.5, start=1)]
    table = tabulate(both, axes)
    assert [(block.along, block.count) for block in table.blocks] == [((0,), 11), ((2,), 5), ((2, 0), 55)]
    assert [(texts["along"], len(texts["index"])) for texts in table.variants] == [((1, 2), 10)]
    for path, rows in unpack(table).items():
        for state, row in zip(table.states, rows, strict=True):
            np.testing.assert_allclose(row, both(**state).panels[0].traces[path[3]]["y"], atol=1e-3)


def test_packed_arrays_come_back_within_the_stated_error():
    table = tabulate(wavy, [SPEED])
    arrays = unpack(table)
    wave, shade = ("panels", 0, "traces", 0, "y"), ("panels", 0, "traces", 2, "z")
    assert set(arrays) == {wave, shade}
    errors = {block.path: block.error for block in table.blocks}
    assert errors[wave] <= 1e-4 * 2
    assert errors[shade] <= 1 / 255
    for row, state in enumerate(table.states):
        traces = wavy(**state).panels[0].traces
        for path, truth in ((wave, traces[0]["y"]), (shade, traces[2]["z"])):
            stored = arrays[path][row]
            assert np.array_equal(np.isnan(stored), np.isnan(truth))
            np.testing.assert_allclose(stored, truth, rtol=0, atol=errors[path] * (1 + 1e-9))


def test_what_never_changes_travels_once_and_texts_as_variants():
    table = tabulate(wavy, [SPEED])
    assert len(table.base["panels"][0]["traces"][1]["y"]) == 57
    assert table.base["panels"][0]["traces"][0]["y"] is None
    (texts,) = table.variants
    assert texts["path"] == ("readout",)
    assert [texts["values"][index] for index in texts["index"]] == [f"speed {s['speed']:g}" for s in table.states]


def test_long_arrays_that_never_change_are_packed_once():
    x = np.linspace(0, 1, MOST_AS_TEXT + 1)

    def rising(speed):
        still = line("still", x, np.sin(9 * x), palette.GREY)
        return frame_of([still, line("moving", x[:20], speed * x[:20], palette.BLUE)])

    table = tabulate(rising, [SPEED])
    counts = {block.path[3:]: block.count for block in table.blocks}
    assert counts == {(0, "x"): 1, (0, "y"): 1, (1, "y"): len(table.states)}
    assert table.base["panels"][0]["traces"][0]["x"] is None
    found = unpack(table)["panels", 0, "traces", 0, "y"]
    assert found.shape == (len(table.states), len(x))
    np.testing.assert_allclose(found, np.broadcast_to(np.sin(9 * x), found.shape), atol=1e-4)


def test_what_is_longer_in_other_states_draws_nothing():
    def growing(speed):
        count = 3 + round(10 * speed)
        corners = np.concatenate([np.add([[0, 0], [1, 0], [1, 1], [0, 1]], k) for k in range(count)])
        fill, sides = np.linspace(0, 1, count), [stroke("sides", palette.INK)]
        return frame_of([polygons("squares", corners, [4] * count, fill=fill, strokes=sides)])

    table = tabulate(growing, [SPEED])
    found = {path[-1]: array for path, array in unpack(table).items()}
    for row, state in enumerate(table.states):
        (trace,) = growing(**state).panels[0].traces
        for key in ("x", "y", "sides", "kinds", "fill"):
            length = len(trace[key])
            np.testing.assert_allclose(found[key][row, :length], trace[key], atol=1e-3)
            rest = found[key][row, length:]
            assert (np.isnan(rest) if key in "xy" else rest == 0).all()


def test_states_with_other_traces_are_refused():
    def fickle(speed):
        return frame_of([line("a", [0, 1], [0, speed], palette.BLUE)] * (1 + (speed == 1)))

    with pytest.raises(ValueError, match=r"same traces and settings; \{'speed': 1.0\} differs"):
        tabulate(fickle, [SPEED])


def test_a_heatmap_with_a_gap_is_refused():
    def torn(speed):
        trace = heatmap("map", np.full((3, 3), speed), (0, 1), (0, 1))
        trace["z"][0, 0] = np.nan
        return frame_of([trace])

    with pytest.raises(ValueError, match="no NaN, got one in panels/0/traces/0/z"):
        tabulate(torn, [SPEED])


def test_tables_are_the_same_at_every_build():
    assert tabulate(wavy, [SPEED]).packed == tabulate(wavy, [SPEED]).packed
