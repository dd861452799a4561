"""The affine map around a point is the network there, and its products are those of its matrix."""

import pytest
import torch
from piecewise_examples import everything, images, leaky_stack, mlp, points
from torch import nn

import betavq
from betavq import geometry


def jacobian(model, x):
    """Point by point, by autograd."""
    return torch.stack([torch.autograd.functional.jacobian(lambda z: model(z[None])[0], each) for each in x])


@pytest.fixture(scope="module")
def network():
    return everything()


@pytest.mark.claim("S1")
def test_slopes_are_the_jacobian_and_the_map_is_the_network(network):
    """The map of a region is the network there, and its slopes are the Jacobian."""
    x = images(6)
    slopes, offsets = geometry.affine_map(network, x)
    assert slopes.shape == (6, 4, 1, 8, 8)
    torch.testing.assert_close(slopes, jacobian(network, x), rtol=0, atol=1e-14)
    torch.testing.assert_close(torch.einsum("ncijk,nijk->nc", slopes, x) + offsets, network(x), rtol=0, atol=1e-13)


def test_the_map_holds_in_the_whole_region_and_not_beyond(network):
    x = images(200, seed=1)
    slopes, offsets = geometry.affine_map(network, x)
    code = torch.cat(list(geometry.codes(network, x).values()), 1)
    stayed, errors = [], []
    for step in (1e-4, 1e-3, 1e-2):
        y = x + step * images(200, seed=2)
        same = (torch.cat(list(geometry.codes(network, y).values()), 1) == code).all(1)
        stayed.append(same)
        errors.append((torch.einsum("ncijk,nijk->nc", slopes, y) + offsets - network(y)).abs().amax(1))
    stayed, errors = torch.cat(stayed), torch.cat(errors)
    assert 50 < stayed.sum() < 550
    assert errors[stayed].max() < 1e-12
    assert errors[~stayed].max() > 1e-6


def test_products_are_those_of_the_matrix_without_making_it(network):
    x, v, w = images(3), images(3, seed=5), points(3, 4)
    local = geometry.affine_map(network, x)
    products = local.matvec(v), local.rmatvec(w), local.offsets
    assert "slopes" not in local.__dict__
    torch.testing.assert_close(products[0], torch.einsum("ncijk,nijk->nc", local.slopes, v))
    torch.testing.assert_close(products[1], torch.einsum("ncijk,nc->nijk", local.slopes, w))
    torch.testing.assert_close(products[2], network(x) - torch.einsum("ncijk,nijk->nc", local.slopes, x))


@pytest.mark.parametrize("sizes", [(2, 7, 5), (5, 7, 2)])
def test_columns_and_rows_give_one_matrix(sizes):
    """By inputs where they are fewer, else by outputs; against the product of the weights in the region."""
    model, x = mlp(*sizes), points(20, sizes[0])
    active = (model[0](x) > 0).double()
    expected = torch.einsum("ck,nk,kd->ncd", model[2].weight, active, model[0].weight)
    slopes, offsets = geometry.affine_map(model, x)
    torch.testing.assert_close(slopes, expected.detach(), rtol=0, atol=1e-14)
    bias = model[2].bias + (active * model[0].bias) @ model[2].weight.t()
    torch.testing.assert_close(offsets, bias.detach(), rtol=0, atol=1e-14)


def test_functions_masos_and_layers_at_beta_1_are_models_too():
    first = betavq.MASO.from_layers(nn.Linear(2, 4).double(), activation=nn.ReLU())
    stack = nn.Sequential(first, nn.Linear(4, 8).double(), betavq.nn.BetaAbs(1.0), betavq.nn.BetaMaxout(beta=1.0))
    x = points(9, 2)
    for model in (
        lambda z: torch.maximum(z.new_zeros(2) + z, 1 - 2 * z).clamp(max=2.0),
        nn.Sequential(*stack[:3]).eval(),
    ):
        slopes, offsets = geometry.affine_map(model, x)
        torch.testing.assert_close(torch.einsum("ncd,nd->nc", slopes, x) + offsets, model(x).detach())


