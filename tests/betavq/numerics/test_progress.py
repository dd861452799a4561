"""``progress`` means one thing wherever work takes long."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from betavq.geometry import partition
from betavq.mixture import GaussianMixture

SQUARE = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]


def fit(progress: Any) -> None:
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.full((1, 4), 0.25, dtype=torch.float64)
    GaussianMixture(x[None, :4], weights).fit(x, max_iterations=8, tolerance=0, progress=progress)


def find_regions(progress: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(2, 6)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    partition(nn.Sequential(layer, nn.ReLU(), nn.Linear(6, 2)).eval(), SQUARE, progress=progress)


WORK = {"fit": fit, "partition": find_regions}
every_work = pytest.mark.parametrize("work", WORK.values(), ids=WORK)


@pytest.fixture
def quarters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that shows a quarter of a second more at every look."""
    monkeypatch.setattr("time.monotonic", iter([x / 4 for x in range(10_000)]).__next__)


@every_work
@pytest.mark.parametrize(("progress", "is_terminal", "shown"), [
    (True, False, True), (True, True, True), (None, True, True), (None, False, False), (False, True, False),
])  # fmt: skip
def test_lines_on_stderr(
    work: Callable[[Any], None],
    progress: bool | None,
    is_terminal: bool,
    shown: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    monkeypatch.setattr("time.monotonic", itertools.count().__next__)  # a second passes between any two looks
    work(progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert bool(err) == shown
    name = next(name for name, other in WORK.items() if other is work)
    assert all(line.startswith(f"{name}: ") for line in err.splitlines())


@pytest.mark.usefixtures("quarters")
def test_a_line_a_second_with_what_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """Asked for, the first comes at once."""
    told: list[tuple[int, float]] = []
    fit(lambda *reached: told.append(reached))
    fit(True)
    lines = [f"fit: iteration {i}, objective {told[i][1]:.10g}" for i in (0, 4, 8)]
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.usefixtures("quarters")
def test_on_a_terminal_the_first_line_waits_for_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fit(None)
    assert [line.partition(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "fit: iteration 3",
        "fit: iteration 7",
    ]


@every_work
def test_a_function_is_called_in_place_of_lines(
    work: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[float, float]] = []
    work(lambda *reached: told.append(reached))
    assert told
    assert all(len(reached) == 2 for reached in told)
    assert capsys.readouterr().err == ""


@every_work
@pytest.mark.parametrize("progress", [3, "yes"])
def test_other_kinds_are_refused(work: Callable[[Any], None], progress: Any) -> None:
    with pytest.raises(TypeError, match=f"progress must be True, False, None or callable, got {progress!r}"):
        work(progress)
