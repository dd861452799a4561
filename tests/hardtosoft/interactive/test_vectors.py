"""Axes of several numbers: what they take, what a figure function gets, and what the two homes show of them."""

import re

import numpy as np
import pytest
import torch
from moves import ask, received

from hardtosoft.interactive.axes import Handle, beta_axis, sliding
from hardtosoft.interactive.figure import InteractiveFigure
from hardtosoft.interactive.frames import Frame, Panel, axis, dots, layout
from hardtosoft.interactive.vectors import Vector, point, vector

SCORES = vector("scores", "Scores", ("z₁", "z₂", "z₃"), -3, 3, start=(1, -0.5, 0))
PLACE = point("place", "Centroid", 0, (-2, 2), (-1, 1), start=(0.5, -0.25))
SCORES_AT_REST = torch.zeros(3)


def drawn(place, scores=SCORES_AT_REST, beta=0.5):
    """A dot at a point, as high as the largest score says."""
    assert place.dtype == torch.float64
    trace = dots("dot", place[:1], place[1:] + beta * scores.max(), "red")
    box = layout(axis(-2, 2, (0,)), axis(-4, 4, (0,)))
    return Frame([Panel("title", "x", "A dot.", [trace], box)], f"{place[0]:.2f} {scores.tolist()}")


def figure():
    return InteractiveFigure("dot", drawn, [PLACE, SCORES, beta_axis(0.5)])


def test_numbers_are_read_aloud_with_their_names():
    assert SCORES.words(SCORES.start) == "z₁ = 1, z₂ = −0.5, z₃ = 0"


@pytest.mark.parametrize("given", [[1, 2, 3], (1.0, 2.0, 3.0), np.array([1, 2, 3]), torch.tensor([1.0, 2.0, 3.0])])
def test_numbers_of_any_library_are_taken(given):
    assert SCORES.check(given) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    "given", [(1, 2), (1, 2, 3, 4), (0, 0, 3.01), (0, 0, float("nan")), (0, 0, float("inf")), "abc", 1.0, None]
)
def test_what_is_no_vector_of_the_axis_is_refused(given):
    with pytest.raises(ValueError, match=r"^scores must be 3 numbers from -?−3 to 3, got ".replace("-?", "")):
        SCORES.check(given)


def test_bounds_of_a_point_are_told_for_each_side():
    with pytest.raises(ValueError, match=r"place must be 2 numbers from −2 to 2, −1 to 1, got \(0, 2\)"):
        PLACE.check((0, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("a",)}, "must be equally many"),
        ({"start": (9.0, 0.0)}, "p must be 2 numbers from 0 to 1"),
        ({"labels": ("a", "b", "c"), "low": (0,) * 3, "high": (1,) * 3, "start": (0,) * 3}, "a handle stands at 2"),
    ],
)
def test_impossible_vectors_are_refused(changes, message):
    given = {"labels": ("a", "b"), "low": (0.0, 0.0), "high": (1.0, 1.0), "start": (0.0, 0.0), "step": 0.1, "panel": 0}
    with pytest.raises(ValueError, match=message):
        Vector("p", "P", **{**given, **changes})


def test_a_kernel_hands_the_function_tensors():
    shown = figure()
    ask(shown.widget, "1", place=[1, 0.5], scores=[0, 2, 1], beta=1)
    assert shown.widget.said["trouble"] == ""
    assert shown.values == {"place": (1.0, 0.5), "scores": (0.0, 2.0, 1.0), "beta": 1.0}
    now = received(shown.widget)
    assert now["panels", 0, "traces", 0, "x"] == [1.0]
    assert now["panels", 0, "traces", 0, "y"] == [2.5]
    assert now["readout",] == "1.00 [0.0, 2.0, 1.0]"


def test_a_kernel_refuses_what_is_out_of_bounds_and_stays():
    shown = figure()
    ask(shown.widget, "1", place=[1, 0.5], scores=[0, 9, 1], beta=1)
    assert "scores must be 3 numbers from −3 to 3" in shown.widget.said["trouble"]
    assert shown.values == shown.start


def test_boxes_have_names_bounds_and_a_place_for_what_is_wrong():
    markup = figure().widget.opening["markup"]
    boxes = re.findall(r'<input type="number" [^>]*>', markup)
    assert len(boxes) == 6  # five of the vectors, and one beside the slider
    assert 'min="-1" max="1"' in boxes[1]
    assert 'value="-0.25"' in boxes[1]
    assert 'aria-label="Centroid: x₂"' in boxes[1]
    for box in boxes:
        (note,) = re.findall('aria-describedby="(.*?)"', box)
        assert f'id="{note}" role="status"' in markup


def test_a_page_of_stored_states_tells_the_numbers_and_has_no_dead_control():
    html = figure().html()
    assert 'type="number"' not in html
    assert "Scores: z₁ = 1, z₂ = −0.5, z₃ = 0. In a notebook you can change them." in html
    assert [state["beta"] for state in figure().table.states] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        (Handle(1, "x", 0.0), "panel must be one of 1, got 1"),
        (Handle(0, "x", "no dot"), "beside must be a trace of panel 0, got 'no dot'"),
    ],
)
def test_a_handle_that_would_stand_nowhere_is_refused(handle, message):
    slider = sliding("beta", "β", 0, 1, 0.5, start=0.5, handle=handle)
    shown = InteractiveFigure("lost", lambda beta: drawn(torch.zeros(2, dtype=torch.float64), beta=beta), [slider])
    with pytest.raises(ValueError, match=message):
        shown.html()
