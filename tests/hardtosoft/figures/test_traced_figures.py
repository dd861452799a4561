"""Figures that pages compute: Python and page agree at the sliders' own values and between them."""

import itertools
import random
import re

import numpy as np
from book_figures import TRACED, traced
from page_programs import SCRIPTS, run, truth, unpacked

from hardtosoft.interactive.axes import Axis
from hardtosoft.interactive.states import State
from hardtosoft.interactive.tracing.paths import MOST_PATHS
from hardtosoft.interactive.vectors import Vector

TOLERANCE = 1e-12  # of an array's range over all states
ON_VALUES, BETWEEN = 150, 100


def states_of(figure) -> list[State]:
    """Some at the sliders' own values, the first of them the start, and some between."""
    chance = random.Random(7)
    own = [{axis.name: chance.choice(axis.values) for axis in figure.axes} for _ in range(ON_VALUES)]
    for state, axis in zip(own, itertools.cycle(figure.axes), strict=False):
        state[axis.name] = chance.choice(axis.notable)
    between = [{axis.name: axis.drawn(chance) for axis in figure.axes} for _ in range(BETWEEN)]
    return [figure.start, *own, *between]


def nudged(figure, state: State, share: float) -> list[State]:
    """States a little to either side of one."""
    sliders = [axis for axis in figure.axes if isinstance(axis, Axis) and not axis.is_choice]
    ends = {axis.name: (min(axis.values), max(axis.values)) for axis in sliders}
    steps = [(name, sign * share * (high - low)) for name, (low, high) in ends.items() for sign in (-1, 1)]
    found = [{**state, name: float(np.clip(state[name] + step, *ends[name]))} for name, step in steps]
    for axis in (axis for axis in figure.axes if isinstance(axis, Vector)):
        spans = share * np.subtract(axis.high, axis.low)
        moves = [sign * spans * (np.arange(len(spans)) == i) for i in range(len(spans)) for sign in (-1, 1)]
        found += [{**state, axis.name: tuple(np.clip(state[axis.name] + m, axis.low, axis.high))} for m in moves]
    return found


@traced
def test_page_and_python_give_the_same_numbers_and_texts(figure):
    states = states_of(figure)
    shown = run(figure.program.packed, states)
    known = [truth(figure, state) for state in states]
    ranges, count, odd = {}, 0, []
    for path in shown[0]["leaves"]:
        if isinstance(known[0][path], np.ndarray):
            every = np.concatenate([one[path][np.isfinite(one[path])] for one in known])
            ranges[path] = np.ptp(every) or 1.0
    for state, page, python in zip(states, shown, known, strict=True):
        unlike = []
        for path, value in page["leaves"].items():
            if path not in ranges:
                assert value == python[path] or reads_so_nearby(figure, state, path, value), (state, value)
                continue
            assert value.shape == python[path].shape, (state, path)
            same = np.isclose(value, python[path], rtol=0, atol=TOLERANCE * ranges[path], equal_nan=True)
            count += same.size
            unlike += [(path, place, value[place]) for place in np.flatnonzero(~same)]
        odd += unlike
        assert_ties(figure, state, unlike, ranges)
    assert count
    assert len(odd) <= count / 5000


def assert_ties(figure, state, unlike, ranges):
    """Python has each of the page's odd numbers right beside the state."""
    nearby = [truth(figure, one) for one in nudged(figure, state, 1e-9)] if unlike else []
    for path, place, value in unlike:
        numbers = [one[path][place] for one in nearby]
        close = np.isclose(value, numbers, rtol=0, atol=1e-6 * ranges[path], equal_nan=True)
        assert close.any(), (state, path, place, value, numbers)


def reads_so_nearby(figure, state, path, text):
    """Whether Python's number lies on a rounding boundary, where one that is larger or smaller by 1e-12 reads so."""
    return any(truth(figure, one)[path] == text for one in nudged(figure, state, 1e-12))


@traced
def test_every_sampled_state_is_drawn_and_told(figure):
    drawn = set()
    for state in states_of(figure):
        found = truth(figure, state)
        texts = " ".join(value for path, value in found.items() if path[-1] in ("readout", "alt", "title"))
        assert not re.search(r"nan|inf\b|-0\.0*\b|\x02", texts), state
        arrays = {path: value for path, value in found.items() if isinstance(value, np.ndarray)}
        assert not any(np.isinf(value).any() for value in arrays.values()), state
        drawn |= {path for path, value in arrays.items() if np.isfinite(value).any()}
    assert drawn == set(arrays)  # no trace is absent in all of them


@traced
def test_values_are_said_as_in_python(figure):
    states = states_of(figure)
    for state, page in zip(states, run(figure.program.packed, states), strict=True):
        sliders = [axis for axis in figure.axes if isinstance(axis, Axis) and not axis.is_choice]
        assert page["words"] == {axis.name: axis.say(state[axis.name]) for axis in sliders}


@traced
def test_few_paths_lead_everywhere(figure):
    chance = random.Random(11)
    states = [{axis.name: axis.drawn(chance) for axis in figure.axes} for _ in range(500)]
    assert len(figure.program.frame) <= MOST_PATHS
    assert {page["missed"] for page in run(figure.program.packed, states)} == {0}


@traced
def test_a_program_is_light(figure):
    assert len(figure.program.packed) * 3 / 4 <= 10_000
    assert set(unpacked(figure.program.packed)) == {"nodes", "parts"}


def test_several_figures_are_traced():
    assert len(TRACED) >= 2


def test_the_engine_knows_tensors_alone():
    assert not re.search(r"(?i)beta|swish|entropy|eval\(|new Function", SCRIPTS)
