"""The networks that ``experiments.softening`` softens: trained here with ReLU, or published with their weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments.shared.images import HELD_OUT, SEED_OF_SPLIT, DataSet, Images
from experiments.shared.results import versions
from experiments.shared.small_cnn import Recipe, Standard, network, train

RATE = 0.1  # of learning, at the first step
#: BSD or MIT by its own word, without its requirements: ``pip install --no-deps cifar-10-model==7.4.0 h5py``.
PACKAGE, VERSION = "cifar-10-model", "7.4.0"
WEIGHTS = "trained_models/cnn_model.h5"
WEIGHTS_SHA256 = "0eddc60b9fcbcab498ff07c8430a94ef1d0ee5ac04ad2d0c75d4977cc25cf9e9"
POOLED = (1, 3)  # the convolutions of the published network after which it pools


class PublishedError(Exception):
    """The published network cannot be had; the message is one line, and says what to do."""


@dataclass(frozen=True)
class Split:
    """Images to learn from, to choose β by, and to test with."""

    train: Images
    validation: Images
    test: Images

    @classmethod
    def of(cls, data: DataSet) -> Split:
        """For a network trained here: a fifth of the training images is held out to choose by."""
        held_out, learned = data.train.split(HELD_OUT)
        return cls(learned, held_out, data.test)

    @classmethod
    def of_test_images(cls, data: DataSet) -> Split:
        """For a network trained elsewhere, perhaps on the training images: one half of the test images each."""
        return cls(data.train, *data.test.split(0.5))


class Scaled(nn.Module):
    """A network that takes pixels in [0, 1], whatever the numbers are that it was trained with.

    Args:
        network: takes (pixel · ``top`` − ``mean``) / ``scale``.
        top: the value of a white pixel in the data.
        mean, scale: broadcast against ``(N, C, H, W)``.
    """

    factor: Tensor
    shift: Tensor

    def __init__(self, network: nn.Module, top: float, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("factor", top / scale)
        self.register_buffer("shift", mean / scale)

    def forward(self, pixels: Tensor) -> Tensor:
        """``(N, C, H, W)`` in [0, 1] → ``(N, classes)``."""
        inputs: Tensor = pixels * self.factor - self.shift
        return self.network(inputs)  # type: ignore[no-any-return]


def recipe(data: DataSet) -> Recipe:
    """Colour images as in the book's other experiments; for grey ones a small network, which the book stores."""
    return Recipe() if data.colour else Recipe(filters=(8, 16, 32), epochs=30, batch=32)


def trained(data: DataSet, split: Split, recipe: Recipe, seed: int, work: Path) -> nn.Module:
    """The small network of a seed, trained with ReLU units; its checkpoint in ``work`` is gone on from."""
    torch.manual_seed(seed)
    made = network(data, recipe.filters, nn.ReLU)
    identity = json.dumps(
        {
            "data": data.sha256,
            "held_out": [HELD_OUT, SEED_OF_SPLIT],
            "rate": RATE,
            "seed": seed,
            "recipe": asdict(recipe),
            "versions": versions(),
        }
    )
    train(
        made,
        split.train,
        recipe,
        rate=RATE,
        seed=seed,
        checkpoint=work / f"network_{seed}.pt",
        identity=identity,
        label=f"network of seed {seed}",
    )
    standard = Standard.of(split.train)
    return Scaled(made, top_level(data), standard.mean, standard.scale).eval()


def top_level(data: DataSet) -> float:
    """The value of a white pixel: 255, or 16 for the digits of scikit-learn."""
    return 16.0 if not data.colour and int(data.train.pixels.max()) <= 16 else 255.0


def published() -> nn.Module:
    """A network for CIFAR-10 as its author published it: six convolutions, three affine layers, a ReLU after each.

    Raises:
        PublishedError: the package is not installed, is another version, or its weights are not those known.
    """
    hint = f"install it with: pip install --no-deps {PACKAGE}=={VERSION} h5py"
    spec, h5py = find_spec(PACKAGE.replace("-", "_")), find_spec("h5py")
    if spec is None or h5py is None or not spec.submodule_search_locations:
        raise PublishedError(f"the published network is in the package {PACKAGE}; {hint}")
    if metadata.version(PACKAGE) != VERSION:
        raise PublishedError(f"{PACKAGE} must be {VERSION}, got {metadata.version(PACKAGE)}; {hint}")
    path = Path(next(iter(spec.submodule_search_locations))) / WEIGHTS
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise PublishedError(f"{path} does not hold the weights that were published; {hint}")
    with import_module("h5py").File(path) as file:
        built = _built(file["model_weights"])
    return Scaled(built, 255.0, torch.zeros(1), torch.ones(1)).eval()


def _built(stored: Any) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in range(6):
        kernel, bias = (_array(stored, "conv2d", number, part) for part in ("kernel", "bias"))
        convolution = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3)
        _fill(convolution, kernel.permute(3, 2, 0, 1), bias)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        gamma, beta, mean, variance = (_array(stored, "batch_normalization", number, name) for name in names)
        norm = nn.BatchNorm2d(len(gamma), eps=1e-3)
        _fill(norm, gamma, beta)
        norm.running_mean, norm.running_var = mean, variance
        layers += [convolution, nn.ReLU(), norm]
        if number in POOLED:
            layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    for number in range(3):
        kernel, bias = (_array(stored, "dense", number, part) for part in ("kernel", "bias"))
        affine = nn.Linear(*kernel.shape)
        _fill(affine, kernel.T, bias)
        layers += [affine, nn.ReLU()]
    return nn.Sequential(*layers)


def _array(stored: Any, layer: str, number: int, part: str) -> Tensor:
    name = f"{layer}_{number}" if number else layer
    return torch.tensor(stored[name][name][f"{part}:0"][()])


def _fill(layer: Any, weight: Tensor, bias: Tensor) -> None:
    layer.weight, layer.bias = (nn.Parameter(part.contiguous()) for part in (weight, bias))
