"""Piecewise-affine networks of every kind of layer that is known, small, in float64 and in eval mode."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

import betavq


class Everything(nn.Module):
    """Convolution, BatchNorm, a residual block, pooling of both kinds, |·|, PReLU: layers and plain functions."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.LeakyReLU(0.1, inplace=True))
        self.pool, self.fc, self.prelu, self.out = nn.MaxPool2d(2), nn.Linear(12, 6), nn.PReLU(6), nn.Linear(6, 4)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x)))
        x = self.pool(x + self.block(x))
        x = torch.abs(F.avg_pool2d(x, 2) - 0.5).flatten(1)
        return self.out(self.prelu(self.fc(x)))


def everything(seed=0):
    torch.manual_seed(seed)
    model = Everything().double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return model.eval()


def images(count, seed=0):
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mlp(*sizes, act=nn.ReLU, seed=0):
    torch.manual_seed(seed)
    layers = []
    for below, above in pairwise(sizes):
        layers += [nn.Linear(below, above), act()]
    return nn.Sequential(*layers[:-1]).double().eval()


def maso(num_units, num_pieces, num_inputs, seed=0):
    generator = torch.Generator().manual_seed(seed)
    slopes = torch.randn(num_units, num_pieces, num_inputs, generator=generator, dtype=torch.float64)
    return betavq.MASO(slopes, torch.randn(num_units, num_pieces, generator=generator, dtype=torch.float64))


def leaky_stack(*sizes, seed=0):
    """Layers of leaky ReLUs as MASOs."""
    torch.manual_seed(seed)
    pairs = pairwise(sizes)
    act = nn.LeakyReLU(0.1)
    return [betavq.MASO.from_layers(nn.Linear(*pair).double(), activation=act) for pair in pairs]


def points(count, dims, reach=3.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return reach * (2 * torch.rand(count, dims, generator=generator, dtype=torch.float64) - 1)
