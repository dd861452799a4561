"""Max-affine spline operators: layers whose units are each the largest of a few affine functions of the input.

:class:`MASO` is made of slopes and offsets, or of layers that you have, by :meth:`MASO.from_layers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._maso.affine import AffineLayer, BatchNorm
from ._maso.from_layers import Activation, layer_pieces
from ._maso.pooling import Pool
from ._maso.values import hard_value, inner_eta, mean_value, running_maximum, soft_value
from ._mixture.checks import check_shared_variance
from ._mixture.density import scaled_weights
from ._numerics.checks import (
    check_beta,
    check_broadcast,
    check_finite_or_excluded,
    check_numbers,
    check_rows,
    check_vectors,
)
from ._numerics.tracing import Proxy, layer_step
from .inference import code, value

if TYPE_CHECKING:
    from .mixture import GaussianMixture

__all__ = ["MASO"]
__dir__ = __all__.copy


class MASO(nn.Module):
    r"""A max-affine spline operator: K units, each of which selects among R affine pieces of D inputs.

    The pieces have scores :math:`z_{k,r}(x) = \langle A_{k,r}, x \rangle + B_{k,r}`, with the slopes A and offsets B.
    A unit puts out the value of their β-VQ code,

    .. math:: \mathrm{MASO}(x)_k = \sum_r t_{k,r}\, z_{k,r}(x), \qquad
              t_k = \arg\max_{t \in \Delta_R}\; \beta \langle t, z_k \rangle + (1 - \beta) H(t):

    at β = 1 the maximum, a convex function of x. The selection is vector quantization: the inputs for which a unit
    selects piece r are a cell of a power diagram, and if :math:`B_{k,r} = -\tfrac12 \|A_{k,r}\|^2` it is that of the
    points nearest to the centroid :math:`A_{k,r}`, as in K-means.

    An offset of −∞ excludes its piece, with gradient 0: so are units of fewer pieces than R padded. (Weight decay
    inside the gradient, as ``torch.optim.SGD`` does it, makes NaN of such an offset.) Inputs have to be finite: as in
    a linear layer, 0 · ∞ is NaN.

    Attributes:
        slopes: A, a parameter of shape ``(K, R, D)``.
        offsets: B, a parameter of shape ``(K, R)``.

    Args:
        slopes: finite, ``(K, R, D)`` with no size 0; float16, bfloat16, float32 or float64. A Parameter is kept as
            it is, another tensor is copied.
        offsets: finite or −∞, ``(K, R)``, at least one of each unit finite; dtype and device of ``slopes``. Kept or
            copied likewise.

    Raises:
        ValueError: shapes that disagree or have a size 0; NaN, or an infinity other than an excluded piece; a unit
            without pieces; two devices.
        TypeError: not a floating tensor; two dtypes.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, MASOs as vector quantization, and arXiv 1805.06576, deep
    networks as compositions of MASOs.

    Example:
        >>> import torch
        >>> from betavq import MASO
        >>> slopes = torch.tensor([[[0.0], [1.0]], [[-1.0], [1.0]]])
        >>> maso = MASO(slopes, torch.zeros(2, 2))  # of one input: the ReLU and abs
        >>> x = torch.tensor([[-2.0], [3.0]])
        >>> maso(x).tolist()
        [[0.0, 2.0], [3.0, 3.0]]
    """

    slopes: nn.Parameter
    offsets: nn.Parameter

    def __init__(self, slopes: Tensor, offsets: Tensor) -> None:
        super().__init__()
        check_vectors("slopes", slopes)
        check_numbers("offsets", offsets, "slopes", slopes)
        check_finite_or_excluded("offsets", offsets)
        self.slopes = slopes if isinstance(slopes, nn.Parameter) else nn.Parameter(slopes.detach().clone())
        self.offsets = offsets if isinstance(offsets, nn.Parameter) else nn.Parameter(offsets.detach().clone())

    @classmethod
    def from_layers(
        cls,
        layer: AffineLayer | Sequence[Any] | nn.Sequential,
        *others: Any,
        batchnorm: BatchNorm | None = None,
        activation: Activation | None = None,
        maxout: int | None = None,
        skip: AffineLayer | Tensor | bool | None = None,
        pool: Pool | None = None,
        input_size: tuple[int, ...] | None = None,
        max_bytes: int = 2**30,
        max_pieces: int = 1024,
    ) -> Self:
        r"""The layers ``pool(skip(x) + activation(batchnorm(layer(x))))``, of which all but the first may be left out.

        ============================  ===========================================================================
        of an affine unit ⟨w, x⟩ + b  pieces, as (slope, offset)
        ============================  ===========================================================================
        no activation                 (w, b)
        ReLU                          (0, 0), (w, b)
        leaky ReLU, PReLU, RReLU      (νw, νb), (w, b)
        \|·\|                         (−w, −b), (w, b)
        maxout                        (w, b) of each of its outputs
        skip ⟨s, x⟩ + c               (s, c) is added to each piece
        max-pool                      the pieces of all units in the window; that of ReLUs has (0, 0) but once
        average-pool                  the mean of one piece of each unit in the window, for every choice: Rᴾ pieces
                                      for P units of R pieces, 2ᴾ for ReLUs
        ============================  ===========================================================================

        Where the layers break a tie, as ReLU does at 0, the first of the tied pieces in this order has their
        derivative; only \|·\| has derivative 0 at its tie, and −w here. Pieces are copies: training them leaves the
        layers alone. Images are flattened as ``torch.flatten(x, 1)`` does it, those going in and those coming out.

        Args:
            layer: ``nn.Linear``, ``nn.Conv1d`` or ``nn.Conv2d``; a convolution becomes its matrix. Or all in order, by
                place, or in a list or an ``nn.Sequential``: such a layer, a batchnorm, an activation and a pool.
            batchnorm: ``nn.BatchNorm1d`` or ``nn.BatchNorm2d`` in eval mode, folded into the layer.
            activation: ``nn.ReLU``, ``nn.LeakyReLU``, ``nn.PReLU``, ``nn.RReLU`` in eval mode, their like of
                :mod:`betavq.nn` at β = 1, or a function as ``torch.abs``; units that are the largest of their pieces.
            maxout: number P ≥ 1 of consecutive outputs (channels of a convolution) that make one unit, their
                maximum: ``y.unflatten(1, (-1, P)).amax(2)``. It takes the place of an activation.
            skip: True for x itself; a layer, or a matrix ``(K, D)`` on flattened images, for another affine skip.
            pool: ``nn.MaxPool1d``, ``nn.MaxPool2d``, ``nn.AvgPool1d`` or ``nn.AvgPool2d``. The 1-D ones pool the
                outputs of an ``nn.Linear`` as PyTorch does: as one sequence.
            input_size: shape of an input without its batch: ``(C, L)`` for ``nn.Conv1d``, ``(C, H, W)`` for
                ``nn.Conv2d``, None for ``nn.Linear``.
            max_bytes, max_pieces: most memory for the slopes, and most pieces that average-pooling may give a unit.

        Returns:
            A MASO in the layer's dtype and on its device, at β = 1 equal to the layers up to rounding.

        Raises:
            ValueError: a batchnorm in training mode or without statistics; an activation that is not the largest of
                its pieces; β ≠ 1; sizes that do not fit; more than ``max_bytes`` or ``max_pieces``.
            TypeError: a layer, activation or argument of another kind.

        Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, layers as MASOs.

        Example:
            >>> import torch
            >>> from torch import nn
            >>> from betavq import MASO
            >>> conv = nn.Conv2d(1, 2, 3, padding=1)
            >>> pool, size = nn.MaxPool2d(2), (1, 6, 6)
            >>> maso = MASO.from_layers(conv, activation=nn.ReLU(), pool=pool, input_size=size)
            >>> maso
            MASO(num_units=18, num_pieces=5, num_inputs=36)
            >>> x = torch.rand(4, *size)
            >>> torch.allclose(maso(x.flatten(1)), pool(conv(x).relu()).flatten(1), atol=1e-5)
            True
        """
        slopes, offsets = layer_pieces(
            (layer, *others), batchnorm, activation, maxout, skip, pool, input_size, max_bytes, max_pieces
        )
        return cls(nn.Parameter(slopes), nn.Parameter(offsets))

    @property
    def num_units(self) -> int:
        """K, the number of outputs."""
        return self.slopes.shape[0]

    @property
    def num_pieces(self) -> int:
        """R, the number of pieces of a unit, excluded ones included."""
        return self.slopes.shape[1]

    @property
    def num_inputs(self) -> int:
        """D, the number of inputs."""
        return self.slopes.shape[2]

    def scores(self, x: Tensor) -> Tensor:
        """What every piece is worth: x of shape ``(..., D)`` to z of shape ``(..., K, R)``; −∞ if it is excluded."""
        check_rows(x, self.num_inputs, "the slopes", self.slopes.dtype)
        z = F.linear(x, self.slopes.flatten(0, 1), self.offsets.flatten())
        return z.view(*x.shape[:-1], *self.offsets.shape)

    def code(self, x: Tensor, beta: float | Tensor = 1.0) -> Tensor:
        """How the pieces are weighed, :func:`betavq.code` of the scores.

        Args:
            x: inputs, ``(..., D)``, in the dtype of the slopes.
            beta: hardness in [0, 1]; a number, or a tensor that broadcasts against ``(..., K)``.

        Returns:
            Shape ``(..., K, R)``; non-negative, sums to 1 over the pieces.

        Raises:
            ValueError: inputs of another size; ``beta`` outside [0, 1], NaN or of a shape that does not broadcast.
            TypeError: ``x`` of another dtype, ``beta`` not a number or floating tensor.
        """
        return code(self.scores(x), beta)

    def selection(self, x: Tensor) -> Tensor:
        """The hard code as the index of the first largest score (without meaning if one is NaN).

        Args:
            x: inputs, ``(..., D)``, in the dtype of the slopes.

        Returns:
            Integers from 0 to R − 1 (int64) of shape ``(..., K)``. Takes memory for N·K numbers, not N·K·R.

        Raises:
            ValueError, TypeError: inputs of another size or dtype.
        """
        with torch.no_grad():
            _, first = running_maximum(*self._operands(x))
        return first.long().view(*x.shape[:-1], self.num_units)

    def forward(self, x: Tensor, beta: float | Tensor = 1.0) -> Tensor:
        """The units' outputs, :func:`betavq.value` of the scores.

        At the number β = 1 it takes memory for N·K numbers, not N·K·R; only a backward pass takes more.

        Args:
            x: inputs, ``(..., D)``, in the dtype of the slopes.
            beta: hardness in [0, 1]; a number, or a tensor that broadcasts against ``(..., K)``.

        Returns:
            Shape ``(..., K)`` (broadcast with ``beta``), dtype of ``x``.

        Raises:
            ValueError, TypeError: as :meth:`code`.
        """
        if isinstance(x, Proxy):
            return layer_step(self, x, beta)
        beta = check_beta(beta)
        if not isinstance(beta, Tensor) and beta == 1:
            return hard_value(*self._operands(x)).view(*x.shape[:-1], self.num_units)
        check_rows(x, self.num_inputs, "the slopes", self.slopes.dtype)
        if not isinstance(beta, Tensor) and beta == 0:
            return mean_value(x, self.slopes, self.offsets)
        eta = inner_eta(beta, x)
        if eta is None:
            return value(self.scores(x), beta)
        if isinstance(beta, Tensor):
            check_broadcast("beta", beta, torch.Size([*x.shape[:-1], self.num_units]), "(..., K)")
        by_piece = F.linear(x, self.slopes.transpose(0, 1).flatten(0, 1), self.offsets.t().flatten())
        return soft_value(by_piece.view(*x.shape[:-1], self.num_pieces, self.num_units), eta)

    def to_mixture(self, variance: float | Tensor = 1.0) -> GaussianMixture:
        r"""The Gaussian mixture of each unit whose posterior is the unit's code: slopes are means.

        With weights :math:`\pi_{k,r} \propto \exp((B_{k,r} + \tfrac12 \|A_{k,r}\|^2) / \sigma^2)` its most probable
        component is the :meth:`selection` for every variance σ², and its responsibilities are ``softmax(z/σ²)``: the
        :meth:`code` at β, for the variance (1 − β)/β. Copies, so training one leaves the other alone.

        Args:
            variance: σ² > 0, a number or a tensor of shape ``()``.

        Returns:
            A :class:`betavq.mixture.GaussianMixture`; its ``to_maso()`` gives this MASO back, offsets but for
            rounding errors of σ² and ½‖A‖².

        Raises:
            ValueError: ``variance`` not positive, or so small that (B + ½‖A‖²)/σ² overflows; more than one variance.
            TypeError: ``variance`` not a number or tensor of the slopes' dtype; slopes of 16 bits.

        Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, MASOs as mixtures.

        Example:
            >>> import torch
            >>> from betavq import MASO
            >>> maso, x = MASO(torch.randn(3, 4, 2), torch.randn(3, 4)), torch.randn(5, 2)
            >>> mixture = maso.to_mixture(variance=0.25)  # (1 - beta) / beta at beta = 0.8
            >>> torch.allclose(mixture.responsibilities(x), maso.code(x, 0.8), atol=1e-5)
            True
        """
        from .mixture import GaussianMixture  # it imports this module

        slopes, spread = self.slopes.detach(), check_shared_variance(variance, self.slopes)
        return GaussianMixture.from_log_weights(slopes, scaled_weights(slopes, self.offsets.detach(), spread), spread)

    def extra_repr(self) -> str:
        return f"num_units={self.num_units}, num_pieces={self.num_pieces}, num_inputs={self.num_inputs}"

    def _operands(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs as rows, slopes and offsets, in the dtype in which a linear layer would compute."""
        check_rows(x, self.num_inputs, "the slopes", self.slopes.dtype)
        rows = x.reshape(-1, self.num_inputs)
        if not torch.is_autocast_enabled(x.device.type) or x.dtype == torch.float64:
            return rows, self.slopes, self.offsets
        dtype = torch.get_autocast_dtype(x.device.type)
        return rows.to(dtype), self.slopes.to(dtype), self.offsets.to(dtype)
