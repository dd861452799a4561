"""The β that a module keeps in a parameter or buffer, where a step of an optimiser may carry it out of [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .dtypes import FULL_DTYPES
from .eager import has_values, is_plain
from .hardness import clamp_beta, read_eta

#: Where a module keeps what softening has made of it.
PART = "_softened_part"
_VALUES = "_beta_values"


def read_beta(kept: Tensor) -> float:
    """The one number that is kept, within [0, 1]."""
    return min(max(kept.item(), 0.0), 1.0)


@dataclass
class Calls:
    """How many calls of a model there have been, this one included."""

    count: int = 1


class FixedBeta:
    """A β that is not learned, as a number.

    On an accelerator a read waits: there it is read when a second call meets it as it is, and then no more. So a β
    that changes at every step, by a schedule or as DistributedDataParallel sends buffers around, is never read.
    """

    def __init__(self) -> None:
        self._met: tuple[Tensor, int, int] | None = None
        self._number: float | None = None

    def number(self, beta: Tensor, calls: Calls | None = None) -> float | None:
        """β within [0, 1], or None where it takes part as a tensor.

        Args:
            beta: the tensor that is kept.
            calls: of a model, each of which may meet the tensor more than once; None if each call meets it once.
        """
        if beta.requires_grad or beta.dim() > 0:
            return None
        if has_values(beta, wait=False):
            return read_beta(beta)
        if not has_values(beta, wait=True) or beta.is_inference():  # which does not tell when it changes
            return None
        version, call = beta._version, calls.count if calls else 0
        if self._met is None or self._met[0] is not beta or self._met[1] != version:
            self._met, self._number = (beta, version, call), None
        elif self._number is None and (call == 0 or call != self._met[2]) and not _is_capturing(beta):
            self._number = read_beta(beta)
        return self._number

    def __reduce__(self) -> tuple[type[FixedBeta], tuple[()]]:
        return FixedBeta, ()  # a copy has another β


def _is_capturing(tensor: Tensor) -> bool:
    return tensor.is_cuda and torch.cuda.is_current_stream_capturing()


def lasting(beta: Tensor) -> Tensor:
    """β as a tensor that tells when it changes, which one made in inference mode does not."""
    if not beta.is_inference():
        return beta
    with torch.inference_mode(False):
        return beta.clone()


def used_beta(kept: Tensor) -> Tensor:
    """The β that is kept as it is used: within [0, 1]."""
    # Of a β within (0, 1) the clamp lets value and gradients through; to find that out takes less than the clamp.
    if kept.requires_grad and is_plain(kept) and _is_inside(kept):
        return kept
    return clamp_beta(kept)


def _is_inside(beta: Tensor) -> bool:
    _, low, high = read_eta(beta)
    return 0 < low <= high < math.inf


def along_channels(values: Tensor, input: Tensor, channel_dim: int) -> Tensor:
    """View one number per channel so that it broadcasts against ``input``; a 0-dim tensor stays.

    Raises:
        ValueError: an input of another number of channels.
    """
    if values.dim() == 0:
        return values
    size = values.shape[0]
    if not -input.dim() <= channel_dim < input.dim() or input.shape[channel_dim] != size:
        needs = f"num_channels={size} at channel_dim={channel_dim}"
        raise ValueError(f"input must have {needs}, got shape {tuple(input.shape)}")
    shape = [1] * input.dim()
    shape[channel_dim] = size
    return values.view(shape)


def fill_beta(kept: Tensor, beta: float | Tensor) -> None:
    """Put a new β in the place of the one that is kept."""
    with torch.no_grad():
        # fill_ takes the number as it is; a tensor made of it would round to the default dtype.
        kept.copy_(beta) if isinstance(beta, Tensor) else kept.fill_(beta)


def beta_in_words(kept: Tensor) -> str:
    """The β that is kept, or the smallest and the largest; a question mark where it has no value to read."""
    if not has_values(kept, wait=True):
        return "?"
    low, high = (bound.item() for bound in kept.detach().aminmax())
    # Seven digits tell every float32 below 1 from 1, and 0.1 from its neighbours.
    return f"{low:.7g}" if low == high else f"{low:.7g}..{high:.7g}"


# Memory on the meta device holds no values: beside it stands what it would hold, for the day it becomes real.


def remember(module: nn.Module, name: str, beta: float | Tensor) -> None:
    """Keep the value of a β that is on the meta device."""
    if not (isinstance(beta, Tensor) and beta.is_meta):
        value = beta.detach().to("cpu", copy=True) if isinstance(beta, Tensor) else beta
        vars(module)[_VALUES] = {**vars(module).get(_VALUES, {}), name: value}


def value_of(module: nn.Module, name: str) -> Tensor:
    """The β that a module keeps, or what is remembered of it."""
    kept: Tensor = getattr(module, name).detach()
    value = vars(module).get(_VALUES, {}).get(name) if kept.is_meta else None
    return kept if value is None else torch.as_tensor(value, dtype=kept.dtype, device="cpu").expand(kept.shape)


def prepare_load(module: nn.Module, name: str, state_dict: dict[str, Any], prefix: str) -> None:
    """Make the β of a state one that the module may take as it is, with ``assign=True``, and remember it if need be.

    It stays in a dtype that is kept, and does not make a buffer a parameter.
    """
    loaded = state_dict.get(prefix + name)
    if not isinstance(loaded, Tensor):
        return
    if name not in module._parameters or loaded.dtype not in FULL_DTYPES:
        loaded = loaded.detach()
        state_dict[prefix + name] = loaded if loaded.dtype in FULL_DTYPES else loaded.float()
    if getattr(module, name).is_meta:
        remember(module, name, loaded)


def keeping(module: nn.Module, names: Iterable[str], move: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """``move``, which casts and moves the tensors of a module, so that each β keeps its value and full precision.

    Where memory is made anew (``to_empty``), β would be any number, which no strict load of other weights minds.
    """
    betas = {name: module._parameters.get(name, module._buffers.get(name)) for name in names}

    def keep(tensor: Tensor) -> Tensor:
        moved = move(tensor)
        for name, beta in betas.items():
            if beta is not None and tensor is beta.grad and moved.dtype not in FULL_DTYPES:
                return tensor.to(device=moved.device, dtype=torch.float32)
            if tensor is beta and moved is not tensor:
                if moved.dtype not in FULL_DTYPES:
                    moved = torch.empty_like(tensor, dtype=torch.float32, device=moved.device)
                value = value_of(module, name)
                if moved.is_meta:
                    remember(module, name, value)
                elif has_values(moved, wait=True):
                    fill_beta(moved, math.nan if value.is_meta else value)
                moved = moved if beta.requires_grad else lasting(moved)
        return moved

    return keep