def test_a_layer_that_works_in_place_leaves_the_points_alone():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2)).double().eval()
    x = points(4, 3)
    kept = x.clone()
    slopes, offsets = geometry.affine_map(model, x)
    torch.testing.assert_close(x, kept, rtol=0, atol=0)
    torch.testing.assert_close(slopes, (model[1].weight * (kept > 0).double()[:, None]).detach())
    torch.testing.assert_close(offsets, model[1].bias.detach().expand(4, 2))


@pytest.mark.claim("S1")
def test_templates_are_rows_and_the_logits_their_matched_filters(network):
    """Templates are rows of the map, and logits their inner products with the input plus a bias."""
    x = images(5)
    found = geometry.templates(network, x)
    local = geometry.affine_map(network, x)
    torch.testing.assert_close(found, local.slopes, rtol=0, atol=0)
    torch.testing.assert_close((found * x[:, None]).flatten(2).sum(2) + local.offsets, network(x).detach())
    torch.testing.assert_close(geometry.templates(network, x, [2, 0]), found[:, [2, 0]], rtol=0, atol=0)
    for strange in ([4], [], [-5]):
        with pytest.raises(ValueError, match="classes must be among the 4"):
            geometry.templates(network, x, strange)
    with pytest.raises(ValueError, match=r"logits of shape \(N, C\), got \(5, 3, 8, 8\)"):
        geometry.templates(network.conv, x)


def test_the_penalty_is_the_sum_over_pairs_of_classes():
    model, x = mlp(4, 9, 3), points(11, 4)
    found = geometry.affine_map(model, x).slopes
    expected = sum((found[:, c] * found[:, d]).sum(1).square() for c in range(3) for d in range(3) if c != d).mean()
    torch.testing.assert_close(geometry.template_penalty(model, x).detach(), expected)
    weight = model[2].weight
    by_hand = sum((weight[c] @ weight[d]) ** 2 for c in range(3) for d in range(3) if c != d)
    torch.testing.assert_close(geometry.last_layer_penalty(weight), by_hand)


def test_penalties_have_the_gradients_of_their_formulas():
    model, x = mlp(4, 9, 3), points(11, 4)
    model.train()  # as in a training loop
    weight = model[0].weight
    (found,) = torch.autograd.grad(geometry.template_penalty(model, x), weight)
    rows = torch.einsum("ck,nk,kd->ncd", model[2].weight, (model[0](x) > 0).double(), weight)
    gram = rows @ rows.transpose(1, 2)
    expected = (gram - torch.diag_embed(gram.diagonal(dim1=1, dim2=2))).square().sum((1, 2)).mean()
    torch.testing.assert_close(found, torch.autograd.grad(expected, weight)[0])
    last = model[2].weight
    assert torch.autograd.gradcheck(geometry.last_layer_penalty, (last.detach().clone().requires_grad_(),))


def test_orthogonal_templates_have_no_penalty():
    model = nn.Linear(3, 3, bias=False).double()
    nn.init.eye_(model.weight)
    assert geometry.template_penalty(model, points(2, 3)).item() == 0
    assert geometry.last_layer_penalty(model.weight).item() == 0
    with pytest.raises(ValueError, match=r"weight must be of shape \(C, D\)"):
        geometry.last_layer_penalty(model.weight[0])


def test_a_batchnorm_that_mixes_its_batch_has_no_templates():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)).double()
    with pytest.raises(ValueError, match="BatchNorms in eval mode, got '1'"):
        geometry.template_penalty(model, points(4, 2))
    model[1].eval()
    assert geometry.template_penalty(model, points(4, 2)) > 0


class Gated(nn.Module):
    def forward(self, x):
        return x * x.abs()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (nn.SiLU(), r"silu in layer 'odd' \(SiLU\), which is not known to be; harden it"),
        (nn.Softmax(1), r"softmax in layer 'odd' \(Softmax\), which is not known to be; harden it"),
        (nn.LayerNorm(3), r"layer_norm in layer 'odd' \(LayerNorm\)"),
        (Gated(), r"mul by a function of x in layer 'odd' \(Gated\)"),
    ],
)
def test_a_layer_that_is_not_piecewise_affine_is_named(layer, name):
    model = nn.Sequential()
    model.add_module("first", nn.Linear(2, 3))
    model.add_module("odd", layer)
    with pytest.raises(ValueError, match=name):
        geometry.affine_map(model.double().eval(), points(1, 2))


