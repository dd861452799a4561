"""Numbers in words: a true minus sign, and never one before a zero."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.relu_to_swish.units import objective_figure
from hardtosoft.interactive.numbers import number, raised, saying, short, summand


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.5, "−0.50"),
        (0.5, "0.50"),
        (-0.001, "0.00"),
        (-0.0, "0.00"),
        (-0.006, "−0.01"),
        (12.345, "12.35"),
        (torch.tensor(-1.25), "−1.25"),
        (np.float64(-0.004), "0.00"),
        ("-0.001", "0.00"),
        (float("-inf"), "−inf"),
    ],
)
def test_a_number_has_a_true_minus_unless_it_is_shown_as_zero(value, text):
    assert number(value) == text


def test_digits_and_signs_are_as_asked():
    assert [number(-0.00049, digits) for digits in (0, 3, 4)] == ["0", "0.000", "−0.0005"]
    assert [number(value, 1, signed=True) for value in (0.25, -0.25, -0.01, 0)] == ["+0.2", "−0.2", "+0.0", "+0.0"]
    assert [summand(value) for value in (0.5, -0.5, -0.001)] == ["+ 0.50", "− 0.50", "+ 0.00"]


def test_short_numbers_have_no_more_digits_than_they_need():
    assert [short(value) for value in (-0.5, 3.0, -0.0, 1e-5, 2 / 3)] == ["−0.5", "3", "0", "1e−05", "0.666667"]
    assert short(-2 / 3, 4) == "−0.6667"


def test_exponents_stand_high():
    assert [f"10{raised(power)}" for power in (-5, 12, "0")] == ["10⁻⁵", "10¹²", "10⁰"]


def test_a_slider_says_its_value_the_same_way():
    assert [saying("ρ")(value) for value in (-0.3, -0.001)] == ["ρ = −0.30", "ρ = 0.00"]
    say = next(axis.say for axis in objective_figure().axes if axis.name == "u")
    assert say(-0.001) == "u = 0.00"
