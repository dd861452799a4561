"""Reconstruction without a label: what a network keeps of its input, and whether its logits find the classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from experiments.inversion.few_labels import Task, judged, learn, split
from experiments.inversion.stacks import beside, by_network, stack

Rows = NDArray[np.float32]


def without_labels(task: Task, seeds: Sequence[int]) -> dict[str, list[float]]:
    """Relative errors on test inputs, and how well k-means finds the classes of the unlabelled ones, by seed."""
    data = split(task, seeds, 1)
    network = stack(seeds, task.inputs.shape[1:], task.num_classes)
    before = _logits(network, data.free)
    learn(network, data, "reconstruction alone", seeds)
    after = _logits(network, data.free)
    found: dict[str, list[float]] = {"error": judged(network, data)["error"], "error_pca": []}
    kinds = ("pixels", "pca", "logits_untrained", "logits")
    found |= {f"clusters_{kind}": [] for kind in kinds}
    for place, seed in enumerate(seeds):
        order = torch.randperm(len(task.classes), generator=torch.Generator().manual_seed(seed))
        classes = task.classes[order[task.num_test :]].numpy()
        free, test = (_rows(inputs) for inputs in (data.free[place], by_network(data.test, len(seeds))[:, place]))
        pca = PCA(task.num_classes, random_state=seed).fit(free)
        rebuilt = pca.inverse_transform(pca.transform(test))
        error = ((test - rebuilt) ** 2).sum(1) / (test**2).sum(1)
        found["error_pca"].append(float(f"{error.mean():.4g}"))
        for kind, rows in zip(kinds, (free, pca.transform(free), before[place], after[place]), strict=True):
            found[f"clusters_{kind}"].append(round(_found(rows, classes, seed), 6))
    return found


def _rows(inputs: torch.Tensor) -> Rows:
    rows: Rows = inputs.flatten(1).numpy()
    return rows


@torch.no_grad()
def _logits(network: torch.nn.Sequential, free: torch.Tensor) -> list[Rows]:
    parts = torch.split(beside(free), 250)
    logits = torch.cat([by_network(network(part), len(free)) for part in parts])
    return [_rows(own) for own in logits.unbind(1)]


def _found(rows: Rows, classes: NDArray[np.int64], seed: int) -> float:
    """Share of inputs in the cluster that stands for their class, clusters and classes matched as well as can be."""
    count = int(classes.max()) + 1
    clusters = KMeans(count, n_init=3, random_state=seed).fit_predict(rows)
    table = np.zeros((count, count))
    np.add.at(table, (clusters, classes), 1)
    return float(table[linear_sum_assignment(-table)].sum() / len(classes))
