"""What the modules share: a β that is checked when set, kept in full precision and clamped when used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ._numerics.checks import check_beta, check_count, check_flag, check_floating, check_integer
from ._numerics.dtypes import FULL_DTYPES
from ._numerics.eager import has_values
from ._numerics.kept_beta import (
    FixedBeta,
    along_channels,
    beta_in_words,
    fill_beta,
    keeping,
    lasting,
    prepare_load,
    remember,
    used_beta,
)


class BetaModule(nn.Module):
    """A module with a parameter or buffer ``beta`` of shape ``()`` or ``(num_channels,)``."""

    beta: Tensor
    _is_replica: bool = False  # nn.Module sets it on the copies that nn.DataParallel makes
    _is_loading: bool = False

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
        check_integer("channel_dim", channel_dim)
        if num_channels is not None:
            check_count("num_channels", num_channels)
        start = torch.as_tensor(beta, dtype=torch.float32).detach()
        shape = start.shape if num_channels is None else torch.Size([num_channels])
        if start.dim() > 1 or (start.dim() == 1 and (start.shape != shape or start.numel() == 0)):
            needs = "(num_channels,)" if num_channels is None else f"(num_channels,) = ({num_channels},)"
            raise ValueError(f"beta must be a number or of shape {needs}, got shape {tuple(start.shape)}")
        self.channel_dim = channel_dim
        start = start.expand(shape).clone()
        if learnable:
            self.beta = nn.Parameter(start)
        else:
            self.register_buffer("beta", lasting(start))
        self._fixed_beta = FixedBeta()
        if start.is_meta:
            remember(self, "beta", beta)

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

        ``module.beta = 0.3`` does the same. An optimiser that holds the parameter keeps it. On the meta device the
        value is remembered until there is memory for it (``to_empty``). A parametrised β is set through its
        parametrisation.

        Raises:
            ValueError: ``beta`` outside [0, 1], NaN, or of a shape that does not fit.
            TypeError: ``beta`` not a number or floating tensor.
        """
        new = check_beta(beta, wait=True)
        kept = self.beta
        if isinstance(new, Tensor) and new.dim() > 0 and new.shape != kept.shape:
            raise ValueError(f"beta must have shape {tuple(kept.shape)} or (), got {tuple(new.shape)}")
        if is_parametrized(self, "beta"):
            kept = torch.empty_like(kept)
            fill_beta(kept, new)
            super().__setattr__("beta", kept)
        else:
            fill_beta(kept, new)
            if kept.is_meta:
                remember(self, "beta", new)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        # ``module.beta = 0.3`` sets the value. A Parameter takes the place of the tensor, and so does what
        # nn.DataParallel and load_state_dict(assign=True) put there.
        if name != "beta" or self._is_replica or self._is_loading:
            super().__setattr__(name, value)
        elif isinstance(value, nn.Parameter):
            super().__setattr__(name, self._checked_parameter(value))
        elif is_parametrized(self, "beta") or "beta" in self._parameters or "beta" in self._buffers:
            self.set_beta(value)
        else:  # a tool that computes β has taken the parameter away, as in torch.nn.utils.prune
            super().__setattr__(name, value)

    def _checked_parameter(self, new: nn.Parameter) -> nn.Parameter:
        """Any value but NaN is taken, since an optimiser may have left β outside [0, 1]."""
        check_floating("beta", new)
        if hasattr(self, "beta") and new.shape != self.beta.shape:
            raise ValueError(f"beta must have shape {tuple(self.beta.shape)}, got a Parameter of {tuple(new.shape)}")
        if has_values(new, wait=True) and bool(new.isnan().any()):
            raise ValueError("beta must be in [0, 1], got nan")
        return new if new.dtype in FULL_DTYPES else nn.Parameter(new.detach().float(), new.requires_grad)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *others: Any
    ) -> None:
        prepare_load(self, "beta", state_dict, prefix)  # β is taken as it is
        self._is_loading = True
        try:
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)
        finally:
            del self._is_loading

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Every move and cast of a module comes through here.
        super()._apply(keeping(self, ("beta",), fn), recurse)  # type: ignore[no-untyped-call]
        return self

    def _clamped_beta(self, input: Tensor) -> float | Tensor:
        """β within [0, 1], shaped to broadcast against ``input``; a number if it can be read and is not learned."""
        check_floating("input", input)
        beta = self.beta
        number = self._fixed_beta.number(beta)
        if number is not None:
            return number
        return along_channels(used_beta(beta), input, self.channel_dim)

    def extra_repr(self) -> str:
        text = f"beta={beta_in_words(self.beta)}"
        if self.learnable:
            text += ", learnable=True"
        if self.num_channels is not None:
            text += f", num_channels={self.num_channels}"
        return text if self.channel_dim == 1 else f"{text}, channel_dim={self.channel_dim}"


class BetaUnit(BetaModule):
    """What the units of two pieces share: how the backward pass takes their code, and where the result goes."""

    detach_code: bool = False
    inplace: bool = False

    def __init__(
        self,
        beta: float | Tensor,
        learnable: bool,
        num_channels: int | None,
        channel_dim: int,
        detach_code: bool,
        inplace: bool = False,
    ) -> None:
        super().__init__(beta, learnable=learnable, num_channels=num_channels, channel_dim=channel_dim)
        check_flag("detach_code", detach_code)
        check_flag("inplace", inplace)
        self.detach_code, self.inplace = detach_code, inplace

    def extra_repr(self) -> str:
        flags = [f", {name}=True" for name in ("inplace", "detach_code") if getattr(self, name)]
        return super().extra_repr() + "".join(flags)
