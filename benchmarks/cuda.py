"""β-VQ operators on a GPU, where there is one: ``.venv/bin/python -m benchmarks.cuda``.

Checked are that nothing waits for the device, that numbers are those of the CPU, and that kernels are as many as
``counts.py`` counts without a device. Timed are units, pools and a softened network, eager and compiled; and a graph
of kernels is captured. It takes a few minutes, prints each result, and ends with an error if a check fails.
"""

from __future__ import annotations

import argparse
import datetime
import math
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import betavq
import betavq.functional as bF
from betavq import nn as bnn
from experiments.shared.program import program

from . import counted_operators
from .operators import write
from .resnet import ResNet
from .rivals import BETA, WINDOWS

Call = Callable[[], object]
POWERS, DTYPES = (16, 20, 26), (torch.float32, torch.bfloat16)
BETAS = (0.01, 0.5, 0.6, 0.999)
RESULT = Path("_build/cuda.json")


def main() -> None:
    """Check, time and write."""
    command = argparse.ArgumentParser(prog=program(), description="β-VQ operators on a GPU.")
    command.add_argument("--json", type=Path, default=RESULT, help="file to write (default: %(default)s)")
    options = command.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device here: benchmarks.counts counts what one would run")
    torch.manual_seed(0)
    found: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
    }
    for step in (waits, parity, kernels, unit_times, pool_times, network_times, captures):
        found[step.__name__] = step()
        print(step.__name__, found[step.__name__], flush=True)
        write(options.json, found)
    failed = [name for name in ("waits", "parity", "captures") if found[name]]
    if failed:
        raise SystemExit(f"not as it should be: {', '.join(failed)}")


def operators() -> dict[str, tuple[Callable[[Tensor], Tensor], Tensor]]:
    """Every operator with an input on the device."""
    x, scores, images = torch.randn(16, 64, 32, 32), torch.randn(4096, 16), torch.randn(4, 64, 56, 56)
    groups = (
        (counted_operators.units(), x),
        (counted_operators.selections(), scores),
        (counted_operators.pools(), images),
    )
    layers = {name: (layer, each.cuda()) for table, each in groups for name, layer in table.items()}
    return {name: (_there(layer), each) for name, (layer, each) in layers.items()}  # type: ignore[misc]


def _there(layer: Any) -> Any:
    """A layer or function whose tensors are on the device."""
    if isinstance(layer, nn.Module):
        return layer.cuda()
    if isinstance(layer, partial) and isinstance(layer.keywords.get("beta"), Tensor):
        beta = layer.keywords["beta"]
        moved = beta.detach().cuda().requires_grad_(beta.requires_grad)
        return partial(layer.func, *layer.args, **{**layer.keywords, "beta": moved})
    return layer