@pytest.mark.parametrize(
    "function",
    [lambda x: x * x, lambda x: 1 / x, lambda x: x / x.sum(), lambda x: x @ x.t(), torch.sin, lambda x: x**2],
)
def test_a_function_that_is_not_piecewise_affine_is_refused(function):
    with pytest.raises(ValueError, match="model must be piecewise affine, got "):
        geometry.affine_map(function, points(2, 2))


def test_soft_layers_are_told_to_harden():
    model = nn.Sequential(nn.Linear(2, 3), betavq.nn.BetaReLU(0.5)).double().eval()
    with pytest.raises(ValueError, match=r"model must be hard, but layer '1' \(BetaReLU\) is softened at β = 0.5"):
        geometry.codes(model, points(1, 2))
    with pytest.raises(ValueError, match=r"beta_relu in the model is softened at β = 0\.5"):
        geometry.codes(lambda x: betavq.functional.beta_relu(x, beta=0.5), points(1, 2))
    assert len(geometry.codes(lambda x: betavq.functional.beta_relu(x, beta=1.0), points(1, 2))) == 1


def test_training_mode_nan_and_shapes_are_refused(network):
    model = mlp(2, 3, 2)
    for random in (nn.Dropout(0.3), nn.BatchNorm1d(2), nn.RReLU()):
        with pytest.raises(ValueError, match=r"eval mode, got layer '1' .* in training mode: call model.eval"):
            geometry.affine_map(nn.Sequential(nn.Linear(2, 2), random).double().train(), points(1, 2))
    model[0].weight.data[1, 1] = torch.nan
    with pytest.raises(ValueError, match="finite weights, got nan in 'weight' of layer '0'"):
        geometry.vq_distance(model, points(1, 2), points(1, 2))
    batchwise = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, track_running_stats=False)).double().eval()
    with pytest.raises(ValueError, match=r"layer '1' \(BatchNorm1d\) that depends on its batch"):
        geometry.affine_map(batchwise, points(4, 2))
    with pytest.raises(ValueError, match=r"x must be a batch .* got shape \(2,\)"):
        geometry.affine_map(mlp(2, 3, 2), points(1, 2)[0])
    with pytest.raises(ValueError, match=r"x must fit the model, got shape \(1, 3\)"):
        geometry.affine_map(mlp(2, 3, 2), points(1, 3))
    with pytest.raises(TypeError, match=r"x must have the dtype of the model, torch\.float64, got torch\.float32"):
        geometry.affine_map(network, images(1).float())
    with pytest.raises(ValueError, match=r"x must be finite, got -?inf"):
        geometry.affine_map(network, images(1) * torch.inf)
    with pytest.raises(ValueError, match="keep the batch"):
        geometry.affine_map(lambda x: x.t(), points(3, 2))
    with pytest.raises(TypeError, match="model must return one tensor that depends on x, got Tensor"):
        geometry.affine_map(lambda x: torch.ones(len(x)), points(3, 2))
    with pytest.raises(TypeError, match="model must be a module or a function"):
        geometry.affine_map(3, points(3, 2))
    local = geometry.affine_map(network, images(2))
    with pytest.raises(ValueError, match=r"v must be of shape \(2, 1, 8, 8\), got \(1, 1, 8, 8\)"):
        local.matvec(images(1))
    with pytest.raises(ValueError, match=r"w must be of shape \(2, 4\)"):
        local.rmatvec(points(2, 3))


def test_hooks_are_gone_afterwards_even_after_an_error(network):
    geometry.codes(network, images(1))
    bad = nn.Sequential(nn.Linear(2, 2), nn.SiLU()).double().eval()
    with pytest.raises(ValueError, match="silu"):
        geometry.codes(bad, points(1, 2))
    for model in (network, bad):
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_stack_of_masos_needs_no_mode():
    stack = nn.Sequential(*leaky_stack(2, 5, 3))
    assert stack.training
    x = points(4, 2)
    slopes, offsets = geometry.affine_map(stack, x)
    torch.testing.assert_close(torch.einsum("ncd,nd->nc", slopes, x) + offsets, stack(x).detach())
