"""Module faces of :mod:`betavq.functional`: the same nonlinearities with a β that is kept, and may be learned.

* :class:`BetaReLU`, :class:`BetaLeakyReLU`, :class:`BetaAbs`: units of two pieces; the first says what holds for all.
* :class:`BetaMaxout`, :class:`BetaMaxPool1d`, :class:`BetaMaxPool2d`: units of many.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._beta_module import BetaModule, BetaUnit
from ._numerics.checks import check_slope
from ._numerics.kept_beta import along_channels
from ._numerics.tracing import Proxy, layer_step
from ._two_pieces import units
from .pooling import Size, beta_max_pool1d, beta_max_pool2d, beta_maxout

__all__ = ["BetaAbs", "BetaLeakyReLU", "BetaMaxPool1d", "BetaMaxPool2d", "BetaMaxout", "BetaReLU"]
__dir__ = __all__.copy


class BetaReLU(BetaUnit):
    """:func:`betavq.functional.beta_relu` with a kept β: ReLU at 1, SiLU at ½, u/2 at 0.

    Attributes:
        beta: β itself (not η or a logit), a parameter if ``learnable`` else a buffer; of shape ``()`` or
            ``(num_channels,)``; the key in ``state_dict``. It stays float32 under ``.half()`` and the like, and
            follows ``.double()``.

    Forward uses β clamped to [0, 1]; backward drops only gradients that point outward, those that descent would
    follow out of [0, 1] (with ``maximize=True`` an optimiser follows the others). So a learnable β can reach 0,
    overshoot it and come back. At β = 1 the derivative in β is 0, and so it is beyond: a β that a large step or
    momentum carries there stays, unless something else (a penalty on ``beta``, weight decay) moves it.
    :func:`betavq.clamp_betas` keeps it inside, whatever the optimiser: without it, in fitting a single unit of
    hardness up to 0.95, Adam returned from every start with a learning rate of 0.01 and not with 0.05.

    ``module.beta = 0.3`` sets the value and checks it. Assigning a ``Parameter`` or loading a state takes β outside
    [0, 1] too, since an optimiser may have left it there.

    Args:
        beta: hardness in [0, 1]; a number, or a tensor of shape ``()`` or ``(num_channels,)``.
        learnable: whether β is a parameter.
        num_channels: one β for each entry of the input's dimension ``channel_dim``; taken from a ``beta`` of shape
            ``(num_channels,)`` when left out. None: one β for all.
        channel_dim: the dimension along which the channels lie; may be negative.
        inplace: whether the result is written over the input, as by ``nn.ReLU(inplace=True)``.
        detach_code: whether the backward pass takes the code for fixed: the gradient in the input is then the
            expected slope, σ(ηu) for the ReLU; value and gradient in β stay (:mod:`betavq.functional`).

    Raises:
        ValueError: ``beta`` outside [0, 1] or of another shape; in forward, an input whose channels do not fit.
        TypeError: an argument of another kind; in forward, an input that is not a floating tensor.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.nn import BetaReLU
        >>> unit = BetaReLU(0.9, learnable=True, num_channels=8)
        >>> net = nn.Sequential(nn.Linear(4, 8), unit)
        >>> net(torch.zeros(16, 4)).shape
        torch.Size([16, 8])
        >>> [name for name, _ in net.named_parameters()]
        ['0.weight', '0.bias', '1.beta']
    """

    def __init__(
        self,
        beta: float | Tensor = 0.5,
        *,
        learnable: bool = False,
        num_channels: int | None = None,
        channel_dim: int = 1,
        inplace: bool = False,
        detach_code: bool = False,
    ) -> None:
        super().__init__(beta, learnable, num_channels, channel_dim, detach_code, inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Apply to ``input`` of any shape (with its channels at ``channel_dim``); same shape and dtype."""
        if isinstance(input, Proxy):
            return layer_step(self, input)
        compute = units.relu_ if self.inplace else units.relu
        return compute(input, self._clamped_beta(input), self.detach_code)


class BetaAbs(BetaUnit):
    r""":func:`betavq.functional.beta_abs` with a kept β: \|u\| at 1, u·tanh u at ½, 0 at 0.

    Arguments, attributes and errors are those of :class:`BetaReLU`, but for ``inplace``.

    Example:
        >>> import torch
        >>> from betavq.nn import BetaAbs
        >>> layer = BetaAbs(1.0)
        >>> layer(torch.tensor([-2.0, 3.0]))
        tensor([2., 3.])
        >>> layer.beta = 0.0
        >>> layer(torch.tensor([-2.0, 3.0]))
        tensor([0., 0.])
    """

    def __init__(
        self,
        beta: float | Tensor = 0.5,
        *,
        learnable: bool = False,
        num_channels: int | None = None,
        channel_dim: int = 1,
        detach_code: bool = False,
    ) -> None:
        super().__init__(beta, learnable, num_channels, channel_dim, detach_code)

    def forward(self, input: Tensor) -> Tensor:
        """Apply to ``input`` of any shape (with its channels at ``channel_dim``); same shape and dtype."""
        if isinstance(input, Proxy):
            return layer_step(self, input)
        return units.absolute(input, self._clamped_beta(input), self.detach_code)


