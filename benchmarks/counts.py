"""What operators cost on an accelerator, counted without one: ``.venv/bin/python -m benchmarks.counts``.

There a pass over memory is what takes time, and below a hundred thousand numbers the launch of a kernel. Both can be
counted: tensors on the CPU answer as those of an accelerator do, and a dispatch mode sees every kernel. Printed are
kernels launched, those of them over the whole input, and numbers moved (read and written, in units of the input), for
the forward pass and for the backward pass, and what is saved between them.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from experiments.shared.program import program
from hardtosoft.results.counted import Count, Counted

from .timing import saved_for_backward

#: Operators that return another view of the same numbers, or memory without numbers: no kernel runs.
NO_KERNEL = frozenset(
    """view _unsafe_view _reshape_alias reshape expand unsqueeze squeeze detach alias slice select transpose t permute
    as_strided split split_with_sizes unbind unfold diagonal view_as narrow lift_fresh empty empty_like new_empty
    empty_strided new_empty_strided""".split()  # noqa: SIM905
)
#: Operators for which the processor waits until the accelerator has got there.
READS = frozenset(["_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select", "equal"])
BIG = 16  # a kernel is over the whole input if it meets a tensor of more than a sixteenth of its numbers


@contextmanager
def elsewhere() -> Iterator[None]:
    """Let betavq take tensors of the CPU for those of an accelerator, with nobody who watches what is called."""
    with (
        mock.patch("betavq._numerics.eager._is_here", return_value=False),
        mock.patch("betavq._numerics.eager._count_dispatch_modes", return_value=0),
    ):
        yield


class Kernels(TorchDispatchMode):
    """Writes down what would run: of each kernel its name, the bytes it moves and the size of its largest tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.run: list[tuple[str, int, int]] = []
        self.reads: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        # An ``out=`` is among what is made: it is written, and not read unless it is given besides.
        written = {arg.name for arg in func._schema.arguments if arg.alias_info and arg.alias_info.is_write}
        taken = {key: value for key, value in (kwargs or {}).items() if key not in written}
        given, made = (
            [leaf for leaf in tree_leaves(each) if isinstance(leaf, Tensor)] for each in ((args, taken), out)
        )
        if name in READS or (name == "index" and any(tensor.dtype == torch.bool for tensor in given[1:])):
            self.reads.append(name)
        elif name.rstrip("_") not in NO_KERNEL:
            read = {_place(tensor): tensor for tensor in ([] if name in ("fill_", "zero_") else given)}
            made = [tensor for tensor in made if written or _place(tensor) not in read]
            moved = sum(map(_bytes, [*read.values(), *made]))
            self.run.append((name, moved, max(tensor.numel() for tensor in [*given, *made])))
        return out


def _place(tensor: Tensor) -> tuple[int, torch.Size]:
    return tensor.data_ptr(), tensor.shape


def _bytes(tensor: Tensor) -> int:
    """Those that a kernel meets: an expanded dimension is met but once."""
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    numbers = 1
    for size, stride in sizes:
        numbers *= size if stride else 1
    return numbers * tensor.element_size()


def counted(call: Callable[[], Any], x: Tensor, unit: int) -> tuple[Count, Any]:
    """What a call takes, in units of so many bytes, and what it returns."""
    with Kernels() as kernels:
        result = call()
    big = sum(size > x.numel() // BIG for _, _, size in kernels.run)
    moved = sum(each for _, each, _ in kernels.run) / unit
    return Count(len(kernels.run), big, round(moved, 2), len(kernels.reads)), result


def count(
    group: str,
    name: str,
    layer: Callable[[Tensor], Tensor],
    x: Tensor,
    parameters: Sequence[Tensor] = (),
    unit: int = 0,
) -> Counted:
    """Both passes of a layer's third call, with ``parameters`` that it learns."""
    x, unit = x.detach().requires_grad_(), unit or x.untyped_storage().nbytes()
    with elsewhere():
        for _ in range(2):
            layer(x)
        forward, y = counted(lambda: layer(x), x, unit)
        upstream = torch.randn_like(y)
        backward, _ = counted(lambda: torch.autograd.grad(y, [x, *parameters], upstream), x, unit)
        saved = saved_for_backward(layer, x) * x.untyped_storage().nbytes() / unit
    return Counted(group, name, forward, backward, round(saved, 3))


def line(found: Counted) -> str:
    """An operator in words."""
    passes = " | ".join(
        f"{each.launches:3} ({each.big:2}) {each.moved:7.2f}{f' READS {each.reads}' if each.reads else ''}"
        for each in (found.forward, found.backward)
    )
    return f"{found.operator:34} {passes} | {found.saved:6.3f}"


def main() -> None:
    """Count, print and write."""
    from .counted_operators import every_count

    command = argparse.ArgumentParser(prog=program(), description="Kernels and traffic of β-VQ operators.")
    command.add_argument("--only", default="", help="count only operators whose name holds this")
    command.add_argument("--json", type=Path, help="file to write")
    options = command.parse_args()
    torch.manual_seed(0)
    print(f"{'':34} forward: launches (big), moved | backward | saved")
    found = []
    for each in every_count(options.only):
        found.append(each)
        print(line(each), flush=True)
    if options.json is not None:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        from .operators import write

        write(options.json, {"versions": versions, "counts": [asdict(each) for each in found]})


if __name__ == "__main__":
    main()
