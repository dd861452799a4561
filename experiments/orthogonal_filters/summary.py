"""What the runs of ``experiments.orthogonal_filters`` say: what does best when choosing, and differences in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.shared.results import band

Result = dict[str, Any]
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
        ``swish_minus_relu`` by constraint; ``coherence`` and ``mean_cosine`` by activation and constraint, for each
        convolution.

    Raises:
        ValueError: the seeds of two settings differ, so there are no pairs.
    """
    found: dict[tuple[str, str], dict[int, Result]] = {}
    for run in runs:
        found.setdefault((run["activation"], run["constraint"]), {})[run["seed"]] = run
    seeds = sorted(next(iter(found.values())))
    for setting, by_seed in found.items():
        if sorted(by_seed) != seeds:
            raise ValueError(f"runs must have the seeds {seeds} in every setting, got {sorted(by_seed)} for {setting}")
    activations, constraints = (list(dict.fromkeys(part)) for part in zip(*found, strict=True))

    def values(activation: str, constraint: str, quantity: str) -> list[Any]:
        return [found[activation, constraint][seed][quantity] for seed in seeds]

    def by_setting(quantity: str) -> dict[str, Any]:
        return {
            activation: {
                # A network that diverged has no cosines.
                constraint: band([value for value in values(activation, constraint, quantity) if _whole(value)])
                for constraint in constraints
                if any(_whole(value) for value in values(activation, constraint, quantity))
            }
            for activation in activations
        }

    def difference(one: tuple[str, str], other: tuple[str, str]) -> dict[str, Any]:
        pairs = zip(values(*one, "accuracy"), values(*other, "accuracy"), strict=True)
        return band([a - b for a, b in pairs])

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
        "swish_minus_relu": {
            constraint: difference(("swish", constraint), ("relu", constraint)) for constraint in constraints
        },
        "coherence": by_setting("coherence"),
        "mean_cosine": by_setting("mean_cosine"),
    }


def _whole(value: Any) -> bool:
    return None not in value if isinstance(value, list) else value is not None
