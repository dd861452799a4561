"""Arithmetic stated once: what is needed of it, what it says in each language, and what it gives."""

import numpy as np
import pytest

from hardtosoft.hero.program import FUNCTIONS, Program, number


def hypotenuse():
    program = Program(("x", "y", "scale"))
    program.let("square", "x * x + y * y")
    program.let("unused", "x - y")
    program.let("length", "scale * sqrt(square)")
    return program


def test_it_gives_what_its_expressions_say():
    (found,) = hypotenuse().run(["length"], x=[3.0, 5.0], y=[4.0, 12.0], scale=2.0)
    np.testing.assert_array_equal(found, [10.0, 26.0])


def test_steps_without_which_the_outputs_can_be_had_are_left_out():
    assert list(hypotenuse().needed(["length"])) == ["square", "length"]
    assert hypotenuse().glsl(["length"]) == "float square = x * x + y * y;\nfloat length = scale * sqrt(square);\n"


def test_script_takes_what_stands_still_apart_from_what_moves():
    text = hypotenuse().javascript(["length"], ("x", "y"))
    assert text.startswith("({ scale }) => (x, y, out, at) => {")
    assert "unused" not in text
    assert "out[at + 0] = length;" in text


@pytest.mark.parametrize("expression", ["x + later", "hypot(x, y)", "Math.exp(x)"])
def test_what_is_not_known_yet_is_refused(expression):
    with pytest.raises(ValueError, match="expression must use known names"):
        hypotenuse().let("more", expression)


@pytest.mark.parametrize("name", ["x", "square", "exp"])
def test_no_name_is_given_twice(name):
    with pytest.raises(ValueError, match=f"name must be new, got '{name}'"):
        hypotenuse().let(name, "x")


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 1e-7, 123456.7, -1 / 3])
def test_numbers_read_the_same_in_all_three(value):
    text = number(value)
    assert eval(text) == pytest.approx(value, rel=1e-6)
    assert "." in text or "e" in text  # GLSL adds no whole number to a float
    assert not text.startswith("-")


def test_functions_are_those_of_shaders():
    assert FUNCTIONS["mix"](2.0, 4.0, 0.25) == 2.5
    assert FUNCTIONS["smoothstep"](0.0, 2.0, 1.0) == 0.5
    np.testing.assert_array_equal(FUNCTIONS["step"](1.0, [0.5, 1.0, 2.0]), [0, 1, 1])
