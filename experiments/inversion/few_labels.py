"""Learning from a few labels and many inputs without any: from what, by which loss, and how it is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.inversion.stacks import beside, by_network, relative_errors, scales, stack

LOSSES = ("labels", "reconstruction", "multiscale", "with entropy")
RATE, STEPS, BATCH = 3e-3, 250, 32
WARM_UP, RAMP, LATE, LATER_RATE = 20, 0.3, 0.6, 0.25
ERRORS_AT = 100  # test inputs at which the relative error is measured
AT_ONCE = 250


@dataclass(frozen=True)
class Task:
    """Inputs with their classes, and how many of them are kept for the test.

    Attributes:
        name: of the data.
        inputs: ``(N, C, …)``.
        classes: ``(N,)``.
        num_test: how many a split keeps for its test.
    """

    name: str
    inputs: Tensor
    classes: Tensor
    num_test: int

    @property
    def num_classes(self) -> int:
        """The classes are 0 to this, less one."""
        return int(self.classes.max()) + 1


@dataclass(frozen=True)
class Splits:
    """The splits of some seeds: test, unlabelled and labelled inputs, one batch a network.

    Attributes:
        test: ``(T, S·C, …)``, with ``test_classes``, ``(T, S)``.
        free: inputs whose classes are never read, ``(S, U, C, …)``.
        labelled: ``(M, S·C, …)``, with ``classes``, ``(M, S)``.
    """

    test: Tensor
    test_classes: Tensor
    free: Tensor
    labelled: Tensor
    classes: Tensor


def split(task: Task, seeds: Sequence[int], labels: int) -> Splits:
    """Shuffle by each seed; the first go to the test, of the others the first of each class have their labels.

    All is less the mean of what is not tested, over the standard deviation of all its numbers.
    """
    parts: list[tuple[Tensor, ...]] = []
    for seed in seeds:
        order = torch.randperm(len(task.classes), generator=torch.Generator().manual_seed(seed))
        test, free = order[: task.num_test], order[task.num_test :]
        known = torch.cat([free[task.classes[free] == c][:labels] for c in range(task.num_classes)])
        mean = task.inputs[free].mean(0)
        size = (task.inputs[free] - mean).std()
        inputs = [(task.inputs[rows] - mean) / size for rows in (test, free, known)]
        parts.append((*inputs, task.classes[test], task.classes[known]))
    test_inputs, free_inputs, known_inputs, test_classes, classes = (
        torch.stack(part) for part in zip(*parts, strict=True)
    )
    return Splits(beside(test_inputs), test_classes.T, free_inputs, beside(known_inputs), classes.T)


def learn(
    network: nn.Sequential,
    data: Splits,
    loss: str,
    seeds: Sequence[int],
    steps: int = STEPS,
    watch: Callable[[int], None] | None = None,
) -> None:
    """Adam for some steps; nothing is looked at on the way, nothing is chosen.

    Args:
        network: a stack, changed in place.
        data: what it learns from.
        loss: one of ``LOSSES``, or reconstruction alone, which reads no label.
        seeds: of the order of the unlabelled inputs.
        steps: of Adam.
        watch: called with the number of steps before each and after the last.
    """
    count = len(seeds)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    orders = torch.stack([torch.randint(data.free.shape[1], (steps, BATCH), generator=each) for each in generators])
    optimiser = torch.optim.Adam(network.parameters())
    for step in range(steps):
        if watch:
            watch(step)
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM_UP) * (1 if step < LATE * steps else LATER_RATE)
        total = torch.zeros(count)
        if loss != "reconstruction alone":
            logits = by_network(network(data.labelled), count)
            total = total + F.cross_entropy(logits.flatten(0, 1), data.classes.flatten(), reduction="none").view(
                -1, count
            ).mean(0)
        if loss != "labels":
            free = torch.stack([inputs[order] for inputs, order in zip(data.free, orders[:, step], strict=True)])
            ramp = 1.0 if loss == "reconstruction alone" else min(1.0, step / (RAMP * steps))
            total = total + ramp * without_labels(network, beside(free), loss, count)
        optimiser.zero_grad()
        total.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    if watch:
        watch(steps)


def without_labels(network: nn.Sequential, x: Tensor, loss: str, count: int) -> Tensor:
    """What is learned from inputs without labels, ``(S,)``."""
    found = scales(network, x.requires_grad_())
    used = found if loss == "multiscale" else found[-1:]
    errors = torch.stack([relative_errors(x, scale, count, create_graph=True) for scale in used]).mean(0)
    if loss != "with entropy":
        return errors
    log_shares = by_network(found[-1], count).log_softmax(2)
    return 0.5 * errors - 0.5 * (log_shares.exp() * log_shares).sum(2).mean(0)


def judged(network: nn.Sequential, data: Splits) -> dict[str, list[float]]:
    """Accuracy on all test inputs and relative error on some, one number a network."""
    count = data.test_classes.shape[1]
    with torch.no_grad():
        found = torch.cat([by_network(network(part), count).argmax(2) for part in torch.split(data.test, AT_ONCE)])
    some = data.test[:ERRORS_AT].clone().requires_grad_()
    errors = relative_errors(some, network(some), count, create_graph=False)
    return {
        "accuracy": [round(each, 6) for each in (found == data.test_classes).double().mean(0).tolist()],
        "error": [float(f"{each:.4g}") for each in errors.tolist()],
    }


def run(task: Task, seeds: Sequence[int], unit: str, loss: str, labels: int, steps: int = STEPS) -> dict[str, Any]:
    """Train and judge one network a seed; the entry of the result file."""
    start = time.process_time()
    data = split(task, seeds, labels)
    network = stack(seeds, task.inputs.shape[1:], task.num_classes, unit)
    learn(network, data, loss, seeds, steps)
    spent = time.process_time() - start
    setting = {"data": task.name, "unit": unit, "loss": loss, "labels": labels}
    return setting | judged(network, data) | {"cpu_seconds": round(spent, 1)}
