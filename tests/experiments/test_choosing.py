"""A grid is extended once, where the best is an end, and an end that still does best is called an edge."""

from __future__ import annotations

import pytest

from experiments.shared.choosing import Axis, choose

RATES = Axis("rate", (0.1, 0.3, 1.0), 0.03, 3.0)
STRENGTHS = Axis("strength", (1.0, 2.0, 3.0), 0.5, None)


@pytest.mark.parametrize(
    ("peak", "best", "edges", "tried"),
    [
        (0.3, 0.3, (), 3),
        (3.0, 3.0, ("rate",), 4),
        (9.0, 3.0, ("rate",), 4),
        (0.0, 0.03, ("rate",), 4),
        (0.9, 1.0, (), 4),
    ],
)
def test_one_axis(peak, best, edges, tried):
    asked = []

    def score(points):
        asked.extend(points)
        return [-abs(rate - peak) for (rate,) in points]

    choice = choose([RATES], score)
    assert (choice.best, choice.edges, len(asked)) == ((best,), edges, tried)
    assert len(set(asked)) == len(asked)


def test_two_axes_are_extended_apart_and_an_end_without_more_is_an_edge():
    asked = []

    def score(points):
        asked.extend(points)
        return [strength - abs(rate - 5) for strength, rate in points]

    choice = choose([STRENGTHS, RATES], score)
    assert choice.best == (3.0, 3.0)
    assert choice.edges == ("strength", "rate")
    assert set(asked[9:]) == {(strength, 3.0) for strength in STRENGTHS.values}


def test_ties_go_to_the_smallest_and_one_value_is_no_edge():
    choice = choose([Axis("strength", (0.0,)), RATES], lambda points: [1.0] * len(points))
    assert choice.best == (0.0, 0.03)
    assert choice.edges == ("rate",)
