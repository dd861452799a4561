"""How sites are found before the model is used: its modules by their type, its calls by running it on examples."""

from __future__ import annotations

from torch import nn

from ._soften_calls import _INDICES
from ._soften_state import Softening

MODULES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky_relu",
    nn.PReLU: "prelu",
    nn.MaxPool1d: "max_pool1d",
    nn.MaxPool2d: "max_pool2d",
}


def module_site(module: nn.Module) -> tuple[str, str] | None:
    """Of a module that is a site by itself, the kind, and why it is left alone (empty if it is not)."""
    kind = MODULES.get(type(module))
    if kind is not None:
        return kind, _INDICES if getattr(module, "return_indices", False) else ""
    return None


def look(softening: Softening) -> None:
    """Say what the report may lack before the model has run."""
    softening.unseen = "Calls within forward are listed as soon as the model has made them."
