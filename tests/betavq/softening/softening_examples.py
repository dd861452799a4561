"""Models written as their kinds are written by others: shared, nested, in place, functional, with branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.resnet import Block


class ResNet(nn.Module):
    """The layout of the usual residual networks: 1 + 3 ReLU modules, a max-pooling."""

    def __init__(self, planes: int = 8, blocks: int = 2, classes: int = 5) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(*(Block(planes, planes, 1) for _ in range(blocks)))
        self.layer2 = nn.Sequential(Block(planes, planes, 2))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(planes, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self._forward_impl(x)

    def _forward_impl(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layer2(self.layer1(x))), 1))


class BuiltInForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.ReLU()(self.first(x))
        x = nn.MaxPool2d(2)(nn.LeakyReLU(0.1)(self.second(x)))
        return nn.Sequential(nn.Flatten(), nn.ReLU())(x)


class Inception(nn.Module):
    """Functions for all, and a head that is used in training alone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.bn = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8, eps=0.001)
        self.left, self.right, self.pooled = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 4, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.head, self.auxiliary = nn.Linear(12, 5), nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn(self.stem(x)), inplace=True)
        x = F.max_pool2d(x, kernel_size=3, stride=2)
        pooled = F.max_pool2d(x, 3, 1, padding=1)
        x = torch.cat([F.relu(self.left(x)), F.relu(self.right(x)), F.relu(self.pooled(pooled))], 1).mean((2, 3))
        x = F.dropout(x, 0.0, self.training)
        return self.head(x) + F.relu(self.auxiliary(x)) if self.training else self.head(x)


def vgg() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 6), (6, 8)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        layers += [nn.MaxPool2d(2, 2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 10), nn.ReLU(True), nn.Dropout(0.0), nn.Linear(10, 5))


class AbsAndSlopes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.slopes, self.second = nn.Conv2d(3, 6, 3), nn.PReLU(6), nn.Conv2d(6, 6, 3)
        self.weight = nn.Parameter(torch.full((6,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        x = abs(self.slopes(self.first(x))) - 0.3
        x = torch.abs(self.second(x)) - 0.3
        x = F.prelu(x.relu_() - 0.1, self.weight)
        return F.max_pool1d(x.flatten(2), 3, 2, 1).abs().mean(2)


class Branching(nn.Module):
    """Its path depends on the numbers, so its graph cannot be captured."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        is_bright = x.mean() > 0
        x = F.relu(self.first(x))
        if is_bright:
            x = torch.relu(self.second(x))
        else:
            x = F.leaky_relu(self.third(x))
            x = x - 0.1
        steps = 1 + int(x.detach().mean() > -1e9)
        for _ in range(steps):
            x = x.relu() - 0.1
        return x.mean((2, 3))


class Example(NamedTuple):
    make: Callable[[], nn.Module]
    places: int  # sites that are softened, counting a module that is used many times once
    calls: int  # of softened functions in one forward pass in eval mode


EXAMPLES = {
    "ResNet with shared ReLUs": Example(ResNet, 5, 8),
    "modules built in forward": Example(BuiltInForward, 4, 4),
    "Inception with functions": Example(Inception, 7, 6),
    "VGG in place": Example(vgg, 5, 5),
    "abs, PReLU and relu_": Example(AbsAndSlopes, 7, 7),
    "data-dependent branches": Example(Branching, 5, 4),
}


def images(count: int = 2, seed: int = 0) -> Tensor:
    """Inputs of the examples."""
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) + 0.05


def made(name: str) -> nn.Module:
    """An example with the same weights in every run, and BatchNorms that have seen something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = EXAMPLES[name].make()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        return model.eval()


class HardOperators(TorchDispatchMode):
    """Counts the hard operators that PyTorch is asked for, by whatever Python call."""

    NAMES = ("relu", "leaky_relu", "prelu", "abs", "max_pool", "threshold")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::").removeprefix("_")
        self.count += name.startswith(self.NAMES) and "backward" not in name
        return func(*args, **(kwargs or {}))


def hard_operators(model: nn.Module, x: Tensor) -> int:
    """How many the model asks for on one input."""
    with HardOperators() as counted, torch.no_grad():
        model(x)
    return counted.count
