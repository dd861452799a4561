"""The parametrisation: Gram–Schmidt with free norms, its derivative, training, and what parametrize promises."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from betavq.orthogonal import coherence, orthogonal_filters

LAYERS = {
    "linear": lambda: nn.Linear(12, 7),
    "square": lambda: nn.Linear(6, 6, bias=False),
    "conv1d": lambda: nn.Conv1d(3, 6, 4),
    "conv2d": lambda: nn.Conv2d(3, 8, 5),
    "conv3d": lambda: nn.Conv3d(2, 5, (2, 3, 1)),
    "two groups": lambda: nn.Conv2d(4, 8, 3, groups=2),
    "depthwise": lambda: nn.Conv2d(4, 4, 3, groups=4),
}
usual = pytest.mark.usefixtures("float64_and_a_seed")
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def gram_schmidt(free: Tensor, groups: int) -> Tensor:
    """Filter by filter: the direction left of it once those before it in its group are taken away, at its norm."""
    filters = free.detach().flatten(1)
    done: list[Tensor] = []
    for i, filter_ in enumerate(filters):
        left = filter_.clone()
        for other in done[i - i % (len(filters) // groups) :]:
            left -= (left @ other) / (other @ other) * other
        done.append(left / left.norm() * filter_.norm())
    return torch.stack(done).view(free.shape)


def groups_of(layer: nn.Module) -> int:
    return getattr(layer, "groups", 1)


def original(layer: nn.Module) -> Tensor:
    return layer.parametrizations.weight.original


@usual
@every_layer
def test_weight_is_gram_schmidt_of_the_free_one_with_its_norms(make) -> None:
    layer = make()
    before = layer.weight.detach().clone()
    assert orthogonal_filters(layer) is layer
    torch.testing.assert_close(layer.weight, gram_schmidt(before, groups_of(layer)), rtol=1e-12, atol=1e-14)
    with torch.no_grad():
        original(layer).normal_()
    torch.testing.assert_close(layer.weight, gram_schmidt(original(layer), groups_of(layer)), rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(layer.weight.flatten(1).norm(dim=1), original(layer).flatten(1).norm(dim=1))
    assert coherence(layer).item() <= 1e-14


@usual
@every_layer
def test_derivative(make) -> None:
    layer = orthogonal_filters(make())
    (step,) = layer.parametrizations.weight
    free = torch.randn_like(original(layer)).requires_grad_()
    assert torch.autograd.gradcheck(step, (free,))
    assert torch.autograd.gradgradcheck(step, (free,))


@usual
@every_layer
def test_an_orthogonal_weight_may_be_assigned_and_another_is_made_orthogonal(make) -> None:
    layer, other = orthogonal_filters(make()), orthogonal_filters(make())
    wanted = other.weight.detach()
    layer.weight = wanted
    torch.testing.assert_close(layer.weight, wanted, rtol=1e-12, atol=1e-14)
    free = torch.randn_like(wanted)
    layer.weight = free
    torch.testing.assert_close(layer.weight, gram_schmidt(free, groups_of(layer)), rtol=1e-9, atol=1e-10)


def test_orthogonal_after_a_thousand_steps() -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 32, 5), nn.Linear(40, 40, bias=False), nn.Conv1d(4, 12, 3, groups=2)]
    for layer in layers:
        orthogonal_filters(layer)
    optimiser = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=0.02)
    starts = [layer.weight.detach().clone() for layer in layers]
    targets = [
        torch.randn_like(layer.weight)
        * (1 + torch.arange(len(layer.weight)).view(start.shape[0], *[1] * (start.dim() - 1)))
        for layer, start in zip(layers, starts, strict=True)
    ]
    for _ in range(1000):
        optimiser.zero_grad()
        loss = sum((layer.weight - target).square().mean() for layer, target in zip(layers, targets, strict=True))
        loss.backward()
        optimiser.step()
    for layer, start in zip(layers, starts, strict=True):
        assert coherence(layer).item() <= 1e-5
        assert (layer.weight - start).norm() > start.norm()
        norms = layer.weight.detach().flatten(1).norm(dim=1)
        assert norms.max() > 2 * norms.min()


@usual
def test_equal_filters_at_the_start_are_made_orthogonal_and_can_be_trained() -> None:
    layer = nn.Linear(5, 3)
    with torch.no_grad():
        layer.weight.fill_(2)
    orthogonal_filters(layer)
    torch.testing.assert_close(layer.weight @ layer.weight.mT, 20 * torch.eye(3))
    layer(torch.randn(4, 5)).square().sum().backward()
    assert original(layer).grad.isfinite().all()


@usual
def test_gradient_through_the_layer_is_that_of_the_formula() -> None:
    layer, x = orthogonal_filters(nn.Linear(6, 4, bias=False)), torch.randn(9, 6)
    layer(x).pow(3).sum().backward()
    free = original(layer).detach()
    direction, step = torch.randn_like(free), 1e-6

    def loss(at: Tensor) -> Tensor:
        return (x @ gram_schmidt(at, 1).mT).pow(3).sum()

    slope = (loss(free + step * direction) - loss(free - step * direction)) / (2 * step)
    torch.testing.assert_close((original(layer).grad * direction).sum(), slope, rtol=1e-6, atol=1e-6)


@usual
def test_layers_of_a_model() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(8, 20))
    assert orthogonal_filters(model, layers=["0", "2"]) is model
    assert [parametrize.is_parametrized(layer) for layer in model] == [True, False, True, False, False]
    assert max(coherence(model[0]).item(), coherence(model[2]).item()) <= 1e-14
    assert orthogonal_filters(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2)))[1].parametrizations is not None


@usual
def test_no_layer_is_changed_if_one_cannot_be() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 5))
    weight = model[0].weight.detach().clone()
    with pytest.raises(
        ValueError, match=r"layer '1' of module must have at most as many filters .* 5 filters of 4 in"
    ):
        orthogonal_filters(model)
    assert not parametrize.is_parametrized(model[0])
    assert torch.equal(model[0].weight, weight)


def computed(layer: nn.Linear) -> nn.Linear:
    """A weight that is neither parameter nor buffer."""
    weight = layer.weight.detach() * torch.ones(1, requires_grad=True)
    del layer.weight
    layer.weight = weight
    return layer


HOOKED = {
    "pruned": (lambda layer: prune.l1_unstructured(layer, "weight", 0.3), r"utils\.prune\.remove\(layer, 'weight'\)"),
    "pruned as a whole": (lambda layer: prune.identity(layer, "weight"), r"utils\.prune\.remove\(layer, 'weight'\)"),
    "weight_norm": (nn.utils.weight_norm, r"utils\.remove_weight_norm\(layer\)"),
    "spectral_norm": (nn.utils.spectral_norm, r"utils\.remove_spectral_norm\(layer\)"),
    "computed": (computed, "got one that is computed"),
    "complex": (lambda layer: layer.to(torch.complex64), "the weight of layer '1' of module must be float16"),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Complex modules are a new feature:UserWarning")
@pytest.mark.parametrize(("hook", "hint"), HOOKED.values(), ids=HOOKED)
def test_a_weight_that_a_hook_computes_is_refused_before_anything_changes(hook, hint: str) -> None:
    model = nn.Sequential(nn.Linear(6, 4), hook(nn.Linear(4, 3)))
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises((ValueError, TypeError), match=f"layer '1' of module must .*{hint}|{hint}"):
        orthogonal_filters(model)
    assert not any(parametrize.is_parametrized(layer) for layer in model)
    assert model.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert not parametrize.is_parametrized(orthogonal_filters(model, layers=["0"])[1])


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize(("hook", "remove"), [
    (HOOKED["pruned"][0], lambda layer: prune.remove(layer, "weight")),
    (nn.utils.weight_norm, nn.utils.remove_weight_norm),
    (nn.utils.spectral_norm, nn.utils.remove_spectral_norm),
])  # fmt: skip
def test_the_hint_helps(hook, remove) -> None:
    torch.manual_seed(0)
    layer = orthogonal_filters(remove(hook(nn.Linear(6, 4))))
    assert coherence(layer).item() <= 1e-6


@pytest.mark.parametrize("step", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm])
def test_other_parametrisations_come_before_ours(step) -> None:
    torch.manual_seed(0)
    model = orthogonal_filters(nn.Sequential(nn.Linear(6, 4), step(nn.Linear(4, 3))))
    assert max(coherence(layer).item() for layer in model) <= 1e-6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Conv2d(1, 32, 5), "module must have at most as many filters as .* got 32 filters of 25 inputs"),
        (lambda: nn.Conv1d(2, 12, 5, groups=2), "filters in each group as .* got 6 filters of 5 inputs"),
        (lambda: orthogonal_filters(nn.Linear(3, 2)), "not parametrised as orthogonal yet"),
        (lambda: filled(0.0), "none of which is 0"),
        (lambda: filled(float("nan")), "module must have finite filters"),
        (lambda: filled(float("inf")), "module must have finite filters"),
        (lambda: nn.LazyConv2d(3, 2), "module must have seen an input"),
        (lambda: nn.ConvTranspose2d(3, 2, 2), "module must hold a layer with filters"),
    ],
)
def test_what_cannot_be_orthogonal_is_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        orthogonal_filters(make())


def filled(value: float) -> nn.Linear:
    layer = nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight[1] = value
    return layer


def test_what_cannot_be_orthogonal_is_not_assigned() -> None:
    layer = orthogonal_filters(nn.Linear(4, 3))
    with pytest.raises(ValueError, match="weight must have finite filters none of which is 0"):
        layer.weight = torch.zeros(3, 4)


@usual
def test_state_copies_and_the_way_back() -> None:
    layer, x = orthogonal_filters(nn.Conv2d(2, 5, 3)), torch.randn(1, 2, 6, 6)
    other = orthogonal_filters(nn.Conv2d(2, 5, 3))
    assert set(layer.state_dict()) == {"bias", "parametrizations.weight.original"}
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))
    twin = copy.deepcopy(layer)
    assert torch.equal(layer(x), twin(x))
    with torch.no_grad():
        original(twin).normal_()
    assert torch.equal(layer(x), other(x))
    with pytest.raises(RuntimeError, match="state_dict"):
        torch.save(layer, io.BytesIO())
    before = layer(x)
    plain = parametrize.remove_parametrizations(layer, "weight")
    assert type(plain) is nn.Conv2d
    assert set(plain.state_dict()) == {"bias", "weight"}
    assert torch.equal(plain(x), before)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-14), (torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
def test_other_formats(dtype: torch.dtype, limit: float) -> None:
    torch.manual_seed(0)
    layer = orthogonal_filters(nn.Conv2d(3, 16, 3))
    layer.to(dtype)
    assert layer.weight.dtype == dtype == original(layer).dtype
    assert coherence(layer).item() <= limit
    again = orthogonal_filters(nn.Conv2d(3, 16, 3).to(dtype))
    assert again.weight.dtype == dtype
    assert coherence(again).item() <= limit


def test_channels_last_and_autocast_leave_the_weight_as_it_is() -> None:
    torch.manual_seed(0)
    layer, x = orthogonal_filters(nn.Conv2d(3, 16, 3)), torch.randn(2, 3, 8, 8)
    expected = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert coherence(layer).item() <= 1e-6
    layer.to(memory_format=torch.channels_last)
    found = layer(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected)
