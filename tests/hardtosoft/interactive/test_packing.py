"""Packing of arrays: every number comes back to half a step, every gap exactly, whatever way was the shortest."""

import numpy as np
import pytest

from hardtosoft.interactive.packing import pack, unpack

PATH = ("panels", 0, "traces", 0, "y")
X = np.linspace(0, 1, 41)
STATES = np.linspace(0, 1, 23)[:, None]
SLOW = np.linspace(0, 1, 81)[:, None, None]
RANDOM = np.random.default_rng(0)

STACKS = {
    "smooth": np.sin(3 * STATES + 5 * X),
    "parabola along states": np.outer(STATES.ravel() ** 2, np.ones(41)) + RANDOM.permutation(41),
    "noise": RANDOM.normal(size=(23, 41)),
    "huge": 1e30 * RANDOM.normal(size=(23, 41)),
    "one number": RANDOM.normal(size=(23, 1)),
    "a step": np.where(X > STATES, 1.0, -1.0),
    "one state": RANDOM.normal(size=(1, 41)),
    "map": np.outer(X, X) * STATES[..., None],
    "noisy map": RANDOM.random((23, 7, 5)),
    "a moving edge": np.where(np.add.outer(np.linspace(0, 1, 54), np.linspace(0, 2, 72) ** 2) > 3 * SLOW, 1.0, 0.0),
}


def returned(stack):
    block, data = pack(PATH, stack)
    assert block.count == len(stack)
    assert len(data) == block.length
    return block, unpack(block, data)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_numbers_come_back_to_half_a_step(stack):
    block, found = returned(stack)
    assert (block.path, block.shape) == (PATH, stack.shape[1:])
    np.testing.assert_allclose(found, stack, rtol=0, atol=block.error * (1 + 1e-9))
    assert block.error <= np.ptp(stack) * (1e-4 if stack.ndim == 2 else 1 / 510 + 1e-12)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_gaps_come_back_exactly(share):
    stack = STACKS["smooth"].copy()
    stack[RANDOM.random(stack.shape) < share] = np.nan
    stack[:, 3] = np.nan  # never there
    stack[:9, 4] = np.nan  # not there yet
    stack[9:, 5] = np.nan  # no longer there
    block, found = returned(stack)
    assert block.gaps
    assert np.array_equal(np.isnan(found), np.isnan(stack))
    np.testing.assert_allclose(found, stack, rtol=0, atol=block.error * (1 + 1e-9))
    assert not returned(STACKS["smooth"])[0].gaps


def test_the_shortest_way_is_taken():
    wander = np.round(RANDOM.normal(size=(23, 41)) * 3).cumsum(0)
    assert pack(PATH, wander)[0].differences == (1, 0)
    assert pack(PATH, wander.T)[0].differences == (0, 1)
    assert pack(PATH, STACKS["noise"])[0].differences == (0, 0)


def test_the_two_orders_of_storage_are_both_read():
    found = {pack(PATH, stack)[0].states_last for stack in STACKS.values()}
    assert found == {False, True}


@pytest.mark.parametrize(
    ("whole", "bits"),
    [
        (RANDOM.integers(0, 256, (23, 41)), 8),
        (RANDOM.integers(-100, 100, (1, 41)), 8),
        (np.full((3, 5), 7), 8),
        (RANDOM.integers(0, 2**16, (23, 41)), 16),
        (np.arange(-5, 23 * 41 * 60, 60).reshape(2, -1)[:, :40], 16),
    ],
)
def test_whole_numbers_come_back_exactly(whole, bits):
    block, found = returned(whole)
    assert block.bits == bits
    np.testing.assert_array_equal(found, whole)


def test_whole_numbers_too_far_apart_are_refused():
    with pytest.raises(ValueError, match="must span at most 65535, got 65536 in panels/0/traces/0/y"):
        pack(PATH, np.array([[0, 65536]]))


def test_a_map_with_a_gap_is_refused():
    torn = STACKS["map"].copy()
    torn[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="no NaN, got one in panels/0/traces/0/y"):
        pack(PATH, torn)
