r"""A network run backwards: inputs rebuilt from what it puts out, and what its slopes cost.

Around x a piecewise-affine network is :math:`f(x) = A[x]\,x + b[x]`, and one backward pass gives products with
:math:`A[x]^\top`.

* :func:`reconstruct`: :math:`\hat x = A[x]^\top f(x)`; :func:`reconstruction_loss`: how far it is from x, a loss that
  needs no labels.
* :func:`jacobian_penalty`: the squared size of A[x]; :func:`flatness`: that of the outputs' gradients in the weights.

All four are differentiable in the weights, of a model in training mode too. How far a slope lets an attack go is
:func:`betavq.geometry.adversarial_risk`.

Source: Balestriero, Glotin & Baraniuk (2018), arXiv 1802.10172; Balestriero & Baraniuk (2017), arXiv 1710.09302;
Balestriero, Roger, Glotin & Baraniuk (2017), arXiv 1711.04313.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ._passes import Model, backwards, check_some, checked_layers, linear_layers, outputs_of, run

__all__ = ["flatness", "jacobian_penalty", "reconstruct", "reconstruction_loss"]
__dir__ = __all__.copy


def reconstruct(model: Model, x: Tensor, *, create_graph: bool = False) -> Tensor:
    r"""The input that a network's output says it saw, by one backward pass:

    .. math:: \hat x = A[x]^\top f(x) = \nabla_x \tfrac12 \| f(x) \|^2.

    It is x itself where the slopes keep lengths and there are no offsets: an orthonormal linear map, \|Wx\| and pairs
    of ReLU(Wx), ReLU(−Wx) with :math:`W^\top W = 1`, and stacks of these. Elsewhere it is x up to what the network
    has lost. With C outputs, all :math:`\hat x` of a region lie in C dimensions.

    Args:
        model: maps ``(N, *in)`` to ``(N, *out)``; a module in any mode, or a function. Of soft units A[x] is the
            Jacobian. A BatchNorm in training mode makes a batch one input: A is then that of the whole batch, through
            its statistics.
        x: points, ``(N, *in)``, finite, in the model's dtype.
        create_graph: whether to be differentiable, in the weights and, if it wants gradients, in x. Costs a second
            backward pass later, so every unit needs a second derivative.

    Returns:
        :math:`\hat x`, ``(N, *in)``.

    Raises:
        ValueError: an ``x`` that is not a finite batch; outputs that do not depend on it.
        TypeError: no model; an ``x`` of another dtype.

    Source: Balestriero, Glotin & Baraniuk (2018), arXiv 1802.10172, inversion of a network.

    Example:
        >>> import torch
        >>> from betavq.papers.inversion import reconstruct
        >>> def both(x):
        ...     return torch.cat((torch.relu(x), torch.relu(-x)), 1)
        >>> reconstruct(both, torch.tensor([[1.0, -2.0]]))
        tensor([[ 1., -2.]])
        >>> reconstruct(torch.relu, torch.tensor([[1.0, -2.0]]))  # what is lost is lost
        tensor([[1., 0.]])
    """
    with torch.enable_grad():
        points, output = run(model, x, keep=create_graph)
        return backwards(0.5 * output.square().sum(), points, create_graph=create_graph)


def reconstruction_loss(model: Model, x: Tensor, *, layers: Sequence[str] | None = None) -> Tensor:
    r"""The relative error of rebuilt inputs, averaged over points, and over scales when layers are named:

    .. math:: \frac1{|S|} \sum_{s \in S} \frac1N \sum_n \frac{\| x_n - A_s[x_n]^\top f_s(x_n) \|^2}{\| x_n \|^2}.

    The scales S are what the named layers put out, and what the model does. The error is relative, so that nothing is
    left to tune: 1 is that of rebuilding nothing, whatever the units of x. Subtract the mean from x first.

    Args:
        model: as for :func:`reconstruct`; a module if layers are named.
        x: points, ``(N, *in)``, N ≥ 1, none of them 0.
        layers: names of submodules (``model.named_modules()``), one backward pass each. Of one that is called more
            than once the last output counts.

    Returns:
        A non-negative number, a tensor of shape ``()``. Differentiable in the weights.

    Raises:
        ValueError: as :func:`reconstruct`; a row of zeros in x; a layer that is not there, is not called or does not
            put out one tensor that depends on x.
        TypeError: as :func:`reconstruct`; layers that are one text, or of a function.

    Source: Balestriero, Glotin & Baraniuk (2018), arXiv 1802.10172, with the relative error as our choice.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.papers.inversion import reconstruction_loss
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> loss = reconstruction_loss(net, torch.randn(5, 4), layers=["1"])
        >>> loss.backward()
        >>> net[0].weight.grad.shape
        torch.Size([8, 4])
    """
    names = checked_layers(model, layers)
    with torch.enable_grad(), outputs_of(model, names) as found:
        points, output = run(model, x, keep=True)
        energy = points.flatten(1).square().sum(1)
        if not len(x) or not bool(energy.detach().all()):
            raise ValueError("x must have at least one point, and none that is 0: its relative error is not defined")
        missing = [name for name in names if not isinstance(found.get(name), Tensor)]
        if missing:
            raise ValueError(f"layers must be called and put out one tensor, which {missing[0]!r} does not")
        scales = [*(found[name] for name in names), output]
        rebuilt = [backwards(0.5 * scale.square().sum(), points) for scale in scales]
        errors = [((points - each).flatten(1).square().sum(1) / energy).mean() for each in rebuilt]
        return torch.stack(errors).mean()


def jacobian_penalty(model: Model, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""The squared size of the slopes, averaged over points, by one random product:

    .. math:: \frac1N \sum_n \| A[x_n]^\top v_n \|^2, \qquad v_n \sim \mathcal N(0, 1),

    whose mean over v is :math:`\frac1N \sum_n \| A[x_n] \|_F^2`. Multiply by λ and add to the loss.

    Args:
        model: as for :func:`reconstruct`. A BatchNorm in training mode makes a batch one input.
        x: points, ``(N, *in)``, N ≥ 1.
        generator: of v, on the device of x; PyTorch's own unless given.

    Returns:
        A non-negative number, a tensor of shape ``()``. Differentiable in the weights.

    Raises:
        ValueError: as :func:`reconstruct`; no point.
        TypeError: as :func:`reconstruct`; no generator.

    Source: Balestriero & Baraniuk (2017), arXiv 1710.09302, for what slopes have to do with attacks; the random
    product is Hutchinson's.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.papers.inversion import jacobian_penalty
        >>> net = nn.Linear(3, 2, bias=False)
        >>> _ = nn.init.constant_(net.weight, 2.0)
        >>> x = torch.randn(20000, 3)
        >>> round(jacobian_penalty(net, x, torch.Generator().manual_seed(0)).item())
        24
    """
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator or None, got {type(generator).__name__}")
    with torch.enable_grad():
        points, output = run(model, x, keep=True)
        check_some(points)
        v = torch.randn(output.shape, generator=generator, dtype=output.dtype, device=output.device)
        product = backwards((output * v).sum(), points)
        return product.flatten(1).square().sum(1).mean()


