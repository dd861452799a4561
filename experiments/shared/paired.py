"""Runs by setting and seed: what is compared, is compared within a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.shared.results import band

Result = dict[str, Any]
Setting = tuple[Any, ...]


class Paired:
    """Results of runs, found by their setting.

    Args:
        runs: entries of a result file, each with its seed.
        keys: of an entry, which together are its setting.

    Raises:
        ValueError: the seeds of two settings differ, so there are no pairs.
    """

    def __init__(self, runs: Sequence[Result], keys: Sequence[str]) -> None:
        self.keys = keys
        self._found: dict[Setting, dict[int, Result]] = {}
        for run in runs:
            self._found.setdefault(tuple(run[key] for key in keys), {})[run["seed"]] = run
        self.settings = list(self._found)
        seeds = sorted(self._found[self.settings[0]])
        for setting, by_seed in self._found.items():
            if sorted(by_seed) != seeds:
                raise ValueError(
                    f"runs must have the seeds {seeds} in every setting, got {sorted(by_seed)} for {setting}"
                )

    def values(self, setting: Setting, quantity: str = "accuracy") -> list[Any]:
        """A quantity of a setting, seed by seed in ascending order."""
        by_seed = self._found[setting]
        return [by_seed[seed][quantity] for seed in sorted(by_seed)]

    def difference(self, one: Setting, other: Setting) -> dict[str, Any]:
        """The band of what one setting's accuracy has more than the other's on the same seed."""
        return band([a - b for a, b in zip(self.values(one), self.values(other), strict=True)])

    def entry(self, setting: Setting, numbers: dict[str, Any]) -> dict[str, Any]:
        """Numbers of a setting, with its name."""
        return dict(zip(self.keys, setting, strict=True)) | numbers
