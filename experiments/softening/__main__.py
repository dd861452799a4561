"""Soften trained networks without training them again, and measure what β does to them.

Run from the top of the repository: ``python -m experiments.softening`` softens small convolutional networks that it
trains on the digits of scikit-learn; with ``--data PATH``, on other images, an ``.npz`` file with uint8 images
``x_train``, ``x_test`` of shape ``(N, H, W, C)`` and labels ``y_train``, ``y_test``, or the folder of CIFAR-10. With
``--published`` it softens a network for CIFAR-10 that its author has published, which needs ``pip install --no-deps
cifar-10-model==7.4.0 h5py`` and, as ``--data``, CIFAR-10 or a part of it whose test images are CIFAR-10's test images.
A run that was stopped goes on where it was.

Every network is trained (or published) with ReLU and max-pooling, and softened at each β: with value smoothing, with
free energies, and with Curvature Tuning's mix; as it is, and with the statistics of its batch normalisation computed
again on training images. Measured are accuracy, negative log-likelihood, calibration error, accuracy with noise and
under attacks by gradients: the softened network's own, and those of the hard network carried over. A β is chosen on
validation images alone, which the networks have not learned from; the test images tell what it does. Intervals are
from a bootstrap over networks and test images, in pairs: softened less hard.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.shared.bench import Make, make_all
from experiments.shared.command import of_images, one_line, parse
from experiments.shared.images import DataSet, load
from experiments.shared.results import write
from experiments.softening.measures import BINS, Calibration
from experiments.softening.networks import PublishedError, Scaled
from experiments.softening.runs import Piece, Plan, SofteningBench, plan
from experiments.softening.summary import Draws, Found, Judged, chosen, combined, curve

PARTS = ("validation", "test")


def experiment(bench: SofteningBench, make: Make[Piece]) -> dict[str, Any]:
    """All pieces, made by ``make`` in the order given, and what they say: the contents of the result file."""
    planned = bench.pieces()
    found: dict[tuple[str, str], dict[float, list[Found]]] = {}
    for piece, made in zip(planned, make_all(make, planned, "softening"), strict=True):
        found.setdefault((piece.smoothing, piece.statistics), {}).setdefault(piece.beta, []).append(_complete(made))
    hard = found["value", "kept"][1.0]
    for kind in found:
        if kind[1] == "kept":
            found[kind].setdefault(1.0, hard)
    draws, results = Draws(), []
    for (smoothing, statistics), by_beta in found.items():
        validation, test = (_judged(bench, part, by_beta) for part in PARTS)
        reference = _judged(bench, "test", {1.0: hard})[1.0]
        entry = {
            "smoothing": smoothing,
            "statistics": statistics,
            **_summed_up(bench.plan, validation, test, reference, draws),
        }
        if (smoothing, statistics) == ("value", "kept"):
            entry["diagrams"] = [_diagram(judged) for judged in test.values()]
        results.append(entry)
    networks = [f"{network.mean():.4f}" for network in _judged(bench, "test", {1.0: hard})[1.0].images("accuracy")]
    return {
        "settings": bench.conditions
        | {
            "seeds": list(bench.plan.seeds),
            "images": {part: len(getattr(bench.split, part)) for part in ("train", *PARTS)},
            "calibration_bins": BINS,
            "accuracies_of_hard_networks": [float(accuracy) for accuracy in networks],
        },
        "results": results,
    }


def _complete(found: Found) -> Found:
    """With it, who withstands an attack on the network itself and one that is carried over."""
    attacks = {name.split(maxsplit=1)[1] for name in found if name.startswith("own")}
    worst = {f"worst {name}": combined(found, *reversed(name.rsplit(maxsplit=1))) for name in attacks}
    return found | worst


def _judged(bench: SofteningBench, part: str, by_beta: dict[float, list[Found]]) -> dict[float, Judged]:
    labels = getattr(bench.split, part).labels.numpy()
    return {beta: Judged(by_beta[beta], labels, part) for beta in sorted(by_beta)}


def _summed_up(
    plan: Plan, validation: dict[float, Judged], test: dict[float, Judged], hard: Judged, draws: Draws
) -> dict[str, Any]:
    names = {
        "accuracy": "accuracy",
        "nll": "nll",
        "ece": "ece",
        "noise": f"noise {plan.sigmas[0]:.3g}",
        "attack": "worst pgd",
    }
    measures = _measures(test[1.0])
    attacks = [name for name in measures if _is_attack(name)]
    attacked = {beta: judged for beta, judged in test.items() if attacks and attacks[0] in _measures(judged)}
    return {
        "curves": curve(test, hard, [name for name in measures if name not in attacks], draws),
        "under_attack": curve(attacked, hard, attacks, draws),
        "chosen": chosen(validation, test, hard, names, _measures, draws),
    }


def _measures(judged: Judged) -> list[str]:
    """Those that were taken of the networks at a β."""
    of_images = {name.rsplit(maxsplit=1)[0] for name in judged.found[0]} - {"logits"}
    return ["accuracy", "nll", "confidence", "ece", "adaptive_ece", *sorted(of_images)]


def _is_attack(measure: str) -> bool:
    return measure.split()[0] in ("own", "transferred", "worst")


def _diagram(judged: Judged) -> dict[str, list[float]]:
    """Of all networks together."""
    confidences, right = judged.images("confidence").ravel(), judged.images("accuracy").ravel() > 0
    return Calibration(confidences, right).diagram()


def stored_network(network: nn.Module) -> dict[str, Any]:
    """All tensors of a network by name: shape, and float32 numbers in base64."""
    return {
        name: {
            "shape": list(tensor.shape),
            "float32": base64.b64encode(np.ascontiguousarray(tensor.numpy(), "<f4").tobytes()).decode(),
        }
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }


def carry_out(path: Path | None, data: DataSet, plan: Plan, work: Path, processes: int) -> dict[str, Any]:
    """The experiment on the data of ``path``, in one process or in more: the numbers are the same."""
    torch.set_num_threads(1)
    bench = SofteningBench(data, plan, work)
    for seed in plan.seeds:
        bench.network(seed)  # trained once, and not by every process
    with bench.making(path, processes) as make:
        contents = experiment(bench, make)
    if path is None:
        first = bench.network(plan.seeds[0])
        assert isinstance(first, Scaled)
        contents["network"] = {"filters": list(plan.recipe.filters), "tensors": stored_network(first)}
    return contents


def main() -> None:
    """The command line."""
    name = "softening"
    parser = of_images("Soften trained networks and measure what β does.")
    parser.add_argument("--published", action="store_true", help="soften a published network; needs --data")
    parser.set_defaults(seeds=3)
    args = parse(parser, name)
    if args.published:
        if args.data is None:
            parser.error("--published needs --data, images of CIFAR-10")
        # Beside those of the networks trained here, unless another place was asked for.
        args.out, args.work = (
            path.with_name(path.name.replace(f"{name}_images", f"{name}_published")) for path in (args.out, args.work)
        )
    with one_line():
        data = load(args.data)
        planned = plan(data, args.seeds, of_published=args.published)
        try:
            write(carry_out(args.data, data, planned, args.work, args.processes), args.out)
        except PublishedError as error:
            sys.exit(f"--published: {error}")


if __name__ == "__main__":
    main()
