"""Mend softened networks: plain, with renewed batch normalisation, with matched moments, and fine-tuned.

Run from the top of the repository: ``python -m experiments.softening_mended``, with the data and options of
``experiments.softening``: the digits, other images with ``--data PATH``, or the published network with
``--published``. A run that was stopped goes on where it was.

The networks are those of ``experiments.softening``, softened at β of ½, .6, .75 and .9 (value smoothing). Ways:

* kept: nothing else is done;
* renewed: batch normalisation has its mean and variance computed again, on 500 unlabelled training images;
* matched: ``betavq.match_moments`` on the same 500 images;
* tuned: at ½ alone, three epochs of SGD on all labelled training images, rate .01, momentum .9, batches of 128.

Measured on the test images: accuracy, loss, calibration error and accuracy with noise; at ½ also attacks by gradients,
the network's own and those of the hard network carried over. Nothing is chosen. Intervals are from a bootstrap over
networks and test images, in pairs, less the hard network; they are not corrected for being many.
"""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import betavq
from experiments.shared.bench import make_all
from experiments.shared.command import of_images, one_line, parse
from experiments.shared.images import load
from experiments.shared.results import write
from experiments.softening.__main__ import _complete
from experiments.softening.measures import renewed
from experiments.softening.networks import PublishedError
from experiments.softening.runs import Piece, Plan, SofteningBench, plan, soften
from experiments.softening.summary import Draws, Found, Judged, curve

BETAS = (0.5, 0.6, 0.75, 0.9)
WAYS = ("kept", "renewed", "matched", "tuned")
UNLABELLED = 500
EPOCHS, RATE, MOMENTUM, BATCH = 3, 0.01, 0.9, 128  # of fine-tuning