def flatness(model: nn.Module, x: Tensor) -> Tensor:
    r"""How much the outputs change with the weights: the squares of all their gradients, averaged over points.

    .. math:: \frac1N \sum_n \sum_c \sum_\ell \| \delta_{c,\ell} \|^2 \left( 1 + \| h_\ell \|^2 \right)
              = \frac1N \sum_n \sum_c \| \nabla_\theta f_c(x_n) \|^2,

    with the input :math:`h_\ell` of a linear layer and the gradient :math:`\delta_{c,\ell}` of output c in what the
    layer puts out; the 1 is the bias'. It is the trace of the outputs' Gauss–Newton matrix, and small in a flat
    minimum. One backward pass for each output.

    Args:
        model: maps ``(N, *in)`` to ``(N, C)``; all its weights are those of ``nn.Linear``, each called once with one
            row a point.
        x: points, ``(N, *in)``, N ≥ 1.

    Returns:
        A non-negative number, a tensor of shape ``()``. Differentiable in the weights.

    Raises:
        ValueError: as :func:`reconstruct`; a layer of other weights, or that is not called just once with rows;
            outputs of another shape.
        TypeError: no module; an ``x`` of another dtype.

    Source: Balestriero & Baraniuk (2017), arXiv 1710.09302, flat minima; the trace as their measure is our choice.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.papers.inversion import flatness
        >>> flatness(nn.Linear(2, 3), torch.tensor([[2.0, 1.0]]))  # 3 · (1 + 5)
        tensor(18., grad_fn=<DivBackward0>)
    """
    layers = linear_layers(model)
    calls: list[tuple[str, Tensor, Tensor]] = []

    def watch(name: str) -> Any:
        return lambda _, given, output: calls.append((name, given[0], output))

    handles = [layer.register_forward_hook(watch(name)) for name, layer in layers.items()]
    try:
        with torch.enable_grad():
            points, output = run(model, x, keep=True)
    finally:
        for handle in handles:
            handle.remove()
    check_some(points)
    for name in layers:
        shapes = [tuple(z.shape) for called, _, z in calls if called == name]
        if len(shapes) != 1 or len(shapes[0]) != 2:
            raise ValueError(f"layers must be called once with one row a point, got {shapes} from layer {name!r}")
    if output.dim() != 2:
        raise ValueError(f"model must put out rows of shape (N, C), got {tuple(output.shape)}")
    with torch.enable_grad():
        total = output.new_zeros(())
        for c in range(output.shape[1]):
            deltas = torch.autograd.grad(output[:, c].sum(), [z for _, _, z in calls], create_graph=True)
            for (name, h, _), delta in zip(calls, deltas, strict=True):
                weights = h.square().sum(1) + (layers[name].bias is not None)
                total = total + (delta.square().sum(1) * weights).sum()
        return total / len(x)
