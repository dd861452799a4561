"""Codes are what the layers select, and distances count where they differ."""

import pytest
import torch
import torch.nn.functional as F
from piecewise_examples import everything, images, leaky_stack, maso, mlp, points
from torch import nn

import betavq
from betavq import geometry


def test_codes_of_every_layer_by_hand():
    model, x = everything(), images(7)
    found = geometry.codes(model, x)
    assert list(found) == ["relu", "block.2", "pool", "abs", "prelu"]
    before = model.bn(model.conv(x))
    hidden = F.relu(before)
    inner = model.block[1](model.block[0](hidden))
    summed = hidden + F.leaky_relu(inner, 0.1)
    windows = summed.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).argmax(4)  # 0 to 3 in its window of 2 × 2
    rows = 2 * torch.arange(4)[:, None] + windows // 2
    columns = 2 * torch.arange(4) + windows % 2
    centred = F.avg_pool2d(F.max_pool2d(summed, 2), 2) - 0.5
    last = model.fc(centred.abs().flatten(1))
    for name, code in zip(found, (before > 0, inner > 0, 8 * rows + columns, centred > 0, last > 0), strict=True):
        assert torch.equal(found[name], code.long().flatten(1)), name


def test_pieces_of_other_units_and_their_names():
    x = points(50, 4)
    layers = [nn.Hardtanh(), nn.ReLU6(), nn.Hardsigmoid(), nn.Softshrink(), betavq.nn.BetaMaxout(beta=1.0)]
    expected = [
        (x > -1).long() + (x > 1),
        (x > 0).long() + (x > 6),
        (x > -3).long() + (x > 3),
        (x > -0.5).long() + (x > 0.5),
        x.argmax(1, keepdim=True),
    ]
    for layer, code in zip(layers, expected, strict=True):
        (found,) = geometry.codes(nn.Sequential(layer).double().eval(), x).values()
        assert torch.equal(found, code), layer
    twice = nn.ReLU().eval()
    assert list(geometry.codes(nn.Sequential(twice, nn.Linear(4, 4).double().eval(), twice), x)) == ["0", "0#2"]
    assert list(geometry.codes(lambda z: torch.minimum(z, 1 - z).relu().relu(), x)) == ["minimum", "relu", "relu#2"]
    unit = maso(3, 4, 4)
    (selected,) = geometry.codes(unit, x).values()
    assert torch.equal(selected, unit.selection(x))


def test_one_pool_has_one_code_in_every_form():
    x = images(3)
    forms = (nn.MaxPool2d(2), lambda z: F.max_pool2d(z, 2, 2, 0, 1, False), betavq.nn.BetaMaxPool2d(2, beta=1.0))
    codes = [
        next(iter(geometry.codes(form.eval() if isinstance(form, nn.Module) else form, x).values())) for form in forms
    ]
    assert torch.equal(codes[0], codes[1])
    assert torch.equal(codes[0], codes[2])
    assert codes[0].shape == (3, 16)


def test_the_distance_is_the_share_of_units_that_differ():
    model, x, y = everything(), images(6), images(6, seed=3)
    one, other = geometry.codes(model, x), geometry.codes(model, y)
    found = geometry.vq_distance(model, x, y)
    for name, distance in found.by_layer.items():
        by_hand = [(a != b).sum().item() / len(a) for a, b in zip(one[name], other[name], strict=True)]
        torch.testing.assert_close(distance, torch.tensor(by_hand, dtype=torch.float64))
    torch.testing.assert_close(found.mean, sum(found.by_layer.values()) / len(found.by_layer))
    every = geometry.vq_distance(model, x, y, pairwise=True)
    torch.testing.assert_close(every.mean.diagonal(), found.mean)
    torch.testing.assert_close(geometry.vq_distance(model, x, y[:1]).mean, every.mean[:, 0])


def test_it_is_a_pseudo_metric_and_0_in_a_region_only():
    model, x = nn.Sequential(*leaky_stack(2, 6, 6)), points(60, 2)
    distance = geometry.vq_distance(model, x, x, pairwise=True).mean
    assert torch.equal(distance, distance.t())
    assert distance.min() == 0 and distance.max() <= 1  # noqa: PT018
    assert (distance[:, :, None] + distance[None] >= distance[:, None] - 1e-12).all()
    code = torch.cat(list(geometry.codes(model, x).values()), 1)
    assert torch.equal(distance == 0, (code[:, None] == code).all(2))
    assert (distance == 0).sum() > 60  # some pairs share a region


def test_numbers_of_points_must_fit_and_an_affine_model_has_no_code():
    model = mlp(2, 4, 2)
    with pytest.raises(ValueError, match="y must have 1 or 3 points, as many as x, got 2; or take pairwise=True"):
        geometry.vq_distance(model, points(3, 2), points(2, 2))
    with pytest.raises(ValueError, match="a layer that selects, got an affine one"):
        geometry.vq_distance(nn.Linear(2, 2).double().eval(), points(3, 2), points(3, 2))
    assert geometry.codes(nn.Linear(2, 2).double().eval(), points(3, 2)) == {}
    with pytest.raises(ValueError, match=r"got max in the model, which must have a dim beyond the batch"):
        geometry.codes(lambda z: z.max() + z, points(3, 2))
