"""What a record of a figure function holds, and what it refuses: at the line where a number leaves tensors."""

import math

import numpy as np
import pytest
import torch
from page_programs import run

from hardtosoft.interactive import palette
from hardtosoft.interactive.axes import choice, sliding
from hardtosoft.interactive.frames import Frame, Panel, axis, layout, line
from hardtosoft.interactive.numbers import number, short, summand
from hardtosoft.interactive.tracing.graph import Graph
from hardtosoft.interactive.tracing.program import program
from hardtosoft.interactive.tracing.recorder import Recorder, TraceError

X = sliding("x", "x", -2, 2, 0.5, start=1.0)
PLACES = torch.linspace(-1, 1, 41, dtype=torch.float64)


def frame_of(y, readout="same"):
    still = layout(axis(0, 1, ()), axis(0, 1, ()))
    return Frame([Panel("title", "x", "alt", [line("y", (0.0, 1.0), y, palette.BLUE)], still)], readout)


def computed(function, *axes, at):
    """What a page draws and reads out at some states."""
    found = run(program(function, axes or [X]).packed, at)
    return [(page["leaves"][("panels", 0, "traces", 0, "y")], page["leaves"].get(("readout",))) for page in found]


OPERATORS = {
    "arithmetic": lambda x: (x + PLACES) * PLACES / (x.abs() + 2) - (-PLACES).clamp(min=-0.5) + 3 - x,
    "powers": lambda x: (PLACES.abs() + x.square()).sqrt() + PLACES**3 + (PLACES - x).pow(2),
    "exponentials": lambda x: (PLACES * x).exp() + (PLACES + 3 + x).log() + torch.expm1(x * PLACES).tanh(),
    "softmax": lambda x: torch.stack([PLACES, x - PLACES, x * PLACES], -1).softmax(-1)[:, 1],
    "logsumexp": lambda x: torch.logsumexp(torch.stack([PLACES, x * PLACES]), 0),
    "normal": lambda x: torch.special.ndtr(PLACES + x) + torch.special.erfc(PLACES - 3 * x) + torch.erf(x * PLACES),
    "activations": lambda x: torch.nn.functional.gelu(x * PLACES) + torch.nn.functional.silu(PLACES - x),
    "pieces": lambda x: torch.where(x > PLACES, PLACES, x.relu()) + torch.maximum(PLACES, x) + PLACES.sign() * x,
    "matrices": lambda x: torch.stack([PLACES, x * PLACES], -1) @ torch.stack([x, x + 1]) + PLACES @ (x * PLACES),
    "reductions": lambda x: (x * PLACES).cumsum(0) - (x + PLACES).mean() + (x * PLACES).amax() + (PLACES - x).prod(),
    "views": lambda x: (x + PLACES[1:]).reshape(8, 5).T.flip(0)[1:, ::2].reshape(-1) + x,
    "parts": lambda x: torch.cat([x.expand(3), (x + PLACES)[::3], torch.nn.functional.pad(x * PLACES[:4], (1, 2))]),
    "gathered": lambda x: (x * PLACES)[(x < PLACES).long()] + (PLACES + x)[(PLACES - x).abs().argsort()[0]],
    "one-hot": lambda x: torch.nn.functional.one_hot((x * PLACES).argmax(), 41).double() * x,
    "sorted": lambda x: (x * PLACES).sort().values,
    "indices": lambda x: torch.outer(x + PLACES, PLACES)[torch.tensor([0, 3, 7]), torch.tensor([[1], [2]])].flatten(),
    "rounded": lambda x: (5 * x * PLACES).round() + (3 * PLACES + x).floor() + (PLACES + x) % 0.3,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_compute_what_torch_does(name):
    states = [{"x": value} for value in (-1.7, -0.3, 0.0, 0.123, 1.9)]

    def result(x):
        return OPERATORS[name](torch.as_tensor(x, dtype=torch.float64))

    for state, (found, _) in zip(states, computed(lambda x: frame_of(result(x)), at=states), strict=True):
        known = result(state["x"]).numpy()
        np.testing.assert_allclose(found, known, rtol=1e-13, atol=1e-13)


def test_gradients_inside_a_figure_are_computed_too():
    def slope(x):
        inputs = PLACES.clone().requires_grad_()
        return torch.autograd.grad((torch.tanh(x * inputs) * inputs).sum(), inputs)[0]

    ((found, _),) = computed(lambda x: frame_of(slope(x)), at=[{"x": 0.7}])
    tanh = np.tanh(0.7 * PLACES.numpy())
    np.testing.assert_allclose(found, tanh + PLACES.numpy() * 0.7 * (1 - tanh**2), atol=1e-14)


def test_texts_read_as_in_python():
    def told(x):
        words = f"{number(x)} {short(x * x)} a{summand(x)}"
        return f"{x:.3f} {x:z.0f} {1000 * x:,.1f} {x:.1%} {x / 3e5:g} {2 + x:+.2f} {words}"

    values = [-1.5, -0.5, -0.004, 0.0, 0.125, 0.5, 1.0, 1.25, 1.987654321, 2.0]
    found = computed(lambda x: frame_of([x], told(x)), at=[{"x": value} for value in values])
    for value, (_, text) in zip(values, found, strict=True):
        assert text == told(value)


def test_each_answer_to_a_question_is_a_path():
    def sign(x, side):
        word = "zero" if x == 0 else "below" if x < 0 else "above"
        return frame_of([x, 1.0] if side == "left" else [2.0, x], f"{side}: {word}")

    sides = choice("side", "side", ("left", "right"), start="left")
    states = [{"x": x, "side": side} for x in (-1.0, 0.0, 0.3) for side in ("left", "right")]
    found = computed(sign, X, sides, at=states)
    assert [text for _, text in found] == [sign(**state).readout for state in states]
    assert [list(y) for y, _ in found[:2]] == [[-1, 1], [2, -1]]
    assert len(program(sign, [X, sides]).frame) == 6


def test_tensors_that_change_in_place_are_followed():
    def summed(x):
        total = PLACES.new_zeros(len(PLACES))
        places = PLACES.clone()
        doubled = places + places
        for factor in (x, x * x):
            total += factor * doubled
            places *= 2
            doubled = places + places
        return total

    ((found, _),) = computed(lambda x: frame_of(summed(x)), at=[{"x": -0.7}])
    np.testing.assert_allclose(found, summed(-0.7).numpy(), atol=1e-15)


def test_an_input_may_be_a_row_of_numbers():
    graph = Graph()
    with Recorder(graph) as recorder:
        row = recorder.input("row", (1.0, 2.0, 3.0))
        total = recorder.node((row * 2).sum())
    assert graph.nodes[0].shape == (3,)
    assert graph.moves(total)


LEAKS = {
    "float": lambda x: frame_of([float(x)]),
    "math": lambda x: frame_of([math.sqrt(x + 3)]),
    "numpy": lambda x: frame_of(np.asarray(x + PLACES)),
    "format": lambda x: frame_of([x], f"{x + PLACES[:2]}"),
    "mask": lambda x: frame_of(PLACES[PLACES + x > 0]),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_number_that_leaves_tensors_is_refused_where_it_does(name):
    place = rf"must stay in torch.*test_tracing\.py:{LEAKS[name].__code__.co_firstlineno}: "
    with pytest.raises(TraceError, match=place):
        program(LEAKS[name], [X])


def test_too_many_paths_are_refused():
    with pytest.raises(ValueError, match="at most 16 paths, got 17: ask fewer questions"):
        program(lambda x: frame_of([x], str(int(4 * x + 8))), [X])


def test_constants_that_repeat_are_stored_once():
    graph = Graph()
    graph.constant(np.stack(np.meshgrid(np.arange(50.0), np.arange(40.0)), -1).reshape(-1, 2))
    assert sum(len(node.setting) for node in graph.nodes if node.operator == "const") <= 50 + 40