class MendedBench(SofteningBench):
    """Where networks are softened, mended and measured; the part that β would be chosen by is not used."""

    with_noise: ClassVar[tuple[str, ...]] = ("kept", "matched")

    def __init__(self, data: Any, plan: Plan, work: Path) -> None:
        super().__init__(data, plan, work)
        self.conditions |= {"unlabelled": UNLABELLED, "tuned": [EPOCHS, RATE, MOMENTUM, BATCH]}

    def pieces(self) -> list[Piece]:
        """The hard networks, then each way at each β."""
        ways = [way for way in WAYS if self.statistics or way != "renewed"]
        made = []
        for seed in self.plan.seeds:
            made.append(Piece(seed, "value", 1.0, "kept", attacked=True))
            for way in ways:
                betas = BETAS if way != "tuned" else BETAS[:1]
                attacked = way in self.with_noise
                made += [Piece(seed, "value", beta, way, attacked and beta == BETAS[0]) for beta in betas]
        return [piece for piece in made if not (self.plan.published and piece.statistics == "tuned")]

    def soft(self, piece: Piece) -> nn.Module:
        """The network of a piece."""
        net = soften(self.network(piece.seed), piece.beta, piece.smoothing)
        images = self.inputs(self.split.train, UNLABELLED)[0]
        match piece.statistics:
            case "renewed":
                return renewed(net, images)
            case "matched":
                return betavq.match_moments(net, images)
            case "tuned":
                return self._tuned(net, piece.seed)
        return net

    def _tuned(self, net: nn.Module, seed: int) -> nn.Module:
        tuned, order = copy.deepcopy(net).train(), torch.Generator().manual_seed(seed)
        pixels, labels = self.inputs(self.split.train)
        optimiser = torch.optim.SGD(tuned.parameters(), lr=RATE, momentum=MOMENTUM)
        for _ in range(EPOCHS):
            for rows in torch.split(torch.randperm(len(labels), generator=order), BATCH):
                optimiser.zero_grad()
                F.cross_entropy(tuned(pixels[rows]), labels[rows]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        return tuned.eval()

    def sites(self) -> list[dict[str, Any]]:
        """What β = ½ does to each site of the first network, on the unlabelled images."""
        net = soften(self.network(self.plan.seeds[0]), BETAS[0], "value")
        found = betavq.report(net, self.inputs(self.split.train, UNLABELLED)[0]).replaced
        return [
            {
                "where": site.where,
                "what": site.what,
                "spread": round(site.spread, 4),
                "softness": round(site.softness, 4),
            }
            for site in found
            if site.spread is not None and site.softness is not None
        ]

    def seconds(self) -> dict[str, float]:
        """Processor seconds: matching on the unlabelled images, and forward passes over 100 of them.

        The networks take turns, as they are and compiled; of seven rounds the quickest.
        """
        images = self.inputs(self.split.train, UNLABELLED)[0]
        hard, soft = self.network(self.plan.seeds[0]), soften(self.network(self.plan.seeds[0]), BETAS[0], "value")
        matching = [_seconds(lambda: betavq.match_moments(soft, images)) for _ in range(3)]
        networks: dict[str, Callable[..., Any]] = {
            "hard": hard,
            "soft": soften(hard, BETAS[0], "value"),
            "matched": soft,
        }
        networks |= {f"{name} compiled": torch.compile(network) for name, network in networks.items()}
        few = images[:100]
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own while it compiles
            rounds = [[_seconds(partial(net, few)) for net in networks.values()] for _ in range(8)]
        quickest = np.min(rounds[1:], axis=0).tolist()
        found = {name: round(seconds, 5) for name, seconds in zip(networks, quickest, strict=True)}
        return {"matching": round(min(matching), 4)} | found


def _seconds(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def experiment(bench: MendedBench) -> dict[str, Any]:
    """All pieces, and what they say: the contents of the result file."""
    planned = bench.pieces()
    found: dict[str, dict[float, list[Found]]] = {}
    for piece, made in zip(planned, make_all(lambda runs: map(bench.run, runs), planned, "mending"), strict=True):
        found.setdefault(piece.statistics, {}).setdefault(piece.beta, []).append(_complete(made))
    labels, draws, results = bench.split.test.labels.numpy(), Draws(), []
    hard = Judged(found["kept"].pop(1.0), labels, "test")
    for way, by_beta in found.items():
        judged = {beta: Judged(by_beta[beta], labels, "test") for beta in sorted(by_beta)}
        names = ["accuracy", "nll", "ece", *_noises(judged[max(judged)])]
        entry = {"way": way, "curves": curve(judged, hard, names, draws)}
        if way in bench.with_noise:
            attacks = sorted({name.removesuffix(" test") for name in by_beta[BETAS[0]][0] if "pgd test" in name})
            entry["under_attack"] = curve({BETAS[0]: judged[BETAS[0]]}, hard, attacks, draws)
            entry["hard_under_attack"] = {name: round(hard.level(name), 5) for name in attacks}
        results.append(entry)
    return {
        "settings": bench.conditions | {"seeds": list(bench.plan.seeds), "test_images": len(labels)},
        "hard": {name: round(hard.level(name), 5) for name in ("accuracy", "nll", "ece", *_noises(hard))},
        "sites": bench.sites(),
        "seconds": bench.seconds(),
        "results": results,
    }


def _noises(judged: Judged) -> list[str]:
    """The measures with noise that were taken."""
    return [name.removesuffix(" test") for name in judged.found[0] if name.startswith("noise") and "test" in name]


def main() -> None:
    """The command line."""
    parser = of_images("Mend softened networks without labels, and compare.")
    parser.add_argument("--published", action="store_true", help="soften a published network; needs --data")
    parser.set_defaults(seeds=3)
    args = parse(parser, "softening_mended")
    if args.published:
        if args.data is None:
            parser.error("--published needs --data, images of CIFAR-10")
        args.out, args.work = (
            path.with_name(path.name.replace("mended_images", "mended_published")) for path in (args.out, args.work)
        )
    torch.set_num_threads(1)
    with one_line():
        data = load(args.data)
        planned = replace(plan(data, args.seeds, of_published=args.published), validation=1)
        try:
            write(experiment(MendedBench(data, planned, args.work)), args.out)
        except PublishedError as error:
            sys.exit(f"--published: {error}")


if __name__ == "__main__":
    main()