def both(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The gradient in the input after a forward and a backward pass."""
    x = x.detach().requires_grad_()
    y = layer(x)
    return torch.autograd.grad(y, x, torch.ones_like(y))[0]


def waits() -> list[str]:
    """The operators that wait for the device when they are warm."""
    waiting = []
    for name, (layer, x) in operators().items():
        for _ in range(2):
            both(layer, x)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            both(layer, x)
        except RuntimeError as error:
            waiting.append(f"{name}: {error}")
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return waiting


def parity() -> list[str]:
    """Where numbers differ from those of the CPU: of special inputs too, in four dtypes, at numbers and tensors β."""
    differing = []
    functions: dict[str, Callable[..., Tensor]] = {
        "beta_relu": lambda x, beta: bF.beta_relu(x, beta=beta),
        "beta_abs": lambda x, beta: bF.beta_abs(x, beta=beta),
        "beta_leaky_relu": lambda x, beta: bF.beta_leaky_relu(x, 0.1, beta=beta),
        "code": lambda x, beta: betavq.code(x.view(-1, 4), beta),
        "value": lambda x, beta: betavq.value(x.view(-1, 4), beta),
        "free_energy": lambda x, beta: betavq.free_energy(x.view(-1, 4), beta),
        "beta_max_pool2d": lambda x, beta: bF.beta_max_pool2d(x.view(1, 1, 8, -1), 3, 2, 1, beta=beta),
    }
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        most = torch.finfo(dtype).max
        special = torch.tensor([math.inf, -math.inf, math.nan, 0.0, most, -most, 1.0, -1.0], dtype=dtype)
        x = torch.cat([special, torch.linspace(-30, 30, 248).to(dtype)])
        for name, function in functions.items():
            for number in BETAS:
                for beta in (number, torch.tensor(number)):
                    here = function(x, beta)
                    there = function(x.cuda(), beta.cuda() if isinstance(beta, Tensor) else beta).cpu()
                    tolerance = 16 * torch.finfo(dtype).eps
                    if not torch.allclose(here, there, rtol=tolerance, atol=tolerance, equal_nan=True):
                        differing.append(f"{name}, {dtype}, β = {beta}")
    return differing


def kernels() -> dict[str, tuple[int, int]]:
    """How many kernels each operator runs forward and backward, as the profiler sees it."""
    found = {}
    for name, (layer, x) in operators().items():
        both(layer, x)
        leaf = x.detach().requires_grad_()
        made: list[Tensor] = []
        forward = _kernels(lambda layer=layer, leaf=leaf, made=made: made.append(layer(leaf)))  # type: ignore[misc]
        ones = torch.ones_like(made[0])
        backward = _kernels(lambda made=made, leaf=leaf, ones=ones: torch.autograd.grad(made[0], leaf, ones))  # type: ignore[misc]
        found[name] = (forward, backward)
    return found


def _kernels(call: Call) -> int:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        call()
        torch.cuda.synchronize()
    return sum(event.count for event in profile.key_averages() if event.device_type == torch.autograd.DeviceType.CUDA)


def milliseconds(call: Call, rounds: int = 30) -> float:
    """The median time on the device."""
    for _ in range(3):
        call()
    times = []
    for _ in range(rounds):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def _ratio(layer: Any, rival: Any, x: Tensor) -> tuple[float, float]:
    """Forward, and forward with backward, over the rival's."""
    with torch.no_grad():
        forward = milliseconds(lambda: layer(x)) / milliseconds(lambda: rival(x))
    whole = milliseconds(lambda: both(layer, x)) / milliseconds(lambda: both(rival, x))
    return round(forward, 2), round(whole, 2)


def unit_times() -> dict[str, tuple[float, float]]:
    """β-ReLU over ``F.silu``."""
    found = {}
    learned = torch.tensor(BETA, device="cuda", requires_grad=True)
    for power in POWERS:
        for dtype in DTYPES:
            x = torch.randn(2**power, device="cuda", dtype=dtype)
            size = f"2^{power}, {dtype}"
            found[f"beta_relu, {size}"] = _ratio(partial(bF.beta_relu, beta=BETA), F.silu, x)
            found[f"learnable, {size}"] = _ratio(partial(bF.beta_relu, beta=learned), F.silu, x)
    return found


def pool_times() -> dict[str, tuple[float, float]]:
    """β-max-pooling over ``F.max_pool2d`` in both memory formats."""
    found = {}
    for memory in (torch.contiguous_format, torch.channels_last):
        images = torch.randn(32, 64, 112, 112, device="cuda").contiguous(memory_format=memory)
        for kernel, stride, padding in WINDOWS:
            windows = {"kernel_size": kernel, "stride": stride, "padding": padding}
            ours, rival = partial(bF.beta_max_pool2d, **windows, beta=BETA), partial(F.max_pool2d, **windows)
            found[f"k{kernel}, {memory}"] = _ratio(ours, rival, images)
    return found


def network_times() -> dict[str, tuple[float, float]]:
    """A softened ResNet-18 over the hard one."""
    hard = ResNet(64).cuda().eval()
    soft = betavq.soften(hard, beta=BETA)
    images = torch.randn(32, 3, 224, 224, device="cuda")
    eager = _ratio(soft, hard, images)
    return {"eager": eager, "compiled": _ratio(torch.compile(soft), torch.compile(hard), images)}


def captures() -> list[str]:
    """What a CUDA graph cannot capture."""
    failing = []
    network = betavq.soften(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)).cuda(), beta=BETA)
    cases: dict[str, nn.Module] = {"BetaReLU": bnn.BetaReLU(BETA).cuda(), "softened network": network}
    for name, layer in cases.items():
        x = torch.randn(2, 3, 16, 16, device="cuda")
        with torch.no_grad():
            for _ in range(3):
                layer(x)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            try:
                with torch.cuda.graph(graph):
                    y = layer(x)
                graph.replay()
                torch.testing.assert_close(y, layer(x))
            except Exception as error:  # whatever the driver says
                failing.append(f"{name}: {error}")
    return failing


if __name__ == "__main__":
    main()
