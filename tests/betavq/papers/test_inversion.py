"""A network run backwards: what comes back, exactly where it should, and how it teaches."""

import pytest
import torch
from torch import nn

import betavq
from betavq import geometry
from betavq.papers.inversion import jacobian_penalty, reconstruct, reconstruction_loss

SETTINGS = {"dtype": torch.float64}


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **SETTINGS)


class Residual(nn.Module):
    """Convolution, BatchNorm, a skip, pooling, a unit that works in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.relu, self.pool, self.out = nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Linear(48, 4)

    def forward(self, x):
        h = self.norm(self.conv(x))
        return self.out(self.pool(h + self.relu(h)).flatten(1))


class Pair(nn.Module):
    """ReLU of a linear map and of its negative."""

    def __init__(self, sizes):
        super().__init__()
        self.linear = nn.Linear(*sizes, bias=False)

    def forward(self, x):
        z = self.linear(x)
        return torch.cat((torch.relu(z), torch.relu(-z)), 1)


def parseval(layer, seed):
    """WᵀW = 1."""
    out, into = layer.weight.shape
    with torch.no_grad():
        layer.weight.copy_(torch.linalg.qr(drawn(out, into, seed=seed))[0])
    return layer


MODELS = {
    "linear": lambda: nn.Linear(6, 4),
    "relu": lambda: nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4)),
    "series": lambda: nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), nn.LeakyReLU(0.1), nn.AvgPool1d(2), nn.Flatten()),
    "residual": Residual,
    "half soft": lambda: nn.Sequential(nn.Linear(6, 9), betavq.nn.BetaReLU(0.5), nn.Linear(9, 4)),
    "sigmoid": lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
}
SHAPES = {"series": (1, 12), "residual": (1, 8, 8), "sigmoid": (1, 8, 8)}


def example(name):
    torch.manual_seed(0)
    return MODELS[name]().double().eval(), drawn(5, *SHAPES.get(name, (6,)))


def jacobians(model, x):
    """Point by point, by autograd, ``(N, C, D)``."""
    found = [torch.autograd.functional.jacobian(lambda z: model(z[None])[0], each) for each in x]
    return torch.stack(found).flatten(2)


@pytest.mark.claim("I1")
@pytest.mark.parametrize("name", MODELS)
def test_rebuilt_is_the_transposed_slopes_times_the_output(name):
    """One backward pass is the explicit product, in networks of all kinds."""
    model, x = example(name)
    expected = torch.einsum("ncd,nc->nd", jacobians(model, x), model(x).detach()).view_as(x)
    torch.testing.assert_close(reconstruct(model, x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "relu", "series", "residual"])
def test_it_is_that_of_the_local_affine_map(name):
    model, x = example(name)
    expected = geometry.affine_map(model, x).rmatvec(model(x).detach())
    torch.testing.assert_close(reconstruct(model, x), expected, rtol=0, atol=1e-12)


@pytest.mark.claim("I1")
def test_lengths_that_are_kept_come_back():
    """|Wx|, pairs of ReLUs and their stacks rebuild exactly where WᵀW = 1; ReLU alone does not."""
    x = drawn(20, 6)
    absolute = parseval(nn.Linear(6, 8, bias=False).double(), 1)
    stack = nn.Sequential(Pair((6, 8)), Pair((16, 20)), Pair((40, 50))).double()
    for seed, pair in enumerate(stack):
        parseval(pair.linear, seed)
    for model in (absolute, lambda z: absolute(z).abs(), stack):
        assert ((reconstruct(model, x) - x).norm(dim=1) / x.norm(dim=1)).max() < 1e-12
    assert ((reconstruct(lambda z: absolute(z).relu(), x) - x).norm(dim=1) / x.norm(dim=1)).min() > 0.1


def test_offsets_of_a_pair_make_soft_thresholding_of_a_frame():
    """With the bias −τ, x̂ = Wᵀ soft(W x); that is denoising by soft thresholding."""
    x, frame = drawn(20, 6), parseval(nn.Linear(6, 10, bias=False).double(), 3).weight.detach()

    def model(z):
        u = z @ frame.T
        return torch.cat((torch.relu(u - 0.4), torch.relu(-u - 0.4)), 1)

    u = x @ frame.T
    expected = (u.sign() * (u.abs() - 0.4).clamp(min=0)) @ frame
    torch.testing.assert_close(reconstruct(model, x), expected, rtol=0, atol=1e-12)


def test_two_outputs_leave_two_dimensions():
    """Within a region, and here in all of them: what is rebuilt of a linear map of two outputs."""
    rebuilt = reconstruct(nn.Linear(6, 2).double(), drawn(30, 6))
    assert torch.linalg.matrix_rank(rebuilt, atol=1e-9) == 2


def test_a_batchnorm_in_training_mode_makes_a_batch_one_input():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU()).double().train(), drawn(6, 4)
    whole = torch.autograd.functional.jacobian(lambda z: model(z).flatten(), x).flatten(1)
    expected = (whole.T @ model(x).detach().flatten()).view_as(x)
    torch.testing.assert_close(reconstruct(model, x), expected, rtol=0, atol=1e-12)
    assert not torch.allclose(reconstruct(model.eval(), x), expected)


def test_only_with_a_graph_do_gradients_lead_back():
    model, x = example("relu")
    assert not reconstruct(model, x).requires_grad
    assert all(p.grad is None for p in model.parameters())
    wanting = x.clone().requires_grad_()
    with torch.no_grad():
        rebuilt = reconstruct(model, wanting, create_graph=True)
    found = torch.autograd.grad(rebuilt.square().sum(), [wanting, *model.parameters()], allow_unused=True)
    assert all(each is not None and bool(each.any()) for each in found)
    assert wanting.grad is None


@pytest.mark.parametrize("name", ["relu", "residual", "half soft"])
def test_gradients_of_the_loss_are_those_of_its_formula(name):
    """Against differences; in training mode too, where the slopes go through the statistics."""
    model, x = example(name)
    model.train()
    weight = next(model.parameters())
    reconstruction_loss(model, x).backward()
    step = 1e-6 * drawn(*weight.shape, seed=9)
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * step
        values.append(reconstruction_loss(model, x).detach())
        with torch.no_grad():
            weight -= sign * step
    torch.testing.assert_close((values[0] - values[1]) / 2, (weight.grad * step).sum(), rtol=1e-5, atol=1e-13)


def test_the_loss_is_relative_and_averaged_over_scales():
    model, x = example("relu")
    hidden = nn.Sequential(*model[:2])

    def error(part):
        return ((x - reconstruct(part, x)).square().sum(1) / x.square().sum(1)).mean()

    torch.testing.assert_close(reconstruction_loss(model, x).detach(), error(model))
    torch.testing.assert_close(
        reconstruction_loss(model, x, layers=["1", "0"]).detach(),
        (error(model) + error(hidden) + error(model[0])) / 3,
    )


def test_a_layer_counts_as_it_is_before_the_next_works_in_place():
    model, x = example("relu")
    expected = reconstruction_loss(model, x, layers=["0"])
    model[1].inplace = True
    torch.testing.assert_close(reconstruction_loss(model, x, layers=["0"]), expected)


def test_nothing_rebuilt_is_an_error_of_one():
    model = nn.Linear(6, 4).double()
    nn.init.zeros_(model.weight)
    assert reconstruction_loss(model, drawn(3, 6)).item() == 1


def test_hooks_are_gone_after_an_error():
    model, x = example("relu")
    with pytest.raises(ValueError, match="none that is 0"):
        reconstruction_loss(model, torch.zeros_like(x), layers=["0"])
    assert not model[0]._forward_hooks


def test_penalty_is_the_product_with_its_draw_and_on_average_the_squared_slopes():
    model, x = example("relu")
    v = torch.randn(5, 4, generator=torch.Generator().manual_seed(7), **SETTINGS)
    slopes = jacobians(model, x)
    expected = torch.einsum("ncd,nc->nd", slopes, v).square().sum(1).mean()
    found = jacobian_penalty(model, x, torch.Generator().manual_seed(7))
    torch.testing.assert_close(found.detach(), expected, rtol=0, atol=1e-12)
    many, generator = x[:1].expand(40_000, 6), torch.Generator().manual_seed(1)
    size = slopes[0].square().sum().item()
    # A sum of squares of Gaussians: its standard deviation is at most √2 of its mean, so this is 6 of the average's.
    assert jacobian_penalty(model, many, generator).item() == pytest.approx(size, rel=6 * (2 / 40_000) ** 0.5)
    found.backward()
    assert all(bool(layer.weight.grad.any()) for layer in (model[0], model[2]))


NET = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
X = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: reconstruct("net", X), TypeError, "model must be a module or a function of one tensor, got str"),
        (lambda: reconstruct(NET, torch.ones(3)), ValueError, r"a batch of shape \(N, …\)"),
        (lambda: reconstruct(NET, X.double()), TypeError, "dtype of the model, torch.float32, got torch.float64"),
        (lambda: reconstruct(NET, torch.tensor([[1.0, float("nan"), 0.0]])), ValueError, "x must be finite, got nan"),
        (lambda: reconstruct(torch.ones_like, X), ValueError, "depends on x, got a constant"),
        (lambda: reconstruct(lambda x: x.sum(0), X), ValueError, "keep the batch as its first dimension"),
        (lambda: reconstruct(lambda x: (x, x), X), TypeError, "return one tensor, got tuple"),
        (lambda: reconstruction_loss(NET, X[:0]), ValueError, "at least one point"),
        (lambda: reconstruction_loss(NET, X * torch.tensor([[1.0], [0.0]])), ValueError, "none that is 0"),
        (lambda: reconstruction_loss(NET, X, layers="0"), TypeError, r"got the text '0': take \['0'\]"),
        (lambda: reconstruction_loss(NET, X, layers=["3"]), ValueError, r"submodules \(0, 1, 2\), got '3'"),
        (lambda: reconstruction_loss(torch.relu, X, layers=["0"]), TypeError, "of a module alone, got a builtin"),
        (lambda: jacobian_penalty(NET, X[:0]), ValueError, r"at least one point, got shape \(0, 3\)"),
        (lambda: jacobian_penalty(NET, X, 7), TypeError, "generator must be a torch.Generator or None, got int"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_layer_that_is_not_called_is_named():
    model = nn.Sequential(nn.Linear(3, 3))
    model.add_module("spare", nn.Linear(3, 3))
    model.forward = lambda x: model[0](x)
    with pytest.raises(ValueError, match="layers must be called and put out one tensor, which 'spare' does not"):
        reconstruction_loss(model, X, layers=["spare"])
