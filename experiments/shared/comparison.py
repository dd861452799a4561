"""Kinds of networks, each at the setting that did best on images held out, compared on the test images in pairs."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from experiments.shared.bench import Bench, Make, make_all
from experiments.shared.choosing import Axis, Choice, Point, choose
from experiments.shared.results import band

R = TypeVar("R")
Entry = dict[str, Any]
LOSSES = (0.5, 0.1)  # of training: when a network has come so far is noted


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What is compared under one name.

    Attributes:
        group: of kinds that are compared with each other.
        name: of the kind.
        axes: the grid of its settings.
        run: the network of a point of the grid, a seed and the part of the images that it is judged by.
    """

    group: str
    name: str
    axes: tuple[Axis, ...]
    run: Callable[[Point, int, str], R]

    def __str__(self) -> str:
        return f"{self.group} {self.name}"


@dataclass(frozen=True)
class Seeds:
    """Of the networks that settings are chosen by, and of those that are compared."""

    choosing: tuple[int, ...] = (100, 101, 102)
    comparing: tuple[int, ...] = tuple(range(10))


class Comparison(Generic[R]):
    """The runs of a comparison, made one after the other; what a result file holds of them is not made again.

    Args:
        kinds: in the order of their groups.
        seeds: of all kinds.
        make: what makes runs.
        settings: all that the numbers depend on.
        out: the result file. It is read if its settings are these, on whatever processor.
    """

    def __init__(
        self, kinds: Sequence[Kind[R]], seeds: Seeds, make: Make[R], settings: dict[str, Any], out: Path
    ) -> None:
        self.kinds, self.seeds, self.make, self.settings = kinds, seeds, make, settings
        self.chosen: list[Entry] = []
        self._found: dict[str, Entry] = {}
        self._asked: dict[str, None] = {}
        self._compared: dict[tuple[str, str], list[Entry]] = {}
        earlier = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
        if {**earlier.get("settings", {}), "hardware": 0} == json.loads(json.dumps({**settings, "hardware": 0})):
            self._found = {entry["run"]: entry for entry in earlier["selection"] + earlier["runs"]}

    def stages(self) -> Iterator[dict[str, Any]]:
        """The contents of the result file, each time that it has become longer."""
        for kind in self.kinds:
            choice = self._choice(kind)
            yield self._contents()
            compared = [kind.run(choice.best, seed, "test") for seed in self.seeds.comparing]
            self._compared[kind.group, kind.name] = self._made(compared, f"{kind} on test images")
            yield self._contents()

    def _choice(self, kind: Kind[R]) -> Choice:
        def score(points: Sequence[Point]) -> list[float]:
            runs = [kind.run(point, seed, "held_out") for point in points for seed in self.seeds.choosing]
            found = [entry["accuracy"] for entry in self._made(runs, str(kind))]
            count = len(self.seeds.choosing)
            return [statistics.mean(found[i * count : (i + 1) * count]) for i in range(len(points))]

        choice = choose(kind.axes, score)
        best = {axis.name: value for axis, value in zip(kind.axes, choice.best, strict=True)}
        self.chosen.append({"group": kind.group, "kind": kind.name, **best, "edges": list(choice.edges)})
        return choice

    def _made(self, runs: Sequence[R], label: str) -> list[Entry]:
        self._asked |= dict.fromkeys(str(run) for run in runs)
        missing = [run for run in runs if str(run) not in self._found]
        for run, result in zip(missing, make_all(self.make, missing, label), strict=True):
            self._found[str(run)] = {"run": str(run), **short(result, asdict(run)["judged_on"])}  # type: ignore[call-overload]
        return [self._found[str(run)] for run in runs]

    def _contents(self) -> dict[str, Any]:
        asked = [self._found[name] for name in self._asked]
        selection, runs = (
            [entry for entry in asked if (entry["judged_on"] == "test") == is_test] for is_test in (False, True)
        )
        expected = len(self.kinds) * len(self.seeds.comparing)
        return {
            "settings": self.settings,
            "complete": len(runs) == expected,
            "chosen": self.chosen,
            "differences": self._differences(),
            "selection": selection,
            "runs": runs,
        }

    def _differences(self) -> list[Entry]:
        """Of every two kinds of a group that are compared by now, in pairs of one seed."""
        found = []
        for i, kind in enumerate(self.kinds):
            for other in self.kinds[:i]:
                pairs = self._pairs(kind, other)
                if pairs and kind.group == other.group:
                    by = {
                        quantity: band([one[quantity] - two[quantity] for one, two in pairs])
                        for quantity in ("accuracy", "last_loss")
                        if all(entry[quantity] is not None for pair in pairs for entry in pair)
                    }
                    found.append({"group": kind.group, "kind": kind.name, "minus": other.name, **by})
        return found

    def _pairs(self, *kinds: Kind[R]) -> list[tuple[Entry, Entry]]:
        runs = [self._compared.get((kind.group, kind.name), []) for kind in kinds]
        return list(zip(*runs, strict=True)) if all(runs) else []


def short(result: Entry, judged_on: str) -> Entry:
    """What the result file keeps of a run: of one that settings are chosen by, accuracy and last loss alone."""
    if judged_on == "test":
        when = {f"{loss:g}": epochs_to(result["losses"], loss) for loss in LOSSES}
        return {**result, "last_loss": result["losses"][-1], "epochs_to": when}
    kept = {key: value for key, value in result.items() if not isinstance(value, list | dict)}
    return {**kept, "last_loss": result["losses"][-1]}


def epochs_to(losses: Sequence[float | None], level: float) -> int | None:
    """The epochs after which the mean training loss of an epoch is at most ``level``; None where it never is."""
    return next((i for i, loss in enumerate(losses, 1) if loss is not None and loss <= level), None)


def again(bench: Bench[Any, R], of: type[R], out: Path, name: str) -> str:
    """Make one run of the comparison in a result file again, from nothing; tell whether it is the same to the bit."""
    contents = json.loads(out.read_text(encoding="utf-8"))
    if contents["settings"]["data_sha256"] != bench.data.sha256:
        sys.exit(f"--data: the result file {out} is not of these images, but of {contents['settings']['data']}")
    stored = next((entry for entry in contents["runs"] if entry["run"] == name), None)
    if stored is None:
        sys.exit(f"--again: there is no run {name!r} in {out}; one is {contents['runs'][0]['run']!r}")
    start = time.monotonic()
    made = bench.run(of(**{field.name: stored[field.name] for field in fields(of)}))  # type: ignore[arg-type]
    same = {"run": name, **short(made, "test")} == stored
    return f"{name}: {'the same to the bit' if same else 'not the same'} ({time.monotonic() - start:.0f} s)"
