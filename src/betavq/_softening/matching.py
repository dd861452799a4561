r"""Matched moments: each softened unit puts out, channel by channel, the mean and spread that the hard one has.

A site's softened output y becomes g y + o, with g and o such that over given images each channel has the mean μ and
standard deviation s of the hard network's: g = s/s', o = μ − g μ', where μ' and s' are the softened unit's once all
sites before it are matched.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .._numerics.dtypes import FULL_DTYPES
from .betas import softenings_of
from .checks import checked_betas
from .meters import check_images, metered
from .moments import Key, corrected
from .state import Met, Softening, Unit

Model = TypeVar("Model", bound=nn.Module)
FEW = 32  # images, of which a spread is known to some ten per cent
FLOOR = 0.01  # of a site's spread: what a channel's counts as at least


def match_moments(softened: Model, images: Tensor, *, batch_size: int = 512) -> Model:
    r"""Give each channel of each softened unit the mean and standard deviation that the hard one has on ``images``.

    What breaks first in a softened network are the statistics of its layers: a soft unit puts out less than the ReLU
    (:math:`u\,\sigma(\eta u) \le \max(0, u)`), and layer after layer the shifts pile up. Here each site's output y
    becomes, in each channel,

    .. math:: y \mapsto \frac{s}{s'}\,(y - \mu') + \mu,

    with μ and s the mean and standard deviation of the hard network's unit on the images, and μ', s' those of the
    softened one, once the sites before it are matched. No labels are used, no gradients, and no weight is changed; a
    few hundred images will do. Channels are dimension 1 of an output (−3 and −2 for pooling). A site that is called
    many times in a forward pass is matched call by call. Where a channel hardly varies, its spread counts as a
    hundredth of its site's.

    The numbers become buffers of the modules that call the sites, and so part of ``state_dict``; a copy that
    :func:`soften` has just made takes them from there. At β = 1 nothing is changed, bit for bit, and :func:`harden`
    removes them. They are for the β at which they were matched: a later :func:`set_beta` warns, and :func:`report`
    says, that they are stale.

    It takes a forward pass of the hard network, and one of the softened if all images fit into one batch; else one
    each site, up to that site.

    Args:
        softened: what :func:`soften` returned, at the β that is to be used; changed in place. It runs in eval mode.
        images: what the model takes, ``(N, ...)``, not used to test it later on.
        batch_size: images that run at a time.

    Returns:
        ``softened``.

    Raises:
        ValueError: a model without a softened part; no image.
        TypeError: not a module, not a tensor.

    Warns:
        UserWarning: fewer than 32 images.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> import betavq
        >>> _ = torch.manual_seed(0)
        >>> net, images = nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.randn(100, 4)
        >>> soft = betavq.match_moments(betavq.soften(net, beta=0.5), images)
        >>> torch.allclose(soft(images).mean(0), net(images).mean(0), atol=1e-5)
        True
        >>> print(betavq.report(soft))
        1 site replaced, 0 left alone; smoothing value, share all, β = 0.5
          1  relu  replaced, moments matched at β = 0.5
    """
    checked_betas(softened)
    softenings = list(softenings_of(softened))
    if not softenings:
        raise ValueError("softened must be what betavq.soften returned, or hold such a part; got layers of betavq.nn")
    batches = check_images(images, batch_size)
    if len(images) < FEW:
        warnings.warn(
            f"images should be {FEW} at least, for their moments to be known, got {len(images)}", stacklevel=2
        )
    for softening in softenings:
        softening.moments.drop()
    meters = [_Matching(softening, is_single=len(batches) == 1) for softening in softenings]
    with metered(softened, softenings, meters):
        while not all(meter.is_done for meter in meters):
            for number, batch in enumerate(batches, 1):
                _run(softened, batch, meters, is_last=number == len(batches))
            for meter in meters:
                meter.end_pass()
    for meter in meters:
        meter.keep()
    return softened


def _run(model: nn.Module, batch: Tensor, meters: list[_Matching], *, is_last: bool) -> None:
    for meter in meters:
        meter.is_last = is_last
        meter.softening.moments.restart()
    with suppress(_Far):
        model(batch)


class _Far(BaseException):
    """The pass has come as far as it is needed. No model's own ``except Exception`` is to catch it."""


