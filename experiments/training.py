"""What the training scripts share: a training loop, the sweep over β, and result files."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import scipy  # type: ignore[import-untyped]
import sklearn
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from torch import Tensor, nn
from torch.nn import functional as F

from hardtosoft.networks import Network

BETAS = [round(0.02 * step, 2) for step in range(51)]
DATA = Path(__file__).resolve().parents[1] / "src" / "hardtosoft" / "data"
LARGEST_BETA = 0.99  # a learned β that reaches 1 gets no gradient, and would stay
Set = tuple[Tensor, Tensor]


def arguments(description: str, out: Path) -> argparse.Namespace:
    """The command line: where to write."""
    parser = argparse.ArgumentParser(prog=f"python -m experiments.{out.stem}", description=description)
    parser.add_argument("--out", type=Path, default=out, help="result file (default: %(default)s)")
    return parser.parse_args()


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        steps: of Adam, the learning rate falling from ``lr`` to 0 along a half cosine.
        lr: learning rate of the first step.
        weight_decay: L2 penalty on all parameters.
        digits: significant digits kept of every weight.
    """

    steps: int
    lr: float
    weight_decay: float
    digits: int


def train(
    data: Set,
    sizes: Sequence[int],
    training: Training,
    seed: int,
    watch: Callable[[int, Network], None] | None = None,
) -> Network:
    """Train a ReLU network (β = 1) with Adam on the whole training set at once, then round its weights.

    Args:
        data: inputs ``(N, D)`` and labels ``(N,)``.
        sizes: units of every layer, D first; one output unit stands for two classes.
        training: steps, learning rate, penalty, digits.
        seed: of the initial weights, uniform with He's scale; biases uniform in ±1/√inputs.
        watch: called before each step and after the last with the steps done and the network of that moment, rounded.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int, bound: float) -> Tensor:
        return (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1).mul_(bound)

    layers = list(pairwise(sizes))
    network = Network(
        tuple(uniform(out, into, bound=(6 / into) ** 0.5).requires_grad_() for into, out in layers),
        tuple(uniform(out, bound=into**-0.5).requires_grad_() for into, out in layers),
    )
    optimiser = torch.optim.Adam(
        [*network.weights, *network.biases], lr=training.lr, weight_decay=training.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps)
    for step in range(training.steps):
        if watch:
            watch(step, rounded_network(network, training.digits))
        optimiser.zero_grad()
        cross_entropy(network.logits(data[0], 1.0), data[1]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    trained = rounded_network(network, training.digits)
    if watch:
        watch(training.steps, trained)
    return trained


def rounded_network(network: Network, digits: int) -> Network:
    """A copy with every weight to so many significant digits."""
    weights, biases = (tuple(rounded(part, digits) for part in parts) for parts in (network.weights, network.biases))
    return Network(weights, biases)


def betas(trained: nn.Module) -> list[nn.Parameter]:
    """The learned β of a network, layer by layer."""
    return [parameter for name, parameter in trained.named_parameters() if name.rpartition(".")[2] == "beta"]


def parameter_groups(trained: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """For an optimiser: an L2 penalty on all parameters but β, which it would draw towards the affine unit."""
    learned = betas(trained)
    others = [p for p in trained.parameters() if all(p is not beta for beta in learned)]
    return [{"params": others, "weight_decay": weight_decay}] + ([{"params": learned}] if learned else [])


@torch.no_grad()
def keep_below_one(trained: nn.Module) -> None:
    """Put each learned β that has left [0, 0.99] back to its end."""
    for beta in betas(trained):
        beta.clamp_(0, LARGEST_BETA)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of two or more classes; one column of logits stands for two classes."""
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.double())
    return F.cross_entropy(logits, labels)


def rounded(values: Tensor, digits: int) -> Tensor:
    """Values to so many significant digits, so that a short result file holds exactly what was measured."""
    flat = [float(f"{value:.{digits}g}") for value in values.detach().flatten().tolist()]
    return torch.tensor(flat, dtype=values.dtype).reshape(values.shape)


def accuracy_curve(network: Network, test: Set) -> list[float]:
    """Test accuracy at every β of the grid."""
    return [network.accuracy(*test, beta) for beta in BETAS]


def entropy_curves(network: Network, points: Tensor) -> list[list[float]]:
    """Normalised code entropy at every β of the grid, one curve a hidden layer."""
    at_every_beta = [network.normalised_entropy(points, beta) for beta in BETAS]
    return [list(layer) for layer in zip(*at_every_beta, strict=True)]


