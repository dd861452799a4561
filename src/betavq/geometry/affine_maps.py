"""The affine map that a network is around a point, in whole or by its products, and its rows as templates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor

from .._numerics.checks import check_floating
from ._networks.checks import check_inputs, check_outputs, checked_model
from ._networks.watch import watch

__all__ = ["LocalAffineMap", "affine_map", "templates"]
__dir__ = __all__.copy

Model = Callable[[Tensor], Tensor]


class LocalAffineMap:
    r"""What a piecewise-affine network is around points: :math:`f(x) = A[x]\, x + b[x]`.

    Unpacks to both, ``slopes, offsets = affine_map(model, x)``. Each is computed when it is asked for: ``offsets`` and
    :meth:`matvec` take two backward passes, :meth:`rmatvec` one, and none of them makes A.

    Attributes:
        x: the points, ``(N, *in)``.
        output: f(x), ``(N, *out)``.

    Example:
        >>> import torch
        >>> from betavq.geometry import affine_map
        >>> here = affine_map(torch.relu, torch.tensor([[1.0, -2.0]]))
        >>> here.slopes.tolist(), here.offsets.tolist()
        ([[[1.0, 0.0], [0.0, 0.0]]], [[0.0, 0.0]])
        >>> here.matvec(torch.tensor([[5.0, 5.0]]))  # A[x] v, without A
        tensor([[5., 0.]])
    """

    def __init__(self, model: Model, x: Tensor, output: Tensor) -> None:
        self.model, self.x, self.output = model, x, output

    @cached_property
    def slopes(self) -> Tensor:
        """A[x], ``(N, *out, *in)``, by one product for each output or input, whichever are fewer."""
        size_in, size_out = self.x.shape[1:], self.output.shape[1:]
        num_in, num_out = math.prod(size_in), math.prod(size_out)
        if num_in < num_out:
            basis = torch.eye(num_in, dtype=self.x.dtype, device=self.x.device)
            columns = [self.matvec(row.view(size_in).expand_as(self.x)).flatten(1) for row in basis]
            return torch.stack(columns, -1).view(len(self.x), *size_out, *size_in)
        return self._products(self._each_output()).view(len(self.x), *size_out, *size_in)

    @cached_property
    def offsets(self) -> Tensor:
        """b[x] = f(x) − A[x]·x, ``(N, *out)``."""
        return self.output - self.matvec(self.x)

    def matvec(self, v: Tensor) -> Tensor:
        """A[x]·v, a Jacobian-vector product, by two backward passes: ``(N, *in)`` → ``(N, *out)``."""
        _check_shape("v", v, self.x)
        try:
            return _directional(self.model, self.x, v)
        except RuntimeError as error:
            if "derivative for" not in str(error):
                raise
        # PyTorch has no second derivative of some units (nn.Hardsigmoid): one product for each output.
        found = [(self._products([weights])[:, 0] * v).flatten(1).sum(1) for weights in self._each_output()]
        return torch.stack(found, 1).view_as(self.output)

    def rmatvec(self, w: Tensor) -> Tensor:
        """A[x]ᵀ·w by one backward pass: ``(N, *out)`` → ``(N, *in)``."""
        _check_shape("w", w, self.output)
        return self._products([w])[:, 0]

    def rows(self, outputs: Sequence[int]) -> Tensor:
        """Rows of A[x] for some outputs, by one backward pass each: ``(N, len(outputs), *in)``."""
        picks = []
        for c in outputs:
            pick = torch.zeros_like(self.output)
            pick.flatten(1)[:, c] = 1.0
            picks.append(pick)
        return self._products(picks)

    def _each_output(self) -> list[Tensor]:
        """Weights that pick one output each."""
        basis = torch.eye(math.prod(self.output.shape[1:]), dtype=self.output.dtype, device=self.output.device)
        return [row.view(self.output.shape[1:]).expand_as(self.output) for row in basis]

    def _products(self, weights: Sequence[Tensor]) -> Tensor:
        """A[x]ᵀ·w for every w, ``(N, len(weights), *in)``: one forward pass and a backward pass each."""
        with torch.enable_grad():
            x = self.x.detach().requires_grad_()
            output = self.model(x.clone())  # a clone, for a layer may work in place
            # The derivative of a number: with grad_outputs autograd would import sympy.
            found = [torch.autograd.grad((output * w).sum(), x, retain_graph=True)[0] for w in weights]
        return torch.stack(found, 1)

    def __iter__(self) -> Iterator[Tensor]:
        yield self.slopes
        yield self.offsets

    def __repr__(self) -> str:
        shape = f"{tuple(self.output.shape[1:])} of {tuple(self.x.shape[1:])}"
        return f"LocalAffineMap(points={len(self.x)}, outputs={shape})"


def affine_map(model: Model, x: Tensor) -> LocalAffineMap:
    r"""The affine map that a piecewise-affine network is around x: its slopes and offsets.

    .. math:: f(x + d) = A[x]\,(x + d) + b[x] \quad\text{as long as } x + d \text{ is in the region of } x, \qquad
              A[x] = J_f(x), \quad b[x] = f(x) - A[x]\, x.

    On the border of a region it is the map of the side whose derivative PyTorch takes (slope 0 for ReLU at 0).

    Args:
        model: maps ``(N, *in)`` to ``(N, *out)``, one row at a time: a module in eval mode, or a function.
        x: points, ``(N, *in)``, finite, in the model's dtype. Take float64 where rounding matters.

    Returns:
        A :class:`LocalAffineMap`, which unpacks to A[x], ``(N, *out, *in)``, and b[x], ``(N, *out)``. Where only a
        product is needed, its ``offsets``, ``matvec`` and ``rmatvec`` take a pass or two and no room for A. All are
        constants: no gradient leads back to the weights.

    Raises:
        ValueError: a model in training mode or with weights that are not finite; a layer that is not piecewise
            affine, by its name; an ``x`` that does not fit.
        TypeError: no model; an ``x`` of another dtype.

    Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, the input-dependent affine map of a network.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import affine_map
        >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
        >>> x = torch.randn(4, 2)
        >>> slopes, offsets = affine_map(net, x)
        >>> values = torch.einsum("ncd,nd->nc", slopes, x) + offsets
        >>> torch.allclose(values, net(x), atol=1e-5)
        True
    """
    model = checked_model(model)
    check_inputs("x", x, model)
    with torch.no_grad():
        output, _, _ = watch(model, x.detach())
    check_outputs(output, x)
    return LocalAffineMap(model, x.detach(), output)


def templates(model: Model, x: Tensor, classes: Sequence[int] | None = None) -> Tensor:
    r"""The template that each class holds against x: the rows of A[x], shaped as inputs.

    .. math:: f_c(x) = \langle A_c[x], x \rangle + b_c[x]:

    every logit is a matched filter of the input, plus a bias (``affine_map(model, x).offsets``). Templates are the
    same in a whole region and jump at its border.

    Args:
        model: maps ``(N, *in)`` to logits ``(N, C)``, before any softmax; as in :func:`affine_map`.
        x: points, ``(N, *in)``.
        classes: which of the C; all of them unless given. One backward pass each.

    Returns:
        ``(N, C, *in)``, or ``(N, len(classes), *in)``.

    Raises:
        ValueError, TypeError: as :func:`affine_map`; outputs of another shape, or a class that there is not.

    Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, networks as template matching.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import affine_map, templates
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU()).eval()
        >>> images = torch.randn(2, 1, 8, 8)
        >>> templates(net, images).shape
        torch.Size([2, 10, 1, 8, 8])
        >>> products = (templates(net, images) * images[:, None]).flatten(2).sum(2)
        >>> offsets = affine_map(net, images).offsets
        >>> torch.allclose(products + offsets, net(images), atol=1e-5)
        True
    """
    local = affine_map(model, x)
    if local.output.dim() != 2:
        raise ValueError(f"model must put out logits of shape (N, C), got {tuple(local.output.shape)}")
    count = local.output.shape[1]
    chosen = range(count) if classes is None else [int(c) for c in classes]
    strangers = [c for c in chosen if not -count <= c < count]
    if strangers or not chosen:
        raise ValueError(f"classes must be among the {count} of the model, got {list(chosen)}")
    return local.rows(chosen)


def _directional(model: Model, x: Tensor, v: Tensor) -> Tensor:
    """A[x]·v as the derivative of ⟨Aᵀ·w, v⟩ in w, which is linear in w: the product forward by two backward.

    Forward mode would do it in one pass, and imports PyTorch's compiler the first time: a second, and 70 MB.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        output = model(x.clone())  # a clone, for a layer may work in place
        w = torch.zeros_like(output, requires_grad=True)
        (back,) = torch.autograd.grad((output * w).sum(), x, create_graph=True)
        return torch.autograd.grad((back * v).sum(), w)[0]


def _check_shape(name: str, tensor: Tensor, like: Tensor) -> None:
    check_floating(name, tensor)
    if tensor.shape != like.shape:
        raise ValueError(f"{name} must be of shape {tuple(like.shape)}, got {tuple(tensor.shape)}")
    if tensor.dtype != like.dtype:
        raise TypeError(f"{name} must have the dtype of the points, {like.dtype}, got {tensor.dtype}")
