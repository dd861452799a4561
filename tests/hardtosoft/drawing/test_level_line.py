"""Level lines: right places, a fixed number of points, gaps between pieces."""

import numpy as np
import pytest

from hardtosoft.drawing.edges import level_line

X, Y = np.linspace(-2, 2, 81), np.linspace(-1, 1, 41)
COLUMNS, ROWS = np.meshgrid(X, Y)


def test_a_circle_is_found_with_evenly_spaced_points():
    points = level_line(X, Y, COLUMNS**2 + ROWS**2, 0.64, 60)
    assert points.shape == (60, 2)
    drawn = points[~np.isnan(points).any(1)]
    assert len(drawn) == 59
    np.testing.assert_allclose(np.hypot(*drawn.T), 0.8, atol=2e-3)
    steps = np.hypot(*np.diff(drawn, axis=0).T)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.02)


@pytest.mark.parametrize(("level", "pieces"), [(0.0, 3), (5.0, 0)])
def test_pieces_are_parted_by_gaps(level, pieces):
    """The zeros of x³ − x are three vertical lines; it never reaches 5 where it is not drawn."""
    height = COLUMNS**3 - COLUMNS if pieces else np.clip(COLUMNS, -1, 1)
    points = level_line(X, Y, height, level, 50)
    there = ~np.isnan(points[:, 0])
    starts = there & ~np.concatenate([[False], there[:-1]])
    assert points.shape == (50, 2)
    assert starts.sum() == pieces
    assert set(np.round(points[there, 0], 2)) <= {-1.0, 0.0, 1.0}
