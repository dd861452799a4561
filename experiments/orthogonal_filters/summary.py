"""What the runs of ``experiments.orthogonal_filters`` say: what does best when choosing, and differences in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from experiments.shared.paired import Paired, Result
from experiments.shared.results import band

Setting = tuple[str, str, float]


def best_rates(selection: Sequence[Result]) -> dict[Setting, float]:
    """For each activation, constraint and strength the rate of highest accuracy; of equal ones the smallest."""
    best: dict[Setting, Result] = {}
    for run in sorted(selection, key=lambda run: run["rate"]):
        setting = (run["activation"], run["constraint"], run["strength"])
        if setting not in best or run["accuracy"] > best[setting]["accuracy"]:
            best[setting] = run
    return {setting: run["rate"] for setting, run in best.items()}


def best_strength(selection: Sequence[Result], activation: str) -> tuple[float, float]:
    """The penalty of highest accuracy, as strength and rate; of equal ones the weakest, then the smallest rate."""
    penalised = [run for run in selection if (run["activation"], run["constraint"]) == (activation, "penalty")]
    best = min(penalised, key=lambda run: (-run["accuracy"], run["strength"], run["rate"]))
    return best["strength"], best["rate"]


def summary(runs: Sequence[Result]) -> dict[str, Any]:
    """Means over the seeds with 95 % intervals: accuracies, and differences between networks of one seed.

    Returns:
        ``accuracy`` by activation and constraint; ``minus_none``, what a constraint gains with the activation;
        ``orthogonal_minus_penalty`` by activation; ``swish_minus_relu`` by constraint; ``last_loss`` of training, by
        activation and constraint; ``coherence`` and ``mean_cosine`` by activation and constraint, for each
        convolution.

    Raises:
        ValueError: the seeds of two settings differ, so there are no pairs.
    """
    paired = Paired([run | {"last_loss": run["losses"][-1]} for run in runs], ("activation", "constraint"))
    activations, constraints = (list(dict.fromkeys(part)) for part in zip(*paired.settings, strict=True))
    difference = paired.difference

    def by_setting(quantity: str) -> dict[str, Any]:
        """A network that diverged has no cosines."""
        found: dict[str, Any] = {activation: {} for activation in activations}
        for activation, constraint in product(activations, constraints):
            whole = [value for value in paired.values((activation, constraint), quantity) if _whole(value)]
            if whole:
                found[activation][constraint] = band(whole)
        return found

    return {
        "accuracy": by_setting("accuracy"),
        "minus_none": {
            activation: {
                constraint: difference((activation, constraint), (activation, "none"))
                for constraint in constraints
                if constraint != "none"
            }
            for activation in activations
        },
        "orthogonal_minus_penalty": {
            activation: difference((activation, "orthogonal"), (activation, "penalty"))
            for activation in activations
            if {"orthogonal", "penalty"} <= set(constraints)
        },
        "last_loss": by_setting("last_loss"),
        "swish_minus_relu": {
            constraint: difference(("swish", constraint), ("relu", constraint)) for constraint in constraints
        },
        "coherence": by_setting("coherence"),
        "mean_cosine": by_setting("mean_cosine"),
    }


def _whole(value: Any) -> bool:
    return None not in value if isinstance(value, list) else value is not None