def linear_accuracy(train_set: Set, test: Set) -> float:
    """Test accuracy of logistic regression, its L2 strength chosen by five-fold cross-validation."""
    search = GridSearchCV(LogisticRegression(max_iter=5000), {"C": [0.1, 1.0, 10.0, 100.0]}, cv=5)
    search.fit(train_set[0].numpy(), train_set[1].numpy())
    return float(search.score(test[0].numpy(), test[1].numpy()))


def refitted_output_accuracy(network: Network, train_set: Set, test: Set, beta: float) -> float:
    """Test accuracy at ``beta`` once the output biases alone are fitted again, the weights left as they are.

    Tells a decision surface in the wrong place from one of the wrong shape.
    """
    logits = network.logits(train_set[0], beta).detach()
    bias = torch.zeros(logits.shape[1], dtype=logits.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = cross_entropy(logits + bias, train_set[1])
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    moved = Network(network.weights, (*network.biases[:-1], network.biases[-1] + bias.detach()))
    return moved.accuracy(*test, beta)


def closest_affine(network: Network, inputs: Tensor) -> Network:
    """The affine map closest to the trained network's logits on ``inputs``, in least squares.

    It knows what the trained network does, without being held to its weights.
    """
    design = torch.cat((inputs, torch.ones(len(inputs), 1, dtype=inputs.dtype)), dim=1)
    # The pseudo-inverse, because some pixels of the digits are 0 in all images.
    fitted = torch.linalg.pinv(design) @ network.logits(inputs, 1.0)
    return Network((fitted[:-1].T,), (fitted[-1],))


def affine_share(network: Network, train_set: Set, test: Set) -> float:
    """Share of the variance of the trained network's logits, on test points, that an affine map explains.

    R² of the closest affine map, fitted on the training set: 1 for a network that is affine where the data are.
    """
    logits = network.logits(test[0], 1.0)
    residual = logits - closest_affine(network, train_set[0]).logits(test[0], 1.0)
    return 1 - float(residual.square().sum() / (logits - logits.mean(dim=0)).square().sum())


def ends(network: Network, train_set: Set, test: Set) -> dict[str, float]:
    """What the controls compare: test accuracy at both ends of β, and how affine the trained network is."""
    return {
        "beta_0": network.accuracy(*test, 0.0),
        "beta_1": network.accuracy(*test, 1.0),
        "affine_share": affine_share(network, train_set, test),
    }


def bands(runs: Sequence[dict[str, float]]) -> dict[str, dict[str, Any]]:
    """One band a quantity, over runs that differ in their seed."""
    return {quantity: band([run[quantity] for run in runs]) for quantity in runs[0]}


def band(samples: ArrayLike) -> dict[str, Any]:
    """Mean over the first axis and half-width of its 95 % t-interval, to 6 decimals."""
    values: NDArray[np.float64] = np.asarray(samples, dtype=np.float64)
    count = len(values)
    error = values.std(axis=0, ddof=1) / count**0.5 if count > 1 else np.zeros(values.shape[1:])
    half_width = student.ppf(0.975, max(count - 1, 1)) * error
    return {"mean": values.mean(axis=0).round(6).tolist(), "half_width": half_width.round(6).tolist()}


def stored_network(network: Network, seed: int, test: Set) -> dict[str, Any]:
    """The entry of a result file that holds one network and its own curves."""
    return {
        "seed": seed,
        "weights": [weight.tolist() for weight in network.weights],
        "biases": [bias.tolist() for bias in network.biases],
        "accuracy": accuracy_curve(network, test),
        "entropy": entropy_curves(network, test[0]),
    }


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    modules = {"torch": torch, "numpy": np, "scipy": scipy, "scikit-learn": sklearn}
    return {"python": platform.python_version()} | {name: m.__version__ for name, m in modules.items()}


def progress(items: Iterable[int], label: str) -> Iterable[int]:
    """Say which item is at work and how long it has taken."""
    start = time.monotonic()
    for item in items:
        print(f"{label} {item} ({time.monotonic() - start:.0f} s)", flush=True)
        yield item


def write(contents: dict[str, Any], out: Path, *, quiet: bool = False) -> None:
    """Write a result file in one step, so that a stopped run leaves the old one whole, and say so unless ``quiet``."""
    text = json.dumps(contents, allow_nan=False, separators=(",", ":")) + "\n"
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=out.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink()
        raise
    if not quiet:
        print(f"wrote {out}, {len(text) / 1000:.0f} kB")
