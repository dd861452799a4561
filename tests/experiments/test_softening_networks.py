"""The published network that is softened: built as it is stored, or one line that says how to get it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from experiments.softening import networks
from experiments.softening.networks import PublishedError, published


def test_the_published_network_is_built_as_it_is_stored():
    generator = torch.Generator().manual_seed(0)
    stored = {}

    def put(name, **parts):
        arrays = {f"{part}:0": {(): tensor.numpy()} for part, tensor in parts.items()}
        stored[name] = {name: arrays}

    sizes = (3, 4, 4, 5, 5, 4, 4)
    for number, (into, out) in enumerate(pairwise(sizes)):
        end = f"_{number}" if number else ""
        put(f"conv2d{end}", kernel=torch.randn(3, 3, into, out, generator=generator), bias=torch.randn(out))
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        put(f"batch_normalization{end}", **{name: torch.rand(out, generator=generator) + 0.5 for name in names})
    for number, (into, out) in enumerate(((4, 6), (6, 5), (5, 3))):
        put(f"dense_{number}" if number else "dense", kernel=torch.randn(into, out), bias=torch.randn(out))
    net = networks._built(stored).eval()
    x = torch.rand(2, 3, 32, 32, generator=generator)
    assert net(x).shape == (2, 3)
    assert [type(layer) for layer in net[:3]] == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
    kernel = stored["conv2d"]["conv2d"]["kernel:0"][()]
    corner = x[0, :, :3, :3].permute(1, 2, 0).numpy()
    by_hand = (kernel * corner[..., None]).sum((0, 1, 2)) + stored["conv2d"]["conv2d"]["bias:0"][()]
    np.testing.assert_allclose(net[0](x)[0, :, 0, 0].detach().numpy(), by_hand, rtol=1e-4, atol=1e-4)


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda _: None)
    with pytest.raises(PublishedError, match=r"pip install --no-deps cifar-10-model==7\.4\.0 h5py$"):
        published()
