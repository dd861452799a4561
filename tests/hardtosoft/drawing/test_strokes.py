"""Lines in pieces: what is joined, where the gaps are, and that the number of points stands still."""

import numpy as np
import pytest

from hardtosoft.drawing.strokes import filled, parted, upright

GAP = [np.nan, np.nan]


def test_pieces_follow_each_other_with_a_gap_after_each():
    found = parted([[[0, 1], [2, 3]], [[4, 5], [6, 7]]])
    np.testing.assert_array_equal(found, [[0, 1], [2, 3], GAP, [4, 5], [6, 7], GAP])
    assert parted(np.empty((0, 2, 2))).shape == (0, 2)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), ([0.0, 0.0], [1.0, 1.0])])
def test_strokes_stand_at_their_places(low, high):
    found = upright([3, 4], low, high)
    np.testing.assert_array_equal(found, [[3, 0], [3, 1], GAP, [4, 0], [4, 1], GAP])


def test_what_is_missing_is_a_gap():
    np.testing.assert_array_equal(filled(np.array([[1.0, 2.0]]), 3), [[1, 2], GAP, GAP])
    assert filled(np.empty((0, 3, 2)), 4).shape == (4, 3, 2)
    with pytest.raises(ValueError, match="points must be at most 2, got 3"):
        filled(np.zeros((3, 2)), 2)
