"""The plane of a quantizer: cells are those of the smallest power, edges are where two of them tie."""

import itertools

import numpy as np
import pytest
import torch

from betavq import MASO
from hardtosoft.drawing.edges import crossings, edges, pairs
from hardtosoft.figures.vector_quantization import cells
from hardtosoft.figures.vector_quantization.cells import PLANE

CENTROIDS = torch.tensor(cells.CENTROIDS, dtype=torch.float64)
EXTRAS = (-1.0, -0.9, -0.7, 0.0, 0.3, 0.8, 1.0)


def trace(panel, name):
    return next(trace for trace in panel.traces if trace["name"] == name)


def powers(points, centroids, extra):
    """Squared distance less radius², from the definition."""
    radii = torch.zeros(len(centroids), dtype=torch.float64)
    radii[0] = 2 * extra
    return torch.cdist(points, centroids).square() - radii


@pytest.mark.claim("C2")
@pytest.mark.parametrize("extra", EXTRAS)
def test_the_tints_are_the_cells_of_the_smallest_power(extra):
    """At the middle stop these are the cells of the nearest centroid."""
    maps = [t["z"] for t in cells.cells_frame(CENTROIDS, extra).panels[0].traces if t["type"] == "heatmap"]
    np.testing.assert_allclose(sum(maps), 1, rtol=0, atol=1e-12)
    found = powers(PLANE.points, CENTROIDS, extra)
    near, second = found.sort(1).values[:, :2].T
    for r, shares in enumerate(maps):
        smallest = found[:, r] <= near + 1e-9
        alone = smallest & (second > near + 1e-9)  # where powers tie, either cell is right
        assert (PLANE.means(alone).numpy() - 1e-12 <= shares).all()
        assert (shares <= PLANE.means(smallest).numpy() + 1e-12).all()


@pytest.mark.parametrize("extra", EXTRAS)
def test_edges_lie_where_two_powers_tie_below_all_others(extra):
    found = edges(cells.nearest_centroid_unit(CENTROIDS, extra), PLANE.x, PLANE.y).numpy()
    for (r, s), (start, end, gap) in zip(pairs(4), found, strict=True):
        assert np.isnan(gap).all()
        if np.isfinite(start).all():
            way = torch.from_numpy(start + np.linspace(0, 1, 11)[:, None] * (end - start))
            there = powers(way, CENTROIDS, extra)
            tied = there.min(1).values[:, None]
            torch.testing.assert_close(there[:, [r, s]], tied.expand(-1, 2), rtol=0, atol=1e-12)
            turn = (end - start) @ (CENTROIDS[r] - CENTROIDS[s]).numpy()
            assert abs(turn) < 1e-12  # at a right angle to the way between the centroids


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [2, 3, 6])
def test_no_edge_is_missing(seed, count):
    """Where neighbouring points of a fine grid have different codes, their two pieces have an edge between them."""
    generator = torch.Generator().manual_seed(seed)
    unit = MASO(
        torch.randn(1, count, 2, generator=generator, dtype=torch.float64),
        torch.randn(1, count, generator=generator, dtype=torch.float64),
    )
    found = edges(unit, PLANE.x, PLANE.y).numpy()
    seen = {tuple(pair) for pair, ends in zip(pairs(count).tolist(), found, strict=True) if np.isfinite(ends[0]).all()}
    grid = unit.selection(PLANE.points)[:, 0].reshape(2 * PLANE.rows, 2 * PLANE.columns)
    for one, other in ((grid[1:], grid[:-1]), (grid[:, 1:], grid[:, :-1])):
        met = torch.stack([one, other], -1)[one != other].sort(-1).values.unique(dim=0)
        corner = {pair for pair in map(tuple, met.tolist()) if pair not in seen}
        # Two cells that only touch may be neighbours on the grid near a corner, where three cells meet.
        assert all(any(set(pair) & set(known) for known in seen) for pair in corner)
        assert len(met) == 0 or len(corner) < len(met)
    assert found.shape == (count * (count - 1) // 2, 3, 2)


def test_pieces_in_one_place_and_stripes_are_no_trouble():
    line = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    ends = edges(cells.nearest_centroid_unit(line), PLANE.x, PLANE.y)[:, 0].numpy()
    assert np.isfinite(ends[:, 0]).tolist() == [False, True, True]
    twice = torch.tensor([[0.5, 0.0], [0.5, 0.0]], dtype=torch.float64)
    assert edges(cells.nearest_centroid_unit(twice), PLANE.x, PLANE.y).isnan().all()


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_cut_changes_its_cell_at_the_marked_places_only(extra):
    unit = cells.nearest_centroid_unit(CENTROIDS, extra)
    ends = cells.cut(CENTROIDS, torch.tensor([-3.0, 3.0], dtype=torch.float64))
    ties = crossings(unit, ends)
    ends, ties = ends.numpy(), ties.numpy()
    shares = np.linspace(0, 1, 10_001)
    codes = powers(torch.from_numpy(ends[0] + shares[:, None] * (ends[1] - ends[0])), CENTROIDS, extra).argmin(1)
    changes = shares[:-1][(codes[1:] != codes[:-1]).numpy()]
    np.testing.assert_allclose(ties[np.isfinite(ties)], changes, atol=1e-4)


@pytest.mark.parametrize("extra", EXTRAS)
def test_parabolas_are_the_powers_and_vanish_on_the_circles(extra):
    plane, cut = cells.cells_frame(CENTROIDS, extra).panels
    way = trace(plane, "the cut")
    ends = np.column_stack([way["x"], way["y"]])
    points = torch.from_numpy(ends[0] + np.linspace(0, 1, cells.CUT_POINTS)[:, None] * (ends[1] - ends[0]))
    expected = powers(points, CENTROIDS, extra) - cells.COMMON
    for r in range(4):
        np.testing.assert_allclose(trace(cut, f"parabola {r + 1}")["y"], expected[:, r], atol=1e-12)
        circle = trace(plane, f"circle {r + 1}")
        around = torch.from_numpy(np.column_stack([circle["x"], circle["y"]]))
        if torch.isfinite(around).all():
            zero = powers(around, CENTROIDS, extra)[:, r] - cells.COMMON
            np.testing.assert_allclose(zero, 0, atol=1e-12)
        else:
            assert r == 0
            assert 2 * extra + cells.COMMON <= 0


def test_the_line_of_an_edge_passes_through_the_crossings_of_the_circles():
    unit = cells.nearest_centroid_unit(CENTROIDS, 0.5)
    radii = cells.radii_squared(unit).numpy()
    checked = 0
    for r, s in itertools.combinations(range(4), 2):
        way = (CENTROIDS[s] - CENTROIDS[r]).numpy()
        length = np.hypot(*way)
        along = (length**2 + radii[r] - radii[s]) / (2 * length)
        height = radii[r] - along**2
        if height > 0:
            across = np.array([-way[1], way[0]]) / length
            crossing = CENTROIDS[r].numpy() + along * way / length + np.sqrt(height) * across
            scores = unit.scores(torch.from_numpy(crossing)).detach()[0]
            assert scores[r] == pytest.approx(scores[s].item(), abs=1e-12)
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (-0.9, "Centroid 1 has no cell here."),
        (-0.87, "Centroid 1 lies in cell 2."),
        (-0.65, "Every centroid lies in its own cell."),
        (0.65, "Every centroid lies in its own cell."),
        (0.675, "Centroid 2 lies in cell 1."),
        (0.8, "Centroid 2 lies in cell 1."),
    ],
)
def test_the_stops_do_what_their_names_say(extra, words):
    assert cells.cells_figure().frame(extra=extra).readout.endswith(words)


