"""One network on digits at some of its steps, with what a figure needs to show it; and what a step costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from betavq.papers.inversion import reconstruct
from experiments.inversion.few_labels import Task, judged, learn, split
from experiments.inversion.stacks import stack

AT = (0, 10, 30, 80, 250)
THOUSANDTHS = 1000


def on_the_way(task: Task, seed: int, labels: int) -> dict[str, Any]:
    """The weights of a network at some steps, in thousandths, by loss; accuracy and error of those weights."""
    data = split(task, [seed], labels)
    order = torch.randperm(len(task.classes), generator=torch.Generator().manual_seed(seed))
    test, free = order[: task.num_test], order[task.num_test :]
    mean = task.inputs[free].mean(0)
    entry: dict[str, Any] = {
        "seed": seed,
        "labels": labels,
        "steps": list(AT),
        "mean": [float(f"{level:.5g}") for level in mean.flatten().tolist()],
        "size": float(f"{(task.inputs[free] - mean).std():.6g}"),
        "rows": [int(test[task.classes[test] == c][0]) for c in range(task.num_classes)],
    }
    for loss in ("labels", "reconstruction"):
        network = stack([seed], task.inputs.shape[1:], task.num_classes)
        rounded = stack([seed], task.inputs.shape[1:], task.num_classes)
        kept: list[dict[str, Any]] = []

        def watch(step: int, network: Any = network, rounded: Any = rounded, kept: Any = kept) -> None:
            if step not in AT:
                return
            numbers = [(p.detach() * THOUSANDTHS).round() for p in network.parameters()]
            with torch.no_grad():
                for own, number in zip(rounded.parameters(), numbers, strict=True):
                    own.copy_(number / THOUSANDTHS)
            found = {name: values[0] for name, values in judged(rounded, data).items()}
            kept.append(found | {"weights": [number.flatten().int().tolist() for number in numbers]})

        learn(network, data, loss, [seed], watch=watch)
        entry[loss] = kept
    return entry


def cost(task: Task, repeats: int = 40) -> dict[str, float]:
    """What x̂ takes of processor time, over a forward pass with the backward pass to the weights; medians, in turns."""
    network, x = stack([0], task.inputs.shape[1:], task.num_classes), task.inputs[:64]

    def usual() -> None:
        torch.autograd.grad(network(x).square().sum(), list(network.parameters()))

    spent: dict[str, list[float]] = {"usual": [], "rebuilt": []}
    calls: dict[str, Callable[[], object]] = {"usual": usual, "rebuilt": lambda: reconstruct(network, x)}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            spent[name].append(time.process_time() - start)
    return {"rebuilt_over_usual": round(statistics.median(spent["rebuilt"]) / statistics.median(spent["usual"]), 3)}
