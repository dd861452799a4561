"""The pieces of work of ``experiments.softening``: one network at one β, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import betavq
from experiments.shared.bench import Bench, conditions
from experiments.shared.images import HELD_OUT, SEED_OF_SPLIT, DataSet, Images
from experiments.shared.small_cnn import Recipe
from experiments.softening.measures import fgsm, has_statistics, logits, noisy, pgd, renewed
from experiments.softening.networks import PACKAGE, RATE, VERSION, Split, published, recipe, top_level, trained

SMOOTHINGS = ("value", "free_energy", "curvature_tuning")
STATISTICS = ("kept", "renewed")
# Five even steps of log(1 − β) a decade, fewer near 1, where networks hardly change; and ½.
BETAS = (0.0, 0.369, 0.5, 0.6019, 0.7488, 0.8415, 0.9, 0.9369, 0.9749, 0.99, 0.999, 1.0)


@dataclass(frozen=True)
class Plan:
    """What is softened and how hard it is tried.

    Attributes:
        published: the published network, else those trained here.
        seeds: of the networks trained here; one 0 for the published one.
        recipe: of their training.
        betas: of value smoothing with the statistics kept.
        coarse_betas: of the other smoothings, and of renewed statistics.
        attacked_betas: of attacks by gradients, with value smoothing and the statistics kept.
        sigmas: of the noise, in units of white.
        sizes: of the attacks in one step, the largest change of a pixel in units of white.
        pgd_size, pgd_steps: of the attack in several steps.
        renewed_by: training images that give batch normalisation new statistics.
        validation: how many images β is chosen by at most.
        noisy, attacked: of these and of the test images, how many with noise and under attack at most; with renewed
            statistics only clean images are classified.
    """

    recipe: Recipe
    published: bool = False
    seeds: tuple[int, ...] = (0, 1, 2)
    betas: tuple[float, ...] = BETAS
    coarse_betas: tuple[float, ...] = (0.0, 0.6019, 0.8415, 0.9369, 0.99, 1.0)
    attacked_betas: tuple[float, ...] = (0.8415, 0.9369, 0.99, 1.0)
    sigmas: tuple[float, ...] = (0.05, 0.1)
    sizes: tuple[float, ...] = (1 / 255, 2 / 255)
    pgd_size: float = 2 / 255
    pgd_steps: int = 5
    renewed_by: int = 1000
    validation: int = 1000
    noisy: tuple[int, int] = (200, 400)
    attacked: tuple[int, int] = (100, 200)


def plan(data: DataSet, seeds: int, *, of_published: bool) -> Plan:
    """Colour images: changes that can hardly be seen. Digits of 8 × 8 need larger ones to be misread."""
    if of_published:
        return Plan(recipe(data), published=True, seeds=(0,), validation=500, noisy=(150, 300), attacked=(50, 150))
    made = Plan(recipe(data), seeds=tuple(range(seeds)))
    if data.colour:
        return made
    return replace(
        made, sigmas=(0.1, 0.2), sizes=(0.05, 0.1), pgd_size=0.1, pgd_steps=10, noisy=(500, 500), attacked=(500, 500)
    )


@dataclass(frozen=True)
class Piece:
    """One network at one β.

    Attributes:
        seed: which network.
        smoothing: of SMOOTHINGS; value where β = 1, for there they are one.
        beta: of all its units.
        statistics: kept from training, or renewed on training images after softening.
        attacked: whether attacks by gradients are measured too.
    """

    seed: int
    smoothing: str
    beta: float
    statistics: str
    attacked: bool = False

    def __str__(self) -> str:
        return f"network {self.seed}, {self.smoothing}, β {self.beta:g}, statistics {self.statistics}"


def pieces(plan: Plan, *, statistics: bool) -> Iterator[Piece]:
    """All that is to be measured; a network without batch normalisation has no statistics to renew."""
    for seed in plan.seeds:
        yield from (Piece(seed, "value", beta, "kept", beta in plan.attacked_betas) for beta in plan.betas)
        if statistics:
            yield from (Piece(seed, "value", beta, "renewed") for beta in plan.coarse_betas)
        for smoothing in SMOOTHINGS[1:]:
            # At β = 1 all smoothings are the hard network; at β = 0 the free energy is infinite.
            yield from (Piece(seed, smoothing, beta, "kept") for beta in plan.coarse_betas if 0 < beta < 1)


class SofteningBench(Bench[Plan, Piece]):
    """Where pieces are made."""

    with_noise: ClassVar[tuple[str, ...]] = ("kept",)  # the statistics with which noise is measured too

    def __init__(self, data: DataSet, plan: Plan, work: Path) -> None:
        super().__init__(data, plan, work)
        self.split = Split.of_test_images(data) if plan.published else Split.of(data)
        network = {"package": f"{PACKAGE} {VERSION}"} if plan.published else {"rate": RATE, "held_out_share": HELD_OUT}
        grids = ("seeds", "betas", "coarse_betas", "attacked_betas")
        without = {name: value for name, value in asdict(plan).items() if name not in grids}
        self.conditions = conditions(data, **network, seed_of_split=SEED_OF_SPLIT, **without)
        self.network = lru_cache(1)(self._network)
        self.attacks = lru_cache(1)(self._attacks)

    @property
    def statistics(self) -> bool:
        """Whether the networks have statistics to renew."""
        return has_statistics(self.network(self.plan.seeds[0]))

    def pieces(self) -> list[Piece]:
        """All of the plan."""
        return list(pieces(self.plan, statistics=self.statistics))

    def inputs(self, images: Images, most: int | None = None) -> tuple[Tensor, Tensor]:
        """The first ``most`` images as pixels ``(N, C, H, W)`` in [0, 1], and their labels."""
        pixels = images.pixels[:most].permute(0, 3, 1, 2).float().div(top_level(self.data))
        return pixels.contiguous(memory_format=torch.channels_last), images.labels[:most]

    def soft(self, piece: Piece) -> nn.Module:
        """The network of a piece."""
        hard = self.network(piece.seed)
        net = soften(hard, piece.beta, piece.smoothing)
        if piece.statistics == "kept":
            return net
        return renewed(net, self.inputs(self.split.train, self.plan.renewed_by)[0])

    def _network(self, seed: int) -> nn.Module:
        if self.plan.published:
            return published()
        return trained(self.data, self.split, self.plan.recipe, seed, self.work)

    def run(self, piece: Piece) -> dict[str, Any]:
        """As arrays, which processes pass on."""
        return {name: values.numpy() for name, values in super().run(piece).items()}

    def make(self, piece: Piece, *_unused: object) -> dict[str, Any]:
        """Measure one network at one β."""
        net = self.soft(piece)
        found: dict[str, Tensor] = {}
        for part, images, most in (
            ("validation", self.split.validation, self.plan.noisy[0]),
            ("test", self.split.test, self.plan.noisy[1]),
        ):
            clean = self.plan.validation if part == "validation" else None
            found[f"logits {part}"] = logits(net, self.inputs(images, clean)[0])
            pixels, labels = self.inputs(images, most)
            for sigma in self.plan.sigmas if piece.statistics in self.with_noise else ():
                found[f"noise {sigma:.3g} {part}"] = _right(net, noisy(pixels, sigma), labels)
        if piece.attacked:
            for part in ("validation", "test"):
                _, labels = self._attacked(part)
                made = self._attacks_on(net, part) if piece.beta < 1 else self.attacks(piece.seed)[part]
                for name, own in made.items():
                    found[f"own {name} {part}"] = _right(net, own, labels)
                for name, foreign in self.attacks(piece.seed)[part].items():
                    found[f"transferred {name} {part}"] = _right(net, foreign, labels)
        return found

    def _attacked(self, part: str) -> tuple[Tensor, Tensor]:
        most = self.plan.attacked[0 if part == "validation" else 1]
        return self.inputs(getattr(self.split, part), most)

    def _attacks(self, seed: int) -> dict[str, dict[str, Tensor]]:
        """Images changed against the hard network of a seed."""
        return {part: self._attacks_on(self.network(seed), part) for part in ("validation", "test")}

    def _attacks_on(self, net: nn.Module, part: str) -> dict[str, Tensor]:
        pixels, labels = self._attacked(part)
        return {f"fgsm {size:.3g}": fgsm(net, pixels, labels, size) for size in self.plan.sizes} | {
            "pgd": pgd(net, pixels, labels, self.plan.pgd_size, self.plan.pgd_steps)
        }


def soften(network: nn.Module, beta: float, smoothing: str) -> nn.Module:
    """A copy of a network with all its units at β."""
    return betavq.soften(network, beta, smoothing=smoothing)


def _right(net: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    return logits(net, inputs).argmax(1) == labels
