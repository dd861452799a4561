"""Penalty, coherence and the report: the flattened definition, exact cases, groups, selection, errors."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from betavq.orthogonal import coherence, coherence_report, orthogonal_filters, orthogonality_penalty

LAYERS = {
    "linear": lambda: nn.Linear(12, 7),
    "conv1d": lambda: nn.Conv1d(3, 6, 4),
    "conv2d": lambda: nn.Conv2d(3, 8, 5),
    "conv3d": lambda: nn.Conv3d(2, 5, (2, 3, 1)),
    "more filters than inputs": lambda: nn.Conv2d(1, 11, 3),
}
usual = pytest.mark.usefixtures("float64_and_a_seed")


def by_pairs(weight: Tensor, groups: int = 1) -> float:
    """The penalty as it is defined, pair by pair; a filter of a group is 0 on the inputs of the others."""
    count, inputs = weight.shape[0], weight[0].numel()
    whole = torch.zeros(count, groups * inputs, dtype=weight.dtype)
    for i, filter_ in enumerate(weight.detach()):
        group = i // (count // groups)
        whole[i, group * inputs : (group + 1) * inputs] = filter_.reshape(-1)
    return math.fsum(float(whole[i] @ whole[j]) ** 2 for i in range(count) for j in range(count) if i != j)


@usual
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_penalty_is_that_of_the_flattened_filters(make) -> None:
    layer = make()
    expected = by_pairs(layer.weight)
    assert expected > 0.01
    for given in (layer, layer.weight, layer.weight.flatten(1)):
        assert orthogonality_penalty(given).item() == pytest.approx(expected, rel=1e-12)


@usual
@pytest.mark.parametrize("groups", [2, 4])
def test_filters_of_two_groups_are_orthogonal(groups: int) -> None:
    layer = nn.Conv2d(4, 8, 3, groups=groups)
    assert orthogonality_penalty(layer).item() == pytest.approx(by_pairs(layer.weight, groups), rel=1e-12)
    assert orthogonality_penalty(nn.Conv2d(8, 8, 3, groups=8)).item() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("count", "inputs"), [(1, 1), (8, 8), (32, 75), (128, 576)])
def test_penalty_vanishes_on_orthonormal_filters(count: int, inputs: int, dtype: torch.dtype) -> None:
    torch.manual_seed(count)
    filters = torch.linalg.qr(torch.randn(inputs, count, dtype=dtype)).Q.mT
    assert 0 <= orthogonality_penalty(filters).item() <= 1e-10
    assert coherence(filters).item() <= 1e-5


def test_penalty_is_exactly_0_for_orthogonal_filters_of_any_norms_and_only_for_them() -> None:
    filters = torch.diag(torch.tensor([1e-3, 1.0, 1e3]))
    assert orthogonality_penalty(filters).item() == 0
    assert coherence(filters).item() == 0
    filters[0, 1] = 1e-3
    assert orthogonality_penalty(filters).item() == pytest.approx(2e-6, rel=1e-6)


@usual
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_gradient_of_the_penalty(make) -> None:
    weight = make().weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(orthogonality_penalty, (weight,))
    assert torch.autograd.gradgradcheck(orthogonality_penalty, (weight,))
    grouped = torch.randn(6, 2, 3, requires_grad=True)
    conv = nn.Conv1d(4, 6, 3, groups=2)
    penalty = lambda w: orthogonality_penalty(conv.apply(partial(_hold, weight=w)))  # noqa: E731
    assert torch.autograd.gradcheck(penalty, (grouped,))


def _hold(layer: nn.Module, weight: Tensor) -> None:
    """A layer with a weight that is no parameter, so that its derivative can be asked for."""
    layer._parameters.pop("weight", None)
    layer.weight = weight


@usual
def test_penalty_of_a_model_is_the_sum_over_the_layers_chosen() -> None:
    block = nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5))
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), block, nn.Linear(6, 3))
    first, second, last = (by_pairs(layer.weight) for layer in (model[0], block[0], model[3]))
    assert orthogonality_penalty(model).item() == pytest.approx(first + second + last, rel=1e-12)
    for layers, expected in ((["0"], first), (["2", "3"], second + last), (("2.0", "2"), second)):
        assert orthogonality_penalty(model, layers=layers).item() == pytest.approx(expected, rel=1e-12)
    assert orthogonality_penalty(nn.Sequential(model[0], model[0])).item() == pytest.approx(first, rel=1e-12)
    orthogonality_penalty(model, layers=["2"]).backward()
    assert block[0].weight.grad is not None
    assert model[0].weight.grad is None


def test_filters_of_16_bits_are_multiplied_in_32_and_autocast_is_left() -> None:
    torch.manual_seed(0)
    weight = 30 * torch.randn(6, 40)
    expected = by_pairs(weight.half().double())
    assert expected > 65504
    assert orthogonality_penalty(weight.half()).item() == pytest.approx(expected, rel=1e-5)
    assert orthogonality_penalty(weight.half()).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert orthogonality_penalty(weight).item() == pytest.approx(by_pairs(weight.double()), rel=1e-5)


def test_coherence_is_the_largest_cosine_whatever_the_norms() -> None:
    half = math.cos(math.pi / 3)
    filters = torch.tensor([[1.0, 0.0], [-half, math.sin(math.pi / 3)], [0.0, 1e-3]])
    assert coherence(filters).item() == pytest.approx(math.sin(math.pi / 3), rel=1e-6)
    assert coherence(filters[:2]).item() == pytest.approx(half, rel=1e-6)
    for scale in (1e-30, 1e30):
        assert coherence(scale * filters[:2]).item() == pytest.approx(half, rel=1e-6)
    assert coherence(torch.ones(2, 3)).item() == pytest.approx(1, abs=1e-6)
    assert coherence(torch.ones(2, 3)).item() <= 1
    assert coherence(torch.tensor([[1.0, 2.0], [0.0, 0.0]])).item() == 0
    assert coherence(torch.ones(1, 3)).item() == 0


@usual
def test_report_of_a_model() -> None:
    model = nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.ReLU(), orthogonal_filters(nn.Linear(6, 3)))
    conv, linear = coherence_report(model)
    assert (conv.name, conv.num_filters, conv.num_inputs) == ("0", 4, 9)
    assert (linear.name, linear.num_filters, linear.num_inputs) == ("2", 3, 6)
    a, b, c, d = model[0].weight.detach().flatten(1)
    cosines = [torch.cosine_similarity(*pair, dim=0).abs().item() for pair in ((a, b), (c, d))]
    assert conv.coherence == pytest.approx(max(cosines), rel=1e-12)
    assert conv.mean_cosine == pytest.approx(sum(cosines) / 6, rel=1e-12)
    assert conv.penalty == pytest.approx(by_pairs(model[0].weight, 2), rel=1e-12)
    assert max(linear.coherence, linear.mean_cosine, linear.penalty) <= 1e-15
    assert coherence(model[0]).item() == conv.coherence
    assert [entry.name for entry in coherence_report(model, layers=["2"])] == ["2"]
    assert coherence_report(nn.Linear(3, 1))[0].mean_cosine == 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: orthogonality_penalty(3), TypeError, "module_or_weight must be a module or a tensor, got int"),
        (lambda: orthogonality_penalty(torch.ones(3)), ValueError, r"module_or_weight must be of shape .* got \(3,\)"),
        (lambda: orthogonality_penalty(torch.ones(0, 3)), ValueError, "none 0"),
        (lambda: orthogonality_penalty(torch.ones(2, 3, dtype=torch.int64)), TypeError, "module_or_weight must be"),
        (lambda: orthogonality_penalty(torch.ones(2, 3), layers=["0"]), TypeError, "layers must be None"),
        (lambda: orthogonality_penalty(nn.ReLU()), ValueError, "module_or_weight must hold a layer .* got ReLU"),
        (lambda: orthogonality_penalty(nn.LazyLinear(3)), ValueError, "module_or_weight must have seen an input"),
        (lambda: orthogonality_penalty(nn.Linear(2, 2), layers="0"), TypeError, "layers must be a collection"),
        (lambda: orthogonality_penalty(nn.Linear(2, 2), layers=[]), TypeError, "layers must be names"),
        (lambda: orthogonality_penalty(nn.Linear(2, 2), layers=[nn.Linear]), TypeError, "layers must be names"),
        (lambda: orthogonality_penalty(nn.Linear(2, 2), layers=["0"]), ValueError, "layers must .* got '0'"),
        (lambda: coherence_report(nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), layers=["0"]), ValueError, "got '0'"),
        (lambda: coherence_report(torch.ones(2, 2)), TypeError, "model must be a module, got Tensor"),
        (lambda: coherence(nn.Sequential(nn.Linear(2, 2))), TypeError, "layer_or_weight must be one layer"),
        (lambda: coherence("weight"), TypeError, "layer_or_weight must be a module or a tensor, got str"),
    ],
)
def test_errors_name_the_argument(call, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