@pytest.mark.parametrize(
    ("first", "extra", "words"),
    [
        ((-2.3, -1.7), 0.0, "Every centroid lies in its own cell."),
        ((0.5, -0.2), 1.0, "2 of the others have left their cells."),
        ((1.25, 0.65), 1.0, "Centroid 2 has no cell here."),
        ((1.0, 0.6), -0.5, "Centroid 1 has no cell here."),
    ],
)
def test_the_first_centroid_can_stand_anywhere(first, extra, words):
    frame = cells.cells_figure().frame(first=first, extra=extra)
    assert frame.readout.endswith(words)
    mark = trace(frame.panels[0], "centroid 1")
    assert (mark["x"][0], mark["y"][0]) == first


@pytest.mark.parametrize("count", [2, 5, 6])
def test_a_reader_may_place_two_to_six_centroids(count):
    angles = 2 * np.pi * np.arange(count) / count
    figure = cells.your_cells_figure([(np.cos(a), np.sin(a)) for a in angles])
    frame = figure.frame(extra=0.0)
    assert "Every centroid lies in its own cell." in frame.readout
    maps = [t["z"] for t in frame.panels[0].traces if t["type"] == "heatmap"]
    np.testing.assert_allclose(sum(maps), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("centroids", [cells.CENTROIDS, [(-1.4, -0.8), (1.4, -0.8)], [(2.0, 1.5), (-2.0, -1.5)]])
def test_ticks_stay_in_their_panels(centroids):
    for panel in cells.your_cells_figure(centroids).frame().panels:
        for ticks in (panel.layout["xaxis"], panel.layout["yaxis"]):
            low, high = ticks["range"]
            assert all(low <= tick <= high for tick in ticks["tickvals"])
            assert 0 in ticks["tickvals"]


@pytest.mark.parametrize(
    ("centroids", "message"),
    [
        ([(0, 0)], r"centroids must be 2 to 6 pairs of numbers, got shape \(1, 2\)"),
        ([(0, 0, 0), (1, 1, 1)], r"centroids must be 2 to 6 pairs of numbers, got shape \(2, 3\)"),
        ([(0, 0), (3, 0)], "centroids must lie inside ±2.4 and ±1.8"),
        ([(0, 0), (float("nan"), 0)], "centroids must lie inside"),
        ([(0, 1), (1, 0), (0, 1)], "centroids must differ"),
    ],
)
def test_centroids_that_make_no_figure_are_refused(centroids, message):
    with pytest.raises(ValueError, match=message):
        cells.your_cells_figure(centroids)
