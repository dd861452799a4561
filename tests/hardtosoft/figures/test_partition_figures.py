"""Figures of partitions: what each shows against the network itself."""

import numpy as np
import pytest
import torch

from hardtosoft.drawing.raster import FINER
from hardtosoft.drawing.regions import codes_to
from hardtosoft.figures.partitions import digit_slice, many, melting, moons
from hardtosoft.results.networks import digits_test_set, load_digits_network, load_two_moons, moons_snapshots


def named(panel, name):
    (found,) = [trace for trace in panel.traces if trace["name"] == name]
    return found


@pytest.mark.parametrize("step", [0, 60, 1500])
def test_regions_of_the_first_layer_have_one_shade_each(step):
    found = moons.moons_partition(step)
    (panel,) = moons.moon_regions_frame(float(step), 1.0).panels
    fill, codes = named(panel, "regions")["fill"], codes_to(found, 1)
    shades = {code.tobytes(): set(fill[(codes == code).all(1)]) for code in codes}
    assert all(len(shade) == 1 for shade in shades.values())
    edge = named(panel, "decision boundary")
    points = torch.tensor(np.column_stack([edge["x"], edge["y"]]))
    logits = moons_snapshots()[step].logits(points[points.isfinite().all(1)], 1.0)
    assert logits.abs().max() < 1e-9


def test_without_a_layer_there_is_one_shade_and_no_edge():
    (panel,) = moons.moon_regions_frame(1500.0, 0.0).panels
    trace = named(panel, "regions")
    assert len(set(trace["fill"])) == 1
    assert not any(stroke["opacity"] for stroke in trace["strokes"])
    assert "no line cuts" in panel.alt


def test_between_the_steps_that_were_kept_the_nearest_is_shown():
    assert moons.nearest_step(57.0) == 60
    assert moons.moon_regions_frame(1490.0, 1.7).readout == moons.moon_regions_frame(1500.0, 2.0).readout


def test_thousands_of_regions_fill_the_square():
    found = many.random_regions()
    assert len(found) >= 10_000
    assert abs(found.areas.sum() - 4) < 4e-9
    (panel,) = many.many_regions_frame("code", 3.0).panels
    assert len(panel.traces[0]["sides"]) == len(found)
    assert f"{len(found):,}" in panel.alt
    again = many.random_network()[0].weight
    assert torch.equal(again, many.random_network()[0].weight)


def test_the_readout_counts_what_the_picture_shows():
    """A relief has the facets of the whole network, though no line be drawn; shades by code have one a region."""
    found = many.random_regions((3, 4))
    for depth, count in ((0.0, 1), (1.0, len(np.unique(found.codes[:, :3], axis=0))), (2.0, len(found))):
        (panel,), relief = (frame := many.many_regions_frame("relief", depth, (3, 4))).panels, frame.readout
        facets = f"The relief is that of all 7 units: {len(found)} facets."
        assert (facets in relief) == (depth < 2)
        assert (f"{len(found)} facets" in panel.title) == (depth < 2)
        words = "one region" if depth == 0 else f"{count} regions"
        assert words in relief
        assert "facets" not in many.many_regions_frame("code", depth, (3, 4)).readout


def test_a_reader_gets_the_network_asked_for_or_is_told():
    figure = many.your_regions_figure([3, 4])
    assert "7 units" in figure.frame().readout
    for widths in ([], [2] * 5, [300], [4, 0]):
        with pytest.raises(ValueError, match="widths must be 1 to 4 numbers, 256 units in all"):
            many.your_regions_figure(widths)


def test_entropy_is_that_of_the_networks_codes():
    for beta in (0.3, 0.9):
        expected = load_two_moons().normalised_entropy(melting.BOX.points, beta)
        assert [shade.mean() for shade in melting.undecided(beta)] == pytest.approx(expected, abs=1e-12)
    assert melting.BOX.points.shape[0] == melting.BOX.rows * melting.BOX.columns * FINER**2


def test_soft_edges_end_as_nothing_and_as_sharp_lines():
    linear, hard = melting.melting_frame(0.0), melting.melting_frame(1.0)
    for layer in (0, 1):
        assert linear.panels[layer].traces[0]["z"].min() > 1 - 1e-12
        assert hard.panels[layer].traces[0]["z"].max() == 0
        opacities = [stroke["opacity"] for stroke in hard.panels[layer].traces[1]["strokes"]]
        assert opacities == ([1.0, 0.0] if layer == 0 else [0.0, 1.0])


def test_a_slices_regions_are_read_as_the_network_reads_their_middles():
    cut = digit_slice.slice_partition()
    images = cut.inputs(cut.centres)
    read = load_digits_network().predict(images, 1.0).numpy()
    np.testing.assert_array_equal(read, cut.codes[:, -1])
    plane, shown = digit_slice.digit_slice_frame(0.5).panels
    fill = named(plane, "regions")["fill"]
    assert {digit: len(set(fill[read == digit])) for digit in set(read)} == dict.fromkeys(set(read), 1)
    assert len(set(fill)) == 4
    assert shown.title == "The image there: read as 1"


def test_the_walk_starts_turns_and_ends_at_the_three_images():
    images, labels = digits_test_set()
    for way, digit in ((0.0, 1), (1.0, 7), (2.0, 9), (3.0, 1)):
        image = digit_slice.digits_slice().image(digit_slice.place_at(way))
        torch.testing.assert_close(image, images[labels == digit][0])
    across, up = digit_slice.digits_slice().plane[1:]
    assert abs(across @ up) < 1e-12
    assert abs(across.norm() - 1) + abs(up.norm() - 1) < 1e-12
