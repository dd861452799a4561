"""The bench of experiments that train small convolutional networks and judge them by their accuracy."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from torch import nn

from experiments.shared.bench import Bench, conditions
from experiments.shared.images import HELD_OUT, SEED_OF_SPLIT, DataSet, Images
from experiments.shared.small_cnn import History, Penalty, Recipe, Standard, accuracy, train


class Training(Protocol):
    """One network, and how it is trained.

    Attributes:
        rate: of learning, at the first step.
        seed: of the weights and of the order of the images.
        judged_on: the part of the images that it is judged by.
        penalty: what is added to its loss.
    """

    @property
    def rate(self) -> float: ...
    @property
    def seed(self) -> int: ...
    @property
    def judged_on(self) -> str: ...
    @property
    def penalty(self) -> Penalty | None: ...


R = TypeVar("R", bound=Training)


class TrainingBench(Bench[Recipe, R]):
    """Where networks are trained; the plan is the recipe of them all."""

    constants: ClassVar[dict[str, Any]] = {}  # of the experiment, on which all runs depend

    def __init__(self, data: DataSet, plan: Recipe, work: Path) -> None:
        super().__init__(data, plan, work)
        self.parts = parts(data, plan.most_images)
        split = {"held_out_share": HELD_OUT, "seed_of_split": SEED_OF_SPLIT}
        sizes = {"train_images": len(data.train), "test_images": len(data.test), "classes": data.num_classes}
        self.conditions = conditions(data, **sizes, **split, **asdict(plan)) | self.constants

    @abstractmethod
    def build(self, run: R) -> nn.Module:
        """The network of a run before training."""

    def note(self, _trained: nn.Module, /) -> Any:
        """What is noted before training and after each epoch."""
        return None

    @abstractmethod
    def found(self, trained: nn.Module, history: History, /) -> dict[str, Any]:
        """What the result file says of a trained network besides its accuracy and losses."""

    def make(self, run: R, checkpoint: Path, identity: str) -> dict[str, Any]:
        """Train and judge one network; its entry of the results."""
        learned, judged = self.parts[run.judged_on]
        trained = self.build(run)
        history = train(
            trained,
            learned,
            self.plan,
            rate=run.rate,
            seed=run.seed,
            checkpoint=checkpoint,
            identity=identity,
            penalty=run.penalty,
            note=self.note,
            label=str(run),
        )
        return {
            **asdict(run),  # type: ignore[call-overload]
            "accuracy": round(accuracy(trained, Standard.of(learned), judged), 6),
            "losses": history.losses,
            **self.found(trained, history),
        }


def parts(data: DataSet, most: int | None) -> dict[str, tuple[Images, Images]]:
    """Images to learn from and images to be judged by, while settings are chosen (held_out) and compared (test).

    With a limit, settings are chosen and compared with the same images; else all of them are learned from in the end.
    """
    held_out, others = data.train.split(HELD_OUT)
    learned = others.rows(slice(most))
    return {"held_out": (learned, held_out), "test": (data.train if most is None else learned, data.test)}
