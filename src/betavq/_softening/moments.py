"""What a softened model keeps of moments that were matched: for each site and call a gain and an offset a channel."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .._numerics.dtypes import FULL_DTYPES
from .._numerics.kept_beta import PART, along_channels

BETA, MOMENTS = "softening_beta", "softening_moments"
BETA_THEN = 2  # the row after gains and offsets, of (3, C): β of the site when it was matched
Key = tuple[str, str]  # of a site: the module that calls it, and the attribute of a β of its own


@dataclass(eq=False)
class Matched:
    """The moments of one call: a buffer of one of the model's modules."""

    owner: nn.Module
    attribute: str

    @property
    def tensor(self) -> Tensor:
        return getattr(self.owner, self.attribute)  # type: ignore[no-any-return]

    def apply(self, y: Tensor, beta: float | Tensor, channel_dim: int) -> Tensor:
        """A softened unit's output with the moments that were matched; as it is where β is 1."""
        moved = corrected(y, self.tensor, channel_dim)
        return torch.where(beta < 1, moved, y) if isinstance(beta, Tensor) else moved


def corrected(y: Tensor, moments: Tensor, channel_dim: int) -> Tensor:
    """``gain · y + offset``, channel by channel."""
    gain, offset = (along_channels(row.to(y.device), y, channel_dim) for row in moments[:BETA_THEN])
    return torch.addcmul(offset, y, gain).to(y.dtype)


class _Calls(threading.local):
    """How often each site has been called since its model was."""

    def __init__(self) -> None:
        self.counts: dict[tuple[int, Key], int] = {}


_calls = _Calls()


@dataclass(eq=False)
class Moments:
    """All that is matched of a model, by site; of one that is called many times, call by call."""

    found: dict[Key, list[Matched]] = field(default_factory=dict)

    def restart(self) -> None:
        """The model is called anew."""
        _calls.counts = {key: count for key, count in _calls.counts.items() if key[0] != id(self)}

    def number(self, key: Key) -> int:
        """Which of the site's calls this is, from 0."""
        count = _calls.counts[id(self), key] = _calls.counts.get((id(self), key), 0) + 1
        return count - 1

    def next(self, key: Key) -> Matched | None:
        """What is kept of the call that the site makes now; None where nothing is.

        A checkpoint runs a part of the model once more, and finds that part's first call after its last.
        """
        found = self.found.get(key)
        return None if found is None else found[self.number(key) % len(found)]

    def keep(self, owner: nn.Module, key: Key, moments: Tensor) -> None:
        """Add the moments of a site's next call, as a buffer of the module that calls it."""
        calls = self.found.setdefault(key, [])
        name = key[1].replace(BETA, MOMENTS, 1) + (f"_call{len(calls) + 1}" if calls else "")
        owner.register_buffer(name, moments)
        part = vars(owner)[PART]
        part.betas = (*part.betas, name)
        calls.append(Matched(owner, name))

    def drop(self) -> None:
        """Forget all of them."""
        for matched in (each for calls in self.found.values() for each in calls):
            part = vars(matched.owner).get(PART)
            if part is not None and matched.attribute in part.betas:
                part.betas = tuple(name for name in part.betas if name != matched.attribute)
                delattr(matched.owner, matched.attribute)
        self.found = {}


def adopt(module: nn.Module, state_dict: dict[str, Any], prefix: str) -> None:
    """Make room in a module for the moments of a state that is to be loaded."""
    part = vars(module)[PART]
    names = [key.removeprefix(prefix) for key in state_dict if key.startswith(prefix + MOMENTS)]
    calls = {name: int((re.findall(r"_call(\d+)$", name) or [1])[0]) for name in names}
    for name in sorted(calls, key=lambda name: calls[name]):
        if name not in module._buffers:
            given = state_dict[prefix + name]
            near = next((t for t in (*part.softening.root.parameters(), *part.softening.root.buffers())), given)
            dtype = given.dtype if given.dtype in FULL_DTYPES else torch.float32
            attribute = re.sub(r"_call\d+$", "", name).replace(MOMENTS, BETA, 1)
            part.softening.moments.keep(
                module, (part.name, attribute), torch.zeros_like(given, dtype=dtype, device=near.device)
            )


def is_stale(matched: list[Matched], beta: Tensor) -> bool:
    """Whether β is neither that at which moments were matched nor 1, where they are not used."""
    now = beta.detach().clamp(0, 1)
    return any(bool(((now != each.tensor[BETA_THEN].to(now)) & (now < 1)).any()) for each in matched)


def in_words(matched: list[Matched], beta: Tensor) -> str:
    """For the report: that moments are matched, at which β, and whether β is another one now."""
    low, high = (bound.item() for bound in torch.cat([each.tensor[BETA_THEN] for each in matched]).aminmax())
    then = f"{low:.7g}" if low == high else f"{low:.7g}..{high:.7g}"
    return f"moments matched at β = {then}{', stale' if is_stale(matched, beta) else ''}"
