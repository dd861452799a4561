"""Copies of models."""

from __future__ import annotations

import copy
from typing import TypeVar

from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)


def copied(model: Model) -> Model:
    """A deep copy, of what ``copy.deepcopy`` refuses too: a weight that a hook computed in the last forward pass.

    Pruning and the old ``weight_norm`` and ``spectral_norm`` leave such weights behind. The copy has hooks of its own,
    which compute them anew.
    """
    computed = {
        id(value): value.detach().clone()
        for module in model.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    return copy.deepcopy(model, computed)