class BetaLeakyReLU(BetaUnit):
    """:func:`betavq.functional.beta_leaky_relu` with a kept β: leaky ReLU at 1, its mean slope at 0.

    Args:
        negative_slope: ν, a finite number, or a tensor of shape ``()`` or ``(num_channels,)`` with one slope for
            each channel along ``channel_dim`` (which may share one β). A tensor is kept as a buffer, a ``Parameter``
            as a parameter (a β-VQ PReLU).

    The other arguments, attributes and errors are those of :class:`BetaReLU`.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.nn import BetaLeakyReLU
        >>> slopes = nn.Parameter(torch.tensor([0.1, 0.5]))
        >>> prelu = BetaLeakyReLU(1.0, negative_slope=slopes)
        >>> prelu(torch.tensor([[-2.0, -2.0]])).detach()  # a slope a channel
        tensor([[-0.2000, -1.0000]])
    """

    negative_slope: float | Tensor

    def __init__(
        self,
        beta: float | Tensor = 0.5,
        *,
        negative_slope: float | Tensor = 0.01,
        learnable: bool = False,
        num_channels: int | None = None,
        channel_dim: int = 1,
        inplace: bool = False,
        detach_code: bool = False,
    ) -> None:
        super().__init__(beta, learnable, num_channels, channel_dim, detach_code, inplace)
        # float32 at least is what every input is computed in, and β.
        slope = check_slope(negative_slope, torch.float32, wait=True)
        if not isinstance(slope, Tensor):
            self.negative_slope = slope
            return
        count = self.num_channels or max(1, slope.numel())
        if slope.shape not in (torch.Size([]), torch.Size([count])):
            needs = "(num_channels,)" if self.num_channels is None else f"(num_channels,) = ({count},)"
            shape = tuple(slope.shape)
            raise ValueError(f"negative_slope must be a number or of shape {needs}, got shape {shape}")
        if isinstance(slope, nn.Parameter):
            self.negative_slope = slope
        else:
            self.register_buffer("negative_slope", slope.detach().clone())

    def forward(self, input: Tensor) -> Tensor:
        """Apply to ``input`` of any shape (with its channels at ``channel_dim``); same shape and dtype."""
        if isinstance(input, Proxy):
            return layer_step(self, input)
        beta = self._clamped_beta(input)
        slope = self.negative_slope
        if isinstance(slope, Tensor):
            slope = along_channels(slope, input, self.channel_dim)
        compute = units.leaky_relu_ if self.inplace else units.leaky_relu
        return compute(input, slope, beta, self.detach_code)

    def extra_repr(self) -> str:
        slope = self.negative_slope
        kept = f"{slope:g}" if not isinstance(slope, Tensor) else f"tensor of shape {tuple(slope.shape)}"
        return f"{super().extra_repr()}, negative_slope={kept}"


class BetaMaxout(BetaModule):
    """:func:`betavq.functional.beta_maxout` with a kept β: the largest entry along a dimension at 1, their mean at 0.

    Args:
        dim: the dimension of the pieces.

    The other arguments, attributes and errors are those of :class:`BetaReLU`; there is one β for all.

    Example:
        >>> import torch
        >>> from betavq.nn import BetaMaxout
        >>> layer = BetaMaxout(dim=1, beta=0.5)
        >>> layer(torch.tensor([[1.0, 2.0, 3.0]])).round(decimals=3)
        tensor([2.5750])
        >>> layer
        BetaMaxout(dim=1, beta=0.5)
    """

    def __init__(self, dim: int = -1, *, beta: float | Tensor = 0.5, learnable: bool = False) -> None:
        super().__init__(beta, learnable=learnable)
        if self.num_channels is not None:
            raise ValueError(f"beta must be a number or of shape (), got shape {tuple(self.beta.shape)}")
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """From ``(..., R, ...)`` to the shape without ``dim``, in the same dtype."""
        if isinstance(input, Proxy):
            return layer_step(self, input)
        return beta_maxout(input, self.dim, beta=self._clamped_beta(input))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, {super().extra_repr()}"


class BetaMaxPool2d(BetaModule):
    """:func:`betavq.functional.beta_max_pool2d` with a kept β: max-pooling at 1, SoftPool at ½, the mean at 0.

    Args:
        kernel_size, stride, padding, dilation, ceil_mode: as in ``nn.MaxPool2d``.
        beta, learnable, num_channels: as in :class:`BetaReLU`; the channels are those of the images.

    Attributes and errors of β are those of :class:`BetaReLU`, errors of the windows those of the function.

    Example:
        >>> import torch
        >>> from betavq.nn import BetaMaxPool2d
        >>> pool = BetaMaxPool2d(2, beta=0.7, learnable=True)
        >>> pool(torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
        >>> pool.set_beta(1.0)(torch.arange(16.0).view(1, 1, 4, 4)).flatten().tolist()
        [5.0, 7.0, 13.0, 15.0]
    """

    _channel_dim = -3
    _pool = staticmethod(beta_max_pool2d)

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        beta: float | Tensor = 0.5,
        learnable: bool = False,
        num_channels: int | None = None,
    ) -> None:
        super().__init__(beta, learnable=learnable, num_channels=num_channels, channel_dim=self._channel_dim)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """From ``(N, C, H, W)`` or ``(C, H, W)`` to the same with windows for places, in the same dtype."""
        if isinstance(input, Proxy):
            return layer_step(self, input)
        windows = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return self._pool(input, *windows, beta=self._clamped_beta(input))

    def extra_repr(self) -> str:
        windows = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        beta = super().extra_repr().removesuffix(f", channel_dim={self.channel_dim}")
        return ", ".join([*(f"{name}={getattr(self, name)}" for name in windows), beta])


class BetaMaxPool1d(BetaMaxPool2d):
    """:class:`BetaMaxPool2d` for sequences, ``(N, C, L)`` or ``(C, L)``: a softened ``nn.MaxPool1d``.

    Example:
        >>> import torch
        >>> from betavq.nn import BetaMaxPool1d
        >>> pool = BetaMaxPool1d(3, stride=1, padding=1, beta=1.0)
        >>> pool(torch.tensor([[1.0, 5.0, 2.0, 4.0]]))
        tensor([[5., 5., 5., 4.]])
    """

    _channel_dim = -2
    _pool = staticmethod(beta_max_pool1d)
