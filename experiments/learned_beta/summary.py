"""What the runs of ``experiments.learned_beta`` say: differences in pairs, and where β went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.shared.paired import Paired, Result
from experiments.shared.results import band

SOFT = ("fixed", 0.5, "attached")


def summary(runs: Sequence[Result]) -> dict[str, Any]:
    """Means over the seeds with 95 % intervals.

    Returns:
        ``accuracy`` of every setting; ``minus_soft``, what it has more than the fixed β = ½ with an attached code on
        the same seed; ``attached_minus_detached`` for what is learned; ``path``, for every setting with a learned β
        and each layer its mean over the channels and their standard deviation, at the start and after each epoch.
        Each is a list of entries that name their setting.

    Raises:
        ValueError: the seeds of two settings differ, so there are no pairs.
    """
    paired = Paired(runs, ("learned", "start", "code"))
    settings, entry, difference = paired.settings, paired.entry, paired.difference
    attached = [setting for setting in settings if setting[2] == "attached" and (*setting[:2], "detached") in settings]
    return {
        "accuracy": [entry(setting, band(paired.values(setting))) for setting in settings],
        "minus_soft": [entry(setting, difference(setting, SOFT)) for setting in settings if setting != SOFT],
        "attached_minus_detached": [
            entry(setting, difference(setting, (*setting[:2], "detached"))) for setting in attached
        ],
        "path": [
            entry(setting, path(paired.values(setting, "beta"))) for setting in settings if setting[0] != "fixed"
        ],
    }


def path(betas: Sequence[Sequence[Sequence[Sequence[float]]]]) -> dict[str, Any]:
    """Mean and spread of β, from ``betas[seed][epoch][layer][channel]``.

    Returns:
        ``mean`` over the channels and ``spread``, their standard deviation, as bands over the seeds, ``(layer,
        epoch)``.
    """
    by_layer = [list(zip(*run, strict=True)) for run in betas]  # [seed][layer][epoch][channel]
    means, spreads = (
        [[[round(float(of(epoch)), 6) for epoch in layer] for layer in run] for run in by_layer]
        for of in (np.mean, np.std)
    )
    return {"mean": band(means), "spread": band(spreads)}
