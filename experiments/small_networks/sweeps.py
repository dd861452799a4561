"""What the small networks are asked at every β, and the controls beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from torch import Tensor

from experiments.shared.results import band, bands
from experiments.shared.training import Set, cross_entropy, rounded
from hardtosoft.results.networks import Network

DIGITS = 13  # significant ones, kept of an entropy: how a sum is ordered shows in the last two of sixteen
BETAS = [round(0.02 * step, 2) for step in range(51)]


Trained = tuple[Network, Set, Set]  # a network, what it has learned from, and what it is tested with


def curves(trained: Sequence[Trained]) -> dict[str, Any]:
    """The entries of a result file that are curves over β: bands over networks that differ in their seed."""
    accuracies = [accuracy_curve(network, test) for network, _, test in trained]
    entropies = [entropy_curves(network, test[0]) for network, _, test in trained]
    layers = zip(*entropies, strict=True)
    return {"beta": BETAS, "accuracy": band(accuracies), "entropy": [band(layer) for layer in layers]}


def at_beta_0(trained: Sequence[Trained]) -> dict[str, Any]:
    """The controls at β = 0, where the network is affine: the same bands."""
    return bands(
        [
            {
                "output_bias_refitted": refitted_output_accuracy(network, train_set, test, 0.0),
                "closest_affine_map": closest_affine(network, train_set[0]).accuracy(*test, 1.0),
                "affine_share": affine_share(network, train_set, test),
            }
            for network, train_set, test in trained
        ]
    )


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


def stored_network(network: Network, seed: int, test: Set) -> dict[str, Any]:
    """The entry of a result file that holds one network and its own curves."""
    return {
        "seed": seed,
        "weights": [weight.tolist() for weight in network.weights],
        "biases": [bias.tolist() for bias in network.biases],
        "accuracy": accuracy_curve(network, test),
        "entropy": rounded(torch.tensor(entropy_curves(network, test[0]), dtype=torch.float64), DIGITS).tolist(),
    }
