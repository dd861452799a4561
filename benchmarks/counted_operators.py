"""The operators whose kernels are counted: those of the library, PyTorch's own, and formulas that others published."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import entmax
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import betavq
import betavq.functional as bF
from betavq import MASO, soften
from betavq import nn as bnn
from hardtosoft.results.counted import Counted

from .counts import count
from .rivals import BETA, ETA, IMAGES, WINDOWS

UNITS, SELECTIONS, POOLS, LAYERS = "units", "selections", "pools", "layers"


def every_count(only: str = "") -> Iterator[Counted]:
    """Count each operator whose name holds ``only``."""
    layers: list[tuple[str, str, object, Tensor]] = [
        *((UNITS, name, layer, torch.randn(16, 64, 32, 32)) for name, layer in units().items()),
        *((UNITS, f"{name}, 16 bits", layer, torch.randn(16, 64, 32, 32).half()) for name, layer in halves().items()),
        *((SELECTIONS, name, layer, torch.randn(65536, 16)) for name, layer in selections().items()),
        *((POOLS, name, layer, torch.randn(IMAGES)) for name, layer in pools().items()),
    ]
    for group, name, layer, x in layers:
        if only in name:
            yield count(group, name, layer, x, _learned(layer))  # type: ignore[arg-type]
    x, maso, linear = (
        torch.randn(512, 256),
        MASO(torch.randn(256, 4, 256) / 16, torch.randn(256, 4)),
        nn.Linear(256, 1024),
    )
    of_pieces = {"nn.Linear(D, K·R)": linear, "MASO at 1": partial(maso, beta=1.0), "MASO": partial(maso, beta=BETA)}
    for name, layer in of_pieces.items():
        parameters = [*(linear if layer is linear else maso).parameters()]
        if only in name:
            yield count(LAYERS, name, layer, x, parameters, unit=512 * 1024 * 4)


def _learned(layer: object) -> list[Tensor]:
    if isinstance(layer, nn.Module):
        return list(layer.parameters())
    return [
        each for each in getattr(layer, "keywords", {}).values() if isinstance(each, Tensor) and each.requires_grad
    ]


def units() -> dict[str, object]:
    """Units of two pieces, element by element."""
    tensor, learned = torch.tensor(BETA), torch.tensor(BETA, requires_grad=True)
    return {
        "F.relu": F.relu,
        "F.silu": F.silu,
        "x * sigmoid(b * x)": lambda x: x * torch.sigmoid(ETA * x),
        "curvature tuning": curvature_tuning,
        "beta_relu": partial(bF.beta_relu, beta=BETA),
        "beta_relu at ½": partial(bF.beta_relu, beta=0.5),
        "beta_relu at 1": partial(bF.beta_relu, beta=1.0),
        "beta_relu, tensor β": partial(bF.beta_relu, beta=tensor),
        "beta_relu, 64 β": partial(bF.beta_relu, beta=torch.full((64, 1, 1), BETA)),
        "beta_relu, learnable β": partial(bF.beta_relu, beta=learned),
        "BetaReLU": bnn.BetaReLU(BETA),
        "BetaReLU at 1": bnn.BetaReLU(1.0),
        "BetaReLU, learnable": bnn.BetaReLU(BETA, learnable=True),
        "BetaReLU, 64 learnable": bnn.BetaReLU(BETA, learnable=True, num_channels=64),
        "nn.PReLU(64)": nn.PReLU(64),
        "beta_leaky_relu": partial(bF.beta_leaky_relu, beta=BETA),
        "beta_abs": partial(bF.beta_abs, beta=BETA),
        "softened nn.ReLU": soften(nn.Sequential(nn.ReLU()), beta=BETA),
        "softened nn.ReLU, in place": _after_copy(soften(nn.Sequential(nn.ReLU(inplace=True)), beta=BETA)),
        "softened nn.ReLU, learnable": soften(nn.Sequential(nn.ReLU()), beta=BETA, learnable=True),
    }


def halves() -> dict[str, object]:
    """Units again, of float16."""
    return {"F.silu": F.silu, "beta_relu": partial(bF.beta_relu, beta=BETA)}


def _after_copy(model: nn.Module) -> nn.Module:
    return nn.Sequential(_Copy(), model)


class _Copy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


def curvature_tuning(x: Tensor) -> Tensor:
    """The published formula of Curvature Tuning at β and c = ½."""
    return 0.5 * torch.sigmoid(ETA * x) * x + 0.5 * F.softplus(x, 1 / (1 - BETA))


def selections() -> dict[str, object]:
    """Selections along the last dimension."""
    return {
        "torch.softmax(b * z)": lambda z: torch.softmax(ETA * z, -1),
        "entmax.sparsemax": lambda z: entmax.sparsemax(ETA * z),
        "code": partial(betavq.code, beta=BETA),
        "code at 1": partial(betavq.code, beta=1.0),
        "code, quadratic": partial(betavq.code, beta=BETA, entropy="quadratic"),
        "(softmax(b * z) * z).sum": lambda z: (torch.softmax(ETA * z, -1) * z).sum(-1),
        "value": partial(betavq.value, beta=BETA),
        "value, quadratic": partial(betavq.value, beta=BETA, entropy="quadratic"),
        "torch.amax": lambda z: z.amax(-1),
        "beta_maxout": partial(bF.beta_maxout, beta=BETA),
        "logsumexp(b * z) / b": lambda z: torch.logsumexp(ETA * z, -1) / ETA,
        "free_energy": partial(betavq.free_energy, beta=BETA),
    }


def pools() -> dict[str, object]:
    """Pools of images."""
    found: dict[str, object] = {}
    for kernel, stride, padding in WINDOWS:
        windows = {"kernel_size": kernel, "stride": stride, "padding": padding}
        found |= {
            f"F.max_pool2d k{kernel}": partial(F.max_pool2d, **windows),
            f"SoftPool's formula k{kernel}": partial(soft_pool, **windows),
            f"beta_max_pool2d k{kernel}": partial(bF.beta_max_pool2d, **windows, beta=BETA),
            f"BetaMaxPool2d k{kernel}": bnn.BetaMaxPool2d(kernel, stride, padding, beta=BETA),
            f"softened nn.MaxPool2d k{kernel}": soften(
                nn.Sequential(nn.MaxPool2d(kernel, stride, padding)), beta=BETA
            ),
        }
    return found


def soft_pool(x: Tensor, kernel_size: int, stride: int, padding: int) -> Tensor:
    """The published formula of SoftPool, which overflows where b * x does."""
    weights = torch.exp(ETA * x)
    sums, totals = (F.avg_pool2d(each, kernel_size, stride, padding) for each in (x * weights, weights))
    return sums / totals
