"""torchvision beside a torch without CUDA: its compiled operators may not load, and no model here needs them."""

from __future__ import annotations

import importlib.util

import torch

if importlib.util.find_spec("torchvision"):
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        # What torchvision asks for while it is imported; kept, for it ends with the object.
        DECLARED = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            DECLARED.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
