"""What a reader may move: grids, names, stops, and the words of a value."""

import pytest

from hardtosoft.figures.relu_to_swish import units
from hardtosoft.interactive.axes import Axis, beta_axis, choice, sliding
from hardtosoft.interactive.figure import InteractiveFigure


def test_beta_axis_holds_its_named_values_exactly():
    axis = beta_axis()
    assert axis.values[0] == 0.0
    assert axis.values[-1] == 1.0
    assert len(axis.values) == 101
    assert [axis.words(value) for value in (0.0, 0.25, 0.5, 1.0)] == [
        "β = 0.00, linear",
        "β = 0.25",
        "β = 0.50, soft",
        "β = 1.00, hard",
    ]


def test_partial_beta_axis_names_its_own_low_end():
    assert beta_axis(low=0.25).named == {0.25: "softer", 0.5: "soft", 1.0: "hard"}


def test_choice_reads_aloud_as_its_option():
    axis = choice("unit", "Unit", ("ReLU", "leaky ReLU"), start="ReLU")
    assert axis.is_choice
    assert axis.words("leaky ReLU") == "leaky ReLU"


def test_step_must_divide_the_range():
    with pytest.raises(ValueError, match=r"axis 'u': step must divide 1 - 0, got 0.3"):
        sliding("u", "u", 0, 1, 0.3, start=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 2.0}, "start must be among the values, got \\[2.0\\]"),
        ({"named": {0.5: "half"}}, "named must be among the values, got \\[0.5\\]"),
        ({"values": (0.0, 0.0)}, "values must be distinct and at least one"),
        ({"values": ()}, "values must be distinct and at least one"),
    ],
)
def test_impossible_axes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Axis(**{"name": "x", "label": "x", "values": (0.0, 1.0), "start": 0.0, **changes})


def test_a_range_over_0_holds_no_minus_0() -> None:
    assert "-0" not in [f"{value:g}" for value in sliding("r", "r", -0.9, 0.9, 0.1, start=0.0).values]


def test_a_slider_that_plays_has_a_button_that_says_what_it_sweeps() -> None:
    figure = InteractiveFigure("played", lambda beta: units.unit_frame(beta, "ReLU"), [beta_axis(0.25, plays=True)])
    assert 'aria-pressed="false" aria-label="Play: β, how hard units select, from end to end"' in figure.html()
    still = InteractiveFigure("played", figure.function, [beta_axis(0.25)])
    assert "hts-play" not in still.html()
