"""The runs of ``experiments.orthogonal_filters``: networks with free, penalised or orthogonal filters, one by one."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from betavq.nn import BetaReLU
from betavq.orthogonal import coherence_report, orthogonal_filters, orthogonality_penalty
from experiments.image_data import DataSet, Images, load
from experiments.small_cnn import CONVOLUTIONS, Recipe, Standard, accuracy, finite, network, train
from experiments.training import versions, write

BETAS = {"relu": 1.0, "swish": 0.5}
HELD_OUT, SEED_OF_SPLIT = 0.2, 0


@dataclass(frozen=True)
class Run:
    """One network: what it is, how it is trained, and what it is judged by.

    Attributes:
        activation: relu or swish.
        constraint: on the filters of the convolutions; none, penalty or orthogonal.
        strength: λ of the penalty, else 0.
        rate: of learning, at the first step.
        seed: of the weights and of the order of the images.
        judged_on: held_out, a part of the training images that it has not learned from; or test.
    """

    activation: str
    constraint: str
    strength: float
    rate: float
    seed: int
    judged_on: str

    def __str__(self) -> str:
        strength = f" {self.strength:g}" if self.constraint == "penalty" else ""
        return (
            f"{self.activation}, {self.constraint}{strength}, rate {self.rate:g}, seed {self.seed}, {self.judged_on}"
        )


def build(run: Run, data: DataSet, recipe: Recipe) -> nn.Sequential:
    """The network of a run before training; weights by seed alone, but for being made orthogonal."""
    torch.manual_seed(run.seed)
    made = network(data, recipe.filters, partial(BetaReLU, BETAS[run.activation]))
    return orthogonal_filters(made, layers=CONVOLUTIONS) if run.constraint == "orthogonal" else made


def parts(data: DataSet, most: int | None) -> dict[str, tuple[Images, Images]]:
    """Images to learn from and images to be judged by, while settings are chosen (held_out) and compared (test).

    With a limit, settings are chosen and compared with the same images; else all of them are learned from in the end.
    """
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(SEED_OF_SPLIT))
    held_out = round(HELD_OUT * len(order))
    learned = data.train.rows(order[held_out:][:most])
    return {
        "held_out": (learned, data.train.rows(order[:held_out])),
        "test": (data.train if most is None else learned, data.test),
    }


class Bench:
    """Where runs are made: the data, the recipe, and a folder that keeps what is done of each.

    Args:
        data: the images.
        recipe: of all runs.
        work: folder, made if need be. A finished run of the same conditions there is not made again.
    """

    def __init__(self, data: DataSet, recipe: Recipe, work: Path) -> None:
        self.data, self.recipe, self.work = data, recipe, work
        self.parts = parts(data, recipe.most_images)
        self.conditions = conditions(data, recipe)
        work.mkdir(parents=True, exist_ok=True)

    def run(self, run: Run) -> dict[str, Any]:
        """Train and judge, or take from the folder what an earlier start has left."""
        name = str(run).replace(", ", "-").replace(" ", "_")
        done, checkpoint = self.work / f"{name}.json", self.work / f"{name}.pt"
        identity = json.dumps([self.conditions, asdict(run)])
        result = _kept(done, identity)
        if result is None:
            result = self._train(run, checkpoint, identity)
            write({"identity": identity, "result": result}, done, quiet=True)
        checkpoint.unlink(missing_ok=True)
        return result

    def _train(self, run: Run, checkpoint: Path, identity: str) -> dict[str, Any]:
        learned, judged = self.parts[run.judged_on]
        trained = build(run, self.data, self.recipe)
        penalty = partial(_penalty, run.strength) if run.constraint == "penalty" else None
        losses = train(
            trained,
            learned,
            self.recipe,
            rate=run.rate,
            seed=run.seed,
            checkpoint=checkpoint,
            identity=identity,
            penalty=penalty,
            label=str(run),
        )
        layers = coherence_report(trained, layers=CONVOLUTIONS)
        return {
            **asdict(run),
            "accuracy": round(accuracy(trained, Standard.of(learned), judged), 6),
            "losses": losses,
            "coherence": [finite(layer.coherence) for layer in layers],
            "mean_cosine": [finite(layer.mean_cosine) for layer in layers],
            "first_filters": picture(trained.get_submodule("first")),
        }


_prepared: list[Bench] = []


def prepare(path: Path | None, recipe: Recipe, work: Path) -> None:
    """Make the bench of a process of its own."""
    _prepared[:] = [Bench(load(path), recipe, work)]


def run_prepared(run: Run) -> dict[str, Any]:
    """:meth:`Bench.run` on that bench."""
    return _prepared[0].run(run)


def _kept(done: Path, identity: str) -> dict[str, Any] | None:
    """The result of the same run that an earlier start has left."""
    if not done.exists():
        return None
    try:
        kept = json.loads(done.read_text(encoding="utf-8"))
        result: dict[str, Any] | None = kept["result"] if kept["identity"] == identity else None
    except (ValueError, KeyError, TypeError):
        print(f"{done} cannot be read: its run starts anew", flush=True)
        return None
    return result


def _penalty(strength: float, trained: nn.Module) -> torch.Tensor:
    return strength * orthogonality_penalty(trained, layers=CONVOLUTIONS)


def picture(layer: nn.Module) -> list[Any]:
    """The filters ``(K, height, width, C)`` as shares of the largest weight, to two decimals."""
    assert isinstance(layer, nn.Conv2d)
    weight = layer.weight.detach().permute(0, 2, 3, 1).double()
    shares = (weight / weight.abs().amax().clamp_min(1e-300)).nan_to_num()
    rounded: list[Any] = (shares * 100).round().div(100).tolist()
    return rounded


def conditions(data: DataSet, recipe: Recipe) -> dict[str, Any]:
    """All that the numbers of one run depend on, besides the run itself."""
    return {
        "data": data.name,
        "data_sha256": data.sha256,
        "train_images": len(data.train),
        "test_images": len(data.test),
        "classes": data.num_classes,
        "held_out_share": HELD_OUT,
        "seed_of_split": SEED_OF_SPLIT,
        "betas": BETAS,
        **asdict(recipe),
        "versions": versions(),
        "hardware": hardware(),
    }


def hardware() -> dict[str, Any]:
    """Processor, its cores, and the threads in use."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "threads": torch.get_num_threads()}