class _Sums:
    """Count, means and sums of squares about them, channel by channel, in float64."""

    def __init__(self) -> None:
        self.count: Any = 0.0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, y: Tensor, channel_dim: int) -> None:
        """More outputs."""
        rows = y.detach().movedim(channel_dim, 0).flatten(1).double()
        count, mean = rows.shape[1], rows.mean(1)
        squares = (rows - mean[:, None]).square().sum(1)
        shift, total = mean - self.mean, self.count + count
        self.squares = self.squares + squares + shift.square() * self.count * count / total
        self.mean, self.count = self.mean + shift * count / total, total

    def spread(self) -> Tensor:
        """Standard deviations, each at least a hundredth of that of the site."""
        variance: Tensor = self.squares / self.count
        site = variance.mean().sqrt()
        return variance.sqrt().clamp_min(FLOOR * site.item())


class _Matching:
    """The meter: first it looks at the hard network, then it matches the softened one site by site."""

    def __init__(self, softening: Softening, *, is_single: bool) -> None:
        self.softening, self.is_single = softening, is_single
        self.is_last = self.is_done = False
        self.is_hard, self.has_met = True, False
        self.hard: dict[tuple[Key, int], _Sums] = {}
        self.soft: dict[tuple[Key, int], _Sums] = {}
        self.moments: dict[tuple[Key, int], Tensor] = {}
        self.met: dict[Key, str] = {}

    def meet(self, unit: Unit, key: Key, name: str, hard: Callable[[], Any]) -> Tensor:
        """The output of a call; ends the pass where the images of other batches are needed."""
        if self.is_hard:
            return self._hard(unit, key, name, hard)
        beta, call = unit.beta, (key, self.softening.moments.number(key))
        if not isinstance(beta, Tensor) and beta == 1:
            return _first(hard())
        y = unit.soft()
        if call in self.moments:
            return y.copy_(corrected(y, self.moments[call], unit.channel_dim))
        if call not in self.hard:
            return y
        self.has_met = True
        self.soft.setdefault(call, _Sums()).add(y, unit.channel_dim)
        if not self.is_last:
            raise _Far
        self.moments[call] = self._moments(call, beta, y)
        if not self.is_single:
            raise _Far
        return y.copy_(corrected(y, self.moments[call], unit.channel_dim))

    def _hard(self, unit: Unit, key: Key, name: str, hard: Callable[[], Any]) -> Tensor:
        y = _first(hard())
        self.met[key] = name
        self.hard.setdefault((key, self.softening.moments.number(key)), _Sums()).add(y, unit.channel_dim)
        return y

    def _moments(self, call: tuple[Key, int], beta: float | Tensor, y: Tensor) -> Tensor:
        hard, soft = self.hard[call], self.soft[call]
        gain = hard.spread() / soft.spread().clamp_min(torch.finfo(torch.float64).tiny)
        then = torch.as_tensor(beta, dtype=gain.dtype, device=gain.device).detach().flatten().expand(len(gain))
        rows = torch.stack([gain, hard.mean - gain * soft.mean, then])
        return rows.to(y.dtype if y.dtype in FULL_DTYPES else torch.float32)

    def end_pass(self) -> None:
        """After all batches."""
        self.is_done = not self.is_hard and (self.is_single or not self.has_met)
        self.is_hard = self.has_met = False

    def keep(self) -> None:
        """Make buffers of what was found."""
        root, moments = self.softening.root, self.softening.moments
        for (key, _), rows in sorted(self.moments.items(), key=lambda item: item[0][1]):
            self.softening.met.setdefault(self.met[key], Met(*key))
            moments.keep(root.get_submodule(key[0]), key, rows)


def _first(found: Any) -> Tensor:
    """The output of a pooling that would give its indices too."""
    y: Tensor = found[0] if isinstance(found, tuple) else found
    return y
