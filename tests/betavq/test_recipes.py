"""The recipes of the reference do what they say; torchvision and matplotlib, which the tests lack, are played."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import betavq
import betavq.geometry
import betavq.mixture
from betavq.nn import BetaReLU

PAGE = Path(__file__).parents[2] / "book" / "reference" / "recipes.md"
RECIPES = dict(re.findall(r"^## (.+?)$.*?^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S))


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def cook(title: str, **given: Any) -> dict[str, Any]:
    """Run a recipe with what a reader has; give all that it leaves."""
    names = {"torch": torch, "betavq": betavq, **given}
    exec(compile(RECIPES[title], title, "exec"), names)
    return names


def cnn(unit: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), unit(), nn.Flatten(), nn.Linear(64, 2))


def images() -> Tensor:
    return torch.randn(8, 3, 6, 6)


def played(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    """A module that is not installed, with the functions that a recipe calls."""
    module = ModuleType(name)
    for function, value in functions.items():
        setattr(module, function, value)
    monkeypatch.setitem(sys.modules, name, module)


def test_there_are_eleven_of_at_most_eight_lines_and_each_is_tested() -> None:
    assert len(RECIPES) == 11
    for title, code in RECIPES.items():
        assert len([line for line in code.splitlines() if line.strip()]) <= 8, title
    source = Path(__file__).read_text(encoding="utf-8")
    assert [title for title in RECIPES if f'cook("{title}"' not in source] == []


def test_moments_are_matched(capsys: pytest.CaptureFixture[str]) -> None:
    net, x = cnn().eval(), torch.randn(40, 3, 6, 6)
    soft = cook("Keep the accuracy of a network at a small β", net=net, images=x)["soft"]
    torch.testing.assert_close(soft[:3](x).mean((0, 2, 3)), net[:3](x).mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    assert "moments matched at β = 0.5, spread" in capsys.readouterr().out


def test_silu_is_replaced_by_what_computes_the_same() -> None:
    net, x = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.SiLU()), nn.SiLU()), torch.randn(5, 3)
    before = net(x)
    cook("Replace SiLU", net=net)
    assert not any(isinstance(module, nn.SiLU) for module in net.modules())
    torch.testing.assert_close(net(x), before)


def test_beta_goes_up_to_1_while_the_net_is_trained() -> None:
    seen: list[float] = []
    net = cnn(BetaReLU)
    cook("Anneal β in your own CNN", net=net, train=lambda net: seen.append(net[2].beta.item()))
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


def test_a_model_of_torchvision_is_softened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """torchvision is played by a module whose ``get_model`` gives a small network and takes note of its name."""
    asked: list[tuple[str, str]] = []
    models = ModuleType("torchvision.models")
    models.get_model = lambda name, weights: asked.append((name, weights)) or cnn()  # type: ignore[attr-defined]
    played(monkeypatch, "torchvision", models=models)
    soft = cook("Soften a torchvision model by name")["soft"]
    assert asked == [("resnet18", "DEFAULT")]
    assert betavq.betas(soft)["softening_beta"].item() == pytest.approx(0.9)
    assert "1 site replaced, 0 left alone" in capsys.readouterr().out


def test_a_beta_a_channel_in_a_layer_and_in_a_model() -> None:
    made = cook("One β a channel", net=cnn(), x=images())
    assert made["unit"].beta.shape == (16,)
    assert [beta.shape for beta in betavq.betas(made["soft"]).values()] == [(4,)]
    assert [len(group["params"]) for group in made["optimizer"].param_groups] == [1]


def test_beta_comes_back_from_outside() -> None:
    soft = betavq.soften(cnn(), 0.95, learnable=True)
    (beta,) = betavq.betas(soft).values()
    beta.grad = torch.tensor(-1.0)
    optimizer = torch.optim.SGD([beta], lr=1.0)
    cook("Keep β inside [0, 1]", net=soft, optimizer=optimizer)
    optimizer.step()
    assert beta.item() == pytest.approx(0.99)


def test_statistics_are_those_of_the_softened_model() -> None:
    net = nn.Sequential(nn.ReLU(), nn.BatchNorm1d(2)).eval()
    x = torch.randn(64, 2)
    made = cook("Renew the statistics of BatchNorm after softening", net=net, loader=[x[:32], x[32:]])
    expected = betavq.functional.beta_relu(x, beta=0.9).mean(0)
    torch.testing.assert_close(made["soft"][1].running_mean, expected)
    assert not made["soft"].training


def test_a_maso_is_the_three_layers() -> None:
    net, x = cnn(), images()
    net(x)
    made = cook("A convolution, its BatchNorm and ReLU as a MASO", net=net.eval(), x=x)
    layers = net[1](net[0](x)).flatten(1)
    torch.testing.assert_close(made["y"], betavq.functional.beta_relu(layers, beta=0.9), rtol=1e-4, atol=1e-5)


def test_a_mixture_finds_three_heaps() -> None:
    generator = np.random.default_rng(0)
    data = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 20, axis=0) + generator.normal(size=(60, 2))
    made = cook("Fit a mixture to NumPy data", data=data)
    assert made["result"].converged
    heaps = made["labels"].reshape(3, 20)
    assert (heaps == heaps[:, :1]).all()
    assert len(set(heaps[:, 0].tolist())) == 3


def test_regions_are_drawn_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """matplotlib is played by a module that takes note of the polygons."""
    drawn: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    pyplot = ModuleType("matplotlib.pyplot")
    pyplot.fill = lambda x, y, **_: drawn.append((x, y))  # type: ignore[attr-defined]
    pyplot.axis = pyplot.show = lambda *_: None  # type: ignore[attr-defined]
    played(monkeypatch, "matplotlib", pyplot=pyplot)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    net = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 2)).eval()
    cook("Draw the regions of a small network with matplotlib", net=net)
    areas = [abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2 for x, y in drawn]
    assert len(drawn) > 4
    assert sum(areas) == pytest.approx(4)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*LeafSpec.* is deprecated:FutureWarning")
def test_the_exported_graph_takes_beta() -> None:
    net, x = cnn().eval(), images()
    graph = cook("Export a model with β as an input", soft=betavq.soften(net), x=x)["program"].module()
    for beta in (0.0, 0.3, 1.0):
        torch.testing.assert_close(graph(x, torch.tensor(beta)), betavq.soften(net, beta)(x), rtol=1e-5, atol=1e-6)
