"""Module faces of :mod:`betavq.functional`: the same nonlinearities with a β that is kept, and may be learned."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from ._checks import check_beta, check_floating, check_number, has_values
from ._hardness import clamp_beta
from .functional import _beta_abs, _beta_leaky_relu, _beta_relu

__all__ = ["BetaAbs", "BetaLeakyReLU", "BetaReLU"]


class _BetaModule(nn.Module):
    """What the three modules share: a β that is checked when set, kept in full precision and clamped when used."""

    beta: Tensor

    def __init__(
        self,
        beta: float | Tensor = 0.5,
        *,
        learnable: bool = False,
        num_channels: int | None = None,
        channel_dim: int = 1,
    ) -> None:
        super().__init__()
        beta = check_beta(beta, wait=True)
        _check_integer("channel_dim", channel_dim)
        if num_channels is not None:
            _check_integer("num_channels", num_channels)
            if num_channels < 1:
                raise ValueError(f"num_channels must be at least 1, got {num_channels}")
        start = torch.as_tensor(beta, dtype=torch.float32).detach()
        shape = start.shape if num_channels is None else torch.Size([num_channels])
        if start.dim() > 1 or (start.dim() == 1 and start.shape != shape):
            needs = "(num_channels,)" if num_channels is None else f"(num_channels,) = ({num_channels},)"
            raise ValueError(f"beta must be a number or of shape {needs}, got shape {tuple(start.shape)}")
        self.channel_dim = channel_dim
        start = start.expand(shape).clone()
        if learnable:
            self.beta = nn.Parameter(start)
        else:
            self.register_buffer("beta", start)

    @property
    def learnable(self) -> bool:
        """Whether β is a parameter (else it is a buffer)."""
        return "beta" in self._parameters

    @property
    def num_channels(self) -> int | None:
        """How many β there are along ``channel_dim``; None for one β shared by all."""
        return None if self.beta.dim() == 0 else self.beta.shape[0]

    def set_beta(self, beta: float | Tensor) -> Self:
        """Set β in place, for all channels (a number) or for each (shape ``(num_channels,)``); return the module.

        ``module.beta = 0.3`` does the same. An optimiser that holds the parameter keeps it.

        Raises:
            ValueError: ``beta`` outside [0, 1], NaN, or of a shape that does not fit.
            TypeError: ``beta`` not a number or floating tensor.
        """
        new = torch.as_tensor(check_beta(beta, wait=True))
        if new.dim() > 0 and new.shape != self.beta.shape:
            raise ValueError(f"beta must have shape {tuple(self.beta.shape)} or (), got {tuple(new.shape)}")
        with torch.no_grad():
            self.beta.copy_(new)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        # ``module.beta = 0.3`` sets the value. What replaces the tensor goes on to nn.Module: a Parameter, and what
        # load_state_dict(assign=True) puts in the place of a tensor without storage.
        registered = name == "beta" and ("beta" in self._parameters or "beta" in self._buffers)
        if registered and not isinstance(value, nn.Parameter) and not self.beta.is_meta:
            self.set_beta(value)
            return
        if name == "beta" and value.dtype not in (torch.float32, torch.float64):
            value = nn.Parameter(value.float()) if isinstance(value, nn.Parameter) else value.float()
        super().__setattr__(name, value)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Every move and cast of a module comes through here. Half precision would round β = 0.999 to 1.
        kept = (self.beta, self.beta.grad)

        def apply(tensor: Tensor) -> Tensor:
            applied = fn(tensor)
            if applied.dtype in (torch.float32, torch.float64) or not any(tensor is k for k in kept):
                return applied
            return tensor.to(device=applied.device, dtype=torch.float32)

        super()._apply(apply, recurse)  # type: ignore[no-untyped-call]
        return self

    def _clamped_beta(self, input: Tensor) -> Tensor:
        """β within [0, 1], shaped to broadcast against ``input``."""
        check_floating("input", input)
        return self._along_channels(clamp_beta(self.beta), input)

    def _along_channels(self, values: Tensor, input: Tensor) -> Tensor:
        """View one number per channel so that it broadcasts against ``input``; a 0-dim tensor stays."""
        if values.dim() == 0:
            return values
        d, size = self.channel_dim, values.shape[0]
        if not -input.dim() <= d < input.dim() or input.shape[d] != size:
            raise ValueError(f"input must have num_channels={size} at channel_dim={d}, got shape {tuple(input.shape)}")
        shape = [1] * input.dim()
        shape[d] = size
        return values.view(shape)

    def extra_repr(self) -> str:
        known = has_values(self.beta, wait=True)
        low, high = (f"{b:.4g}" for b in self.beta.detach().aminmax()) if known else ("?", "?")
        text = f"beta={low}" if low == high else f"beta={low}..{high}"
        if self.learnable:
            text += ", learnable=True"
        if self.num_channels is not None:
            text += f", num_channels={self.num_channels}"
        return text if self.channel_dim == 1 else f"{text}, channel_dim={self.channel_dim}"


def _check_integer(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")


class BetaReLU(_BetaModule):
    """:func:`betavq.functional.beta_relu` with a kept β: ReLU at 1, SiLU at ½, u/2 at 0.

    Attributes:
        beta: β itself (not η or a logit), a parameter if ``learnable`` else a buffer; of shape ``()`` or
            ``(num_channels,)``; the key in ``state_dict``. It stays float32 under ``.half()`` and the like, and
            follows ``.double()``.

    Forward uses β clamped to [0, 1]; backward drops only gradients that point outward, so a learnable β that a step
    carried past an end can come back. At β = 1 the nonlinearity's own derivative in β is 0: there only something
    else (a penalty on ``beta``, weight decay, momentum) moves it. ``module.beta = 0.3`` sets the value and checks
    it. Assigning a ``Parameter`` or loading a state takes β as it is, since an optimiser may have left it outside.

    Args:
        beta: hardness in [0, 1]; a number, or a tensor of shape ``()`` or ``(num_channels,)``.
        learnable: whether β is a parameter.
        num_channels: one β for each entry of the input's dimension ``channel_dim``; taken from a ``beta`` of shape
            ``(num_channels,)`` when left out. None: one β for all.
        channel_dim: the dimension along which the channels lie; may be negative.

    Raises:
        ValueError: ``beta`` outside [0, 1] or of another shape; in forward, an input whose channels do not fit.
        TypeError: an argument of another kind; in forward, an input that is not a floating tensor.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply to ``input`` of any shape (with its channels at ``channel_dim``); same shape and dtype."""
        return _beta_relu(input, self._clamped_beta(input))


class BetaAbs(_BetaModule):
    """:func:`betavq.functional.beta_abs` with a kept β: |u| at 1, u·tanh u at ½, 0 at 0.

    Arguments, attributes and errors are those of :class:`BetaReLU`.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply to ``input`` of any shape (with its channels at ``channel_dim``); same shape and dtype."""
        return _beta_abs(input, self._clamped_beta(input))


class BetaLeakyReLU(_BetaModule):
    """:func:`betavq.functional.beta_leaky_relu` with a kept β: leaky ReLU at 1, its mean slope at 0.

    Args:
        negative_slope: ν, a finite number, or a tensor of shape ``()`` or ``(num_channels,)`` with one slope for
            each channel along ``channel_dim`` (which may share one β). A tensor is kept as a buffer, a ``Parameter``
            as a parameter (a β-VQ PReLU).

    The other arguments, attributes and errors are those of :class:`BetaReLU`.
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
    ) -> None:
        super().__init__(beta, learnable=learnable, num_channels=num_channels, channel_dim=channel_dim)
        if not isinstance(negative_slope, Tensor):
            largest = torch.finfo(torch.float64).max
            self.negative_slope = check_number("negative_slope", negative_slope, -largest, largest, "finite")
            return
        check_floating("negative_slope", negative_slope)
        count = self.num_channels or negative_slope.numel()
        if negative_slope.shape not in (torch.Size([]), torch.Size([count])):
            shape = tuple(negative_slope.shape)
            raise ValueError(f"negative_slope must be a number or of shape (num_channels,), got shape {shape}")
        if isinstance(negative_slope, nn.Parameter):
            self.negative_slope = negative_slope
        else:
            self.register_buffer("negative_slope", negative_slope.detach().clone())

    def forward(self, input: Tensor) -> Tensor:
        """Apply to ``input`` of any shape (with its channels at ``channel_dim``); same shape and dtype."""
        beta = self._clamped_beta(input)
        slope = self.negative_slope
        if isinstance(slope, Tensor):
            slope = self._along_channels(slope, input)
        return _beta_leaky_relu(input, slope, beta)

    def extra_repr(self) -> str:
        slope = self.negative_slope
        kept = f"{slope:g}" if not isinstance(slope, Tensor) else f"tensor of shape {tuple(slope.shape)}"
        return f"{super().extra_repr()}, negative_slope={kept}"
