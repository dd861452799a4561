"""Every public operator and module on another device than the CPU, without one: where tensors are made, and of what.

Devices are simulated, for derivatives by PyTorch's own device without numbers, "meta": shapes, dtypes and devices are
real, numbers are not. Two things are looked for: no operation
mixes devices, and none makes a float64 tensor there unless the input is float64, for MPS has none. The tests marked
``cuda`` compare numbers, on a machine with a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from operator_examples import Example, every_layer, every_operator, layer_input, slopes
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

on_every_device = pytest.mark.parametrize("device", ["cuda", "mps", "meta"])
on_cuda = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


class NoFloat64(TorchDispatchMode):
    """Refuses every operation that gives a float64 tensor elsewhere than on the CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        for result in tree_leaves(results):
            if isinstance(result, Tensor) and result.dtype == torch.float64 and result.device.type != "cpu":
                raise RuntimeError(f"{func} made a float64 tensor on {result.device}")
        return results


class SlicesAsOperators(TorchFunctionMode):
    """Takes slices by the operator: Python's brackets ask for the device's own library, and here there is none."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not Tensor.__getitem__ or not isinstance(args[1], tuple):
            return func(*args, **(kwargs or {}))
        tensor, index = args
        assert index[0] is Ellipsis
        for dim, part in enumerate(index[1:], start=tensor.dim() - len(index) + 1):
            assert isinstance(part, slice)
            tensor = torch.ops.aten.slice.Tensor(tensor, dim, part.start, part.stop, part.step or 1)
        return tensor


@contextmanager
def simulated(device: str) -> Iterator[None]:
    """Let tensors live on a device that is not there; "meta" is PyTorch's own device without numbers."""
    with FakeTensorMode() if device != "meta" else nullcontext(), SlicesAsOperators():
        yield


def empty(shape: tuple[int, ...], device: str, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(shape, device=device, dtype=dtype)


def test_the_simulation_sees_what_it_looks_for() -> None:
    with simulated("mps"), NoFloat64(), pytest.raises(RuntimeError, match="made a float64 tensor on mps"):
        empty((3,), "mps").double()
    for device in ("cuda", "meta"):
        with simulated(device), pytest.raises(RuntimeError, match="device"):
            empty((3,), device) + torch.empty(3)
    with simulated("mps"):
        assert empty((2, 9, 7), "mps")[..., 1:7:2, :4].shape == (2, 3, 4)


@every_operator
@on_every_device
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_operators_stay_on_their_device(example: Example, device: str, dtype: torch.dtype) -> None:
    with simulated(device), NoFloat64():
        x = empty(example.shape, device, dtype)
        numbers = (0.0, 0.4, 1.0, torch.tensor(0.4), empty((), device))  # a 0-dim one may live on the CPU
        for beta in (*numbers, empty(example.betas, device)):
            result = example.call(x, beta)
            assert (result.device.type, result.dtype) == (device, dtype)


@every_operator
def test_gradients_stay_on_their_device(example: Example) -> None:
    with NoFloat64():
        x, beta = (tensor.detach().to("meta").requires_grad_() for tensor in example.inputs())
        for found in (slopes(example.call(x, 0.4), x), slopes(example.call(x, beta), x, beta)):
            assert {(each.device.type, each.dtype) for each in found} == {("meta", torch.float32)}


@every_operator
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # forward mode's own
def test_forward_mode_stays_on_its_device(example: Example) -> None:
    """Without the guard: PyTorch's own forward mode makes a float64 of every number that is multiplied by."""
    x, beta = (tensor.detach().to("meta") for tensor in example.inputs())
    tangent = torch.func.jvp(example.call, (x, beta), (x, beta))[1]
    assert (tangent.device.type, tangent.dtype) == ("meta", torch.float32)


@every_layer
@on_every_device
def test_modules_live_on_a_device(make: Callable[[], nn.Module], device: str) -> None:
    shape = tuple(layer_input(make).shape)
    with simulated(device), NoFloat64():
        with torch.device(device):
            layer = make().requires_grad_(False)  # autograd needs the device's own library
        assert {tensor.device.type for tensor in layer.state_dict().values()} == {device}
        result = layer(empty(shape, device))
        assert (result.device.type, result.dtype) == (device, torch.float32)


def _close_on_cuda(found: Tensor, expected: Tensor) -> None:
    assert found.device.type == "cuda"
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-5, atol=1e-6)


@every_operator
@pytest.mark.parametrize("cuda", [pytest.param("cuda", marks=on_cuda)])
def test_numbers_on_cuda(example: Example, cuda: str) -> None:
    here = example.inputs()
    there = tuple(tensor.detach().to(cuda).requires_grad_() for tensor in here)
    expected, found = example.call(*here), example.call(*there)
    _close_on_cuda(found, expected)
    for slope, other in zip(slopes(found, *there), slopes(expected, *here), strict=True):
        _close_on_cuda(slope, other)
    for beta in (0.0, 0.4, 1.0):
        _close_on_cuda(example.call(there[0], beta), example.call(here[0], beta))


@every_layer
@pytest.mark.parametrize("cuda", [pytest.param("cuda", marks=on_cuda)])
def test_modules_on_cuda(make: Callable[[], nn.Module], cuda: str) -> None:
    x = layer_input(make)
    _close_on_cuda(make().to(cuda)(x.to(cuda)), make()(x))
