"""Whose code makes a call that is intercepted."""

from __future__ import annotations

import sys
from types import FrameType

import torch

# Where a call passes through on its way, and whose calls are means to another end.
_PASSING = ("torch.nn.functional", "torch.overrides", "torch._tensor", "torch._jit_internal", "torch.functional")
_FOREIGN = ("betavq.", "torch.distributions.")


def is_foreign() -> bool:
    """Whether the call that is intercepted is made by a unit of betavq, or by a distribution."""
    return not torch.compiler.is_compiling() and _caller().startswith(_FOREIGN)


def _caller() -> str:
    """The module whose code makes the call: the first beyond softening itself and what a call passes through."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name not in _PASSING and not name.startswith(__package__):
            return name
        frame = frame.f_back
    return ""
