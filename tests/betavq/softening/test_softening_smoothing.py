"""What takes the place of a unit: value, free energy, and the mix of Curvature Tuning."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import betavq

X = torch.cat([torch.linspace(-9, 9, 301), torch.tensor([-100.0, 100.0])])


def unit(beta, smoothing, module=None):
    return betavq.soften(module or nn.ReLU(), beta, smoothing=smoothing)


@pytest.mark.parametrize("beta", [0.0, 0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("c", [0.5, 0.0, 0.3, 1.0])
def test_curvature_tuning_is_its_published_formula(beta, c):
    x = X.double()
    published = c * x * torch.sigmoid(beta / (1 - beta) * x) + (1 - c) * (1 - beta) * F.softplus(
        x / (1 - beta), threshold=700
    )
    torch.testing.assert_close(unit(beta, c)(x), published, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(unit(beta, c)(X).double(), published, rtol=1e-6, atol=1e-6)
    learned = betavq.soften(nn.ReLU(), beta, smoothing=c, learnable=True)
    torch.testing.assert_close(learned(X).double(), published, rtol=1e-6, atol=1e-6)
    if c == 0.5:
        assert torch.equal(unit(beta, "curvature_tuning")(x), unit(beta, c)(x))


@pytest.mark.parametrize("beta", [0.2, 0.5, 0.9])
def test_the_free_energy_is_that_of_the_pieces(beta):
    x, zero = X.double(), torch.zeros(303, dtype=torch.float64)
    for module, pieces in (
        (nn.ReLU(), (zero, x)),
        (nn.LeakyReLU(0.3), (0.3 * x, x)),
        (nn.LeakyReLU(-1.0), (-x, x)),
        (nn.PReLU(1, -0.5).double(), (-0.5 * x, x)),
    ):
        expected = betavq.free_energy(torch.stack(pieces), beta, 0)
        for learnable in (False, True):
            soft = betavq.soften(module, beta, smoothing="free_energy", learnable=learnable)
            torch.testing.assert_close(soft(x[:, None])[:, 0], expected, rtol=1e-6, atol=1e-7)
    images = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    eta = beta / (1 - beta)
    expected = torch.logsumexp(eta * images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4), -1) / eta
    torch.testing.assert_close(unit(beta, "free_energy", nn.MaxPool2d(2))(images), expected)
    sequence = images.flatten(2)
    expected = torch.logsumexp(eta * sequence.unfold(2, 3, 3), -1) / eta
    torch.testing.assert_close(unit(beta, "free_energy", nn.MaxPool1d(3))(sequence), expected)


def test_a_slope_above_one_is_a_soft_minimum():
    x, soft = X.double(), unit(0.5, "free_energy", nn.LeakyReLU(2.0))
    torch.testing.assert_close(soft(x), -betavq.free_energy(torch.stack((-2 * x, -x)), 0.5, 0))


def test_the_free_energy_has_no_value_at_zero():
    for smoothing in ("value", "curvature_tuning"):
        assert unit(0.0, smoothing)(X).isfinite().all()
    with pytest.raises(ValueError, match=r"beta must be in \(0, 1\]"):
        unit(0.0, "free_energy")
    soft = unit(0.5, "free_energy")
    with pytest.raises(ValueError, match=r"beta must be in \(0, 1\]"):
        betavq.set_beta(soft, 0.0)
    soft.load_state_dict({"softening_beta": torch.tensor(0.0)})
    with pytest.raises(ValueError, match=r"beta must be in \(0, 1\]"):
        soft(X)


@pytest.mark.parametrize("smoothing", ["value", "free_energy", "curvature_tuning"])
def test_gradients_are_those_of_the_smoothing(smoothing):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.LeakyReLU(0.2), nn.PReLU())
    soft = betavq.soften(net, 0.6, smoothing=smoothing, learnable=True, share="site").double()
    betas = list(betavq.betas(soft).values())
    assert len(betas) == 3
    x = torch.randn(2, 3, dtype=torch.float64)

    def run(*values):
        return torch.func.functional_call(soft, dict(zip(betavq.betas(soft), values, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, [beta.detach().double().requires_grad_() for beta in betas])
